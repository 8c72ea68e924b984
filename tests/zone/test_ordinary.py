"""Clean, ordinary domains give no alarm from the rules about DKIM and the zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.rules.dkim import CHECKS as DKIM_CHECKS
from mailguard.rules.zone import CHECKS as ZONE_CHECKS
from mailguard.survey import take_survey
from tests.dkim.keys import record, spki, zone_txt
from tests.zones import Zone

D = "clinic.example.jp"
GOOD = record(spki(2048))
DMARC = f'_dmarc.{D} TXT "v=DMARC1; p=quarantine; rua=mailto:r@example.net"'
ORDINARY = {
    "Google Workspace": f"""
        {D} MX 1 aspmx.l.google.com
        aspmx.l.google.com A 192.0.2.25
        {D} TXT "v=spf1 include:_spf.google.com ~all"
        _spf.google.com TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        {zone_txt(f"google._domainkey.{D}", GOOD)}
        {DMARC}""",
    "Microsoft 365": f"""
        {D} MX 0 clinic-example-jp.mail.protection.outlook.com
        clinic-example-jp.mail.protection.outlook.com A 192.0.2.25
        {D} TXT "v=spf1 include:spf.protection.outlook.com ~all"
        spf.protection.outlook.com TXT "v=spf1 ip4:192.0.2.0/24 -all"
        selector1._domainkey.{D} CNAME selector1-clinic.tenant.onmicrosoft.com
        selector2._domainkey.{D} CNAME selector2-clinic.tenant.onmicrosoft.com
        {zone_txt("selector1-clinic.tenant.onmicrosoft.com", GOOD)}
        {DMARC}""",
    "Sakura, with a selector named after a day": f"""
        {D} MX 10 {D}
        {D} A 192.0.2.25
        {D} TXT "v=spf1 a:www1234.sakura.ne.jp mx ~all"
        www1234.sakura.ne.jp A 192.0.2.25
        {zone_txt(f"rs20240124._domainkey.{D}", GOOD)}
        {DMARC}""",
    "Xserver, with an ADSP record left": f"""
        {D} MX 0 {D}
        {D} A 192.0.2.25
        {D} TXT "v=spf1 +a:sv12345.xserver.jp +a:{D} +mx include:spf.sender.xserver.jp ~all"
        sv12345.xserver.jp A 192.0.2.25
        spf.sender.xserver.jp TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        _adsp._domainkey.{D} TXT "dkim=unknown"
        {zone_txt(f"default._domainkey.{D}", GOOD)}
        {DMARC}""",
    "a parked domain": f"""
        {D} MX 0 .
        {D} TXT "v=spf1 -all"
        *.{D} TXT "v=spf1 -all"
        *._domainkey.{D} TXT "v=DKIM1; p="
        _dmarc.{D} TXT "v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s; rua=mailto:r@example.net" """,
}


@pytest.mark.parametrize("zone", ORDINARY.values(), ids=ORDINARY.keys())
def test_an_ordinary_domain_gives_no_alarm(zone: str) -> None:
    survey = run(take_survey(name(D), probe_label="mailguard-probe-0001"), Zone.parse(zone))
    dossier = Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))
    checks = (*DKIM_CHECKS.values(), *ZONE_CHECKS.values())
    alarms = [finding for check in checks for finding in check(dossier) if finding.rule.severity.rank < 3]
    assert alarms == []


@pytest.mark.parametrize("failure", ["!timeout", "!servfail", "!refused", "!error"])
def test_a_domain_that_cannot_be_asked_gives_no_finding_at_all(failure: str) -> None:
    names = (D, f"_dmarc.{D}", f"_domainkey.{D}", f"mailguard-probe-0001.{D}", "example.jp", "_dmarc.example.jp")
    zone = Zone.parse("\n".join(f"{each} * {failure}" for each in names))
    survey = run(take_survey(name(D), probe_label="mailguard-probe-0001"), zone)
    dossier = Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))
    assert [found for check in (*DKIM_CHECKS.values(), *ZONE_CHECKS.values()) for found in check(dossier)] == []
