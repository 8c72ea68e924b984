"""What goes between us and a reading process: requests as pickles, replies as pickles that can only hold our values.

A request comes from us and is trusted. A reply comes from a process that has read hostile mail, so the classes that it
may name are counted: those that the annotations of ``Reply`` lead to, all of them values without behaviour.

A frame is a length of 8 bytes, most significant first, and so many bytes.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.limits import DEFAULT_LIMITS, Limits
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport, Record
from mailguard.inquiry import Answer, Question
from mailguard.trust.proof import Authentication

LENGTH: Final = struct.Struct(">Q")

MAX_REPLY_BYTES: Final = 256 * 1024 * 1024
"""Of one reply; 100,000 records take about 10 MB."""


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How reading processes work.

    ``memory_bytes``: how much a process may grow while it lives. ``cpu_s``: seconds of CPU for one request.
    ``trusted_hosts``: authserv-ids whose Authentication-Results are believed in mails that were fetched.
    ``failure_reports``: whether the fields of failure reports are read; else it is only said that there is one.
    """

    limits: Limits = DEFAULT_LIMITS
    trusted_hosts: tuple[str, ...] = ()
    memory_bytes: int = 200 * 1024 * 1024
    cpu_s: int = 20
    failure_reports: bool = False


class Begin(NamedTuple):
    """Read a mail; ``check``: find out first who sent it, ``now`` as for ``authenticate``. ``forget``: numbers of mails
    that nobody wants any more."""

    number: int
    mail: ReceivedMail
    check: bool
    forget: tuple[int, ...] = ()
    now: int = 0


class Continue(NamedTuple):
    """Answers to the questions that the last reply about this mail asked."""

    number: int
    answers: tuple[Answer, ...]
    forget: tuple[int, ...] = ()


Request = Begin | Continue


class Failure(StrEnum):
    """Why a process could not do what was asked, as far as it can say so itself."""

    MEMORY = "memory"
    ERROR = "error"
    UNKNOWN = "unknown"  # this mail is not here


@dataclass(frozen=True, slots=True)
class Reply:
    """``questions`` to be answered first; else ``contents``, with ``authentication`` if that was asked for.

    ``tired``: the process has grown and should be replaced. ``detail`` goes with ``failure``: the kind of exception.
    """

    questions: tuple[Question, ...] = ()
    authentication: Authentication | None = None
    contents: MailContents | None = None
    failure: Failure | None = None
    detail: str = ""
    tired: bool = False


def encode_reply(reply: Reply) -> bytes:
    """A reply as bytes."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _reducers()
    pickler.dump(reply)
    return buffer.getvalue()


def decode_reply(data: bytes | bytearray) -> Reply:
    """Read a reply. Raises ValueError for anything but a Reply."""
    try:
        reply = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # a pickle that was tampered with may raise anything
        raise ValueError(f"the reply cannot be read: {type(error).__name__}") from error
    if not isinstance(reply, Reply):
        raise ValueError("the reply is something else")
    return reply


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _allowed().get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a reply")
        return found


@cache
def _values() -> frozenset[type]:
    """Every class of ours that a Reply can hold, itself included."""
    found: set[type] = set()
    waiting: list[Any] = [Reply]
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if isinstance(kind, type) and kind.__module__.startswith("mailguard.") and kind not in found:
            found.add(kind)
            waiting.extend(_annotations(kind))
    return frozenset(found)


def _annotations(kind: type) -> Iterator[Any]:
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        yield from get_type_hints(kind).values()


@cache
def _allowed() -> dict[tuple[str, str], Any]:
    # Pickle makes a named tuple and a string of a class of its own by this function.
    made = {("copyreg", "__newobj__"): copyreg.__newobj__}  # type: ignore[attr-defined]
    made[_report.__module__, _report.__qualname__] = _report
    return made | {(kind.__module__, kind.__qualname__): kind for kind in _values()}


@cache
def _reducers() -> dict[type, Callable[[Any], Any]]:
    """Data classes and named tuples by their constructor: several times faster than the ways that pickle takes."""
    table: dict[type, Callable[[Any], Any]] = dict(copyreg.dispatch_table)
    for kind in _values():
        if issubclass(kind, tuple):
            table[kind] = lambda value: (type(value), tuple(value))
        elif is_dataclass(kind) and not issubclass(kind, Enum):
            table[kind] = _reducer(kind)
    table[AggregateReport] = _reduce_report
    return table


def _reducer(kind: Any) -> Callable[[Any], Any]:
    names = [field.name for field in fields(kind)]
    if len(names) == 1:
        return lambda value: (kind, (getattr(value, names[0]),))
    get = attrgetter(*names)
    return lambda value: (kind, get(value))


_REPORT: Final = tuple(field.name for field in fields(AggregateReport))


def _reduce_report(report: AggregateReport) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Records as columns: most of the work would else be done for each of a hundred thousand small tuples."""
    values = {name: getattr(report, name) for name in _REPORT}
    values["records"] = tuple(zip(*report.records, strict=True))
    return _report, tuple(values.values())


def _report(*values: Any) -> AggregateReport:
    told = dict(zip(_REPORT, values, strict=True))
    told["records"] = tuple(map(Record, *told["records"])) if told["records"] else ()
    return AggregateReport(**told)
