"""Corrected records: only what follows from the published one."""

from __future__ import annotations

import pytest

from mailguard.inquiry import run
from mailguard.names import name
from mailguard.spf import edit
from mailguard.spf.mend import mended
from mailguard.spf.record import parse_record
from mailguard.spf.survey import survey_spf
from mailguard.spf.terms import Qualifier
from tests.zones import Zone


def record(text: str):
    return parse_record(text.encode())


def propose(rule_id: str, zone: str) -> str | None:
    return edit.propose(rule_id, run(survey_spf(name("clinic.example.jp")), Zone.parse(zone)))


@pytest.mark.parametrize(
    ("published", "corrected"),
    [
        ("v=spf1 ip:192.0.2.1 ipv6:2001:db8::1 -all", "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"),
        ("v=spf1 inlcude:a.example.net -all", "v=spf1 include:a.example.net -all"),
        ("v=spf1 a:192.0.2.1/24 -all", "v=spf1 ip4:192.0.2.1/24 -all"),
        ("v=spf1 redirect:a.example.net", "v=spf1 redirect=a.example.net"),
        ("v=spf1 ip4:192.0.2.1ip4:192.0.2.2ip4:192.0.2.3~all", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ~all"),
        ("v=spf1 mx, a; \u2013all", "v=spf1 mx a -all"),
        ("v=spf1 mx\u3000\uff5eall", "v=spf1 mx ~all"),
        ("v=spf1\u0020mx\t-all", "v=spf1 mx -all"),
        ('v=spf1 mx -all"', "v=spf1 mx -all"),
        ("v=spf1 a:\u75c5\u9662.example.jp -all", "v=spf1 a:xn--0rys90e.example.jp -all"),
        (
            "v=spf1 \uff49\uff4e\uff43\uff4c\uff55\uff44\uff45\uff1aa.example.net ~all",
            "v=spf1 include:a.example.net ~all",
        ),
    ],
)
def test_slips_that_leave_no_doubt(published: str, corrected: str) -> None:
    assert mended(record(published)) == corrected


@pytest.mark.parametrize(
    "published",
    [
        "v=spf1 foo -all",
        "v=spf1 ip4:192.0.2 -all",
        "v=spf1 include: -all",
        "v=spf1 redirect=a.example.net redirect=b.example.net",
    ],
)
def test_where_there_is_doubt_there_is_no_proposal(published: str) -> None:
    assert mended(record(published)) is None


def test_mending_never_lets_everybody_pass() -> None:
    for sign in "\u2013\u2212\uff0d\uff5e\u301c":
        text = mended(record(f"v=spf1 mx\u3000{sign}all"))
        assert text is None or not text.endswith(" all")


def test_two_records_become_one_with_the_milder_end() -> None:
    one, two = record("v=spf1 mx include:a.example.net -all"), record("v=spf1 include:a.example.net ip4:192.0.2.1 ~all")
    assert edit.merged([one, two]) == "v=spf1 mx include:a.example.net ip4:192.0.2.1 ~all"


@pytest.mark.parametrize("other", ["v=spf1 +all", "v=spf1 redirect=a.example.net", "v=spf1 -a ~all", "v=spf1 foo ~all"])
def test_records_that_need_a_decision_are_not_merged(other: str) -> None:
    assert edit.merged([record("v=spf1 mx -all"), record(other)]) is None


def test_terms_are_added_where_evaluation_reaches_them() -> None:
    assert edit.before_all(record("v=spf1 mx ~all"), ["ip4:192.0.2.1"]) == "v=spf1 mx ip4:192.0.2.1 ~all"
    assert edit.before_all(record("v=spf1 mx"), ["ip4:192.0.2.1"]) == "v=spf1 mx ip4:192.0.2.1"


def test_all_is_put_at_the_end() -> None:
    assert edit.with_all(record("v=spf1 mx +all"), Qualifier.SOFTFAIL) == "v=spf1 mx ~all"
    assert edit.all_last(record("v=spf1 mx ~all a")) == "v=spf1 mx a ~all"


@pytest.mark.parametrize(
    ("rule_id", "zone", "proposal"),
    [
        ("SPF002", 'clinic.example.jp TXT "v=spf1 mx -all"\nclinic.example.jp TXT "v=spf1 a ~all"', "v=spf1 mx a ~all"),
        (
            "SPF008",
            'clinic.example.jp TXT "v=spf1 include:a.example.net" "include:b.example.net -all"',
            "v=spf1 include:a.example.net include:b.example.net -all",
        ),
        ("SPF010", r'clinic.example.jp TXT "\"v=spf1 mx -all\""', "v=spf1 mx -all"),
        ("SPF011", 'clinic.example.jp TXT "v=spf1 mx +all"', "v=spf1 mx ~all"),
        (
            "SPF014",
            'clinic.example.jp TXT "v=spf1 mx include:a.example.net ~all"\na.example.net A 192.0.2.1',
            "v=spf1 mx ~all",
        ),
        ("SPF015", 'clinic.example.jp TXT "v=spf1 include:a.example.net ~all"', None),
        ("SPF016", 'clinic.example.jp TXT "v=spf1 mx include:clinic.example.jp ~all"', "v=spf1 mx ~all"),
        ("SPF020", 'clinic.example.jp TXT "v=spf1 mx"', "v=spf1 mx ~all"),
        ("SPF020", 'clinic.example.jp TXT "v=spf1 redirect=a.example.net"\na.example.net TXT "v=spf1 mx"', None),
        ("SPF023", 'clinic.example.jp TXT "v=spf1 redirect=a.example.net mx ~all"', "v=spf1 mx ~all"),
        ("SPF024", 'clinic.example.jp TXT "v=spf1 include=a.example.net ~all"', "v=spf1 include:a.example.net ~all"),
        ("SPF027", 'clinic.example.jp TXT "v=spf1 a:x.example.net ip4:192.0.2.1 -all"', "v=spf1 ip4:192.0.2.1 -all"),
        ("SPF030", 'clinic.example.jp TXT "v=spf1 ip4:192.0.2.5/24 -all"', "v=spf1 ip4:192.0.2.0/24 -all"),
        ("SPF033", '_spf.clinic.example.jp TXT "v=spf1 mx -all"', "v=spf1 mx -all"),
        (
            "SPF039",
            'clinic.example.jp TXT "v=spf1 include:aspmx.googlemail.com ~all"',
            "v=spf1 include:_spf.google.com ~all",
        ),
        (
            "SPF039",
            'clinic.example.jp TXT "v=spf1 include:_spf.google.com include:aspmx.googlemail.com ~all"',
            "v=spf1 include:_spf.google.com ~all",
        ),
        ("SPF001", "clinic.example.jp A 192.0.2.1", None),
        ("SPF012", 'clinic.example.jp TXT "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"', None),
    ],
)
def test_proposals(rule_id: str, zone: str, proposal: str | None) -> None:
    assert propose(rule_id, zone) == proposal


def test_too_many_lookups_only_where_useless_terms_are_enough() -> None:
    includes = " ".join(f"include:s{i}.example.net" for i in range(9))
    zone = "\n".join(f's{i}.example.net TXT "v=spf1 ip4:198.51.100.{i} -all"' for i in range(9))
    lean = f'clinic.example.jp TXT "v=spf1 {includes} include:s0.example.net a:old.example.net ~all"\n{zone}'
    assert propose("SPF004", lean) == f"v=spf1 {includes} ~all"
    needed = f'clinic.example.jp TXT "v=spf1 {includes} include:t.example.net include:u.example.net ~all"\n{zone}'
    more = '\nt.example.net TXT "v=spf1 -all"\nu.example.net TXT "v=spf1 -all"'
    assert propose("SPF004", needed + more) is None
