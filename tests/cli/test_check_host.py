"""``mailguard check-host``, ``rules`` and ``policy`` from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mailguard.policy.shelf import policy_names
from mailguard.requirement import Standing
from mailguard.rules.catalogue import RULES
from tests.cli.world import Dns, mailguard, served

ZONE = """
clinic.example.jp   TXT "v=spf1 ip4:192.0.2.0/24 exp=why.clinic.example.jp -all"
why.clinic.example.jp TXT "no \\027[31m sender"
slow.example.jp     TXT !servfail
"""


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with served(ZONE) as server:
        yield server


@pytest.mark.parametrize(
    ("ip", "domain", "result", "code"),
    [
        ("192.0.2.1", "clinic.example.jp", "pass", 0),
        ("198.51.100.1", "clinic.example.jp", "fail", 1),
        ("2001:db8::1", "clinic.example.jp", "fail", 1),
        ("192.0.2.1", "nothing.example.jp", "none", 1),
        ("192.0.2.1", "slow.example.jp", "temperror", 3),
    ],
)
def test_the_result_and_the_exit_code(dns: Dns, ip: str, domain: str, result: str, code: int) -> None:
    arguments = ("check-host", "--ip", ip, "--mail-from", f"a@{domain}", "--helo", "mail.example.jp", *dns.options)
    done = mailguard(*arguments, "--format", "json")
    assert (json.loads(done.stdout)["result"], done.returncode) == (result, code)
    for language in ("ja", "en"):
        text = mailguard(*arguments, "--lang", language).stdout
        assert result in text
        assert "\x1b" not in text


class TestPolicyShow:
    @pytest.mark.parametrize("language", ["ja", "en"])
    @pytest.mark.parametrize("name", policy_names())
    def test_every_requirement_has_its_strength_consequence_and_standing(self, name: str, language: str) -> None:
        whole = json.loads(mailguard("policy", "show", name, "--format", "json").stdout)
        text = mailguard("policy", "show", name, "--lang", language).stdout
        strengths = {
            "ja": {"required": "必須", "advised": "推奨"},
            "en": {"required": "required", "advised": "advised"},
        }
        second_hand = {"ja": "[二次情報]", "en": "[read second-hand]"}[language]
        lines = text.splitlines()
        for requirement in whole["requirements"]:
            title = f"[{requirement['kind']}] {requirement['title'][language]}"
            at = next(number for number, line in enumerate(lines) if line.startswith(title))
            assert strengths[language][requirement["strength"]] in lines[at]
            assert (second_hand in lines[at + 1]) == (requirement["evidence"] == Standing.SECOND_HAND)
            if requirement["consequence"]:
                assert requirement["consequence"][language] in lines[at + 2]

    def test_there_is_something_second_hand_to_mark(self) -> None:
        assert "[read second-hand]" in mailguard("policy", "show", "docomo").stdout


def test_every_rule_is_listed_and_the_first_is_shown() -> None:
    listed = json.loads(mailguard("rules", "list", "--format", "json").stdout)
    assert {row["rule"] for row in listed} == {*RULES}
    shown = mailguard("rules", "show", listed[0]["name"], "--lang", "ja").stdout
    assert shown.startswith(f"# {listed[0]['rule']} ")
