"""What an outbox (``mailguard guide send``) holds about a client: mails that were made, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailguard.errors import UsageError
from mailguard.store.clients import Client, Holding

if TYPE_CHECKING:
    from mailguard.sending.outbox import Outbox
    from mailguard.sending.values import Message

COLUMNS = (
    *("id", "domain", "recipient", "clinic", "kind", "number", "subject", "message_id", "state", "attempts"),
    *("prepared_at", "changed_at", "answer", "events", "file"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A client's part of an outbox."""

    path: Path
    client: Client
    messages: tuple[Message, ...]

    @classmethod
    def look(cls, path: Path, client: Client) -> Sent:
        """What an outbox has of a client. Raises UsageError where there is none, OperationError if it is broken."""
        with closing(_reading(path)) as outbox:
            return cls(path, client, tuple(one for one in outbox.messages() if client.owns(one.domain)))

    @property
    def held(self) -> Holding:
        """How much it is, and from when to when it was made."""
        moments = [int(one.prepared_at.timestamp()) for one in self.messages]
        return Holding("sent", len(moments), min(moments, default=None), max(moments, default=None))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every mail with what happened to it."""
        with closing(_reading(self.path)) as outbox:
            for message in self.messages:
                events = [{**asdict(one), "at": one.at.isoformat()} for one in outbox.events(message)]
                told = {name: getattr(message, name) for name in COLUMNS[:-2]}
                times = {name: told[name].isoformat() for name in ("prepared_at", "changed_at")}
                yield {**told, **times, "events": events, "file": _file(message)}

    def raws(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of every mail, as it was made."""
        with closing(_reading(self.path)) as outbox:
            for message in self.messages:
                yield _file(message), outbox.raw(message)

    def forget(self) -> None:
        """Delete the mails; addresses that get nothing more stay, for that is the wish of their owners."""
        from mailguard.sending.outbox import Outbox

        if self.messages:
            with Outbox.open(self.path) as outbox:
                for domain in sorted({one.domain for one in self.messages}):
                    outbox.forget(domain)


def _reading(path: Path) -> Outbox:
    from mailguard.sending.outbox import Outbox

    outbox = Outbox.read(path)
    if outbox is None:
        raise UsageError("There is no outbox at {place}; check the path.", place=path)
    return outbox


def _file(message: Message) -> str:
    return f"sent/{message.id:06d}.eml"
