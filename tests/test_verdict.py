"""The first line of an audit: can a stranger send in this name?"""

from __future__ import annotations

import pytest

from mailguard.inquiry import run
from mailguard.names import name
from mailguard.survey import take_survey
from mailguard.verdict import Because, Spoofable, Verdict, judge_spoofing
from tests.zones import Zone

CLINIC = name("clinic.example.jp")
CLOSED = 'clinic.example.jp TXT "v=spf1 ip4:192.0.2.1 -all"\n'
OPEN = 'clinic.example.jp TXT "v=spf1 +all"\n'


def judge(zone: str) -> Spoofable:
    return judge_spoofing(run(take_survey(CLINIC, probe_label="probe"), Zone.parse(zone)))


def dmarc(tags: str) -> str:
    return f'_dmarc.clinic.example.jp TXT "v=DMARC1; {tags}"\n'


def verdicts(spoofable: Spoofable) -> tuple[str, str, str]:
    return (spoofable.domain, spoofable.subdomain, spoofable.nonexistent_subdomain)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (CLOSED, ("yes", "yes", "yes")),
        (CLOSED + dmarc("p=none"), ("yes", "yes", "yes")),
        (CLOSED + dmarc("p=quarantine"), ("partly", "partly", "partly")),
        (CLOSED + dmarc("p=reject"), ("no", "no", "no")),
        (CLOSED + dmarc("p=reject; sp=none"), ("no", "yes", "yes")),
        (CLOSED + dmarc("p=reject; sp=none; np=reject"), ("no", "yes", "no")),
        (CLOSED + dmarc("p=reject; t=y"), ("partly", "partly", "partly")),
        (OPEN + dmarc("p=reject"), ("yes", "yes", "yes")),
        (OPEN + dmarc("p=reject; aspf=s"), ("yes", "no", "no")),
        (dmarc("p=reject"), ("no", "no", "no")),
    ],
)
def test_verdicts(zone: str, expected: tuple[str, str, str]) -> None:
    assert verdicts(judge(zone)) == expected


def test_an_invented_name_that_exists_by_wildcard_gets_the_subdomain_policy() -> None:
    zone = CLOSED + dmarc("p=reject; sp=none; np=reject") + "*.clinic.example.jp A 192.0.2.9\n"
    assert judge(zone).nonexistent_subdomain is Verdict.YES


def test_a_wildcard_that_passes_everyone_opens_invented_names() -> None:
    zone = CLOSED + dmarc("p=reject") + '*.clinic.example.jp TXT "v=spf1 +all"\n'
    assert verdicts(judge(zone)) == ("no", "no", "yes")


@pytest.mark.parametrize(
    "zone",
    [
        CLOSED + "_dmarc.clinic.example.jp TXT !timeout\n",
        "clinic.example.jp TXT !servfail\n" + dmarc("p=reject"),
        'clinic.example.jp TXT "v=spf1 include:slow.example.net -all"\nslow.example.net TXT !timeout\n'
        + dmarc("p=reject"),
    ],
)
def test_a_missing_answer_is_never_no(zone: str) -> None:
    assert judge(zone).domain is Verdict.UNKNOWN


def test_a_missing_spf_answer_does_not_hide_that_nothing_is_enforced() -> None:
    spoofable = judge("clinic.example.jp TXT !timeout\n" + dmarc("p=none"))
    assert (spoofable.domain, spoofable.because_domain) == (Verdict.YES, Because.POLICY_NONE)
