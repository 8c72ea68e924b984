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


def test_a_wildcard_that_passes_everyone_opens_the_whole_organisation() -> None:
    """MAIL FROM an invented subdomain passes SPF and is aligned, if relaxed, with every name of the organisation."""
    zone = CLOSED + '*.clinic.example.jp TXT "v=spf1 +all"\n'
    assert verdicts(judge(zone + dmarc("p=reject"))) == ("yes", "yes", "yes")
    assert verdicts(judge(zone + dmarc("p=reject; aspf=s"))) == ("no", "no", "yes")


def test_an_open_record_at_the_organizational_domain_opens_its_subdomains() -> None:
    zone = CLOSED + 'example.jp TXT "v=spf1 +all"\n'
    above = '_dmarc.example.jp TXT "v=DMARC1; p=reject"\n'
    assert verdicts(judge(zone + above)) == ("yes", "yes", "yes")
    assert verdicts(judge(zone + above + dmarc("p=reject; aspf=s"))) == ("no", "yes", "yes")
    assert verdicts(judge(zone + dmarc("p=reject; psd=n"))) == ("no", "no", "no")
    assert verdicts(judge(CLOSED + above + "example.jp TXT !timeout\n")) == ("unknown", "unknown", "unknown")
    assert verdicts(judge(CLOSED + above)) == ("no", "no", "no")


def test_strict_alignment_of_the_domain_says_nothing_about_its_subdomains() -> None:
    above = '_dmarc.example.jp TXT "v=DMARC1; p=reject"\n'
    assert verdicts(judge(OPEN + above + dmarc("p=reject; aspf=s"))) == ("yes", "yes", "yes")


def test_below_a_public_suffix_every_name_is_its_own_organisation() -> None:
    assert verdicts(judge(OPEN + dmarc("p=reject; psd=y"))) == ("yes", "no", "no")


def test_a_wildcard_dmarc_record_counts_for_invented_names() -> None:
    wildcard = '*.clinic.example.jp TXT "v=DMARC1; p=none; rua=mailto:d@clinic.example.jp"\n'
    assert verdicts(judge(CLOSED + dmarc("p=reject") + wildcard)) == ("no", "no", "yes")


def test_an_unseen_wildcard_may_undo_the_policy() -> None:
    probe = "probe.clinic.example.jp TXT !timeout\nprobe.clinic.example.jp A 192.0.2.9\n"
    assert verdicts(judge(CLOSED + dmarc("p=reject") + probe)) == ("unknown", "unknown", "unknown")
    assert verdicts(judge(CLOSED + dmarc("p=reject; aspf=s") + probe)) == ("no", "no", "unknown")


def test_an_unseen_organizational_domain_may_have_an_open_record() -> None:
    zone = CLOSED + "_dmarc.example.jp TXT !timeout\n"
    assert verdicts(judge(zone + dmarc("p=reject"))) == ("unknown", "unknown", "unknown")
    assert verdicts(judge(zone + dmarc("p=reject; aspf=s"))) == ("no", "unknown", "unknown")


def test_a_key_that_everybody_has_opens_what_it_is_aligned_with() -> None:
    key = 'default._domainkey.clinic.example.jp TXT "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="\n'
    seen = judge(CLOSED + dmarc("p=reject") + key)
    assert (verdicts(seen), seen.because_domain) == (("yes", "yes", "yes"), Because.KEY_OPEN_TO_ALL)
    assert verdicts(judge(CLOSED + dmarc("p=reject; adkim=s") + key)) == ("yes", "no", "no")


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
