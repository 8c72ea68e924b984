"""A domain that sends nothing: one record, reject from the start, in every document."""

from __future__ import annotations

import re
from functools import cache
from itertools import product

import pytest

from mailguard.dossier import Expectation
from mailguard.guidebook.blocks import Part, Record
from mailguard.guidebook.book import PARTS, make_book
from mailguard.guidebook.checks import Mark, look
from mailguard.guidebook.signals import Decision, decision
from mailguard.guidebook.tasks import Plan, Work
from mailguard.guidebook.telling import plan_of
from mailguard.guidebook.unused import is_without_mail
from mailguard.render.document import Document
from tests.guidebook.cases import blocks_in, case_of, lines
from tests.render.documents import document_of

DOMAIN = "clinic.example.jp"

RECEIVES = {
    "mailbox": f"{DOMAIN} MX 10 mx.{DOMAIN}\nmx.{DOMAIN} A 192.0.2.1",
    "null MX": f"{DOMAIN} MX 0 .",
    "no MX": "",
    "website": f"{DOMAIN} A 192.0.2.5",
}
SPF = {
    "lists hosts": f'{DOMAIN} TXT "v=spf1 ip4:192.0.2.1 -all"',
    "lists nobody": f'{DOMAIN} TXT "v=spf1 -all"',
    "none": f'{DOMAIN} TXT "hello"',
    "broken": f'{DOMAIN} TXT "v=spf1 ip4:999 -all"',
}
DMARC = {
    "none": "",
    "watching": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=none"',
    "watching with reports": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"',
    "quarantine": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=quarantine"',
    "unreadable": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=rejct"',
    "without p": f'_dmarc.{DOMAIN} TXT "v=DMARC1; sp=none"',
    "near miss": f'_dmarc.{DOMAIN} TXT "v=DMARC2; p=none"',
    "without separator": f'_dmarc.{DOMAIN} TXT "v=DMARC1 p=none"',
    "at the wrong name": f'{DOMAIN} TXT "v=DMARC1; p=none"',
    "twice": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=none"\n_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject"',
    "subdomains open": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject; sp=none"',
    "testing": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject; t=y"',
    "sampled": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject; pct=0"',
    "bad destination": f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=none; rua=dmarc"',
}
SAID = {"sends nothing": Expectation(sends=False), "no mail at all": Expectation(sends=False, receives=False)}
STATES = list(product(RECEIVES, SPF, DMARC, SAID))

FIRST = re.compile(
    r"v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s(; rua=mailto:[a-z-]+@clinic\.example\.jp)?"
)


@cache
def audited(receives: str, spf: str, dmarc: str, said: str = "") -> Document:
    zone = "\n".join((RECEIVES[receives], SPF[spf], DMARC[dmarc]))
    return document_of(zone, DOMAIN, said=SAID.get(said))


def policies(document: Document) -> set[str]:
    """Every DMARC record that any fix of the audit would publish."""
    fixes = [finding["fix"] for finding in document["findings"] if finding["fix"]]
    records = [record for fix in fixes for record in fix["records"]]
    return {after for record in records for after in record["after"] if after.lower().startswith("v=dmarc1")}


def plan(document: Document) -> Plan:
    return plan_of(case_of(document))


@pytest.mark.parametrize("receives", RECEIVES)
def test_no_audit_proposes_two_first_records_nor_a_mild_one(receives: str) -> None:
    for state in STATES:
        if state[0] == receives:
            proposed = policies(audited(*state))
            assert len(proposed) <= 1, state
            assert all(FIRST.fullmatch(record) for record in proposed), state


@pytest.mark.parametrize("dmarc", [one for one in DMARC if one != "sampled"])
@pytest.mark.parametrize("said", SAID)
def test_a_domain_that_is_said_to_send_nothing_gets_that_record(dmarc: str, said: str) -> None:
    assert len(policies(audited("mailbox", "lists nobody", dmarc, said))) == 1


def test_what_the_domain_publishes_itself_is_proof_enough() -> None:
    """``v=spf1 -all`` with a null MX; but not beside MX hosts, where the SPF record may be what is wrong."""
    proved = audited("null MX", "lists nobody", "none")
    assert is_without_mail(proved)
    assert [FIRST.fullmatch(record) is not None for record in policies(proved)] == [True]
    receiving = audited("mailbox", "lists nobody", "none")
    assert not is_without_mail(receiving)
    assert [record.startswith("v=DMARC1; p=none") for record in policies(receiving)] == [True]


