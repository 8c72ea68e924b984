"""``mailguard reports``: what was received."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailguard.cli.db import database_option
from mailguard.cli.exits import WRONG_USE
from mailguard.cli.reportlist import (
    ALL_COLUMNS,
    COLUMNS,
    aggregate_items,
    failure_items,
    in_words,
    lines,
    tls_items,
    write,
)
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say
from mailguard.render.moments import moment

if TYPE_CHECKING:
    from mailguard.store import Reader
    from mailguard.store.reports import Window
    from mailguard.store.reprocess import Reread
    from mailguard.worker.reprocess import ReprocessSettings

F = TypeVar("F", bound=Callable[..., Any])

_DAY: Final = click.DateTime(["%Y-%m-%d"])
_GRADES: Final = ("verified", "authenticated", "unverified")
_KINDS: Final = ("aggregate", "tls", "failure")
_EVERY_GRADE: Final = {"grade": "unverified"}
_COUNTED: Final = 10_000
"""So many reports at most are counted to tell how many were left out."""

_TIMES: Final = ("begin_s", "end_s", "received_at", "arrival")


def _kind_option(default: str, *more: str) -> Callable[[F], F]:
    return click.option(
        "--kind",
        type=click.Choice((*_KINDS, *more)),
        default=default,
        show_default=True,
        help="Which kind of reports; each kind has numbers of its own.",
    )


def _window_options(default_grade: str) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        grade = click.option(
            "--grade",
            type=click.Choice(_GRADES),
            default=default_grade,
            show_default=True,
            help="The least proof of the sender that is asked for.",
        )
        until = click.option("--until", type=_DAY, metavar="DATE", help="Up to, not including, this day (UTC).")
        since = click.option("--since", type=_DAY, metavar="DATE", help="From this day on (UTC).")
        domain = click.option("--domain", default="", metavar="NAME", help="Reports about this domain only.")
        for option in (grade, until, since, domain):
            command = option(command)
        return command

    return decorate


@click.group(cls=SpokenGroup)
def reports() -> None:
    """List, show and export the reports that were received, or read them again."""


@reports.command("list", cls=SpokenCommand)
@_kind_option("all", "all")
@_window_options("unverified")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many of each kind.")
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", help="Form of the output."
)
@database_option
def list_reports(place: str, kind: str, form: str, limit: int, **options: Any) -> None:
    """List reports, the last received first. Those whose sender is not verified stand apart; they are counted nowhere.

    Aggregate and TLS reports belong to the days that they are about, failure reports to the day when they came.
    """
    from mailguard.store import open_reader

    if _is_yet_to_come(place):
        told = "Nothing was received yet. {place} is made with the first report; if it lies elsewhere, use --config."
        click.echo(say(told).format(place=place), err=form != "text")
        if form != "text":
            write(form, (), COLUMNS.get(kind, ALL_COLUMNS))
        return
    with open_reader(place) as store:
        listed = {one: _listed(store, one, _window(options), limit) for one in _KINDS if kind in (one, "all")}
        in_part = store.count_read_in_part()
    if form != "text":
        columns = COLUMNS.get(kind, ALL_COLUMNS)
        found = (item for items in listed.values() for item in items)
        write(form, ({name: item.get(name) for name in columns} for item in found), columns)
        return
    parts = ["\n".join(in_words(one, items)) for one, items in listed.items() if items]
    if in_part:
        told = say("Mails of which a file could not be read: {count} (`mailguard reports show` says which).")
        parts.append(told.format(count=in_part))
    click.echo("\n\n".join(parts) or say("No reports."))


def _is_yet_to_come(place: str) -> bool:
    """Whether there is no database where the first report will make one. One that was named by hand has to be there."""
    named = click.get_current_context().params.get("database")
    return not named and "://" not in place and not Path(place).exists() and Path(place).absolute().parent.is_dir()


def _listed(store: Reader, kind: str, window: Window, limit: int) -> list[dict[str, Any]]:
    if kind == "tls":
        return tls_items(store.list_tls(window, limit=limit))
    if kind == "failure":
        return failure_items(store.list_failures(window, limit=limit))
    return aggregate_items(store.list_reports(window, limit=limit))


@reports.command("show", cls=SpokenCommand)
@click.argument("number", type=int, metavar="NUMBER")
@_kind_option("aggregate")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@database_option
@click.pass_context
def show_report(ctx: click.Context, number: int, kind: str, form: str, place: str) -> None:
    """Show everything that is known about the report of that number."""
    from mailguard.store import open_reader

    with open_reader(place) as store:
        ask = {"aggregate": store.show_report, "tls": store.show_tls, "failure": store.show_failure}[kind]
        found = ask(number)
    if found is None:
        click.echo(f"mailguard: {say('There is no report {number}.').format(number=number)}", err=True)
        ctx.exit(WRONG_USE)
    found["mail"] = _with_times(found["mail"])
    found = _with_times(found)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if form == "json" else "\n".join(lines(found)))


def _with_times(found: dict[str, Any]) -> dict[str, Any]:
    """Seconds as times, at the end."""
    times = {name.removesuffix("_s"): found[name] for name in _TIMES if name in found}
    others = {name: value for name, value in found.items() if name not in _TIMES}
    return others | {name: None if value is None else moment(value) for name, value in times.items()}


@reports.command("export", cls=SpokenCommand)
@_kind_option("aggregate")
@_window_options("verified")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", help="Form of the output.")
@database_option
def export(place: str, kind: str, form: str, **options: Any) -> None:
    """Write every record of reports to standard output, of TLS reports every policy, of failure reports every report.

    Without --grade only reports whose sender is verified are written.
    """
    from mailguard.store import open_reader
    from mailguard.store.other_questions import FAILURE_COLUMNS, TLS_COLUMNS
    from mailguard.store.reports import RECORD_COLUMNS

    columns = {"aggregate": RECORD_COLUMNS, "tls": TLS_COLUMNS, "failure": FAILURE_COLUMNS}[kind]
    with open_reader(place) as store:
        ask = {"aggregate": store.records, "tls": store.tls_policies, "failure": store.failures}[kind]
        # The question ends before the database is closed, also where the output takes no more.
        with closing(ask(_window(options))) as rows:
            write(form, map(_exported, rows), columns)
        left_out = _left_out(store, kind, options)
    if left_out:
        told = say(
            "Reports left out because their sender is not proved enough: {count}. --grade unverified shows them."
        )
        click.echo(f"mailguard: {told.format(count=left_out)}", err=True)


def _left_out(store: Reader, kind: str, options: dict[str, Any]) -> str:
    """How many reports of the window have a lower grade than was asked for; empty for none."""
    asked, every = (len(_listed(store, kind, _window({**options, **more}), _COUNTED)) for more in ({}, _EVERY_GRADE))
    return f"{every - asked:,}{'+' if every == _COUNTED else ''}" if every > asked else ""


def _exported(row: dict[str, Any]) -> dict[str, Any]:
    times = ("begin", "end", "received_at", "arrival")
    return {name: moment(value) if name in times and value is not None else value for name, value in row.items()}


@reports.command("reprocess", cls=SpokenCommand)
@database_option
@click.pass_context
def reprocess(ctx: click.Context, place: str) -> None:
    """Read the kept mails again, after a new version has learned to read better.

    Mails are read as those that come in: in processes of their own, with bounds on memory and time. Reports that were
    read before keep their number. With --config they are graded anew, by the rules of this version and the domains and
    reporters of the settings; without it they keep their grade. Nobody is asked: the keys that were kept with the mail
    prove its sender.
    """
    click.echo(_told(asyncio.run(_reprocess(place, _reprocess_settings(ctx.params.get("config"))))))


async def _reprocess(place: str, settings: ReprocessSettings) -> Reread:
    from mailguard.store import open_store
    from mailguard.store.reprocess import Reread
    from mailguard.worker.reprocess import reprocess as read_again

    told = Reread()
    async for told in read_again(lambda: open_store(place, create=False), settings):  # noqa: B007 - the last one counts
        pass
    return told


def _reprocess_settings(config: str | None) -> ReprocessSettings:
    from mailguard.worker.reprocess import ReprocessSettings

    if not config:
        return ReprocessSettings()
    from mailguard.settings import load_settings
    from mailguard.worker.service import judge_for, reading_settings

    settings = load_settings(config)
    return ReprocessSettings(
        reading_settings(settings),
        judge_for(settings),
        processes=settings.work.processes,
        mail_s=float(settings.work.mail_s),
        regrade=True,
    )


def _told(told: Reread) -> str:
    return "\n".join(_told_lines(told))


def _told_lines(told: Reread) -> Iterator[str]:
    message = say(
        "Mails read again: {mails}. Reports: {better} improved, {found} found, {unchanged} unchanged, {lost} no longer "
        "readable and kept as they were, {conflicts} in conflict."
    )
    yield message.format(**asdict(told))
    if told.gone:
        yield say("Mails that are not kept any more, so that their reports stay as they were: {count}.").format(
            count=told.gone
        )
    if told.unread:
        yield say("Mails that went beyond the bounds on memory or time and stay as they were: {count}.").format(
            count=told.unread
        )


def _window(options: dict[str, Any]) -> Window:
    from mailguard.store.reports import Window
    from mailguard.targets import parse_target
    from mailguard.trust.grade import Grade

    domain = str(parse_target(options["domain"]).domain) if options["domain"] else ""
    since, until = options["since"], options["until"]
    return Window(
        domain,
        since.date() if since else date.min,
        until.date() if until else date.max,
        Grade(options["grade"]),
    )
