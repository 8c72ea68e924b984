"""The rules about DMARC together: nothing raises, one cause gives one finding, a sound domain is left in peace."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.edit import propose
from mailguard.dmarc.record import parse_record
from mailguard.dossier import Dossier, Expectation, MailingLists
from mailguard.guides import LANGUAGES, fill, load_guide
from mailguard.inquiry import Txt, run
from mailguard.names import name
from mailguard.rules.base import Finding, Severity
from mailguard.rules.dmarc import CHECKS
from mailguard.survey import take_survey
from tests.zones import Zone

MAIL = """
clinic.example.jp  MX   10 mail.clinic.example.jp
clinic.example.jp  TXT  "v=spf1 mx -all"
"""


def findings(zone: Zone, lists: MailingLists = MailingLists.UNSET) -> list[Finding]:
    survey = run(take_survey(name("clinic.example.jp"), probe_label="mailguard-probe-0001"), zone)
    dossier = Dossier(Expectation(mailing_lists=lists), survey, datetime(2026, 11, 22, tzinfo=UTC))
    return [finding for check in CHECKS.values() for finding in check(dossier)]


def ids(*lines: str) -> set[str]:
    return {finding.rule.id for finding in findings(Zone.parse(MAIL + "\n".join(lines)))}


@pytest.mark.parametrize(
    "record",
    [
        "v=DMARC1; p=reject; rua=mailto:dmarc@clinic.example.jp",
        "v=DMARC1; p=quarantine; rua=mailto:dmarc@clinic.example.jp",
        "v=DMARC1; p=quarantine; sp=quarantine; pct=100; adkim=r; aspf=r; rua=mailto:dmarc@clinic.example.jp;",
    ],
)
def test_an_ordinary_clinic_is_left_in_peace(record: str) -> None:
    found = findings(Zone.parse(MAIL + f'_dmarc.clinic.example.jp TXT "{record}"'))
    assert [finding for finding in found if finding.rule.severity.rank <= Severity.MEDIUM.rank] == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), {"DMARC001"}),
        (('_dmarc.clinic.example.jp TXT "v=dmarc1; p=reject"',), {"DMARC008"}),
        (('_dmarc.clinic.example.jp TXT "v=DMARC1 p=reject"',), {"DMARC013"}),
        (('clinic.example.jp TXT "v=DMARC1; p=reject"',), {"DMARC016"}),
        (("_dmarc.clinic.example.jp CNAME gone.example.net",), {"DMARC017"}),
        (('_dmarc.clinic.example.jp TXT "v=DMARC1"',), {"DMARC007"}),
        (('_dmarc.clinic.example.jp TXT "v=DMARC1; p=x; rua=mailto:a@clinic.example.jp"',), {"DMARC005"}),
        (
            (
                '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua=mailto:a@clinic.example.jp"',
                '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"',
            ),
            {"DMARC002"},
        ),
        (("_dmarc.clinic.example.jp TXT !timeout",), set()),
        (("_dmarc.clinic.example.jp TXT !servfail", 'clinic.example.jp TXT "v=DMARC1; p=none"'), set()),
        (('_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"', "_dmarc.example.jp TXT !timeout"), {"DMARC019"}),
    ],
)
def test_one_cause_one_finding(lines: tuple[str, ...], expected: set[str]) -> None:
    assert ids(*lines) == expected


_WORDS = st.text("vpsnrtaufodkimDMARC1=;:, \t!@%“”；＝none.jequlct", max_size=60).map(lambda text: text.encode())
_TEXTS = st.lists(st.one_of(_WORDS, _WORDS.map(b"v=DMARC1;".__add__), st.binary(max_size=40)), max_size=3)


@given(_TEXTS, _TEXTS, st.sampled_from(MailingLists))
def test_whatever_is_published_can_be_told(own: list[bytes], above: list[bytes], lists: MailingLists) -> None:
    zone = Zone.parse(MAIL)
    for at, texts in (("_dmarc.clinic.example.jp", own), ("_dmarc.example.jp", above)):
        if texts:
            zone.records[name(at), "TXT"] = [Txt((text,)) for text in texts]
    for finding in findings(zone, lists):
        assert finding.seen_in
        for language in LANGUAGES:
            guide = load_guide(finding.rule.id, language)
            for text in (guide.title, guide.summary, *(body for _, body in guide.sections)):
                fill(text, {**finding.facts, "domain": "clinic.example.jp"}, language)


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1;a=" + " " * 60_000 + "x",
        "v=DMARC1;p=" + "\t " * 30_000 + "none",
        "v=DMARC1;rua=mailto:" + "a." * 30_000,
        "v=DMARC1;rua=mailto:a@" + "病院." * 15_000,
        "v=DMARC1;rua=" + "!1" * 30_000,
        "v=DMARC1;fo=" + "0:" * 30_000,
        "v=DMARC1;" + ";" * 60_000,
        "v=DMARC" + " " * 60_000 + "p=none",
        "v " * 30_000 + "=dmarc1; p=none",
        '"' * 60_000 + "v=DMARC1; p=none",
    ],
)
def test_hostile_length_costs_little(text: str) -> None:
    zone = Zone.parse(MAIL)
    zone.records[name("_dmarc.clinic.example.jp"), "TXT"] = [Txt((text.encode(),))]
    begun = perf_counter()
    parse_record(text)
    for finding in findings(zone):
        survey = run(take_survey(name("clinic.example.jp"), probe_label="mailguard-probe-0001"), zone)
        propose(finding.rule.id, survey.dmarc)
    # Generous, for a busy machine: anything quadratic in 60 000 characters takes many times as long.
    assert perf_counter() - begun < 5
