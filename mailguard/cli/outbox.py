"""``mailguard guide outbox`` and ``mailguard guide bounces``: what was sent, and what came back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailguard.cli.options import lang_option
from mailguard.cli.sendtelling import say_state
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say
from mailguard.errors import UsageError
from mailguard.render.safe import visible

if TYPE_CHECKING:
    from mailguard.sending.outbox import Outbox
    from mailguard.sending.values import Message

F = TypeVar("F", bound=Callable[..., Any])

_STATES: Final = ("pending", "sending", "sent", "failed", "bounced", "unclear")


def _sender_option(command: F) -> F:
    option = click.option(
        "--sender", default="send.toml", show_default=True, metavar="FILE", help="Settings for sending."
    )
    return option(command)


@click.group(cls=SpokenGroup)
def outbox() -> None:
    """What waits, what was sent, and who gets nothing more."""


@outbox.command("list", cls=SpokenCommand)
@_sender_option
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only these. May be repeated.")
@click.option("--domain", default="", metavar="NAME", help="Only mails about this domain.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@lang_option
def list_(sender: str, states: tuple[str, ...], domain: str, form: str) -> None:
    """List mails with their numbers and states, and addresses that get nothing more."""
    from mailguard.sending.values import State

    with closing(_reading(sender)) as box:
        messages = box.messages(*map(State, states), domain=domain)
        stopped = box.all_stopped()
    if form == "json":
        found = {
            "messages": [_as_data(message) for message in messages],
            "stopped": [
                {"address": one.address, "reason": one.reason, "at": _time(one.at), "detail": one.detail}
                for one in stopped
            ],
        }
        click.echo(json.dumps(found, ensure_ascii=True, indent=1))
        return
    for message in messages:
        _say_message(message)
    for one in stopped:
        told = say("{address} gets nothing more since {when} ({reason}) {detail}")
        click.echo(
            told.format(
                address=one.address, when=_time(one.at), reason=_say_stop(one.reason), detail=one.detail
            ).rstrip()
        )


@outbox.command("show", cls=SpokenCommand)
@_sender_option
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="Print the whole mail as it lies in the outbox.")
@lang_option
def show(sender: str, number: int, raw: bool) -> None:
    """Show one mail: its header, what happened to it, and its text."""
    with closing(_reading(sender)) as box:
        message = _of_number(box, number)
        content, events = box.raw(message), box.events(message)
    if raw:
        sys.stdout.buffer.write(content)
        return
    _say_message(message)
    for event in events:
        click.echo(f"  {_time(event.at)}  {event.what}  {event.detail}".rstrip())
    mail = message_from_bytes(content, policy=default)  # our own mail
    for name in ("From", "Reply-To", "To", "Subject", "Message-ID", "List-Unsubscribe"):
        if mail[name]:
            click.echo(visible(f"{name}: {mail[name]}"))
    body = mail.get_body(("plain",))
    assert body is not None
    click.echo("\n" + "\n".join(visible(line) for line in body.get_content().splitlines()))


@outbox.command("settle", cls=SpokenCommand)
@_sender_option
@click.argument("number", type=int)
@click.option("--sent/--send-again", "was_sent", default=None, help="What you found: it went out, or it did not.")
@lang_option
def settle(sender: str, number: int, was_sent: bool | None) -> None:
    """Say what became of a mail that is unclear, after a look into the mail server's log (Message-ID) or a call.

    With --send-again the next run sends it, the same mail with the same Message-ID.
    """
    from mailguard.sending.values import State

    if was_sent is None:
        raise click.UsageError(say("Say what you found: --sent or --send-again"))
    with closing(_changing(sender)) as box:
        message = _of_number(box, number)
        if message.state is not State.UNCLEAR:
            told = "Mail {number} is not unclear; its state is: {state}."
            raise UsageError(told, number=number, state=say_state(message.state))
        box.conclude(message, State.SENT if was_sent else State.PENDING, _now(), "settled by hand")


@outbox.command("stop", cls=SpokenCommand)
@_sender_option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@lang_option
def stop(sender: str, addresses: tuple[str, ...]) -> None:
    """Note that somebody does not want such mail: these addresses get nothing more."""
    from mailguard.render.book.mime import is_address
    from mailguard.sending.values import Stop

    for address in addresses:
        if not is_address(address):
            raise UsageError("{text} is no mail address that can be written to.", text=repr(address))
    with closing(_changing(sender)) as box:
        for address in addresses:
            box.stop(address, Stop.OPT_OUT, _now(), "by hand")


@outbox.command("allow", cls=SpokenCommand)
@_sender_option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@lang_option
def allow(sender: str, addresses: tuple[str, ...]) -> None:
    """Let addresses get mail again: they asked for it, or it came back by mistake."""
    with closing(_changing(sender)) as box:
        for address in addresses:
            if not box.allow(address):
                click.echo(say("{address} was not stopped.").format(address=visible(address)), err=True)


@outbox.command("forget", cls=SpokenCommand)
@_sender_option
@click.argument("domain")
@click.option("--yes", is_flag=True, required=True, help="Yes, delete them for good.")
@lang_option
def forget(sender: str, domain: str, yes: bool) -> None:
    """Delete all mails about a domain, and what happened to them. Addresses that said no stay noted."""
    from mailguard.targets import parse_target

    with closing(_changing(sender)) as box:
        count = box.forget(str(parse_target(domain).domain))
    click.echo(say("{count} mails were deleted.").format(count=count))


@click.command(cls=SpokenCommand)
@_sender_option
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--mailbox", is_flag=True, help="Read the mailbox that [bounces] in the settings for sending names.")
@lang_option
@click.pass_context
def bounces(ctx: click.Context, /, sender: str, paths: tuple[str, ...], mailbox: bool) -> None:
    """Note mails that came back: files, folders, Maildirs, mboxes, - for standard input, or a mailbox.

    Addresses to which mail came back for good get nothing more.

    Exit codes: 0 done, 1 something could not be read, 2 wrong use, 4 our own failure.
    """
    from mailguard.cli.bouncing import note_all

    if not (paths or mailbox):
        raise click.UsageError(say("Name files or folders with mails that came back, or give --mailbox."))
    ctx.exit(note_all(sender, paths, mailbox=mailbox))


def _as_data(message: Message) -> dict[str, object]:
    names = ("id", "kind", "number", "domain", "recipient", "clinic", "subject", "message_id", "token", "attempts")
    found: dict[str, object] = {name: getattr(message, name) for name in names}
    times = {"prepared_at": _time(message.prepared_at), "changed_at": _time(message.changed_at)}
    return found | {"state": str(message.state), "answer": message.answer} | times


def _say_message(message: Message) -> None:
    columns = (
        *(str(message.id), _time(message.changed_at), say_state(message.state), message.domain, message.recipient),
        *(visible(message.clinic), message.number, visible(message.answer)),
    )
    click.echo("  ".join(columns).rstrip())


def _say_stop(reason: str) -> str:
    match reason:
        case "opt-out":
            return say("they do not want such mail")
        case "bounced":
            return say("came back")
        case _:
            return say("refused")


def _of_number(box: Outbox, number: int) -> Message:
    message = box.get(number)
    if message is None:
        raise UsageError("There is no mail {number} in the outbox.", number=number)
    return message


def _reading(sender: str) -> Outbox:
    from mailguard.sending.outbox import Outbox
    from mailguard.sending.settings import load_send_settings

    place = load_send_settings(sender).outbox
    found = Outbox.read(place)
    if found is None:
        raise UsageError("There is no outbox at {place} yet; the first preview makes it.", place=str(place))
    return found


def _changing(sender: str) -> Outbox:
    from mailguard.sending.outbox import Outbox
    from mailguard.sending.settings import load_send_settings

    return Outbox.open(load_send_settings(sender).outbox)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> datetime:
    return datetime.now(UTC)
