"""From the bytes of a mail to the files in it that may be reports.

The standard e-mail parser recurses on nested parts, keeps every line as an object and takes the square of the time on
long parameter lists. So the mail is measured on its bytes first (``_measure``), then parsed with the ``compat32``
policy; the newer policies parse every header deeply and take half a minute for one hostile line.

Archives are told by their first bytes. RFC 9990 3.5.2 wants gzip or bare XML with proper types and names; real
reporters send zip, call gzip ``octet-stream`` and put anything behind ``.gz``. Archives inside archives are not opened.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from io import BytesIO
from typing import Final

from mailguard.feedback.limits import CHUNK_BYTES, Budget, Damaged, Limits, OverLimit

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_ZIP_END: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_ZIP_END_BYTES: Final = 22
_SNIFF_BYTES: Final = 4096
_INPUT_BYTES: Final = 16 * 1024

# The parser ends a line at CR, LF or CRLF. A folded header goes on in lines that begin with a blank.
_LINE_START: Final = rb"(?:\A|(?<=[\r\n]))"
_HEADER: Final = re.compile(_LINE_START + rb"[!-9;-~]+:")
_CONTENT_TYPE: Final = re.compile(
    _LINE_START + rb"content-type:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*", re.IGNORECASE
)
_CONTAINER: Final = re.compile(rb"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_DELIMITER: Final = re.compile(_LINE_START + rb"--[^\r\n]")
_ROOT: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?feedback[\s>]")
_HEADER_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a mail that may be a report.

    ``place`` says where it lies, for people: the file's name, and inside an archive the member's. ``data`` is the file
    as it was attached; ``chunks`` gives what is in it.
    """

    place: str
    data: bytes
    zip_index: int | None
    limits: Limits
    budget: Budget

    def chunks(self) -> Iterator[bytes]:
        """The file's content in pieces of at most 64 KiB, inflated anew on every call.

        Raises OverLimit (``inflated_bytes``, ``ratio``) and, where the archive breaks or ends early, Damaged.
        """
        if self.zip_index is not None:
            pieces = _inflate_zip(self.data, self.zip_index)
        elif self.data.startswith(_GZIP):
            pieces = _inflate_gzip(self.data, self.limits)
        else:
            pieces = (self.data[at : at + CHUNK_BYTES] for at in range(0, len(self.data), CHUNK_BYTES))
        given = 0
        for piece in pieces:
            given += len(piece)
            self.budget.take(len(piece))
            if given > self.limits.ratio_free_bytes and given > self.limits.ratio * len(self.data):
                raise OverLimit("ratio")
            yield piece


@dataclass(frozen=True, slots=True)
class Refused:
    """A file (or, with an empty ``place``, the whole mail) that was not opened. ``reason`` is one word."""

    place: str
    reason: str


def unpack(mail: bytes, limits: Limits) -> tuple[list[Member], list[Refused]]:
    """Every file in a mail that may be a report, and those that were not opened. Never raises.

    Bounds: ``mail_bytes`` to ``lines`` of ``Limits`` on the bytes of the mail, ``members`` and ``zip_directory_bytes``.
    """
    try:
        _measure(mail, limits)
        leaves = list(_leaves(message_from_bytes(mail)))
    except OverLimit as bound:
        return [], [Refused("", str(bound))]
    except RecursionError:  # cannot happen while ``containers`` is small; a mail must not end the process if it does
        return [], [Refused("", "containers")]
    members: list[Member] = []
    refused: list[Refused] = []
    budget = Budget(limits.inflated_bytes)
    for place, data in leaves:
        found = _open(place, data, limits, budget)
        if isinstance(found, Refused):
            refused.append(found)
        elif len(members) + len(found) > limits.members:
            refused.append(Refused(place, "members"))
        else:
            members.extend(found)
    return members, refused


def _measure(mail: bytes, limits: Limits) -> None:
    """Raise OverLimit unless the mail may be given to the parser."""
    if len(mail) > limits.mail_bytes:
        raise OverLimit("mail_bytes")
    end = _HEADER_END.search(mail)
    header_end = end.start() if end else len(mail)
    if header_end > limits.header_bytes:
        raise OverLimit("header_bytes")
    _count(_HEADER, mail[:header_end], limits.headers, "headers")
    if mail.count(b"\n") + mail.count(b"\r") - mail.count(b"\r\n") > limits.lines:
        raise OverLimit("lines")
    _count(_DELIMITER, mail, limits.delimiters, "delimiters")
    containers = 0
    for header in _CONTENT_TYPE.finditer(mail):
        if len(header[0]) > limits.content_type_bytes:
            raise OverLimit("content_type_bytes")
        containers += _CONTAINER.match(header[0]) is not None
    if containers > limits.containers:
        raise OverLimit("containers")


