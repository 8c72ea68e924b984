"""Which of the messages in the outbox may go out now, and one run of handing them over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from mailguard.render.book.mime import dated
from mailguard.sending.outbox import Outbox
from mailguard.sending.prepare import fingerprint
from mailguard.sending.recipients import Recipient
from mailguard.sending.settings import SendSettings
from mailguard.sending.smtp import Channel, Fate, Handed
from mailguard.sending.values import Message, State, Stop


class Why(StrEnum):
    """Whether a message goes out, or why it does not."""

    GOES = "goes"
    OPT_OUT = "opt-out"  # the list or the outbox says that they said no
    STOPPED = "stopped"  # mail to this address came back for good
    NOT_LISTED = "not-listed"  # the list of this run does not have the recipient
    CHANGED = "changed"  # the list or the sender's settings are not those of the preview
    NOT_PREPARED = "not-prepared"  # on the list, but there is no message for them
    DONE = "done"  # sent, failed or bounced before
    UNCLEAR = "unclear"  # a person has to say what became of it


@dataclass(frozen=True, slots=True)
class Choice:
    """A message or a line of the list, and what is done about it."""

    why: Why
    message: Message | None = None
    recipient: Recipient | None = None


def choose(outbox: Outbox, recipients: Sequence[Recipient], settings: SendSettings) -> Iterator[Choice]:
    """What becomes of every waiting message, and of every line of the list that has none."""
    listed = {(str(one.domain), one.email.lower()): one for one in recipients}
    met: set[tuple[str, str]] = set()
    for message in outbox.messages():
        key = (message.domain, message.recipient.lower())
        recipient = listed.get(key)
        if message.state in _WAITING or recipient:
            met.add(key)
            yield Choice(_judge(outbox, message, recipient, settings), message, recipient)
    for key, recipient in listed.items():
        if key not in met:
            yield Choice(refusal(outbox, recipient) or Why.NOT_PREPARED, None, recipient)


def refusal(outbox: Outbox | None, recipient: Recipient) -> Why | None:
    """Why nothing may be sent to a recipient; None where it may."""
    if recipient.opt_out:
        return Why.OPT_OUT
    stopped = outbox.stopped(recipient.email) if outbox else None
    if stopped:
        return Why.OPT_OUT if stopped.reason is Stop.OPT_OUT else Why.STOPPED
    return None


_WAITING: Final = (State.PENDING, State.UNCLEAR)


def _judge(outbox: Outbox, message: Message, recipient: Recipient | None, settings: SendSettings) -> Why:
    if message.state is State.UNCLEAR:
        return Why.UNCLEAR
    if message.state is not State.PENDING:
        return Why.DONE
    if recipient is None:
        return Why.NOT_LISTED
    if why := refusal(outbox, recipient):
        return why
    return Why.GOES if message.fingerprint == fingerprint(recipient, settings) else Why.CHANGED


def note_refusals(outbox: Outbox, recipients: Sequence[Recipient], now: datetime) -> None:
    """Keep in mind who said no, also for lists that will not say so any more."""
    for recipient in recipients:
        if recipient.opt_out:
            outbox.stop(recipient.email, Stop.OPT_OUT, now, f"line {recipient.line}")


@dataclass(slots=True)
class Clock:
    """What a run takes from outside, so that tests need not wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


Tell = Callable[[Message, Handed], None]


async def send_all(
    outbox: Outbox, messages: Sequence[Message], channel: Channel, settings: SendSettings, tell: Tell, clock: Clock
) -> None:
    """Hand messages over, one after the other, at most ``rate_per_minute``.

    Every fate is in the outbox before the next message is begun. A message that is being handed over when the run is
    cancelled is finished first. Raises ServerRefuses; what was not handed over then is still pending.
    """
    await channel.connect()
    pause_s = 60.0 / settings.rate_per_minute
    for place, message in enumerate(messages):
        if place:
            await clock.sleep(pause_s)
        handing = asyncio.ensure_future(_hand_over(outbox, message, channel, settings, clock))
        try:
            handed = await asyncio.shield(handing)
        except asyncio.CancelledError:
            tell(message, await handing)
            raise
        tell(message, handed)


async def _hand_over(
    outbox: Outbox, message: Message, channel: Channel, settings: SendSettings, clock: Clock
) -> Handed:
    handed = await channel.hand_over(
        settings.sender.bounces,
        message.recipient,
        dated(outbox.raw(message), clock.now()),
        envelope_id=message.token,
        begin=lambda: outbox.begin(message, clock.now()),
    )
    if handed.fate is not Fate.NOT_BEGUN:
        _conclude(outbox, message, handed, clock.now())
    return handed


def _conclude(outbox: Outbox, message: Message, handed: Handed, now: datetime) -> None:
    outbox.conclude(message, _STATES[handed.fate], now, handed.answer)
    if handed.fate is Fate.NO_SUCH_ADDRESS:
        outbox.stop(message.recipient, Stop.REFUSED, now, handed.answer)


_STATES: Final = {
    Fate.TAKEN: State.SENT,
    Fate.LATER: State.PENDING,
    Fate.REFUSED: State.FAILED,
    Fate.NO_SUCH_ADDRESS: State.FAILED,
    Fate.UNKNOWN: State.UNCLEAR,
}
