"""Fixes: proved on the evidence, combined into one record, and honest about what needs a decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailguard.dossier import Dossier, Expectation, MailingLists
from mailguard.inquiry import Source, run
from mailguard.names import name
from mailguard.policy.shelf import load_providers
from mailguard.remedy.find import find_fixes
from mailguard.remedy.fix import Fix, Readiness, Reason, split_strings
from mailguard.remedy.prove import View, view
from mailguard.rules.catalogue import find
from mailguard.survey import take_survey
from tests.zones import Zone

CLINIC = name("clinic.example.jp")
MAIL = """
clinic.example.jp        MX   10 mail.clinic.example.jp
mail.clinic.example.jp   A    192.0.2.1
"""
SPF = 'clinic.example.jp        TXT  "v=spf1 mx ~all"\n'
DMARC = '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua=mailto:d@clinic.example.jp"\n'


def look(source: Source) -> Dossier:
    survey = run(take_survey(CLINIC, probe_label="probe"), source)
    return Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))


def see(zone: str) -> View:
    return view(Zone.parse(MAIL + zone), look, find)


def fixes(zone: str) -> dict[str, Fix]:
    return {rule: fix for fix in find_fixes(see(zone), look, find) for rule in fix.rules}


def after(fix: Fix) -> list[str]:
    return [value for record in fix.records for value in record.after]


def test_two_faults_in_one_record_give_one_record_to_paste() -> None:
    zone = 'clinic.example.jp TXT "v=spf1 mx redirect=_spf.example.net ip4:192.0.2.7/24 ~all"\n' + DMARC
    found = fixes(zone)
    dead_redirect, host_bits = found["SPF023"], found["SPF030"]
    assert dead_redirect is host_bits
    assert dead_redirect.readiness is Readiness.PASTE
    assert after(dead_redirect) == ["v=spf1 mx ip4:192.0.2.0/24 ~all"]
    assert dead_redirect.records[0].before == ("v=spf1 mx redirect=_spf.example.net ip4:192.0.2.7/24 ~all",)


def test_an_open_record_is_closed_only_by_decision() -> None:
    fix = fixes('clinic.example.jp TXT "v=spf1 mx +all"\n' + DMARC)["SPF011"]
    assert fix.readiness is Readiness.DECIDE
    assert Reason.TIGHTENS_SPF in fix.reasons
    assert after(fix) == ["v=spf1 mx ~all"]


def test_a_stricter_policy_is_never_paste_as_is() -> None:
    for fix in fixes(
        SPF + '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; sp=rejct; rua=mailto:d@clinic.example.jp"\n'
    ).values():
        if any("p=reject" in value for value in after(fix)):
            assert fix.readiness is Readiness.DECIDE
            assert Reason.TIGHTENS_POLICY in fix.reasons


def test_a_first_record_names_a_mailbox_that_must_exist() -> None:
    fix = fixes(SPF)["DMARC001"]
    assert fix.readiness is Readiness.DECIDE
    assert Reason.REPORT_ADDRESS in fix.reasons
    assert fix.records[0].name == "_dmarc.clinic.example.jp"
    assert fix.records[0].before == ()
    assert after(fix) == ["v=DMARC1; p=none; rua=mailto:dmarc-reports@clinic.example.jp"]


@pytest.mark.parametrize(
    "zone",
    [
        'clinic.example.jp TXT "v=spf1 mx include:gone.example.net ~all"\n' + DMARC,
        'clinic.example.jp TXT "v=spf1 mx"\nclinic.example.jp TXT "v=spf1 ip4:192.0.2.0/24 ~all"\n' + DMARC,
        'clinic.example.jp TXT "v=spf1 ip:192.0.2.9 ~all"\n' + DMARC,
        SPF + '_dmarc.clinic.example.jp TXT "v=dmarc1; p=none"\n',
        SPF + '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; pct=50; rua=d@clinic.example.jp"\n',
    ],
)
def test_every_fix_shown_makes_its_findings_go_away(zone: str) -> None:
    now = see(zone)
    shown = find_fixes(now, look, find)
    assert shown
    for fix in shown:
        texts = "".join(
            f'{record.name} {record.rrtype} "{value}"\n' for record in fix.records for value in record.after
        )
        kept = "\n".join(
            line
            for line in zone.splitlines()
            if not any(line.startswith(f"{record.name} ") and record.before for record in fix.records)
        )
        left = {finding.rule.id for finding in see(f"{kept}\n{texts}").findings}
        assert not left & set(fix.rules)


def test_nothing_is_proposed_on_unanswered_facts() -> None:
    zone = "clinic.example.jp TXT !timeout\n_dmarc.clinic.example.jp TXT !servfail\n"
    assert find_fixes(see(zone), look, find) == ()


def test_includes_of_others_are_never_flattened() -> None:
    includes = " ".join(f"include:s{number}.example.net" for number in range(12))
    others = "".join(f's{number}.example.net TXT "v=spf1 ip4:198.51.100.{number} ~all"\n' for number in range(12))
    for fix in fixes(f'clinic.example.jp TXT "v=spf1 {includes} ~all"\n' + others + DMARC).values():
        assert all("ip4:198.51.100." not in value for value in after(fix))


def test_long_values_are_split_without_cutting_characters() -> None:
    value = "v=spf1 " + "あ" * 200
    parts = split_strings(value)
    assert "".join(parts) == value
    assert all(len(part.encode()) <= 255 for part in parts)
    assert split_strings("") == ("",)


def test_no_report_mailbox_is_proposed_where_no_mail_can_arrive() -> None:
    zone = 'clinic.example.jp MX 0 .\nclinic.example.jp TXT "v=spf1 ip4:192.0.2.1 ~all"\n'
    dossier = look(Zone.parse(zone))
    for fix in find_fixes(view(Zone.parse(zone), look, find), look, find):
        assert all("rua=" not in value for value in after(fix)), dossier.survey.zone.mx_status


def test_a_record_that_refuses_nobody_while_broken_is_not_mended_unasked_if_it_ends_in_fail() -> None:
    zone = 'clinic.example.jp TXT "v=spf1 mx include:gone.example.net {}all"\n'
    assert fixes(zone.format("-") + DMARC)["SPF015"].reasons == (Reason.TIGHTENS_SPF,)
    assert fixes(zone.format("~") + DMARC)["SPF015"].readiness is Readiness.PASTE


def test_a_record_kept_by_others_behind_an_alias_is_left_to_them() -> None:
    zone = (
        "_dmarc.clinic.example.jp CNAME clinic.dmarc.example.net\n"
        'clinic.dmarc.example.net TXT "v=DMARC1; p=none; ri=60; rua=mailto:d@clinic.example.jp"\n'
    )
    assert fixes(SPF + zone) == {}


def test_an_alias_that_leads_nowhere_goes_before_the_record_comes() -> None:
    fix = fixes(SPF + "_dmarc.clinic.example.jp CNAME gone.example.net\n")["DMARC017"]
    assert [(record.rrtype, record.before, len(record.after)) for record in fix.records] == [
        ("CNAME", ("gone.example.net",), 0),
        ("TXT", (), 1),
    ]


def test_an_inherited_record_is_somebody_elses_decision() -> None:
    found = fixes(SPF + '_dmarc.example.jp TXT "v=DMARC1; p=none; ri=60; rua=mailto:d@example.jp"\n')
    assert {fix.records[0].name for fix in found.values()} == {"_dmarc.example.jp"}
    assert all(Reason.RECORD_OF_OTHERS in fix.reasons for fix in found.values())


def test_no_mailbox_is_invented_at_a_domain_that_was_not_looked_at() -> None:
    assert fixes(SPF + '_dmarc.example.jp TXT "v=DMARC1; p=none"\n') == {}


@pytest.mark.parametrize(
    "unseen", ["_domainkey.clinic.example.jp TXT !timeout\n", "mail.clinic.example.jp * !timeout\n"]
)
def test_enforcement_is_advised_only_where_it_was_seen_what_would_pass(unseen: str) -> None:
    key = 'default._domainkey.clinic.example.jp TXT "k=ed25519; p=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="\n'
    assert "DMARC020" in fixes(SPF + DMARC + key)
    without_address = MAIL.replace("mail.clinic.example.jp   A    192.0.2.1\n", "")
    shown = find_fixes(view(Zone.parse(without_address + SPF + DMARC + unseen), look, find), look, find)
    assert all("DMARC020" not in fix.rules for fix in shown)


def test_posters_to_mailing_lists_are_shown_the_milder_policy_as_a_decision() -> None:
    def listening(source: Source) -> Dossier:
        dossier = look(source)
        return replace(dossier, expectation=Expectation(mailing_lists=MailingLists.YES))

    zone = MAIL + SPF + '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=mailto:d@clinic.example.jp"\n'
    (fix,) = find_fixes(view(Zone.parse(zone), listening, find), listening, find)
    assert (fix.rules, fix.readiness, fix.reasons) == (("DMARC056",), Readiness.DECIDE, (Reason.LOOSENS_POLICY,))


def test_two_records_become_one_after_both_were_seen_to_the_end() -> None:
    zone = 'clinic.example.jp TXT "v=spf1 mx ~all"\nclinic.example.jp TXT "v=spf1 include:other.example.net -all"\n'
    other = 'other.example.net TXT "v=spf1 ip4:198.51.100.1 ~all"\n'
    enforced = '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=mailto:d@clinic.example.jp"\n'
    fix = fixes(zone + other + enforced)["SPF002"]
    assert after(fix) == ["v=spf1 mx include:other.example.net ~all"]
    assert Reason.LOOSENS_SPF in fix.reasons
    assert "SPF002" not in fixes(zone + "other.example.net TXT !timeout\n" + enforced)


def test_records_of_a_provider_are_not_corrected() -> None:
    domain = name("clinic.xsrv.jp")

    def look_there(source: Source) -> Dossier:
        survey = run(take_survey(domain, probe_label="probe", knowledge=load_providers()), source)
        return Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))

    zone = Zone.parse(
        'clinic.xsrv.jp MX 0 clinic.xsrv.jp\nclinic.xsrv.jp A 192.0.2.1\nclinic.xsrv.jp TXT "v=spf1 mx"\n'
    )
    assert find_fixes(view(zone, look_there, find), look_there, find) == ()


def test_what_was_not_answered_is_not_published_a_second_time() -> None:
    def silent(source: Source) -> Dossier:
        return replace(look(source), expectation=Expectation(sends=False, receives=False))

    zone = SPF + "_dmarc.clinic.example.jp TXT !timeout\nprobe.clinic.example.jp TXT !servfail\n"
    for fix in find_fixes(view(Zone.parse(MAIL + zone), silent, find), silent, find):
        assert not {"_dmarc.clinic.example.jp", "*.clinic.example.jp"} & {record.name for record in fix.records}
