"""What a receiver of RFC 7489 makes of the same records."""

from __future__ import annotations

import pytest

from mailguard.dmarc.discovery import Effective, Outcome
from mailguard.dmarc.legacy import Legacy, organizational_domain
from mailguard.dmarc.survey import DmarcSurvey, survey_dmarc
from mailguard.inquiry import run
from mailguard.names import name
from tests.zones import Zone

REJECT, QUARANTINE, NONE, ABSENT = Outcome.REJECT, Outcome.QUARANTINE, Outcome.NONE, Outcome.ABSENT


def survey(domain: str, *lines: str) -> DmarcSurvey:
    return run(survey_dmarc(name(domain)), Zone.parse("\n".join(lines)))


def legacy(domain: str, *lines: str) -> Legacy:
    return survey(domain, *lines).legacy


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("mail.hosp.kaizuka.osaka.jp", "hosp.kaizuka.osaka.jp"),
        ("x.karasuyama.tochigi.jp", "x.karasuyama.tochigi.jp"),
        ("www.byoin.city.kawasaki.jp", "city.kawasaki.jp"),
        ("byouin.pref.kochi.jp", "pref.kochi.jp"),
        ("hosp.city.yokohama.lg.jp", "yokohama.lg.jp"),
        ("a.example.ac.jp", "example.ac.jp"),
        ("foo.sakura.ne.jp", "foo.sakura.ne.jp"),
        ("abc.xsrv.jp", "xsrv.jp"),
        ("jp", "jp"),
        ("osaka.jp", "osaka.jp"),
    ],
)
def test_japanese_names_by_the_public_suffix_list(domain: str, expected: str) -> None:
    assert organizational_domain(name(domain)) == expected


def test_the_list_can_be_passed_in() -> None:
    class EveryNameIsRegistrable:
        def privatesuffix(self, domain: str) -> str:
            return domain

    assert organizational_domain(name("a.b.example.jp"), EveryNameIsRegistrable()) == "a.b.example.jp"


def test_test_mode_is_not_noticed() -> None:
    seen = survey("example.jp", '_dmarc.example.jp TXT "v=DMARC1; p=reject; t=y"')
    assert seen.effective == Effective(QUARANTINE, QUARANTINE, QUARANTINE)
    assert seen.legacy.effective == Effective(REJECT, REJECT, REJECT)


def test_np_is_unknown() -> None:
    seen = survey("example.jp", '_dmarc.example.jp TXT "v=DMARC1; p=reject; sp=none; np=reject"')
    assert seen.effective == Effective(REJECT, NONE, REJECT)
    assert seen.legacy.effective == Effective(REJECT, NONE, NONE)


def test_an_invalid_np_is_unknown_too() -> None:
    seen = survey("example.jp", '_dmarc.example.jp TXT "v=DMARC1; p=reject; np=block; rua=mailto:a@example.jp"')
    assert seen.effective.domain is NONE
    assert seen.legacy.effective.domain is REJECT


@pytest.mark.parametrize(
    ("pct", "expected"), [("0", QUARANTINE), ("10", REJECT), ("100", REJECT), ("150", REJECT), ("x", REJECT)]
)
def test_sampling(pct: str, expected: Outcome) -> None:
    seen = survey("example.jp", f'_dmarc.example.jp TXT "v=DMARC1; p=reject; pct={pct}"')
    assert seen.effective.domain is REJECT, "RFC 9989 removed pct: the policy holds in full"
    assert seen.legacy.effective.domain is expected
    assert seen.legacy.pct == (int(pct) if pct.isdigit() and int(pct) <= 100 else 100)


def test_two_records_end_the_discovery() -> None:
    lines = (
        '_dmarc.a.example.jp TXT "v=DMARC1; p=none"',
        '_dmarc.a.example.jp TXT "v=DMARC1; p=reject"',
        '_dmarc.example.jp TXT "v=DMARC1; p=reject"',
    )
    seen = survey("a.example.jp", *lines)
    assert seen.effective.domain is REJECT
    assert seen.legacy.effective.domain is ABSENT


def test_the_record_of_a_public_suffix_is_unknown() -> None:
    seen = survey("example.jp", '_dmarc.jp TXT "v=DMARC1; p=reject; psd=y"')
    assert seen.effective.domain is REJECT
    assert seen.legacy.effective == Effective(ABSENT, ABSENT, ABSENT)


def test_the_organizational_domains_differ() -> None:
    # yokohama.lg.jp is no public suffix but city.yokohama.lg.jp says that it is an organisation of its own.
    lines = (
        '_dmarc.city.yokohama.lg.jp TXT "v=DMARC1; p=quarantine; psd=n"',
        '_dmarc.yokohama.lg.jp TXT "v=DMARC1; p=none; sp=reject"',
    )
    seen = survey("hosp.city.yokohama.lg.jp", *lines)
    assert (seen.policy_domain, seen.effective.domain) == ("city.yokohama.lg.jp", QUARANTINE)
    assert (seen.legacy.policy_domain, seen.legacy.effective.domain) == ("yokohama.lg.jp", REJECT)


def test_unanswered_is_never_absent() -> None:
    assert legacy("example.jp", "_dmarc.example.jp TXT !timeout").effective.domain is Outcome.UNANSWERED
    assert legacy("a.example.jp", "_dmarc.example.jp TXT !timeout").effective.subdomain is Outcome.UNANSWERED
