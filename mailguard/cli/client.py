"""``mailguard client``: what is kept about one client; handing it over; deleting it whole at the end of a contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailguard.cli.db import database_option
from mailguard.cli.exits import OUR_FAILURE, WRONG_USE
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say
from mailguard.errors import OperationError, Sentence, UsageError
from mailguard.render.moments import moment
from mailguard.render.safe import visible

if TYPE_CHECKING:
    from mailguard.cli.clientfile import Whole
    from mailguard.cli.clientsent import Sent
    from mailguard.store.clients import Client, Holding, Mails
    from mailguard.store.database import Database

F = TypeVar("F", bound=Callable[..., Any])

_MAX_NAMES: Final = 20

_KINDS: Final = {
    "reports": Sentence("DMARC aggregate reports"),
    "records": Sentence("Records in them"),
    "sums": Sentence("Daily sums"),
    "tls": Sentence("TLS reports"),
    "failures": Sentence("Failure reports"),
    "audits": Sentence("Audits"),
    "mails": Sentence("Mails"),
    "sent": Sentence("Mails in the outbox"),
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the database has of a client (``held``), and an outbox, where one was named."""

    client: Client
    names: list[str]
    mails: Mails
    held: tuple[Holding, ...]
    sent: Sent | None

    @property
    def everything(self) -> tuple[Holding, ...]:
        return (*self.held, self.sent.held) if self.sent else self.held

    @property
    def nothing(self) -> bool:
        return not any(one.count for one in self.everything)

    def whole(self, database: Database) -> Whole:
        from mailguard.cli.clientfile import Whole

        return Whole(database, self.client, self.mails, self.everything, self.sent)


def _client_options(command: F) -> F:
    only = click.option("--only", is_flag=True, help="This name alone, without the names below it.")
    outbox = click.option("--outbox", metavar="FILE", help="The outbox of `mailguard guide send`, to take in too.")
    domain = click.argument("domain", metavar="DOMAIN")
    return domain(only(outbox(database_option(command))))


@click.group(cls=SpokenGroup)
def client() -> None:
    """Show, export or delete everything that is kept about one client."""


@client.command(cls=SpokenCommand)
@_client_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def show(place: str, domain: str, only: bool, outbox: str | None, form: str) -> None:
    """Show what is kept about a domain and the names below it: how much of each kind, and from when to when."""
    from mailguard.store import open_reader

    with open_reader(place) as store, _asking(store.database):
        kept = _look(store.database, domain, only, outbox)
    click.echo(json.dumps(_document(kept), ensure_ascii=False, indent=2) if form == "json" else "\n".join(_lines(kept)))


@client.command(cls=SpokenCommand)
@_client_options
@click.option("-o", "--output", metavar="FILE", required=True, help="The ZIP file to write; it must not be there yet.")
def export(place: str, domain: str, only: bool, outbox: str | None, output: str) -> None:
    """Write everything that is kept about a domain into one ZIP file, to hand it over.

    Mails as they came, reports, records, sums, TLS reports, failure reports and audits, with a list of all files and
    their SHA-256. The same data give the same file, byte for byte.
    """
    from mailguard.cli.clientfile import write_export
    from mailguard.store import open_reader

    path = Path(output)
    if path.exists():
        raise UsageError("{place} exists already; choose another path.", place=path)
    with open_reader(place) as store, _asking(store.database), store.database.snapshot():
        kept = _look(store.database, domain, only, outbox)
        if kept.nothing:
            raise UsageError("Nothing is kept about {domain}.", domain=kept.client.domain)
        size = write_export(path, kept.whole(store.database))
    click.echo("\n".join(_lines(kept)))
    click.echo(say("{file} holds all of it ({size} bytes).").format(file=path, size=f"{size:,}"))


