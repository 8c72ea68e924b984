"""``read_mail``: every report in a mail. ``read_file``: the same for a file that came without a mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain

from mailguard.feedback.aggregate import read_aggregates
from mailguard.feedback.archive import Member, Refused, open_file
from mailguard.feedback.failure import read_failure
from mailguard.feedback.kinds import Kind, kind_of
from mailguard.feedback.limits import DEFAULT_LIMITS, Damaged, Effort, Limits, OverLimit
from mailguard.feedback.plainmail import Leaf
from mailguard.feedback.report import AggregateReport, FailureReport, TlsReport, Unreadable
from mailguard.feedback.tls import read_tls_reports
from mailguard.feedback.unpack import Unpacked, unpack, unpack_file


class MailKind(StrEnum):
    """What a mail is."""

    AGGREGATE = "aggregate"
    TLS = "tls"
    FAILURE = "failure"
    MIXED = "mixed"  # reports of several kinds
    NONE = "none"  # no report; ``unreadable`` may say that something should have been one


@dataclass(frozen=True, slots=True)
class Ignored:
    """A report that was recognised and, as the options wish, not read. ``kind`` says what it is."""

    place: str
    kind: MailKind


@dataclass(frozen=True, slots=True)
class MailContents:
    """What a mail brought. All may be empty: a mail without any file that could be a report."""

    reports: tuple[AggregateReport, ...]
    unreadable: tuple[Unreadable, ...]
    tls_reports: tuple[TlsReport, ...] = ()
    failure_reports: tuple[FailureReport, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    @property
    def kind(self) -> MailKind:
        """What the mail is, by the reports in it."""
        kinds = {file.kind for file in self.ignored}
        kinds |= {MailKind.AGGREGATE} if self.reports else set()
        kinds |= {MailKind.TLS} if self.tls_reports else set()
        kinds |= {MailKind.FAILURE} if self.failure_reports else set()
        if len(kinds) > 1:
            return MailKind.MIXED
        return kinds.pop() if kinds else MailKind.NONE


def read_mail(mail: bytes, limits: Limits = DEFAULT_LIMITS, *, failure_reports: bool = False) -> MailContents:
    """Read every report in a mail. Never raises; bounds as ``Limits`` says.

    Failure reports (RFC 9991) can hold patients' mail. They are named as ``ignored`` unless ``failure_reports`` is set,
    and then only the fields of ``FailureReport`` are read.
    """
    return _read(unpack(mail, limits), limits, failure_reports)


def read_file(
    name: str, data: bytes, limits: Limits = DEFAULT_LIMITS, *, failure_reports: bool = False
) -> MailContents:
    """Read every report in a file: a saved mail, or XML, JSON, gzip or zip. Otherwise as ``read_mail``."""
    return _read(unpack_file(name, data, limits), limits, failure_reports)


def _read(unpacked: Unpacked, limits: Limits, failure_reports: bool) -> MailContents:
    reader = _Reader(limits)
    reader.take(unpacked)
    failures = reader.failures if failure_reports else ()
    ignored = () if failure_reports else reader.failures
    return MailContents(
        tuple(reader.reports),
        tuple(reader.unreadable),
        tuple(reader.tls_reports),
        tuple(read_failure(text, place, limits) for place, text in failures),
        tuple(Ignored(place, MailKind.FAILURE) for place, _ in ignored),
    )


@dataclass(slots=True)
class _Reader:
    """Reads members one after the other; archives in archives are opened once more and no further."""

    limits: Limits
    reports: list[AggregateReport] = field(default_factory=list)
    tls_reports: list[TlsReport] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    failures: list[Leaf] = field(default_factory=list)
    opened: int = 0
    effort: Effort = field(init=False)

    def __post_init__(self) -> None:
        self.effort = Effort.within(self.limits)

    def take(self, unpacked: Unpacked) -> None:
        """Read everything in a mail."""
        self.refuse(unpacked.refused)
        self.failures += unpacked.failures
        for member in unpacked.members:
            self.read(member)

    def refuse(self, files: Iterable[Refused]) -> None:
        """Files that were not opened."""
        self.unreadable += [Unreadable(file.place, file.reason) for file in files]

    def read(self, member: Member) -> None:
        """Read what is in a member."""
        self.opened += 1
        if self.opened > self.limits.members:
            self.unreadable.append(Unreadable(member.place, "members"))
            return
        if member.refusal:
            self.unreadable.append(Unreadable(member.place, member.refusal))
            return
        try:
            self._read_stream(member, _Stream(member))
        except OverLimit as bound:
            self.unreadable.append(Unreadable(member.place, str(bound)))

    def _read_stream(self, member: Member, stream: _Stream) -> None:
        kind = kind_of(stream.head)
        if kind in (Kind.ARCHIVE, Kind.MAIL):
            self._open_again(member, stream, kind)
        elif kind is Kind.JSON or stream.head.lstrip()[:1] in (b"{", b"["):
            for found in read_tls_reports(stream.open(), member.place, self.limits):
                self._keep(found, member.quoted)
        else:
            for report in read_aggregates(stream.open, member.place, self.limits, self.effort):
                self._keep(report, member.quoted)

    def _keep(self, found: AggregateReport | TlsReport | Unreadable, quoted: bool) -> None:
        if isinstance(found, AggregateReport):
            self.reports.append(replace(found, quoted=True) if quoted else found)
        elif isinstance(found, TlsReport):
            self.tls_reports.append(replace(found, quoted=True) if quoted else found)
        else:
            self.unreadable.append(found)

    def _open_again(self, member: Member, stream: _Stream, kind: Kind) -> None:
        """An archive or a mail in an archive."""
        if member.level >= _DEEPEST:
            self.unreadable.append(Unreadable(member.place, "nested"))
            return
        data, damage = stream.whole(self.limits.mail_bytes)
        if kind is Kind.MAIL:
            self.take(unpack(data, self.limits, member.budget, member.place, _DEEPEST))
            return
        found = open_file(member.place, data, self.limits, member.budget, _DEEPEST)
        if isinstance(found, Refused):
            self.refuse([Refused(found.place, damage or found.reason)])
            return
        for inner in found:
            self.read(replace(inner, quoted=member.quoted))


_DEEPEST = 2


class _Stream:
    """The content of a member whose beginning has been looked at; the look costs nothing when it is read."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._pieces = member.chunks()
        self._opened = False
        self.head = b""
        try:
            while len(self.head) < _HEAD_BYTES and (piece := next(self._pieces, b"")):
                self.head += piece
        except Damaged:
            self._opened = True  # to be begun anew, so that the damage shows where it is read

    def open(self) -> Iterable[bytes]:
        """The content from its beginning."""
        if self._opened:
            return self._member.chunks()
        self._opened = True
        return chain((self.head,), self._pieces)

    def whole(self, most: int) -> tuple[bytes, str]:
        """The whole content, and why it ends early if it does. Raises OverLimit for ``mail_bytes``."""
        data = bytearray()
        try:
            for piece in self.open():
                data += piece
                if len(data) > most:
                    raise OverLimit("mail_bytes")
        except Damaged as damage:
            return bytes(data), str(damage)
        return bytes(data), ""


_HEAD_BYTES = 512