def test_a_report_address_is_proposed_only_where_a_mailbox_can_be() -> None:
    (with_mail,) = policies(audited("mailbox", "lists nobody", "none", "sends nothing"))
    (without,) = policies(audited("null MX", "lists nobody", "none", "sends nothing"))
    assert with_mail == f"{without}; rua=mailto:dmarc-reports@{DOMAIN}"
    tasks = {task.work: task for task in plan(audited("mailbox", "lists nobody", "none", "sends nothing")).tasks}
    assert tasks[Work.MAKE_MAILBOX].number in tasks[Work.PUBLISH_PARKED].after
    assert tasks[Work.CONFIRM_UNUSED].number in tasks[Work.PUBLISH_PARKED].after


def test_nothing_is_watched_before_it_is_refused() -> None:
    for state in STATES:
        found = plan(audited(*state))
        assert not found.has(Work.START_DMARC, Work.READ_REPORTS, Work.TIGHTEN, Work.LIST_SENDERS), state
        decided = decision(audited(*state), found)
        assert decided not in (Decision.BEGIN, Decision.START, Decision.TIGHTEN), state


STORIES = [
    ("mailbox", "lists nobody", "none", "sends nothing"),
    ("mailbox", "none", "watching", "sends nothing"),
    ("mailbox", "lists hosts", "near miss", "no mail at all"),
    ("null MX", "lists nobody", "none", ""),
    ("null MX", "broken", "watching with reports", "sends nothing"),
    ("no MX", "none", "quarantine", "no mail at all"),
    ("website", "lists hosts", "twice", "sends nothing"),
]
GENERAL = {"booklet", "glossary"}
"""Parts that explain words to beginners and name no record of this domain."""

ADVICE = re.compile(r"p=(?:none|quarantine)(?! (?:を|to) p=reject)")
"""A milder policy, other than as that which is changed into reject."""


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("story", STORIES, ids=" / ".join)
def test_no_part_names_another_first_record(story: tuple[str, ...], language: str) -> None:
    document = audited(*story)
    book = make_book(case_of(document), language)
    assert {part.id for part in book.parts} <= set(PARTS)
    seen = {text for text in texts_of(document) if ADVICE.search(text)}
    for part in book.parts:
        assert len(proposed_in(part)) <= 1, part.id
        for line in lines(part):
            # What is published today is shown as it is; what we say ourselves names no milder policy.
            own = line
            for text in sorted(seen, key=len, reverse=True):
                own = own.replace(text, "")
            assert part.id in GENERAL or not ADVICE.search(own), (part.id, line)


def texts_of(value: object) -> set[str]:
    """Every text of what was seen and found."""
    if isinstance(value, dict):
        return set().union(*(texts_of(below) for below in value.values()))
    if isinstance(value, list):
        return set().union(*(texts_of(below) for below in value))
    return {value} if isinstance(value, str) else set()


def proposed_in(part: Part) -> set[str]:
    records = [block for block in blocks_in(part.blocks) if isinstance(block, Record)]
    return {line for record in records for line in record.after.lines if line.startswith("v=DMARC1")}


@pytest.mark.parametrize("story", STORIES, ids=" / ".join)
def test_findings_and_letters_publish_the_same_record(story: tuple[str, ...]) -> None:
    document = audited(*story)
    parts = {part.id: part for part in make_book(case_of(document), "ja").parts}
    assert proposed_in(parts["findings"]) == proposed_in(parts["letters"]) == policies(document)


def test_the_check_sheet_says_yes_only_when_all_of_it_is_seen() -> None:
    whole = f'{RECEIVES["mailbox"]}\n{SPF["lists nobody"]}\n_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject"'
    for zone, mark in (
        (whole, Mark.YES),
        (whole.replace("p=reject", "p=reject; sp=none"), Mark.NO),
        (whole.replace("v=spf1 -all", "v=spf1 ip4:192.0.2.1 -all"), Mark.NO),
        (whole.replace('"v=DMARC1; p=reject"', "!timeout"), Mark.UNANSWERED),
    ):
        document = document_of(zone, DOMAIN, said=SAID["sends nothing"])
        assert look("parked", case_of(document)).mark is mark
