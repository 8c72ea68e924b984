"""Ordinary Japanese hosting patterns: nothing about SPF may alarm anybody there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.rules.base import Finding, Severity
from mailguard.rules.spf import CHECKS
from mailguard.spf.survey import Strangers
from mailguard.survey import take_survey
from tests.zones import Zone

GOOGLE = """
    _spf.google.com             TXT  "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com ~all"
    _netblocks.google.com       TXT  "v=spf1 ip4:203.0.113.0/24 ip4:198.51.0.0/16 ~all"
    _netblocks2.google.com      TXT  "v=spf1 ip6:2001:db8::/36 ~all"
"""

PATTERNS = {
    "rental server without include": """
        clinic.example.jp        TXT  "v=spf1 a:www1234.sakura.ne.jp mx ~all"
        clinic.example.jp        MX   10 clinic.example.jp
        clinic.example.jp        A    192.0.2.10
        www1234.sakura.ne.jp     A    192.0.2.11
    """,
    "everything written out with plus signs": """
        clinic.example.jp        TXT  "v=spf1 +a:sv12345.xserver.jp +a +mx include:spf.sender.xserver.jp ~all"
        clinic.example.jp        MX   0 clinic.example.jp
        clinic.example.jp        A    192.0.2.20
        sv12345.xserver.jp       A    192.0.2.20
        spf.sender.xserver.jp    TXT  "v=spf1 ip4:192.0.2.0/24 ~all"
    """,
    "a cloud mailbox and a web server": f"""
        clinic.example.jp        TXT  "v=spf1 a include:_spf.google.com ~all"
        clinic.example.jp        A    192.0.2.30
        {GOOGLE}
    """,
    "three layers": f"""
        clinic.example.jp        TXT  "v=spf1 include:spf.mta.hdems.com include:_spf.google.com -all"
        spf.mta.hdems.com        TXT  "v=spf1 ip4:192.0.2.128/25 -all"
        {GOOGLE}
    """,
    "names that depend on the message": """
        clinic.example.jp        TXT  "v=spf1 include:%{ir}.%{v}.%{d}.spf.has.pphosted.com ~all"
        77.113.0.203.in-addr.clinic.example.jp.spf.has.pphosted.com  TXT  "v=spf1 -all"
    """,
    "only receives": """
        clinic.example.jp        TXT  "v=spf1 -all"
        clinic.example.jp        MX   10 mail.clinic.example.jp
        mail.clinic.example.jp   A    192.0.2.40
    """,
}


def findings(zone: str) -> tuple[list[Finding], Strangers]:
    survey = run(take_survey(name("clinic.example.jp"), probe_label="mailguard-probe-0001"), Zone.parse(zone))
    dossier = Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))
    return [finding for check in CHECKS.values() for finding in check(dossier)], survey.spf.strangers_can_pass


@pytest.mark.parametrize("zone", PATTERNS.values(), ids=PATTERNS.keys())
def test_nothing_to_worry_about(zone: str) -> None:
    found, strangers = findings(zone)
    assert [finding.rule.id for finding in found if finding.rule.severity.rank <= Severity.MEDIUM.rank] == []
    assert strangers is Strangers.NO


def test_nothing_is_concluded_when_nobody_answers() -> None:
    names = ["clinic.example.jp", "spf.clinic.example.jp", "_spf.clinic.example.jp", "_dmarc.clinic.example.jp"]
    found, strangers = findings("\n".join(f"{owner} * !servfail" for owner in names))
    assert found == []
    assert strangers is Strangers.UNKNOWN
