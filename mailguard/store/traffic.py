"""What the reports of a window show, per sending source (``mailguard.traffic``)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from mailguard.names import DomainName, name
from mailguard.providers import Providers
from mailguard.store.database import Database
from mailguard.store.reports import SourceRow, Window, days_since_epoch
from mailguard.traffic import Day, Reporter, Seen, Source, SourceClass, Traffic, classify, service_of
from mailguard.trust.grade import Grade

if TYPE_CHECKING:
    from mailguard.store.store import Reader

MAX_SOURCES: Final = 5_000
"""Most sources that are told one by one, the busiest; the others are summed up."""

MAX_RESULTS: Final = 100_000
"""Most different results of authentication that are looked at, those of most messages first."""


def load_traffic(reader: Reader, domain: str, since: date, until: date, knowledge: Providers) -> Traffic | None:
    """The traffic of whole UTC days, ``until`` included; None where no report of the window tells of a message.

    Only verified reports count. Raises OperationError where the database cannot be asked.
    """
    window = Window(domain, since, until + timedelta(days=1))
    rows = reader.sources(window)
    unverified = reader.count_unverified(window)
    if not rows:
        return Traffic(since, until, (), (), (), unverified) if unverified else None
    sources = _sources(rows, _seen(reader, window), name(domain), knowledge)
    reporters = (Reporter(row.org_name, row.domain, row.reports, row.messages) for row in reader.reporters(window))
    return Traffic(
        since=since,
        until=until,
        sources=sources,
        days=_days(reader, window, {source.ip: source.kind for source in sources}),
        reporters=tuple(reporters),
        unverified=unverified,
    )


def count_unverified(database: Database, window: Window) -> int:
    """Reports of the window without a proof of their sender."""
    ((count,),) = database.rows(
        "SELECT COUNT(*) FROM report WHERE policy_domain = ? AND day >= ? AND day < ? AND grade <> ? "
        "AND superseded_by IS NULL",
        (window.domain, days_since_epoch(window.since), days_since_epoch(window.until), Grade.VERIFIED.value),
    )
    return int(count)


def load_results(database: Database, window: Window, limit: int) -> list[tuple[str, str]]:
    """Each source with each different result of authentication that verified reports tell of it."""
    rows = database.rows(
        "SELECT source_ip, auth_results FROM report JOIN record ON record.report_id = report.id "
        "WHERE policy_domain = ? AND day >= ? AND day < ? AND grade = ? AND superseded_by IS NULL "
        "GROUP BY source_ip, auth_results ORDER BY SUM(record.messages) DESC, 1, 2 LIMIT ?",
        (window.domain, days_since_epoch(window.since), days_since_epoch(window.until), Grade.VERIFIED.value, limit),
    )
    return [(ip, told) for ip, told in rows]


def load_daily(database: Database, window: Window) -> list[tuple[int, str, int]]:
    """Messages of each source on each day, from the daily sums of verified reports."""
    rows = database.rows(
        "SELECT day, source_ip, CAST(SUM(messages) AS BIGINT) FROM rollup_source "
        "WHERE policy_domain = ? AND day >= ? AND day < ? AND grade = ? GROUP BY day, source_ip ORDER BY day",
        (window.domain, days_since_epoch(window.since), days_since_epoch(window.until), Grade.VERIFIED.value),
    )
    return [(day, ip, messages) for day, ip, messages in rows]


def _sources(
    rows: list[SourceRow], seen: Mapping[str, Seen], domain: DomainName, knowledge: Providers
) -> tuple[Source, ...]:
    told = [_source(row, seen.get(row.source_ip, Seen()), domain, knowledge) for row in rows[:MAX_SOURCES]]
    others = rows[MAX_SOURCES:]
    return (*told, _together(others)) if others else tuple(told)


def _source(row: SourceRow, seen: Seen, domain: DomainName, knowledge: Providers) -> Source:
    service = service_of(seen.passed, knowledge)
    return Source(
        ip=row.source_ip,
        messages=row.messages,
        passed=row.passed,
        dkim_aligned=row.dkim_aligned,
        spf_aligned=row.spf_aligned,
        stopped=row.stopped,
        reporters=row.reporters,
        kind=classify(domain, row.messages, row.passed, seen, knowledge),
        provider=service.id if service else "",
        authenticated_as=tuple(sorted(seen.passed)),
    )


def _together(rows: list[SourceRow]) -> Source:
    """Many small sources as one, of which nothing is claimed."""
    together = Source("", 0, 0, 0, 0, 0, 0, SourceClass.UNKNOWN)
    for row in rows:
        together = replace(
            together,
            messages=together.messages + row.messages,
            passed=together.passed + row.passed,
            dkim_aligned=together.dkim_aligned + row.dkim_aligned,
            spf_aligned=together.spf_aligned + row.spf_aligned,
            stopped=together.stopped + row.stopped,
            reporters=max(together.reporters, row.reporters),
        )
    return replace(together, kind=SourceClass.PARTLY) if together.passed else together


def _seen(reader: Reader, window: Window) -> dict[str, Seen]:
    signed, passed = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for ip, told in reader.results(window, MAX_RESULTS):
        dkim, spf = json.loads(told)
        signed[ip].update(name for name, _, _ in dkim)
        passed[ip].update(name for name, _, result in (*dkim, *spf) if result == "pass")
    return {ip: Seen(frozenset(signed[ip]), frozenset(passed[ip])) for ip in signed.keys() | passed.keys()}


def _days(reader: Reader, window: Window, kinds: Mapping[str, SourceClass]) -> tuple[Day, ...]:
    """One entry for every day of the window, also for those of which nothing was told."""
    first, end = days_since_epoch(window.since), days_since_epoch(window.until)
    days = [Day(window.since + timedelta(days=number), {}) for number in range(end - first)]
    for number, ip, messages in reader.daily_sources(window):
        kind = kinds.get(ip, SourceClass.UNKNOWN)
        told = days[number - first].messages
        told[kind] = told.get(kind, 0) + messages
    return tuple(days)
