"""Files that may be reports: bare, or members of a gzip or zip archive. Archives are told by their first bytes."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from mailguard.feedback.inflate import GZIP, Deflated, expand_bzip2, expand_lzma, inflate_gzip
from mailguard.feedback.limits import CHUNK_BYTES, Budget, Damaged, Limits, OverLimit

ZIP: Final = b"PK\x03\x04"
_ZIP_END: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_ZIP_END_BYTES: Final = 22
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_BLANKS: Final = b" \t\r\n"
_MOST_BLANKS: Final = 4096
_NOTHING_BYTES: Final = 2
"""What nothing takes when it is deflated; no report is as short."""

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How the compound files of Outlook (.msg) begin, and those of old Word and Excel."""
_OUTLOOK: Final = "__substg1.0_".encode("utf-16-le")  # MS-OXMSG 2.1.3: so the names of a message's properties begin

_FOREIGN: Final = (
    (b"7z\xbc\xaf\x27\x1c", "archive-kind"),
    (b"Rar!\x1a\x07", "archive-kind"),
    (b"BZh", "archive-kind"),
    (b"\xfd7zXZ\0", "archive-kind"),
    (b"\x28\xb5\x2f\xfd", "archive-kind"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted"),
)


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """Where a member's content begins in the archive, how it is packed and what its checksum is (if known)."""

    begin: int
    size: int
    method: int
    crc: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a mail that may be a report.

    ``place`` says where it lies, for people: the file's name, and inside an archive the member's. ``data`` is the file
    as it was attached; ``chunks`` gives what is in it. ``level`` counts the archives around the file that was opened.
    ``quoted`` as in the reports.
    """

    place: str
    data: bytes
    entry: ZipEntry | None
    limits: Limits
    budget: Budget
    level: int = 0
    quoted: bool = False

    @property
    def refusal(self) -> str:
        """Why its content cannot be had at all, in one word; empty where it may."""
        return "zip-method" if self.entry is not None and self.entry.method not in _METHODS else ""

    def chunks(self) -> Iterator[bytes]:
        """The file's content in pieces of at most 64 KiB, inflated anew on every call.

        Raises OverLimit (``inflated_bytes``, ``ratio``) and, where the archive breaks or ends early, Damaged.
        """
        given = 0
        for piece in self._pieces():
            given += len(piece)
            self.budget.take(len(piece))
            if given > self.limits.ratio_free_bytes and given > self.limits.ratio * len(self.data):
                raise OverLimit("ratio")
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        if self.entry is not None:
            return _unzip(self.data, self.entry)
        if self.data.startswith(GZIP):
            return inflate_gzip(self.data, self.limits.members)
        return (self.data[at : at + CHUNK_BYTES] for at in range(0, len(self.data), CHUNK_BYTES))


@dataclass(frozen=True, slots=True)
class Refused:
    """A file (or, with an empty ``place``, the whole mail) that was not opened. ``reason`` is one word."""

    place: str
    reason: str


def is_archive(data: bytes) -> bool:
    """Whether it begins as an archive that we open, perhaps after blanks."""
    return data[:_MOST_BLANKS].lstrip(_BLANKS).startswith((GZIP, ZIP))


def is_zip_behind_junk(data: bytes) -> bool:
    """Whether a zip stands at the end of this, whatever stands before it; looks at the last 64 KiB.

    A zip is read from its end (APPNOTE 4.3.16), and what programs put before it - the lines of a mail, one that unpacks
    it - does not hide it from people either.
    """
    end = _find_end(data)
    size = int.from_bytes(data[end + 12 : end + 16], "little") if end >= 0 else 0
    return 0 < size <= end and data.startswith(_ENTRY, end - size)


def foreign_kind(data: bytes) -> str:
    """Why we do not open this container; empty for what is none."""
    if data.startswith(OLE):
        return "outlook" if _OUTLOOK in data else ""
    return next((reason for magic, reason in _FOREIGN if data.startswith(magic)), "")


def open_file(place: str, data: bytes, limits: Limits, budget: Budget, level: int = 0) -> list[Member] | Refused:
    """The members of a zip, or the file itself. Never raises.

    Not opened: encrypted zips, zip64, huge or lying directories. Bounds: ``members`` and ``zip_directory_bytes`` of
    ``Limits``.
    """
    if is_archive(data):
        data = data.lstrip(_BLANKS)
    if not data.startswith(ZIP) and not is_zip_behind_junk(data):
        return [Member(place, data, None, limits, budget, level)]
    try:
        entries = _entries(data, limits)
    except OverLimit as bound:
        return Refused(place, str(bound))
    except Damaged as damage:
        return Refused(place, str(damage))
    if len(entries) > limits.members:
        return Refused(place, "members")
    if not entries:
        return Refused(place, "empty-archive")
    return [Member(f"{place}: {name}", data, entry, limits, budget, level + 1) for name, entry in entries]


def _entries(data: bytes, limits: Limits) -> list[tuple[str, ZipEntry]]:
    """Name and place of every file in a zip. Raises Damaged and OverLimit."""
    end = _find_end(data)
    if end < 0:
        return list(_entries_without_directory(data, limits))
    zip64 = data[max(0, end - 20) : end].startswith(_ZIP64_LOCATOR)
    if zip64 or int.from_bytes(data[end + 12 : end + 16], "little") > limits.zip_directory_bytes:
        raise OverLimit("zip_directory_bytes")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            # Whatever holds something is a file, also where the directory calls it a folder or says that it is empty.
            infos = [info for info in archive.infolist() if info.compress_size > _NOTHING_BYTES]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, struct.error):
        return list(_entries_without_directory(data, limits))
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise Damaged("encrypted")
    return [
        (
            printable(info.filename),
            ZipEntry(_content_at(data, info.header_offset), info.compress_size, info.compress_type, info.CRC),
        )
        for info in infos
    ]


def _find_end(data: bytes) -> int:
    """Where the end record stands; -1 without one. The same search as zipfile's own: both look at the same record."""
    end = len(data) - _ZIP_END_BYTES
    if end >= 0 and data[end : end + 4] == _ZIP_END and data[-2:] == b"\0\0":
        return end
    return data.rfind(_ZIP_END, max(0, len(data) - (1 << 16) - _ZIP_END_BYTES))


def _content_at(data: bytes, header: int) -> int:
    """Where the content behind a local header begins; the end of the data where there is no such header."""
    fields = data[header : header + _LOCAL_HEADER.size]
    if len(fields) < _LOCAL_HEADER.size or not fields.startswith(ZIP):
        return len(data)
    *_, name_size, extra_size = _LOCAL_HEADER.unpack(fields)
    return header + _LOCAL_HEADER.size + int(name_size) + int(extra_size)


def _entries_without_directory(data: bytes, limits: Limits) -> Iterator[tuple[str, ZipEntry]]:
    """The files of a zip that was cut short, from the headers before each of them."""
    found = 0
    for header in re.finditer(re.escape(ZIP), data):
        fields = data[header.start() : header.start() + _LOCAL_HEADER.size]
        if len(fields) < _LOCAL_HEADER.size:
            break
        _, _, flags, method, _, _, _, size, _, name_size, _ = _LOCAL_HEADER.unpack(fields)
        found += 1
        if found > limits.members:
            raise OverLimit("members")
        if flags & _ENCRYPTED:
            raise Damaged("encrypted")
        name = data[header.end() + 26 : header.end() + 26 + min(name_size, 1_000)].decode("utf-8", "replace")
        begin = _content_at(data, header.start())
        yield printable(name), ZipEntry(begin, size or len(data), method, None)
    if not found:
        raise Damaged("damaged-archive")


def printable(name: str) -> str:
    """A file's name for showing: without line breaks, at most 200 characters."""
    return " ".join(name.split())[:200]


def _unzip(data: bytes, entry: ZipEntry) -> Iterator[bytes]:
    if entry.method == zipfile.ZIP_STORED:
        end = min(len(data), entry.begin + entry.size)
        crc = 0
        for at in range(entry.begin, end, CHUNK_BYTES):
            piece = data[at : min(at + CHUNK_BYTES, end)]
            crc = zlib.crc32(piece, crc)
            yield piece
        if end < entry.begin + entry.size and entry.size < len(data):
            raise Damaged("cut-short")
    elif entry.method == zipfile.ZIP_DEFLATED:
        stream = Deflated(data, entry.begin)
        yield from stream.pieces()
        crc = stream.crc
    else:
        crc = 0
        expand = expand_bzip2 if entry.method == zipfile.ZIP_BZIP2 else expand_lzma
        for piece in expand(data, entry.begin, entry.begin + entry.size):
            crc = zlib.crc32(piece, crc)
            yield piece
    if entry.crc not in (None, crc):
        raise Damaged("zip-checksum")
