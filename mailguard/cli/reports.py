"""``mailguard reports``: what was received."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailguard.cli.db import database_option
from mailguard.cli.exits import WRONG_USE
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say
from mailguard.render.safe import cell, visible

if TYPE_CHECKING:
    from mailguard.store.reports import ReportRow, Window
    from mailguard.store.reprocess import Reread

F = TypeVar("F", bound=Callable[..., Any])

_DAY: Final = click.DateTime(["%Y-%m-%d"])
_GRADES: Final = ("verified", "authenticated", "unverified")


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
@_window_options("unverified")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many reports.")
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", help="Form of the output."
)
@database_option
def list_reports(place: str, form: str, limit: int, **options: Any) -> None:
    """List reports, the last received first."""
    from mailguard.store import open_reader

    with open_reader(place) as store:
        rows = store.list_reports(_window(options), limit=limit)
    if form == "text":
        for row in rows:
            click.echo(_line(row))
        if not rows:
            click.echo(say("No reports."))
        return
    items = [{**asdict(row), "begin": _moment(row.begin), "end": _moment(row.end)} for row in rows]
    _write(form, items, list(items[0]) if items else _LIST_COLUMNS)


@reports.command("show", cls=SpokenCommand)
@click.argument("number", type=int, metavar="NUMBER")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@database_option
@click.pass_context
def show_report(ctx: click.Context, number: int, form: str, place: str) -> None:
    """Show everything that is known about the report of that number."""
    from mailguard.store import open_reader

    with open_reader(place) as store:
        found = store.show_report(number)
    if found is None:
        click.echo(f"mailguard: {say('There is no report {number}.').format(number=number)}", err=True)
        ctx.exit(WRONG_USE)
    for holder, names in ((found, ("begin_s", "end_s")), (found["mail"], ("received_at",))):
        for name in names:
            holder[name.removesuffix("_s")] = _moment(holder.pop(name))
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if form == "json" else "\n".join(_lines(found)))


@reports.command("export", cls=SpokenCommand)
@_window_options("verified")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", help="Form of the output.")
@database_option
def export(place: str, form: str, **options: Any) -> None:
    """Write every record of reports to standard output."""
    from mailguard.store import open_reader
    from mailguard.store.reports import RECORD_COLUMNS

    with open_reader(place) as store:
        _write(form, map(_exported, store.records(_window(options))), RECORD_COLUMNS)


@reports.command("reprocess", cls=SpokenCommand)
@database_option
def reprocess(place: str) -> None:
    """Read the kept mails again, after a new version has learned to read better.

    Reports that were read before keep their number and grade. What is found only now is graded by the keys that were
    kept with the mail; nobody is asked.
    """
    from mailguard.feedback.mail import read_mail
    from mailguard.store import open_store
    from mailguard.store.reprocess import Reread

    told = Reread()
    with open_store(place) as store:
        for told in store.reprocess(read_mail, _judge):  # noqa: B007 - the last one counts
            pass
    click.echo(_told(told))


def _judge(mail: Any, contents: Any, account: str) -> tuple[Any, ...]:
    """Grade reports by what can be known without asking anybody."""
    from mailguard.inquiry import not_asked, run
    from mailguard.trust.authenticate import authenticate
    from mailguard.worker.judging import Judge, kept_keys

    proof = run(authenticate(mail, keys=kept_keys(account)), lambda question: not_asked(question, "reprocess"))
    return Judge(None).file(mail, contents, proof).trusts


def _told(told: Reread) -> str:
    message = say(
        "Mails read again: {mails}. Reports: {better} improved, {found} found, {unchanged} unchanged, {lost} no longer "
        "readable and kept as they were, {conflicts} in conflict."
    )
    return message.format(**asdict(told))


def _window(options: dict[str, Any]) -> Window:
    from mailguard.names import name
    from mailguard.store.reports import Window
    from mailguard.trust.grade import Grade

    domain = str(name(options["domain"])) if options["domain"] else ""
    since, until = options["since"], options["until"]
    return Window(
        domain,
        since.date() if since else date.min,
        until.date() if until else date.max,
        Grade(options["grade"]),
    )


def _moment(seconds: int) -> str:
    """A time for people; a number that is no time stays one."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _line(row: ReportRow) -> str:
    words = [
        *(f"{row.id:>8}", f"{row.grade:13}", _moment(row.begin)[:10], visible(row.policy_domain)),
        *(visible(row.org_name), say("{messages} messages").format(messages=f"{row.messages:,}")),
    ]
    if row.superseded:
        words.append(say("(replaced by a better proved copy)"))
    if row.conflicts:
        words.append(say("(contradicted {count} times)").format(count=row.conflicts))
    return "  ".join(words)


def _lines(found: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            for one in value:
                yield indent + "  " + visible(", ".join(f"{key} {inner}" for key, inner in one.items()))
        elif value not in (None, "", []):
            yield f"{indent}{name}: {visible(', '.join(map(str, value)) if isinstance(value, list) else str(value))}"


def _exported(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "begin": _moment(row["begin"]), "end": _moment(row["end"])}


def _write(form: str, rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> None:
    """Rows as they come, however many: CSV for spreadsheets (with a byte order mark), or a JSON array."""
    out = sys.stdout.buffer
    pieces = _csv(rows, list(columns)) if form == "csv" else _json(rows)
    for piece in pieces:
        out.write(piece.encode("utf-8", "replace"))
    out.flush()


def _json(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    before = "[\n"
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _csv(rows: Iterable[dict[str, Any]], columns: list[str]) -> Iterator[str]:
    yield "\ufeff" + _csv_line(columns)
    for row in rows:
        yield _csv_line([_value(row[column]) for column in columns])


def _csv_line(values: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _value(value: Any) -> Any:
    """Numbers stay numbers; texts from strangers never become formulas."""
    if value is None or isinstance(value, int):
        return value
    return cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


_LIST_COLUMNS: Final = (
    *("id", "grade", "reporter", "org_name", "report_id", "policy_domain", "begin", "end", "records", "messages"),
    *("repaired", "dropped", "superseded", "conflicts"),
)
