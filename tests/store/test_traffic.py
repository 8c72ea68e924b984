"""Traffic by class of source, from verified reports only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.report import DkimResult, Record, SpfResult
from mailguard.feedback.values import AuthResult
from mailguard.names import name
from mailguard.policy.shelf import load_providers
from mailguard.store import Store, open_store
from mailguard.store import traffic as loading
from mailguard.store.traffic import load_traffic
from mailguard.traffic import Reporter, Seen, SourceClass, classify, service_of
from mailguard.trust.grade import UNVERIFIED
from tests.store.samples import BEGIN, DOMAIN, filed, record, report

KNOWLEDGE = load_providers()
DAY = date(2026, 9, 21)  # of BEGIN


def failing(ip: str, count: int, *, signed: tuple[str, AuthResult] | None, spf: str = "") -> Record:
    """A record that did not pass DMARC, and what it authenticated as."""
    base = record(ip, count, passes=False)
    dkim = (DkimResult(signed[0], "s1", signed[1]),) if signed else ()
    results = (SpfResult(spf, "mfrom", AuthResult.PASS),) if spf else ()
    return Record(ip, count, base.said._replace(dkim_results=dkim, spf_results=results))


MAILS = (
    filed(
        report(
            record("192.0.2.1", 90),
            record("192.0.2.2", 5),
            record("192.0.2.2", 5, passes=False),
            failing("192.0.2.3", 30, signed=(f"mail.{DOMAIN}", AuthResult.FAIL)),
            failing("192.0.2.4", 20, signed=("sendgrid.net", AuthResult.PASS)),
            failing("192.0.2.5", 3, signed=None, spf="stranger.example"),
            failing("192.0.2.6", 2, signed=("sendgrid.net", AuthResult.FAIL)),
        )
    ),
    filed(report(record("192.0.2.1", 10), report_id="next", begin=BEGIN + 86_400)),
    filed(report(record("198.51.100.1", 70_000), report_id="forged"), trust=UNVERIFIED),
    filed(report(record("192.0.2.9", 8), report_id="early", begin=BEGIN - 40 * 86_400)),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "db") as store:
        store.add(MAILS)
        yield store


def test_sources_have_the_class_that_their_results_show(store: Store) -> None:
    traffic = load_traffic(store, DOMAIN, DAY, DAY + timedelta(days=1), KNOWLEDGE)
    assert traffic is not None
    assert {source.ip: (source.kind, source.messages, source.passed) for source in traffic.sources} == {
        "192.0.2.1": (SourceClass.ALIGNED, 100, 100),
        "192.0.2.2": (SourceClass.PARTLY, 10, 5),
        "192.0.2.3": (SourceClass.LISTED, 30, 0),
        "192.0.2.4": (SourceClass.SERVICE, 20, 0),
        "192.0.2.5": (SourceClass.UNKNOWN, 3, 0),
        "192.0.2.6": (SourceClass.UNKNOWN, 2, 0),
    }
    assert (traffic.messages, traffic.passed, traffic.of(SourceClass.SERVICE)) == (165, 105, 20)
    by_ip = {source.ip: source for source in traffic.sources}
    assert by_ip["192.0.2.4"].provider == "sendgrid"
    assert by_ip["192.0.2.5"].authenticated_as == ("stranger.example",)


def test_days_add_up_to_the_sources(store: Store) -> None:
    traffic = load_traffic(store, DOMAIN, DAY, DAY + timedelta(days=2), KNOWLEDGE)
    assert traffic is not None
    assert [day.day for day in traffic.days] == [DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)]
    assert traffic.days[1].messages == {SourceClass.ALIGNED: 10}
    assert traffic.days[2].messages == {}
    assert sum(sum(day.messages.values()) for day in traffic.days) == traffic.messages


def test_what_is_not_proved_counts_for_nothing_and_is_told(store: Store) -> None:
    traffic = load_traffic(store, DOMAIN, DAY, DAY, KNOWLEDGE)
    assert traffic is not None
    assert traffic.unverified == 1
    assert traffic.reporters == (Reporter("reporter.example", "reporter.example", 1, 155),)


def test_a_window_without_reports_has_no_traffic(store: Store) -> None:
    assert load_traffic(store, DOMAIN, DAY + timedelta(days=20), DAY + timedelta(days=30), KNOWLEDGE) is None
    assert load_traffic(store, "other.example.jp", DAY, DAY, KNOWLEDGE) is None


def test_too_many_sources_are_told_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_SOURCES", 2)
    traffic = load_traffic(store, DOMAIN, DAY, DAY + timedelta(days=1), KNOWLEDGE)
    assert traffic is not None
    assert [source.ip for source in traffic.sources] == ["192.0.2.1", "192.0.2.3", ""]
    assert traffic.messages == 165
    assert sum(sum(day.messages.values()) for day in traffic.days) == 165


@given(st.text(max_size=80), st.integers(0, 9), st.integers(0, 9))
def test_no_text_of_a_reporter_breaks_the_classes(text: str, messages: int, passed: int) -> None:
    seen = Seen(frozenset((text,)), frozenset((text,)))
    assert classify(name(DOMAIN), messages, passed, seen, KNOWLEDGE) in SourceClass
    service_of((text,), KNOWLEDGE)


@pytest.mark.parametrize(
    ("signer", "service"),
    [
        ("sendgrid.net", "sendgrid"),
        ("clinic.20230601.gappssmtp.com", "google_workspace"),
        ("clinic.onmicrosoft.com", "microsoft_365"),
        ("worksmobile.com", "line_works"),
        ("notsendgrid.net", None),
        ("example.jp", None),
    ],
)
def test_a_service_is_known_by_the_name_that_it_signs_with(signer: str, service: str | None) -> None:
    found = KNOWLEDGE.of_signer(signer)
    assert (found.id if found else None) == service