@client.command(cls=SpokenCommand)
@_client_options
@click.option("--exported", metavar="FILE", help="The file that `client export` has written; it is compared first.")
@click.option("--without-export", is_flag=True, help="Delete although nothing was exported.")
@click.option("--spool", metavar="FOLDER", help="The spool; without it, that of the settings file.")
@click.option("--yes", is_flag=True, help="Do not ask for the domain to be typed again.")
@click.pass_context
def delete(
    ctx: click.Context,
    place: str,
    domain: str,
    only: bool,
    outbox: str | None,
    exported: str | None,
    without_export: bool,
    spool: str | None,
    yes: bool,
) -> None:
    """Delete everything that is kept about a domain and the names below it. There is no way back.

    Asks for the domain to be typed again. Wants the file that `mailguard client export` has written, and goes on only
    when it holds all that would be deleted. Afterwards it counts again, and shows that nothing is left.
    """
    from mailguard.store import open_store

    if bool(exported) == without_export:
        told = "First run: mailguard client export {domain} -o FILE; then name it with --exported, or --without-export."
        raise UsageError(told, domain=domain)
    with open_store(place, create=False) as store, _asking(store.database):
        kept = _look(store.database, domain, only, outbox)
        click.echo("\n".join(_lines(kept)))
        if exported and not kept.nothing:
            _compare(store.database, kept, Path(exported))
        folder = _spool(ctx, spool)
        if not (yes or kept.nothing or _agreed(kept.client)):
            click.echo(say("This is not {domain}. Nothing was deleted.").format(domain=kept.client.domain), err=True)
            ctx.exit(WRONG_USE)
        _delete_later(kept.client, folder)
        whole = _delete(store.database, kept)
    for line in _not_covered(kept.client, folder, outbox):
        click.echo(line)
    if not whole:
        ctx.exit(OUR_FAILURE)


def _look(database: Database, text: str, only: bool, outbox: str | None) -> _Kept:
    from mailguard.cli.clientsent import Sent
    from mailguard.store import clients
    from mailguard.targets import parse_target
    from mailguard.worker.whose import find_mails

    client = clients.Client(parse_target(text).domain, below=not only)
    mails = asyncio.run(find_mails(database, client))
    held = clients.holdings(database, client, mails)
    sent = Sent.look(Path(outbox), client) if outbox else None
    return _Kept(client, clients.names(database, client), mails, held, sent)


def _compare(database: Database, kept: _Kept, file: Path) -> None:
    from mailguard.cli.clientfile import check_export

    with database.snapshot():
        check_export(file, kept.whole(database))
    click.echo(say("{file} holds all of it; it was compared.").format(file=file))


def _agreed(client: Client) -> bool:
    question = say("To delete all of this for good, type the domain again")
    try:
        typed: str = click.prompt(question, default="", show_default=False, err=True)
    except click.Abort:
        return False
    return typed.strip().rstrip(".").lower() in (client.domain, client.domain.unicode)


def _delete(database: Database, kept: _Kept) -> bool:
    """Delete, overwrite, count again; whether nothing is left anywhere that this command covers."""
    from mailguard.store import clients

    clients.delete(database, kept.client, kept.mails, kept.held)
    if kept.sent:
        kept.sent.forget()
    overwritten = _scrub(database)
    after = _look(database, kept.client.domain, not kept.client.below, str(kept.sent.path) if kept.sent else None)
    click.echo(say("Deleted. Counted again:"))
    click.echo("\n".join(_table(after.everything)))
    if overwritten:
        click.echo(say("The database was written anew without what was deleted."))
    others = clients.mentions(database, kept.client)
    if others:
        told = say(
            "Rows of others that name {domain}: {count}. They are part of reports or audits about others and stay."
        )
        click.echo(told.format(domain=kept.client.domain, count=f"{others:,}"))
    return overwritten and after.nothing


def _scrub(database: Database) -> bool:
    try:
        with _asking(database):
            database.scrub()
    except OperationError as error:
        told = say("Everything is deleted, but its place on the disk was not overwritten yet: {reason}")
        click.echo(told.format(reason=error.told(say)), err=True)
        return False
    return True


