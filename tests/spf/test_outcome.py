"""What a whole include tree comes to, beside what the domain's own record looks like."""

from __future__ import annotations

import pytest

from mailguard.inquiry import run
from mailguard.names import name
from mailguard.spf.survey import survey_spf
from tests.zones import Zone

OTHERS = """
fine.example.net    TXT  "v=spf1 ip4:198.51.100.1 ~all"
broken.example.net  TXT  "v=spf1 ip4:198.51.100.999 ~all"
nested.example.net  TXT  "v=spf1 include:broken.example.net ~all"
twice.example.net   TXT  "v=spf1 ~all"
twice.example.net   TXT  "v=spf1 -all"
empty.example.net   TXT  "nothing"
slow.example.net    *    !timeout
host.example.net    A    198.51.100.2
loop.example.net    TXT  "v=spf1 include:loop.example.net ~all"
"""


def outcome(record: str) -> str:
    zone = Zone.parse(OTHERS + f'clinic.example.jp TXT "{record}"\n')
    return run(survey_spf(name("clinic.example.jp")), zone).outcome


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1 include:fine.example.net a:host.example.net ~all", "valid"),
        ("v=spf1 a:gone.example.net a:empty.example.net ip4:192.0.2.1 ~all", "valid"),
        ("v=spf1 exists:%{i}.fine.example.net ~all", "valid"),
        ("v=spf1 include:broken.example.net ~all", "permerror"),
        ("v=spf1 include:nested.example.net ~all", "permerror"),
        ("v=spf1 include:twice.example.net ~all", "permerror"),
        ("v=spf1 include:empty.example.net ~all", "permerror"),
        ("v=spf1 include:gone.example.net ~all", "permerror"),
        ("v=spf1 include:loop.example.net ~all", "permerror"),
        ("v=spf1 redirect=gone.example.net", "permerror"),
        ("v=spf1 redirect=gone.example.net ~all", "valid"),
        ("v=spf1 ~all include:gone.example.net", "valid"),
        ("v=spf1 a:a.example.net a:b.example.net a:c.example.net ~all", "permerror"),
        ("v=spf1 " + "a:host.example.net " * 11 + "~all", "permerror"),
        ("v=spf1 " + "a:host.example.net " * 10 + "~all", "valid"),
        ("v=spf1 include:slow.example.net ~all", "unanswered"),
        ("v=spf1 a:slow.example.net ~all", "unanswered"),
        ("v=spf1 include:slow.example.net include:gone.example.net ~all", "permerror"),
        ("v=spf1 ip5:1 ~all", "permerror"),
    ],
)
def test_outcome(record: str, expected: str) -> None:
    assert outcome(record) == expected


def test_no_record_and_no_answer() -> None:
    assert run(survey_spf(name("clinic.example.jp")), Zone.parse("clinic.example.jp A 192.0.2.1")).outcome == "none"
    assert (
        run(survey_spf(name("clinic.example.jp")), Zone.parse("clinic.example.jp * !refused")).outcome == "unanswered"
    )
