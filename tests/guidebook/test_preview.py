"""What a record would have done to reported mail, and silence where nobody reported."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mailguard.evidence import Evidence
from mailguard.guidebook.preview import Effect, Preview, previews
from mailguard.inquiry import Question, RRType
from mailguard.names import name
from mailguard.render.document import Document
from mailguard.traffic import SourceClass, Traffic
from tests.guidebook.cases import source, traffic
from tests.zones import Zone

DOMAIN = "clinic.example"
ZONE = """
clinic.example    TXT  "v=spf1 ip4:192.0.2.10 include:old.example.net ~all"
old.example.net   TXT  "v=spf1 ip4:198.51.100.0/24 -all"
"""


def evidence(zone: str = ZONE) -> Evidence:
    world = Zone.parse(zone)
    asked = [Question(name(owner), RRType.TXT) for owner in (DOMAIN, "old.example.net")]
    return Evidence(name(DOMAIN), datetime(2026, 11, 22, tzinfo=UTC), "x", answers=tuple(map(world, asked)))


def fix(at: str, before: str, after: str, *reasons: str) -> Document:
    record = {"name": at, "type": "TXT", "before": [before] if before else [], "after": [after], "split": [[after]]}
    return {"rules": [], "records": [record], "readiness": "needs-your-decision", "reasons": list(reasons)}


def dmarc(after: str, before: str = "v=DMARC1; p=none") -> Document:
    return fix("_dmarc.clinic.example", before, after, "tightens-policy")


def spf(after: str, reason: str) -> Document:
    return fix(DOMAIN, "v=spf1 ip4:192.0.2.10 include:old.example.net ~all", after, reason)


REPORTED = traffic(
    source("192.0.2.10", 100, 98, SourceClass.PARTLY, spf=95),
    source("198.51.100.7", 40, 40, SourceClass.ALIGNED, spf=40),
    source("203.0.113.9", 30, 0, SourceClass.UNKNOWN),
)


def test_without_reports_nothing_is_said_of_the_effect() -> None:
    for none in (None, traffic()):
        assert previews(dmarc("v=DMARC1; p=reject"), none, None) == (Preview(Effect.REFUSED),)
        assert previews(spf("v=spf1 ip4:192.0.2.10 ~all", "stops-authorizing"), none, None)[0].messages is None


def test_a_policy_stops_what_did_not_pass_whoever_sent_it() -> None:
    (seen,) = previews(dmarc("v=DMARC1; p=quarantine"), REPORTED, None)
    assert (seen.effect, seen.messages, seen.total) == (Effect.QUARANTINED, 170, 32)
    assert seen.affected == ((SourceClass.PARTLY, 2), (SourceClass.UNKNOWN, 30))
    assert (seen.unknown, seen.at_most) == (0, False)


def test_of_a_policy_for_subdomains_the_reports_tell_an_upper_bound() -> None:
    (seen,) = previews(dmarc("v=DMARC1; p=reject; sp=reject", "v=DMARC1; p=reject; sp=none"), REPORTED, None)
    assert seen.at_most


def test_stricter_alignment_leaves_open_what_would_still_pass() -> None:
    (seen,) = previews(dmarc("v=DMARC1; p=reject; aspf=s"), REPORTED, None)
    assert seen.unknown == REPORTED.passed


def test_a_server_that_leaves_the_list_loses_its_pass() -> None:
    (seen,) = previews(spf("v=spf1 ip4:192.0.2.10 ~all", "stops-authorizing"), REPORTED, evidence())
    assert (seen.effect, seen.affected, seen.unknown) == (Effect.SPF_LOST, ((SourceClass.ALIGNED, 40),), 0)


def test_a_stricter_end_of_the_list_fails_those_that_are_not_in_it() -> None:
    after = "v=spf1 ip4:192.0.2.10 include:old.example.net -all"
    (seen,) = previews(spf(after, "tightens-spf"), REPORTED, evidence())
    assert (seen.effect, seen.affected) == (Effect.SPF_FAILED, ((SourceClass.UNKNOWN, 30),))


def test_what_the_evidence_does_not_answer_is_not_known() -> None:
    record = spf("v=spf1 ip4:192.0.2.10 include:new.example.net ~all", "stops-authorizing")
    (seen,) = previews(record, REPORTED, evidence())
    assert (seen.total, seen.unknown) == (0, 40)
    (blind,) = previews(record, REPORTED, None)
    assert (blind.total, blind.unknown) == (0, 135)


def test_a_change_that_asks_nobody_to_be_stricter_has_no_preview() -> None:
    assert previews(fix("_dmarc.clinic.example", "", "v=DMARC1; p=none", "report-address"), REPORTED, None) == ()


@given(st.text(max_size=40), st.text(max_size=60), st.sampled_from(["tightens-policy", "tightens-spf"]), st.text())
def test_never_raises_whatever_is_published(at: str, after: str, reason: str, ip: str) -> None:
    strange: Traffic = traffic(source(ip, 5, 1, SourceClass.SERVICE))
    for text in (after, f"v=spf1 {after}", f"v=DMARC1; p=reject; {after}"):
        previews(fix(at, after, text, reason), strange, evidence())
