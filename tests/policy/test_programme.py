"""Requirements against what was seen: met, unmet, unknown, not checkable; and nothing else passes for met."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.policy.expectation import expectation_for
from mailguard.policy.programme import CHECKS, Status, assess
from mailguard.policy.shelf import list_policies, load_policy
from mailguard.requirement import Kind, Programme
from mailguard.survey import take_survey
from tests.zones import Zone

KEY = 'google._domainkey.clinic.example.jp TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="\n'
GOOD = f"""
clinic.example.jp         TXT  "v=spf1 mx ~all"
_dmarc.clinic.example.jp  TXT  "v=DMARC1; p=reject; rua=mailto:d@example.jp"
{KEY}
"""
RSA_768 = (
    "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAOSpitMMBosM5Ig6nJFsHXcAXN1JqBsBChk5kyvx83uIeSJCFJot+0/bKDS9nH/QV2tL"
    "lz5sf+C33X5I1V/rONQ4L6uumvpcYdqPZP575xIciOe7rrt1ySxJopnTpgJBtwIDAQAB"
)
RSA_1024 = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDjPgI4QO0UCNZqv0jy56RkdYZIVzn0eh067y34jHTDRRNL+zPQ8U/AQjzY22qu"
    "6mO+d2rQWBjWfOmKKOKMNspR4tKV3ySAnVzUdYyWhpGFCdcBaEMrL4AwiYsuJp6C6k7HyM4EuMl85dmkFcreeTxYNKQVq9z7F462"
    "9iUUMQvGWwIDAQAB"
)
SILENT = "\n".join(
    f"{owner}  *  !timeout"
    for parent in ("clinic.example.jp", "example.jp", "jp")
    for owner in (parent, f"_dmarc.{parent}", f"_domainkey.{parent}")
)


def dossier(zone: str, policy: str = "hospital", said: Expectation | None = None) -> Dossier:
    domain = name("clinic.example.jp")
    survey = run(take_survey(domain, probe_label="mailguard-probe-0001"), Zone.parse(zone))
    expectation = expectation_for(load_policy(policy), domain, said)
    return Dossier(expectation, survey, datetime(2026, 11, 22, tzinfo=UTC))


def statuses(zone: str, policy: str, said: Expectation | None = None) -> dict[str, str]:
    own = load_policy(policy).own
    assert own is not None
    rows = assess(dossier(zone, policy, said), [own])
    return {row.requirement.check or row.requirement.id: row.status.value for row in rows}


ALL = [programme for policy in list_policies() for programme in policy.programmes]


@pytest.mark.parametrize("programme", ALL, ids=lambda programme: programme.id)
def test_nothing_is_met_or_unmet_when_nothing_was_answered(programme: Programme) -> None:
    rows = assess(dossier(SILENT), [programme])
    assert {row.status for row in rows} <= {Status.UNKNOWN, Status.NOT_CHECKABLE}


@pytest.mark.parametrize("programme", ALL, ids=lambda programme: programme.id)
def test_what_dns_cannot_show_is_never_met(programme: Programme) -> None:
    for row in assess(dossier(GOOD), [programme]):
        assert (row.status is Status.NOT_CHECKABLE) is (row.requirement.kind is not Kind.DNS)


def test_a_row_names_the_questions_it_rests_on() -> None:
    for programme in ALL:
        for row in assess(dossier(GOOD), [programme]):
            assert bool(row.seen_in) is (row.status is not Status.NOT_CHECKABLE)


def test_without_programmes_nothing_is_assessed() -> None:
    assert assess(dossier(GOOD)) == ()
    assert {row.programme.name for row in assess(dossier(GOOD, "yahoo-bulk"))} == {"Yahoo!", "Yahoo! (bulk)"}


def test_every_check_is_used_by_a_policy() -> None:
    assert {one.check for programme in ALL for one in programme.requirements if one.check} == CHECKS


def test_the_hospital_aims_on_a_good_domain() -> None:
    assert statuses(GOOD, "hospital") == {
        "dmarc-enforced": "met",
        "dmarc-as-chosen": "unknown",  # nobody has said whether people post to mailing lists
        "dmarc-rua": "met",
        "spf-published": "met",
        "dkim-key": "met",
        "dkim-on-every-source": "not-checkable",
        "dkim-2048": "met",
    }


@pytest.mark.parametrize(
    ("lists", "policy", "status"),
    [("yes", "quarantine", "met"), ("yes", "reject", "unmet"), ("no", "reject", "met"), ("no", "quarantine", "unmet")],
)
def test_the_aim_depends_on_mailing_lists(lists: str, policy: str, status: str) -> None:
    said = Expectation(mailing_lists=type(Expectation().mailing_lists)(lists))
    zone = f'_dmarc.clinic.example.jp TXT "v=DMARC1; p={policy}"'
    assert statuses(zone, "hospital", said)["dmarc-as-chosen"] == status


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ('clinic.example.jp TXT "v=spf1 -all"', "met"),
        ('clinic.example.jp TXT "v=spf1 mx -all"', "unmet"),
        ('clinic.example.jp TXT "hello"', "unmet"),
        ("clinic.example.jp TXT !servfail", "unknown"),
    ],
)
def test_a_parked_domain_says_that_nobody_sends(zone: str, expected: str) -> None:
    assert statuses(zone, "parked")["spf-nobody"] == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ('clinic.example.jp TXT "v=spf1 mx -all"', "met"),
        (KEY, "met"),
        ("clinic.example.jp A 192.0.2.1", "unmet"),
        ('other._domainkey.clinic.example.jp TXT "v=DKIM1; p="', "unknown"),  # a key may be at a name nobody told us
        ("clinic.example.jp TXT !timeout", "unknown"),
        (f"clinic.example.jp TXT !timeout\n{KEY}", "met"),
    ],
)
def test_one_of_two_is_enough(zone: str, expected: str) -> None:
    assert statuses(zone, "gmail")["spf-or-dkim"] == expected


@pytest.mark.parametrize(
    ("zone", "at_least_1024", "at_least_2048"),
    [
        (f'google._domainkey.clinic.example.jp TXT "v=DKIM1; p={RSA_768}"', "unmet", "unmet"),
        (f'google._domainkey.clinic.example.jp TXT "v=DKIM1; p={RSA_1024}"', "met", "unmet"),
        (KEY, "met", "met"),
        ('google._domainkey.clinic.example.jp TXT "v=DKIM1; p="', "unknown", "unknown"),  # revoked: no length to judge
        ("clinic.example.jp A 192.0.2.1", "unknown", "unknown"),  # that there is no key is another requirement
    ],
)
def test_key_length_is_judged_where_a_key_was_seen(zone: str, at_least_1024: str, at_least_2048: str) -> None:
    found = statuses(zone, "gmail")
    assert (found["dkim-1024"], found["dkim-2048"]) == (at_least_1024, at_least_2048)


def test_a_record_that_cannot_be_used_is_not_met() -> None:
    assert statuses('_dmarc.clinic.example.jp TXT "v=DMARC1; p=perhaps"', "apple")["dmarc-record"] == "unmet"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1 include:gone.example.net ~all", "unmet"),
        ("v=spf1 " + "".join(f"a:h{number}.example.jp " for number in range(11)) + "~all", "unmet"),
        ("v=spf1 a:x.example.jp a:y.example.jp a:z.example.jp ~all", "unmet"),
        ("v=spf1 include:slow.example.net ~all", "unknown"),
        ("v=spf1 ip4:192.0.2.1 ~all", "met"),
    ],
)
def test_a_record_that_ends_in_permerror_meets_no_requirement(record: str, expected: str) -> None:
    zone = f'clinic.example.jp TXT "{record}"\nslow.example.net TXT !timeout\n'
    assert statuses(zone, "hospital")["spf-published"] == expected
