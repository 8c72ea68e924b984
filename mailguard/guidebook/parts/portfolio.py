"""The report over many clinics: how they stand, what comes next, what they share, what has moved.

Unlike the other parts it is made of many cases: ``make_parts``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from mailguard.guidebook.blocks import (
    SYMBOLS,
    Block,
    Card,
    Chart,
    Heading,
    Paragraph,
    Part,
    Rich,
    Series,
    Span,
    Table,
    Tone,
    code,
)
from mailguard.guidebook.parts import director
from mailguard.guidebook.portfolio import Member, Portfolio, Shared
from mailguard.guidebook.signals import Light
from mailguard.guidebook.telling import effort, listed, name_of
from mailguard.guidebook.texts import Texts
from mailguard.guides import load_guide

_TONES: Final = (Tone.GOOD, Tone.CARE, Tone.ACT, Tone.UNKNOWN)
MOST_NAMED: Final = 40
"""Clinics that are named in one line of a table; the others are counted."""


def make_parts(portfolio: Portfolio, texts: Texts, *, pages: bool = False) -> tuple[Part, ...]:
    """The parts of the report. ``pages`` adds page one of every clinic, which needs names."""
    parts = [_overview(portfolio, texts), _steps(portfolio, texts), _vendors(portfolio, texts)]
    if portfolio.compared:
        parts.append(_progress(portfolio, texts))
    if pages and not portfolio.hidden:
        parts.append(_pages(portfolio, texts))
    return tuple(parts)


def _overview(portfolio: Portfolio, texts: Texts) -> Part:
    blocks: list[Block] = [
        Paragraph(texts("portfolio.lead", count=len(portfolio.members)), lead=True),
        _lights(portfolio, texts),
        Paragraph(texts("portfolio.not-a-ranking"), Tone.QUIET),
    ]
    if portfolio.hidden:
        blocks.append(Paragraph(texts("portfolio.hidden"), Tone.QUIET))
    return Part("portfolio", texts("portfolio.title"), tuple(blocks))


def _lights(portfolio: Portfolio, texts: Texts) -> Chart:
    counts = {light: portfolio.tones(light) for light in Light}
    return Chart(
        title=texts("portfolio.lights"),
        alternative=texts("portfolio.lights-told"),
        labels=tuple(texts.plain(f"director.light.{light}") for light in Light),
        series=tuple(
            Series(_word(tone, texts), tuple(counts[light][tone] for light in Light), pattern)
            for pattern, tone in enumerate(_TONES)
        ),
        numbers=_light_numbers(counts, texts),
        horizontal=True,
    )


def _light_numbers(counts: dict[Light, Counter[Tone]], texts: Texts) -> Table:
    return Table(
        head=(texts("portfolio.light"), *(_word(tone, texts) for tone in _TONES)),
        rows=tuple(
            (
                texts(f"director.light.{light}"),
                *(texts("portfolio.number", count=counts[light][tone]) for tone in _TONES),
            )
            for light in Light
        ),
        numeric=frozenset(range(1, len(_TONES) + 1)),
    )


def _word(tone: Tone, texts: Texts) -> Rich:
    return (Span(f"{SYMBOLS[tone]} "), *texts(f"director.word.{tone}"))


def _steps(portfolio: Portfolio, texts: Texts) -> Part:
    blocks: list[Block] = [Paragraph(texts("portfolio.steps-lead"))]
    for step, members in portfolio.by_step():
        blocks += [
            Heading(texts(f"portfolio.step.{step}", count=len(members))),
            Paragraph(texts(f"portfolio.step-told.{step}")),
            Table(
                head=tuple(texts(f"portfolio.{one}") for one in ("clinic", "fakes", "own-mail", "sight", "work")),
                rows=tuple(_row(member, portfolio, texts) for member in members),
                widths=(40, 13, 13, 13, 21),
            ),
        ]
    return Part("portfolio-steps", texts("portfolio.steps"), tuple(blocks))


def _row(member: Member, portfolio: Portfolio, texts: Texts) -> tuple[Rich, ...]:
    lights = tuple(_word(shown.tone, texts) for shown in member.lights)
    work = effort(member.minutes, texts) if member.minutes[1] else texts("portfolio.no-work")
    return (_name(member, portfolio, texts), *lights, work)


def _name(member: Member, portfolio: Portfolio, texts: Texts) -> Rich:
    if portfolio.hidden:
        return texts("portfolio.numbered", number=member.label)
    clinic = member.case.clinic.name
    domain: Rich = (code(member.case.domain),)
    return texts("portfolio.named", clinic=clinic, domain=domain) if clinic else domain


def _vendors(portfolio: Portfolio, texts: Texts) -> Part:
    blocks: list[Block] = [Paragraph(texts("portfolio.vendors-lead"))]
    if portfolio.shared:
        head = tuple(texts(f"portfolio.{one}") for one in ("company", "finding", "clinics", "which"))
        rows = tuple(_shared_row(shared, portfolio, texts) for shared in portfolio.shared)
        blocks.append(Table(head, rows, numeric=frozenset({2}), widths=(24, 30, 10, 36)))
    else:
        blocks.append(Paragraph(texts("portfolio.nothing-shared")))
    return Part("portfolio-vendors", texts("portfolio.vendors"), tuple(blocks))


def _shared_row(shared: Shared, portfolio: Portfolio, texts: Texts) -> tuple[Rich, ...]:
    provider = next(one for one in shared.members[0].case.knowledge.all if one.id == shared.provider)
    return (
        texts("portfolio.name", name=name_of(provider, texts)),
        (Span(load_guide(shared.rule, texts.language).title),),
        texts("portfolio.number", count=len(shared.members)),
        _names(shared.members, portfolio, texts),
    )


def _names(members: Iterable[Member], portfolio: Portfolio, texts: Texts) -> Rich:
    members = tuple(members)
    if portfolio.hidden:
        return texts("portfolio.numbers", numbers=listed(sorted(one.label for one in members), texts))
    told = texts("portfolio.name", name=listed((one.case.domain for one in members[:MOST_NAMED]), texts))
    if len(members) > MOST_NAMED:
        return texts("portfolio.and-more", names=told, count=len(members) - MOST_NAMED)
    return told


def _progress(portfolio: Portfolio, texts: Texts) -> Part:
    compared = portfolio.compared
    sums = Counter(dict.fromkeys(_KINDS, 0))
    for member in compared:
        assert member.difference is not None
        sums.update({kind: len(getattr(member.difference, kind)) for kind in _KINDS})
    moved = Table(
        head=(texts("difference.kind"), texts("difference.number")),
        rows=tuple((texts(f"difference.{kind}"), texts("portfolio.number", count=sums[kind])) for kind in _KINDS),
        numeric=frozenset({1}),
        widths=(75, 25),
    )
    blocks: tuple[Block, ...] = (
        Paragraph(texts("portfolio.progress-lead", count=len(compared), all=len(portfolio.members)), lead=True),
        *_then_and_now(portfolio, texts),
        Heading(texts("portfolio.findings-moved")),
        moved,
    )
    return Part("portfolio-progress", texts("portfolio.progress"), blocks)


_KINDS: Final = ("solved", "better", "new", "worse", "unchanged", "unseen")


def _then_and_now(portfolio: Portfolio, texts: Texts) -> Iterator[Block]:
    compared = replace(portfolio, members=portfolio.compared, shared=())
    rows: list[tuple[Rich, ...]] = []
    for light in Light:
        for when, before in (("then", True), ("now", False)):
            tones = compared.tones(light, before=before)
            told = texts(f"portfolio.{when}", light=texts(f"director.light.{light}"))
            rows.append((told, *(texts("portfolio.number", count=tones[tone]) for tone in _TONES)))
    head = (texts("portfolio.light"), *(_word(tone, texts) for tone in _TONES))
    yield Table(head, tuple(rows), numeric=frozenset(range(1, len(_TONES) + 1)))
    yield Paragraph(texts("portfolio.then-without-reports"), Tone.QUIET)


def _pages(portfolio: Portfolio, texts: Texts) -> Part:
    """Page one of every clinic."""
    members = sorted(portfolio.members, key=lambda one: one.case.domain)
    pages = tuple(_page(member, portfolio, texts) for member in members)
    return Part("portfolio-pages", texts("portfolio.pages"), pages)


def _page(member: Member, portfolio: Portfolio, texts: Texts) -> Card:
    page = director.make(member.case, texts)
    return Card(_name(member, portfolio, texts), page.blocks, page=True)
