"""A domain made to cost others time, from the command line: at most 100 questions, an end in time, and it says so."""

from __future__ import annotations

import asyncio
import functools
import json
import time

import pytest

import mailguard.audit
from mailguard.audit import Plan, audit_domain
from mailguard.names import name
from mailguard.policy.shelf import load_policy
from mailguard.render.document import to_document
from mailguard.resolver import Resolver, ResolverSettings, Session
from tests.cli.world import mailguard as command
from tests.cli.world import served
from tests.hostile_dns import LoopbackDns
from tests.resolver.test_hostile_zones import UNANSWERED, ZONES

PATIENCE_S = 20.0


@pytest.mark.parametrize("zone", ZONES)
def test_an_audit_of_it_ends_within_its_bounds_and_says_so(zone: str) -> None:
    began = time.monotonic()
    udp, tcp = ZONES[zone]
    with served(udp=udp, tcp=tcp) as dns:
        server = dns.options[:2]
        result = command("audit", "evil.example", "--format", "json", *server, "--timeout", "0.3")
        assert len(dns.names) <= 100
    assert time.monotonic() - began < PATIENCE_S
    document = json.loads(result.stdout)
    assert 0 < document["questions"] <= 100
    assert document["spoofable"]["domain"] != "no"
    if zone in UNANSWERED:
        assert result.returncode == 3
        assert document["unanswered"]
        assert document["spf"]["status"] == "unanswered"
        assert document["dmarc"]["status"] == "unanswered"
    else:
        # On a busy machine a large answer may come too late; then that is what is said.
        named = any(finding["rule"].startswith("SPF") for finding in document["findings"])
        assert named or document["unanswered"]


@pytest.mark.parametrize("form", ["terminal", "markdown"])
@pytest.mark.parametrize(("language", "words"), [("en", "limit of 100 questions"), ("ja", "問い合わせは100件まで")])
def test_people_are_told_what_was_not_asked(form: str, language: str, words: str) -> None:
    udp, tcp = ZONES["endless aliases"]
    with served(udp=udp, tcp=tcp) as dns:
        arguments = ("evil.example", "--format", form, "--lang", language)
        result = command("audit", *arguments, *dns.options[:2], "--timeout", "0.3")
    assert words in result.stdout


async def test_after_the_deadline_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twenty seconds of an audit, here one: the servers are silent and a question alone might take a minute."""
    monkeypatch.setattr(mailguard.audit, "Session", functools.partial(Session, deadline_s=1.0))
    async with LoopbackDns() as server:
        settings = ResolverSettings(nameservers=(server.nameserver,), timeout_s=60.0)
        async with Resolver(settings) as resolver:
            began = asyncio.get_running_loop().time()
            audit = await audit_domain(name("evil.example"), Plan(policy=load_policy("hospital")), resolver)
            assert asyncio.get_running_loop().time() - began < 5
    document = to_document(audit)
    assert {row["note"] for row in document["unanswered"]} == {"deadline"}
    assert document["findings"] == []