def _count(pattern: re.Pattern[bytes], data: bytes, limit: int, bound: str) -> None:
    for found, _ in enumerate(pattern.finditer(data), start=1):
        if found > limit:
            raise OverLimit(bound)


def _leaves(message: Message) -> Iterator[tuple[str, bytes]]:
    """Name and decoded content of every part that holds no other parts."""
    for number, part in enumerate(message.walk(), start=1):
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content:
            yield _name_of(part) or f"part {number}", content


def _name_of(part: Message) -> str:
    """The file name that a part claims, for showing only: without folding, at most 200 characters."""
    # A Content-Disposition has not been measured; parsing a huge one would cost the square of its length.
    if len(str(part.get("content-disposition", ""))) > 2_000:
        return ""
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError):  # RFC 2231 with a character set that does not exist
        return ""
    return " ".join(str(name).encode("utf-8", "replace").decode("utf-8").split())[:200]


def _open(place: str, data: bytes, limits: Limits, budget: Budget) -> list[Member] | Refused:
    """The candidates in one file; none for a file that is plainly something else, such as a greeting."""
    if data.startswith(_ZIP):
        return _open_zip(place, data, limits, budget)
    if data.startswith(_GZIP) or _looks_like_report(place, data):
        return [Member(place, data, None, limits, budget)]
    return []


def _looks_like_report(place: str, data: bytes) -> bool:
    """Whether bare data may be a report: markup that says so, or a file that is called XML."""
    head = data[:_SNIFF_BYTES].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not head.startswith(b"<"):
        return False
    return head.startswith(b"<?xml") or _ROOT.search(head) is not None or place.lower().endswith(".xml")


def _open_zip(place: str, data: bytes, limits: Limits, budget: Budget) -> list[Member] | Refused:
    """The files in a zip. Not opened: encrypted ones, unusual methods, zip64, huge or lying directories."""
    if not _zip_directory_fits(data, limits):
        return Refused(place, "zip_directory_bytes")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        return Refused(place, "bad-archive")
    if len(infos) > limits.members:
        return Refused(place, "members")
    wanted = [(index, info) for index, info in enumerate(infos) if not info.is_dir() and info.file_size]
    if any(info.flag_bits & 1 for _, info in wanted):
        return Refused(place, "encrypted")
    if not wanted:
        return Refused(place, "empty-archive")
    return [Member(f"{place}: {_printable(info.filename)}", data, index, limits, budget) for index, info in wanted]


def _printable(name: str) -> str:
    return " ".join(name.split())[:200]


def _zip_directory_fits(data: bytes, limits: Limits) -> bool:
    """Whether the end record tells of a small directory. ``ZipFile`` would read a huge one whole."""
    # The same search as zipfile's own, so that both look at the same record.
    end = len(data) - _ZIP_END_BYTES
    if not (data[end : end + 4] == _ZIP_END and data[-2:] == b"\0\0"):
        end = data.rfind(_ZIP_END, max(0, len(data) - (1 << 16) - _ZIP_END_BYTES))
    if end < 0 or data[max(0, end - 20) : end].startswith(_ZIP64_LOCATOR):
        return False
    return int.from_bytes(data[end + 12 : end + 16], "little") <= limits.zip_directory_bytes


def _inflate_zip(data: bytes, index: int) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            info = archive.infolist()[index]
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Damaged("zip-method")
            with archive.open(info) as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Damaged("zip") from error


def _inflate_gzip(data: bytes, limits: Limits) -> Iterator[bytes]:
    """All gzip members of a file; what follows the last one is padding and ignored."""
    at = 0
    for _ in range(limits.members):
        inflater = zlib.decompressobj(31)
        while not inflater.eof:
            if at >= len(data):
                raise Damaged("gzip-cut-short")
            # In small pieces: the inflater copies whatever input it could not use yet, each time.
            piece = data[at : at + _INPUT_BYTES]
            at += len(piece)
            yield from _inflate_piece(inflater, piece)
        at -= len(inflater.unused_data)
        if not data.startswith(_GZIP, at):
            return
    raise OverLimit("members")


def _inflate_piece(inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    try:
        out = inflater.decompress(piece, CHUNK_BYTES)
        while out or inflater.unconsumed_tail:
            yield out
            out = inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
    except zlib.error as error:
        raise Damaged("gzip") from error
