"""From the bytes of a mail to the files in it that may be reports.

A plain mail is cut by ``plainmail.py``. Any other is measured (``measure.py``) and given to the standard parser with
the ``compat32`` policy; the newer policies parse every header deeply and take half a minute for one hostile line.

Files are told by their content. RFC 9990 3.5.2 wants gzip or bare XML with proper types and names; real reporters send
zip, call gzip ``octet-stream``, forget the transfer encoding and put anything behind ``.gz``. What is called a report
and is none is named as refused; a greeting, a picture or a signature is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import Message
from typing import Final, cast

from mailguard.feedback.archive import Member, Refused, foreign_kind, open_file, printable
from mailguard.feedback.encodings import hidden_files, without_quoting
from mailguard.feedback.kinds import Kind, claims_to_be_report, is_letter, kind_of
from mailguard.feedback.limits import Budget, Limits, OverLimit
from mailguard.feedback.measure import measure
from mailguard.feedback.plainmail import Leaf, plain_leaves

_MOST_MAILS_DEEP: Final = 3
_FEEDBACK_REPORT: Final = "message/feedback-report"
_SEALED: Final = {
    "application/pkcs7-mime": "encrypted",
    "application/x-pkcs7-mime": "encrypted",
    "application/pgp-encrypted": "encrypted",
    "message/external-body": "external-body",
    "message/partial": "partial",
}


@dataclass(slots=True)
class Unpacked:
    """What a mail holds: files that may be reports, files that were not opened, and the fields of failure reports."""

    members: list[Member] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    failures: list[Leaf] = field(default_factory=list)


def unpack(mail: bytes, limits: Limits, budget: Budget | None = None, place: str = "", level: int = 0) -> Unpacked:
    """Every file in a mail that may be a report, and those that were not opened. Never raises.

    ``budget``, ``place`` and ``level`` are those of the archive that the mail lay in, if it did.

    Bounds: ``mail_bytes`` to ``lines`` of ``Limits`` on the bytes of the mail, ``members`` and ``zip_directory_bytes``.
    """
    unpacked = Unpacked()
    _Walk(limits, budget or Budget(limits.inflated_bytes), unpacked, level).enter(mail, place, 1)
    return unpacked


def unpack_file(name: str, data: bytes, limits: Limits) -> Unpacked:
    """The same for a file that came without a mail around it: a report in any packing, or a saved mail.

    Bounds: ``mail_bytes``, and ``inflated_bytes`` for bare XML.
    """
    unpacked = Unpacked()
    walk = _Walk(limits, Budget(limits.inflated_bytes), unpacked)
    kind = kind_of(data)
    if kind in (Kind.MAIL, Kind.OTHER) and not claims_to_be_report(name):
        walk.enter(data, "", 1)
    elif len(data) > (limits.inflated_bytes if kind is Kind.MARKUP else limits.mail_bytes):
        unpacked.refused.append(Refused(name, "inflated_bytes" if kind is Kind.MARKUP else "mail_bytes"))
    else:
        walk.add_leaf(name, [data], 1)
    return unpacked


class _Walk:
    """Goes through a mail, and through the mails in it."""

    def __init__(self, limits: Limits, budget: Budget, found: Unpacked, level: int = 0) -> None:
        self._limits = limits
        self._level = level
        self._budget = budget
        self._found = found
        self._number = 0

    def enter(self, mail: bytes, place: str, depth: int) -> None:
        """One mail; ``place`` is where it lies in another."""
        is_inner = depth > 1 or self._level > 0
        parts = plain_leaves(mail, self._limits)
        if parts is not None:
            for part in parts:
                self.add_leaf(part.name, part.contents, depth, quoted=is_inner or part.is_letter)
            return
        before, self._number = self._number, 0  # parts of a mail in a mail are numbered by themselves
        try:
            measure(mail, self._limits)
            self._part(message_from_bytes(mail), depth, is_inner)
        except OverLimit as bound:
            self._found.refused.append(Refused(place, str(bound)))
        except (
            RecursionError
        ):  # cannot happen while ``containers`` is small; a mail must not end the process if it does
            self._found.refused.append(Refused(place, "containers"))
        finally:
            self._number = before

    def _part(self, part: Message, depth: int, is_inner: bool) -> None:
        self._number += 1
        name = _name_of(part) or f"part {self._number}"
        kind = part.get_content_type()
        if kind in _SEALED:
            self._found.refused.append(Refused(name, _SEALED[kind]))
        elif kind == _FEEDBACK_REPORT:
            self._found.failures.append((name, _text_of_message(part)))
        elif part.is_multipart():
            self._inside(part, name, depth, is_inner or part.get_content_maintype() == "message")
        else:
            self.add_leaf(name, _contents(part), depth, quoted=is_inner or is_letter(kind, name))

    def _inside(self, part: Message, name: str, depth: int, is_inner: bool) -> None:
        children = cast("list[Message]", part.get_payload())
        # RFC 6591 3: beside its fields a failure report holds the mail of a stranger. That is nobody's to look at.
        is_failure = any(child.get_content_type() == _FEEDBACK_REPORT for child in children)
        for child in children:
            kind = child.get_content_type()
            if is_failure and kind != _FEEDBACK_REPORT and kind.startswith(("message/", "text/")):
                self._number += 1
                continue
            if part.get_content_maintype() == "message" and not child.keys():
                self.add_leaf(name, _contents_of_headless(part, child), depth, quoted=True)
            else:
                self._part(child, depth, is_inner)

    def add_leaf(self, place: str, contents: Iterable[bytes], depth: int, *, quoted: bool = False) -> None:
        """A file; ``contents`` is what it may be once decoded, likeliest first. ``quoted`` as in the reports."""
        empty = True
        for content in contents:
            empty = empty and not content
            files = list(_files_in(content))
            for file, kind in files:
                self._add_file(place, file, kind, depth, quoted)
            if files:
                return
        if claims_to_be_report(place):
            self._found.refused.append(Refused(place, "empty" if empty else "not-a-report"))

    def _add_file(self, place: str, data: bytes, kind: Kind, depth: int, quoted: bool) -> None:
        if kind is Kind.MAIL:
            if depth < _MOST_MAILS_DEEP:
                self.enter(data, place, depth + 1)
            else:
                self._found.refused.append(Refused(place, "containers"))
        elif kind is Kind.FOREIGN:
            self._found.refused.append(Refused(place, foreign_kind(data)))
        elif kind is Kind.PLAIN_FAILURE:
            self._found.failures.append((place, data))
        else:
            self._open(place, data, quoted)

    def _open(self, place: str, data: bytes, quoted: bool) -> None:
        found = open_file(place, data, self._limits, self._budget, self._level)
        if isinstance(found, Refused):
            self._found.refused.append(found)
        elif len(self._found.members) + len(found) > self._limits.members:
            self._found.refused.append(Refused(place, "members"))
        else:
            self._found.members.extend(replace(member, quoted=True) if quoted else member for member in found)


def _files_in(content: bytes) -> Iterator[tuple[bytes, Kind]]:
    """The content if it is a file of ours, else the files that are hidden in it."""
    kind = kind_of(content)
    if kind is Kind.MARKUP:
        yield without_quoting(content), kind
    elif kind is not Kind.OTHER:
        yield content, kind
    else:
        for file in hidden_files(content):
            kind = kind_of(file)
            if kind is not Kind.OTHER:
                yield file, kind


def _contents(part: Message) -> Iterator[bytes]:
    """The content as its transfer encoding says, then as it stands there."""
    decoded = part.get_payload(decode=True)
    if isinstance(decoded, bytes):
        yield decoded
    raw = part.get_payload()
    if isinstance(raw, str) and part.get("content-transfer-encoding"):
        yield raw.encode("utf-8", "surrogateescape")


def _contents_of_headless(part: Message, child: Message) -> Iterator[bytes]:
    """A message part whose content is no message as it stands: encoded against RFC 2046 5.2.1, or something else."""
    child["content-transfer-encoding"] = str(part.get("content-transfer-encoding", ""))
    yield from _contents(child)


def _text_of_message(part: Message) -> bytes:
    """The fields that stand in a message part as its content, encoded or not."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return next(_contents(part), b"")
    inner = cast("Message", payload[0]) if payload else Message()
    if inner.keys():
        return b"".join(f"{name}: {value}\n".encode("utf-8", "replace") for name, value in inner.items())
    return next(_contents_of_headless(part, inner), b"")


def _name_of(part: Message) -> str:
    """The file name that a part claims, for showing only: without folding, at most 200 characters."""
    # A Content-Disposition has not been measured; parsing a huge one would cost the square of its length.
    if len(str(part.get("content-disposition", ""))) > 2_000:
        return ""
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError):  # RFC 2231 with a character set that does not exist
        return ""
    return printable(str(name).encode("utf-8", "replace").decode("utf-8"))
