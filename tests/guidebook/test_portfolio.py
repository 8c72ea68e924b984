"""Many clinics in one report: groups by the next step, shared companies, progress, hidden names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mailguard.guidebook.blocks import Chart, Table, Tone, plain
from mailguard.guidebook.book import make_portfolio_book
from mailguard.guidebook.case import Case, Clinic
from mailguard.guidebook.parts.portfolio import make_parts
from mailguard.guidebook.portfolio import make_portfolio
from mailguard.guidebook.signals import Decision, Light
from mailguard.guidebook.texts import Texts
from mailguard.policy.shelf import load_providers
from mailguard.render.book.text import render_text
from mailguard.store import open_store
from mailguard.store.numbering import numbering_key
from tests.render.documents import all_documents, document_of

KEY, OTHER_KEY = bytes(range(16)), bytes(range(1, 17))
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KNOWLEDGE = load_providers()


def zone(domain: str, dmarc: str = "") -> str:
    """Mail at Google, with or without a policy."""
    record = f'_dmarc.{domain} TXT "v=DMARC1; p={dmarc}; rua=mailto:dmarc@{domain}"' if dmarc else ""
    return f"""
        {domain} MX 1 aspmx.l.google.com
        {domain} TXT "v=spf1 include:_spf.google.com ~all"
        _spf.google.com TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        aspmx.l.google.com A 192.0.2.1
        {record}
    """


@cache
def audited(domain: str, dmarc: str = "") -> dict[str, Any]:
    return document_of(zone(domain, dmarc), domain)


def case(document: dict[str, Any], previous: dict[str, Any] | None = None, name: str = "") -> Case:
    return Case(document=document, made_at=NOW, knowledge=KNOWLEDGE, previous=previous, clinic=Clinic(name))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [
        case(audited("a.example.jp", "reject")),
        case(audited("b.example.jp")),
        case(audited("c.example.jp")),
    ]


def test_every_clinic_stands_in_one_group(cases: list[Case]) -> None:
    portfolio = make_portfolio(cases)
    grouped = [member for _, members in portfolio.by_step() for member in members]
    assert sorted(member.case.domain for member in grouped) == ["a.example.jp", "b.example.jp", "c.example.jp"]
    assert portfolio.tones(Light.FAKES)[Tone.ACT] == 2
    assert sum(portfolio.tones(Light.SIGHT).values()) == 3


def test_within_a_group_the_least_work_comes_first(cases: list[Case]) -> None:
    for _, members in make_portfolio(cases).by_step():
        assert list(members) == sorted(members, key=lambda one: one.minutes)


def test_what_clinics_with_one_company_share_is_told_once(cases: list[Case]) -> None:
    shared = make_portfolio(cases).shared
    assert ("google_workspace", 2) in {(one.provider, len(one.members)) for one in shared}
    assert len({(one.provider, one.rule) for one in shared}) == len(shared)
    assert make_portfolio(cases[:2]).shared == ()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_hidden_names_stand_nowhere(cases: list[Case], language: str) -> None:
    named = [case(one.document, name="ひなた医院") for one in cases]
    book = make_portfolio_book(make_portfolio(named, key=KEY), language, pages=True)
    text = render_text(book)
    assert "example.jp" not in text
    assert "ひなた" not in text
    assert "example.jp" in render_text(make_portfolio_book(make_portfolio(named), language))


def labels(cases: list[Case], key: bytes = KEY) -> dict[str, int]:
    return {member.case.domain: member.label for member in make_portfolio(cases, key=key).members}


@cache
def many() -> tuple[Case, ...]:
    document = audited("a.example.jp")
    names = (f"c{number:03}.example.jp" for number in range(200))
    return tuple(case({**document, "domain": name, "domain_unicode": name}) for name in names)


def test_a_clinic_keeps_its_number_whoever_else_is_in_the_report(cases: list[Case]) -> None:
    whole = labels(cases)
    assert len(set(whole.values())) == 3
    assert all(100_000 <= number <= 999_999 for number in whole.values())
    assert whole == labels(cases[::-1])
    assert labels(cases[1:]) == {name: whole[name] for name in labels(cases[1:])}


def test_without_the_key_the_list_of_members_does_not_give_the_numbers(cases: list[Case]) -> None:
    assert not set(labels(cases).values()) & set(labels(cases, OTHER_KEY).values())
    shown = make_portfolio_book(make_portfolio(cases, key=KEY), "en")
    guessed = make_portfolio_book(make_portfolio(cases), "en").number
    assert shown.number != guessed, "a guess at the names could be proved by it"
    assert repr(KEY) not in repr(make_portfolio(cases, key=KEY).members)


def test_numbers_follow_neither_the_alphabet_nor_rank_nor_the_order_of_the_list() -> None:
    numbers = list(labels(list(many())).values())
    assert len(set(numbers)) == len(many())
    rising = sum(before < after for before, after in pairwise(numbers))
    assert 70 < rising < 130, "as often up as down, where names rise"
    better = [case({**one.document, "spoofable": audited("a.example.jp", "reject")["spoofable"]}) for one in many()]
    assert list(labels(better).values()) == numbers, "what was found has no part in it"


def test_numbers_in_one_line_stand_in_their_own_order(cases: list[Case]) -> None:
    """And not in that of the list, which somebody may know."""
    order = sorted(many(), key=lambda one: one.document["domain"])[:20]
    text = render_text(make_portfolio_book(make_portfolio(order, key=KEY), "en"))
    (line, *_) = re.findall(r"Clinics ([0-9, ]+)", text)
    told = [int(number) for number in line.split(", ")]
    assert told == sorted(told)
    assert len(told) == 20


def test_the_key_is_drawn_once_and_stays_with_the_database(tmp_path: Path) -> None:
    with open_store(tmp_path / "one.db") as store:
        first = numbering_key(store.database, (1, 2))
        assert numbering_key(store.database, (3, 4)) == first
    with open_store(tmp_path / "one.db") as store:
        assert numbering_key(store.database, (5, 6)) == first
    with open_store(tmp_path / "two.db") as store:
        assert numbering_key(store.database, (3, 4)) != first


def test_progress_counts_only_what_was_compared() -> None:
    before, now = audited("b.example.jp"), audited("b.example.jp", "reject")
    portfolio = make_portfolio([case(now, before), case(audited("c.example.jp"))])
    assert [member.case.domain for member in portfolio.compared] == ["b.example.jp"]
    assert portfolio.tones(Light.FAKES, before=True)[Tone.ACT] == 1
    parts = {part.id for part in make_parts(portfolio, Texts("ja"))}
    assert "portfolio-progress" in parts
    assert "portfolio-progress" not in {part.id for part in make_parts(make_portfolio([case(now)]), Texts("ja"))}


def test_an_audit_of_another_domain_is_no_earlier_one() -> None:
    portfolio = make_portfolio([case(audited("a.example.jp", "reject"), audited("b.example.jp"))])
    assert portfolio.compared == ()


def test_numbers_of_the_chart_are_those_of_its_table(cases: list[Case]) -> None:
    (overview, *_) = make_parts(make_portfolio(cases), Texts("en"))
    (chart,) = [block for block in overview.blocks if isinstance(block, Chart)]
    by_table = [[plain(cell) for cell in row[1:]] for row in chart.numbers.rows]
    by_chart = [[str(series.values[index]) for series in chart.series] for index in range(len(chart.labels))]
    assert by_table == by_chart


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_document_of_the_suite_can_be_reported_on(language: str) -> None:
    every = [case(document) for document in all_documents().values()]
    portfolio = make_portfolio(every)
    assert {member.step for member in portfolio.members} <= set(Decision)
    parts = make_parts(portfolio, Texts(language), pages=True)
    tables = [block for part in parts for block in part.blocks if isinstance(block, Table)]
    assert all(len(row) == len(table.head) for table in tables for row in table.rows)
    assert render_text(make_portfolio_book(portfolio, language, pages=True))