def _spool(ctx: click.Context, named: str | None) -> Path | None:
    """The spool, where we know of one."""
    config: str = ctx.params.get("config") or ""
    if not (named or config):
        return None
    from mailguard.settings import load_settings

    path = Path(named) if named else load_settings(config).spool
    if not (path / "quarantine").is_dir():
        told = "{path} is no spool of mailguard; name the spool with --spool, or its settings file with --config."
        raise UsageError(told, path=path)
    return path


def _delete_later(client: Client, spool: Path | None) -> None:
    """Mails that wait for another look at their sender are stored already; one that came back would bring all back."""
    if spool is None:
        return
    for file in _found(spool / "later", client):
        file.unlink(missing_ok=True)


def _not_covered(client: Client, spool: Path | None, outbox: str | None) -> Iterator[str]:
    yield ""
    yield say("Not covered by this command:")
    for line in _in_spool(client, spool):
        yield f"- {line}"
    if outbox is None:
        yield "- " + say("The outbox of `mailguard guide send` was not looked into; name it with --outbox.")
    for told in _ELSEWHERE:
        yield f"- {told.told(say)}"


_ELSEWHERE: Final = (
    Sentence(
        "Copies: what `mailguard db backup` made, exports, guides, and what your own backups hold. Delete the files."
    ),
    Sentence("Mailboxes: mails that were read lie in their folder mailguard-done. Delete them with your mail program."),
    Sentence("Reports that come from now on are stored again. Have our address taken out of rua= in the DMARC record."),
    Sentence("PostgreSQL: its write-ahead log, replicas and dumps are its administrator's."),
)


def _in_spool(client: Client, spool: Path | None) -> Iterator[str]:
    if spool is None:
        yield say("The spool and its quarantine were not looked into; name the spool with --spool, or --config.")
        return
    if any(_found(spool / folder, client) for folder in ("new", "work")):
        yield say("Mails about it wait in the spool and will be stored; let them be finished, then run this again.")
    lying = _found(spool / "quarantine", client)
    for file in lying:
        told = say("In quarantine: {id}. Delete it with: mailguard quarantine delete {id}")
        yield told.format(id=file.name.partition(".")[0])
    if not lying:
        yield say("In quarantine nothing names it. To see what lies there: mailguard quarantine list")


def _found(folder: Path, client: Client) -> list[Path]:
    from mailguard.worker.whose import find_files

    return asyncio.run(find_files(sorted(folder.glob("*.mails")), client))


@contextmanager
def _asking(database: Database) -> Iterator[None]:
    from mailguard.store.clients import asking

    with asking(database):
        yield


def _lines(kept: _Kept) -> Iterator[str]:
    told = say("{domain} and every name below it:") if kept.client.below else say("{domain} alone:")
    yield told.format(domain=visible(kept.client.domain.unicode))
    yield from _table(kept.everything)
    if kept.names:
        shown = ", ".join(map(visible, kept.names[:_MAX_NAMES])) + (", ..." if len(kept.names) > _MAX_NAMES else "")
        yield say("Names: {names}").format(names=shown)
    if kept.mails.shared:
        told = say(
            "Mails that also hold reports about others: {count}. They are not exported; deleting removes their bytes, "
            "and keeps what was read about the others."
        )
        yield told.format(count=f"{len(kept.mails.shared):,}")


def _table(held: Sequence[Holding]) -> Iterator[str]:
    titles = {kind: title.told(say) for kind, title in _KINDS.items()}
    for one in held:
        yield f"  {one.count:>10,}  {titles[one.kind]}{_span(one)}"


def _span(one: Holding) -> str:
    if one.first is None or one.last is None:
        return ""
    return f"  ({moment(one.first)[:10]} - {moment(one.last)[:10]})"


def _document(kept: _Kept) -> dict[str, Any]:
    return {
        "domain": str(kept.client.domain),
        "names_below": kept.client.below,
        "names": kept.names,
        "kept": {one.kind: _told(one) for one in kept.everything},
        "mails_shared_with_others": len(kept.mails.shared),
    }


def _told(one: Holding) -> dict[str, Any]:
    times: Iterable[int | None] = (one.first, one.last)
    first, last = (None if time is None else moment(time) for time in times)
    return {"count": one.count, "first": first, "last": last}
