"""``mailguard quarantine``: mails that could not be read, with their reasons."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailguard.cli.exits import OUR_FAILURE
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say

if TYPE_CHECKING:
    from mailguard.spool import Quarantined, Reason, Shelf

F = TypeVar("F", bound=Callable[..., Any])

_MAX_SHOWN = 64 * 1024


def _place(command: F) -> F:
    config = click.option("--config", metavar="FILE", help="Settings file that names the spool.")
    spool = click.option("--spool", metavar="FOLDER", help="The spool; without it, that of the settings file.")
    return config(spool(lang_option(command)))


_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)


@click.group(cls=SpokenGroup)
def quarantine() -> None:
    """List, show, retry or delete mails that could not be read."""


@quarantine.command("list", cls=SpokenCommand)
@_place
@_FORM
@click.pass_context
def list_entries(ctx: click.Context, config: str | None, spool: str | None, form: str) -> None:
    """List what lies in quarantine, oldest first, each with its reason."""
    entries = _asked(ctx, lambda: list(_shelf(config, spool).list_quarantine()))
    if form == "json":
        click.echo(json.dumps(list(map(_fields, entries)), ensure_ascii=False, indent=2))
        return
    for entry in entries:
        click.echo(_line(entry))
    if not entries:
        click.echo(say("Nothing lies in quarantine."))


@quarantine.command("show", cls=SpokenCommand)
@click.argument("id", metavar="ID")
@_place
@click.option("--raw", is_flag=True, help="Write the mail as it came, byte for byte.")
@click.pass_context
def show_entry(ctx: click.Context, id: str, config: str | None, spool: str | None, raw: bool) -> None:
    """Show a mail in quarantine: how it came, and its header."""
    shelf = _shelf(config, spool)
    entry = _known(ctx, shelf, (id,))[0]
    batch = _asked(ctx, lambda: shelf.load_quarantined(id))
    if raw:
        for mail in batch.mails:
            sys.stdout.buffer.write(mail.raw)
        return
    from mailguard.render.safe import visible

    click.echo(_line(entry))
    for damage in batch.damage:
        click.echo(_told(damage))
    for mail in batch.mails:
        # Only the header: the body can hold what is nobody's business.
        head = mail.raw[:_MAX_SHOWN].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        click.echo("")
        for line in head.decode("utf-8", "replace").split("\n"):
            click.echo(visible(line))


@quarantine.command("retry", cls=SpokenCommand)
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that lies in quarantine.")
@_place
@click.pass_context
def retry_entries(
    ctx: click.Context, ids: tuple[str, ...], everything: bool, config: str | None, spool: str | None
) -> None:
    """Let mails be read once more, for instance by a newer version."""
    shelf = _shelf(config, spool)
    for id in _chosen(ctx, shelf, ids, everything):
        _asked(ctx, partial(shelf.retry, id))
        click.echo(say("{id} waits to be read again.").format(id=id))


@quarantine.command("delete", cls=SpokenCommand)
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that lies in quarantine.")
@_place
@click.pass_context
def delete_entries(
    ctx: click.Context, ids: tuple[str, ...], everything: bool, config: str | None, spool: str | None
) -> None:
    """Delete mails from quarantine for good."""
    shelf = _shelf(config, spool)
    for id in _chosen(ctx, shelf, ids, everything):
        _asked(ctx, partial(shelf.discard, id))
        click.echo(say("{id} was deleted.").format(id=id))


def _shelf(config: str | None, spool: str | None) -> Shelf:
    from mailguard.settings import DEFAULT_FILE, load_settings
    from mailguard.spool import Shelf

    path = Path(spool) if spool else load_settings(config or DEFAULT_FILE).spool
    if not (path / "quarantine").is_dir():
        told = say("{path} is no spool of mailguard; name the spool with --spool, or its settings file with --config.")
        raise click.UsageError(told.format(path=path))
    return Shelf(path)


def _chosen(ctx: click.Context, shelf: Shelf, ids: tuple[str, ...], everything: bool) -> tuple[str, ...]:
    if bool(ids) == everything:
        raise click.UsageError(say("Name the mails by their ids, or give --all."))
    if everything:
        return tuple(entry.id for entry in _asked(ctx, lambda: list(shelf.list_quarantine())))
    return tuple(entry.id for entry in _known(ctx, shelf, ids))


def _known(ctx: click.Context, shelf: Shelf, ids: tuple[str, ...]) -> list[Quarantined]:
    """What lies under these ids; something has to lie under each."""
    lying = {entry.id: entry for entry in _asked(ctx, lambda: list(shelf.list_quarantine()))}
    for id in ids:
        if id not in lying:
            raise click.UsageError(say("Nothing lies in quarantine under {id}.").format(id=repr(id)))
    return [lying[id] for id in ids]


def _asked(ctx: click.Context, call: Callable[[], Any]) -> Any:
    """What the spool says; its trouble is our failure."""
    from mailguard.errors import OperationError

    try:
        return call()
    except OperationError as error:
        click.echo(f"mailguard: {error.told(say)}", err=True)
        ctx.exit(OUR_FAILURE)


def _told(reason: Reason) -> str:
    from mailguard.worker.reasons import sentence_of

    return sentence_of(reason).told(say)


def _fields(entry: Quarantined) -> dict[str, Any]:
    reason = {"reason": _told(entry.reason), "reason_id": entry.reason.id, "reason_fields": dict(entry.reason.fields)}
    return {**asdict(entry), **reason}


def _line(entry: Quarantined) -> str:
    from mailguard.render.safe import visible

    when = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M") if entry.at else "?"
    whence = entry.peer or entry.origin
    return visible(f"{entry.id}  {when}Z  {entry.size:>9}  {whence[:60]}  {_told(entry.reason)}")
