"""Recognising who carries a domain's mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import PolicyError
from mailguard.names import name
from mailguard.policy.shelf import load_providers
from mailguard.providers import Layer, Providers, Role, parse_providers, selectors_for, spf_targets

KNOWN = load_providers()


def seen(
    mx: str = "", spf: str = "", ns: str = "", aliases: str = "", domain: str | None = None
) -> set[tuple[str, str, str]]:
    found = KNOWN.recognise(
        name(domain) if domain else None,
        mx_hosts=mx.split(),
        spf_terms=spf.split(),
        ns_hosts=ns.split(),
        aliases=aliases.split(),
    )
    return {(one.provider.id, one.layer.value, ",".join(one.seen_in)) for one in found}


def test_sakura_is_recognised_by_the_server_named_in_spf_although_the_mx_is_the_customers_own_name() -> None:
    assert seen(mx="example.or.jp", spf="v=spf1 a:www1234.sakura.ne.jp mx ~all", ns="ns1.dns.ne.jp ns2.dns.ne.jp") == {
        ("sakura", "mailbox", "spf"),
        ("sakura", "dns", "ns"),
    }


def test_a_sakura_vps_is_not_the_rental_server() -> None:
    assert seen(mx="abc.vs.sakura.ne.jp") == {("sakura_vps", "mailbox", "mx")}


def test_xserver_is_recognised_by_all_its_spf_terms_once() -> None:
    spf = "v=spf1 +a:sv12345.xserver.jp +a:example.jp +mx include:spf.sender.xserver.jp ~all"
    assert seen(mx="sv12345.xserver.jp", spf=spf, ns="ns1.xserver.jp") == {
        ("xserver", "mailbox", "mx,spf"),
        ("xserver", "dns", "ns"),
    }


@pytest.mark.parametrize(("include", "provider"), [("_spf.conoha.ne.jp", "conoha_wing"), ("_spf.heteml.jp", "heteml")])
def test_a_former_host_left_in_spf_is_not_taken_for_the_mailbox(include: str, provider: str) -> None:
    assert seen(mx="aspmx.l.google.com alt1.aspmx.l.google.com", spf=f"v=spf1 include:{include} ~all") == {
        ("google_workspace", "mailbox", "mx"),
        (provider, "sender", "spf"),
    }


def test_three_companies_in_three_layers_are_kept_apart() -> None:
    spf = "v=spf1 include:spf.mta.hdems.com include:spf.protection.outlook.com -all"
    assert seen(mx="cluster8.eu.messagelabs.com", spf=spf) == {
        ("microsoft_365", "mailbox", "spf"),
        ("symantec", "inbound", "mx"),
        ("hennge", "outbound", "spf"),
    }


def test_one_gateway_can_be_inbound_and_outbound() -> None:
    assert seen(mx="mx.securemx.jp", spf="include:spf.securemx.jp") == {
        ("iij_smx", "inbound", "mx"),
        ("iij_smx", "outbound", "spf"),
    }


def test_a_flattened_or_macro_spf_names_only_what_its_literal_end_shows() -> None:
    assert seen(spf="v=spf1 redirect=example.jp.r.spf25.jp") == set()
    assert seen(spf="v=spf1 include:%{ir}.%{v}.%{d}.spf.has.pphosted.com ~all") == {("proofpoint", "outbound", "spf")}


def test_a_tenant_placeholder_recognises_nobody() -> None:
    assert seen(mx="ms12345678.msv1.invalid") == set()


def test_the_longest_literal_end_wins() -> None:
    assert seen(mx="mwbgw01.ocn.ad.jp") == {("bizmw", "mailbox", "mx")}
    assert seen(mx="mx.ocn.ad.jp") == {("ocn", "mailbox", "mx")}


def test_a_pattern_does_not_match_a_name_that_merely_ends_alike() -> None:
    assert seen(mx="notxserver.jp evil-hdems.com", spf="include:xspf.worksmobile.com.example.net") == set()


def test_forbidding_terms_name_nobody() -> None:
    terms = ["-include:a.example", "~a:b.example/24", "?include:c.example", "redirect=d.example", "mx", "all"]
    assert list(spf_targets(terms)) == ["b.example", "c.example", "d.example"]


def test_dkim_alias_shows_a_sender() -> None:
    found = KNOWN.recognise(aliases=["s1.domainkey.u1234.wl001.sendgrid.net"])
    assert [(one.provider.id, one.layer) for one in found] == [("sendgrid", Layer.SENDER)]


@pytest.mark.parametrize(
    ("domain", "role"),
    [
        ("clinic.ocn.ne.jp", Role.ISP),
        ("gmail.com", Role.FREE),
        ("yahoo.co.jp", Role.FREE),
        ("docomo.ne.jp", Role.CARRIER),
        ("abc.xsrv.jp", Role.HOSTING),
        ("clinic.sakura.ne.jp", Role.HOSTING),
        ("clinic.main.jp", Role.HOSTING),
        ("clinic.onmicrosoft.com", Role.HOSTING),
    ],
)
def test_domains_that_belong_to_a_provider(domain: str, role: Role) -> None:
    owner = KNOWN.owner_of(name(domain))
    assert owner is not None
    assert owner.role is role
    assert owner.source


@pytest.mark.parametrize("domain", ["clinic.example.jp", "ne.jp", "jp", "", "mygmail.com", "hosp.city.yokohama.lg.jp"])
def test_domains_that_belong_to_nobody_known(domain: str) -> None:
    assert KNOWN.owner_of(name(domain)) is None


def test_selectors_are_those_of_the_providers_that_send() -> None:
    found = KNOWN.recognise(
        mx_hosts=["smtp.google.com"],
        spf_terms=["include:sendgrid.net", "include:_spf.google.com"],
        ns_hosts=["ns1.xserver.jp"],  # DNS only: its mail selectors are not asked for
    )
    assert selectors_for(found) == ("google", "s1", "s2")


def test_a_host_in_a_report_is_named_by_its_ptr() -> None:
    provider = KNOWN.of_host("www1234.sakura.ne.jp.")
    assert provider is not None
    assert provider.id == "sakura"
    assert KNOWN.of_host("mail.example.net") is None


def test_every_pattern_recognises_its_own_provider() -> None:
    for provider in KNOWN.all:
        for pattern in provider.patterns.get("mx", ()):
            host = pattern.replace("#", "1").replace("*", "x")
            (found,) = KNOWN.recognise(mx_hosts=[host])
            assert found.provider is provider, pattern
        for pattern in provider.patterns.get("spf", ()):
            host = pattern.replace("#", "1").replace("*", "x")
            (found,) = KNOWN.recognise(spf_terms=[f"include:{host}"])
            assert found.provider is provider, pattern


def test_a_screen_is_verified_on_the_companys_own_page_alone() -> None:
    panels = [one.panel for one in KNOWN.all if one.panel]
    assert {panel.evidence for panel in panels} == {"V", "S"}
    assert all(panel.is_verified == (panel.evidence == "V") for panel in panels)


def test_every_entry_of_the_collected_facts_is_there() -> None:
    facts = Path(__file__).parents[1] / "../shared/reference/japan/providers_jp.json"
    if not facts.exists():
        pytest.skip("the collected provider facts are not on this machine")
    ids = {entry["id"] for entry in json.loads(facts.read_text("utf-8"))["providers"]}
    assert ids <= {one.id for one in KNOWN.all}


@given(st.text(max_size=40), st.lists(st.text(max_size=60), max_size=4))
def test_nothing_that_others_publish_makes_it_raise(domain: str, hosts: list[str]) -> None:
    KNOWN.recognise(name(domain), mx_hosts=hosts, spf_terms=hosts, ns_hosts=hosts, aliases=hosts)


@pytest.mark.parametrize(
    ("ja", "en", "told"),
    [
        ("Microsoft 365（Exchange Online）", "Microsoft 365", "Microsoft 365"),
        ("OCN", "OCN (NTT)", "OCN"),
        ("カゴヤ・ジャパン（KAGOYA MAIL 等）", "KAGOYA", "カゴヤ・ジャパン (KAGOYA)"),
        ("SendGrid（日本: 構造計画研究所）", "Twilio SendGrid", "Twilio SendGrid"),
        ("ぷらら", "Plala", "ぷらら (Plala)"),
    ],
)
def test_both_names_tell_no_name_twice_and_keep_to_one_kind_of_brackets(ja: str, en: str, told: str) -> None:
    (entry,) = parse_providers(provider(name={"ja": ja, "en": en})).all
    assert entry.both_names == told


def provider(**changes: Any) -> str:
    entry = {"id": "one", "name": {"ja": "一", "en": "One"}, "role": "saas", "evidence": "O", **changes}
    return json.dumps({"format": 1, "last_checked": "2026-11-22", "providers": [entry]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ('{"format": 2, "providers": []}', "'format': 1"),
        (provider(colour="red"), "unknown key 'colour'"),
        (provider(role="friend"), "'role', one of"),
        (provider(evidence="X"), "'evidence', one of"),
        (provider(name="One"), "texts 'ja' and 'en'"),
        (provider(mx=["MX.example"]), "lower-case"),
        (provider(mx=["*.*"]), "no host pattern"),
        (provider(panel={"dkim": "…", "evidence": "R"}), "without evidence"),
    ],
)
def test_a_broken_file_is_told_with_entry_and_key(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says) as caught:
        parse_providers(text)
    assert str(caught.value).startswith("providers.json: ")


def test_without_knowledge_nobody_is_recognised() -> None:
    assert Providers().recognise(name("clinic.ocn.ne.jp"), mx_hosts=["aspmx.l.google.com"]) == ()
