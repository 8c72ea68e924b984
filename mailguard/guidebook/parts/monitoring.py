"""What receivers report about mail in the domain's name, as a chart with its numbers, and by sender."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from mailguard.guidebook.blocks import (
    Block,
    Chart,
    Heading,
    Paragraph,
    Part,
    Reader,
    Rich,
    Series,
    Span,
    Table,
    Tone,
    code,
    fact,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.texts import Texts
from mailguard.providers import Providers, Text
from mailguard.render.safe import clip
from mailguard.traffic import Day, Source, SourceClass, Traffic

MOST_SOURCES: Final = 25
MOST_REPORTERS: Final = 15
_MOST_DAYS: Final = 35
"""Longest window that is drawn day by day; a longer one is drawn by weeks."""


def make(case: Case, texts: Texts) -> Part:
    """The reports of the window, or how they begin to come."""
    traffic = case.traffic
    blocks = _none(case, texts) if traffic is None or not traffic.messages else _some(traffic, case.knowledge, texts)
    return Part(
        id="monitoring",
        title=texts("monitoring.title"),
        blocks=tuple(blocks),
        readers=frozenset((Reader.IT,)),
    )


def _none(case: Case, texts: Texts) -> Iterator[Block]:
    asks = any(one["kind"] == "rua" for one in case.document["dmarc"]["destinations"])
    yield Paragraph(texts("monitoring.nothing-yet" if asks else "monitoring.nobody-asked"), lead=True)
    if case.traffic is not None and case.traffic.unverified:
        yield Paragraph(texts("monitoring.unverified", count=case.traffic.unverified), Tone.UNKNOWN)
    yield Paragraph(texts("monitoring.what-for"))


def _some(traffic: Traffic, knowledge: Providers, texts: Texts) -> Iterator[Block]:
    yield Paragraph(
        texts(
            "monitoring.lead",
            since=traffic.since,
            until=traffic.until,
            messages=traffic.messages,
            passed=traffic.passed,
            reporters=len({reporter.domain for reporter in traffic.reporters}),
        ),
        lead=True,
    )
    yield _chart(traffic, texts)
    if traffic.untold:
        yield Paragraph(texts("monitoring.gaps", untold=traffic.untold, days=len(traffic.days)), Tone.UNKNOWN)
    yield Heading(texts("monitoring.by-class"))
    yield _classes(traffic, texts)
    yield Heading(texts("monitoring.by-source"))
    yield _sources(traffic.sources[:MOST_SOURCES], knowledge, texts)
    if len(traffic.sources) > MOST_SOURCES:
        left = traffic.sources[MOST_SOURCES:]
        told = texts("monitoring.more-sources", count=len(left), messages=sum(one.messages for one in left))
        yield Paragraph(told, Tone.QUIET)
    yield Heading(texts("monitoring.by-reporter"))
    yield _reporters(traffic, texts)
    if traffic.unverified:
        yield Paragraph(texts("monitoring.unverified", count=traffic.unverified), Tone.UNKNOWN)
    yield Paragraph(texts("monitoring.how-to-read"), Tone.QUIET)


def _chart(traffic: Traffic, texts: Texts) -> Chart:
    spans = tuple(_spans(traffic.days))
    kinds = [kind for kind in SourceClass if any(kind in day.messages for day in traffic.days)]
    series = tuple(
        Series(texts(f"monitoring.class.{kind}"), tuple(one.get(kind) for _, one in spans), pattern)
        for pattern, kind in enumerate(SourceClass)
        if kind in kinds
    )
    by_weeks = len(traffic.days) > _MOST_DAYS
    head = texts("monitoring.week-from" if by_weeks else "monitoring.day")
    numbers = Table(
        head=(head, *(one.label for one in series)),
        rows=tuple(
            (texts("monitoring.on", day=day), *(_count(one.get(kind), texts) for kind in kinds)) for day, one in spans
        ),
        numeric=frozenset(range(1, len(kinds) + 1)),
    )
    return Chart(
        title=texts("monitoring.chart"),
        alternative=_in_words(traffic, texts),
        labels=tuple(f"{day.month}/{day.day}" for day, _ in spans),
        series=series,
        numbers=numbers,
        gap=texts("monitoring.untold"),
    )


def _count(count: int | None, texts: Texts) -> Rich:
    return texts("monitoring.untold") if count is None else texts("monitoring.number", count=count)


def _in_words(traffic: Traffic, texts: Texts) -> Rich:
    since, until, messages, passed = traffic.since, traffic.until, traffic.messages, traffic.passed
    if traffic.untold:
        days, untold = len(traffic.days), traffic.untold
        told = "monitoring.chart-told.gaps"
        return texts(told, since=since, until=until, messages=messages, passed=passed, days=days, untold=untold)
    return texts("monitoring.chart-told", since=since, until=until, messages=messages, passed=passed)


def _spans(days: tuple[Day, ...]) -> Iterator[tuple[date, dict[SourceClass, int]]]:
    """Days, or weeks of a longer window, each with its first day and the messages of every class.

    Of a span without any report no class has a number: that nobody told of mail is not that there was none.
    """
    length = 7 if len(days) > _MOST_DAYS else 1
    for start in range(0, len(days), length):
        span = days[start : start + length]
        told = SourceClass if any(day.is_told for day in span) else ()
        yield span[0].day, {kind: sum(day.messages.get(kind, 0) for day in span) for kind in told}


def _classes(traffic: Traffic, texts: Texts) -> Table:
    rows = tuple(
        (
            texts(f"monitoring.class.{kind}"),
            texts("monitoring.number", count=traffic.of(kind)),
            texts(f"monitoring.meaning.{kind}"),
        )
        for kind in SourceClass
        if traffic.of(kind)
    )
    head = (texts("monitoring.class"), texts("monitoring.messages"), texts("monitoring.meaning"))
    return Table(head, rows, numeric=frozenset({1}), widths=(24, 14, 62))


def _sources(sources: Iterable[Source], knowledge: Providers, texts: Texts) -> Table:
    names = {provider.id: provider.name for provider in knowledge.all}
    rows = tuple(_source(source, names.get(source.provider), texts) for source in sources)
    head = ("source", "messages", "passed", "stopped", "class")
    return Table(
        head=tuple(texts(f"monitoring.{one}") for one in head),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
        widths=(32, 11, 14, 15, 28),
    )


def _source(source: Source, service: Text | None, texts: Texts) -> tuple[Rich, ...]:
    where: Rich = (code(source.ip),) if source.ip else texts("monitoring.others")
    if service is not None:
        name = service.ja if texts.language == "ja" else service.en
        where = texts("monitoring.service", source=where, name=name)
    elif source.authenticated_as:
        where = texts("monitoring.signed-as", source=where, domain=clip(source.authenticated_as[0], 80))
    numbers = (source.messages, source.passed, source.stopped)
    return (
        where,
        *(texts("monitoring.number", count=count) for count in numbers),
        texts(f"monitoring.class.{source.kind}"),
    )


def _reporters(traffic: Traffic, texts: Texts) -> Table:
    rows = tuple(
        (
            (fact(clip(one.org_name, 80)), Span(" "), code(clip(one.domain, 80))),
            texts("monitoring.number", count=one.reports),
            texts("monitoring.number", count=one.messages),
        )
        for one in traffic.reporters[:MOST_REPORTERS]
    )
    head = (texts("monitoring.reporter"), texts("monitoring.reports"), texts("monitoring.messages"))
    return Table(head, rows, numeric=frozenset({1, 2}), widths=(60, 20, 20))
