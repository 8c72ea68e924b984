"""Mails and bare reports that lie in files, folders, Maildirs and mboxes, or come by standard input.

What a file is, its first line tells, never its name: gzip, zip, XML and JSON are bare reports, ``From `` begins an
mbox, a header field a mail. Where it tells nothing, a zip may stand at the end. Files are only read; nothing is moved,
marked or renamed, also not in a Maildir.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from mailguard.feedback.archive import OLE, foreign_kind, is_zip_behind_junk
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.sources.bare import TEXT, wrap_report
from mailguard.sources.mbox import LINE_BYTES, split_mbox

STANDARD_INPUT: Final = "-"

_ARCHIVE: Final = re.compile(rb"[ \t\r]*(?:\x1f\x8b|PK\x03\x04)")
_MBOX: Final = b"From "
_MAIL: Final = re.compile(rb"(?:\xef\xbb\xbf)?[!-9;-~]+[ \t]*:")  # RFC 5322 2.2; the blank is obsolete (4.5)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is read at most.

    ``mail_bytes`` of one mail, ``report_bytes`` of a bare report, ``items`` in all (what could not be read counts too),
    ``depth`` of folders below a named one.
    """

    mail_bytes: int = DEFAULT_LIMITS.mail_bytes
    report_bytes: int = DEFAULT_LIMITS.inflated_bytes
    items: int = 1_000_000
    depth: int = 16


@dataclass(frozen=True, slots=True)
class NotRead:
    """What could not be given. ``reason`` is one word:

    ``missing``, ``forbidden``, ``unreadable`` (the disk said no), ``empty``, ``unknown`` (neither mail nor report),
    ``outlook`` (a mail in Outlook's own form, .msg), ``too-big``, ``too-deep``, ``too-many`` (the rest was not looked
    at), ``leads-outside`` (a symbolic link) and ``no-file`` (a device, a socket).
    """

    origin: str
    reason: str


Found: TypeAlias = ReceivedMail | NotRead


def read_sources(
    paths: Sequence[str | Path],
    stdin: BinaryIO | None = None,
    bounds: Bounds = Bounds(),
    now: Callable[[], float] = time.time,
) -> Iterator[Found]:
    """Every mail and bare report in ``paths``, one after the other, and what could not be read. ``-`` is ``stdin``.

    Never raises for what it finds: one bad file costs no other. Holds one mail at a time. Folders are read in the order
    of names, to ``bounds.depth``; symbolic links below them are not followed, and told if they lead out. Of a Maildir,
    ``new`` and ``cur`` are read.
    """
    reader = _Reader(bounds, now)
    for count, found in enumerate(reader.read_all(paths, stdin)):
        if count == bounds.items:
            yield NotRead(found.origin, "too-many")
            return
        yield found


@dataclass(frozen=True, slots=True)
class _Reader:
    bounds: Bounds
    now: Callable[[], float]

    def read_all(self, paths: Sequence[str | Path], stdin: BinaryIO | None) -> Iterator[Found]:
        for path in paths:
            if str(path) == STANDARD_INPUT and stdin is not None:
                yield from self._told(STANDARD_INPUT, stdin)
            elif Path(path).is_dir():
                yield from self._folder(Path(path), Path(path).resolve(), 0)
            else:
                yield from self._file(Path(path), follow=True)

    def _folder(self, folder: Path, root: Path, depth: int) -> Iterator[Found]:
        if depth > self.bounds.depth:
            yield NotRead(str(folder), "too-deep")
            return
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as error:
            yield NotRead(str(folder), _reason(error))
            return
        is_maildir = {"new", "cur"} <= set(names)
        for name in names:
            # Maildir: what lies in tmp is being written.
            if not (is_maildir and name == "tmp"):
                yield from self._entry(folder / name, root, depth)

    def _entry(self, path: Path, root: Path, depth: int) -> Iterator[Found]:
        if path.is_symlink():
            # One that stays inside leads to what is read by its own name.
            if not path.resolve().is_relative_to(root):
                yield NotRead(str(path), "leads-outside")
        elif path.is_dir():
            yield from self._folder(path, root, depth + 1)
        else:
            yield from self._file(path, follow=False)

    def _file(self, path: Path, follow: bool) -> Iterator[Found]:
        """One file. A pipe is read only where it was named: in a folder it could keep us waiting for ever."""
        try:
            # O_NONBLOCK so that opening a pipe without a writer comes back; regular files do not know it.
            flags = os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW | os.O_NONBLOCK)
            descriptor = os.open(path, flags)
        except OSError as error:
            yield NotRead(str(path), _reason(error))
            return
        with os.fdopen(descriptor, "rb", buffering=LINE_BYTES) as file:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode) or (follow and stat.S_ISFIFO(mode)):
                yield from self._told(str(path), file)
            else:
                yield NotRead(str(path), "no-file")

    def _told(self, origin: str, file: BinaryIO) -> Iterator[Found]:
        try:
            yield from self._stream(origin, file)
        except OSError as error:
            yield NotRead(origin, _reason(error))

    def _stream(self, origin: str, file: BinaryIO) -> Iterator[Found]:
        first = _first_line(file)
        if _ARCHIVE.match(first) or TEXT.match(first):
            yield self._bare(origin, first, file)
        elif first.startswith(_MBOX):
            for number, mail in enumerate(split_mbox(first, file, self.bounds.mail_bytes), start=1):
                yield self._found(f"{origin}: {number}", mail)
        elif _MAIL.match(first):
            # One byte more than allowed tells a mail that is too big from one that just fits.
            mail = first + file.read(self.bounds.mail_bytes + 1 - len(first))
            yield self._found(origin, mail if len(mail) <= self.bounds.mail_bytes else None)
        elif first:
            yield self._told_by_its_end(origin, first, file)
        else:
            yield NotRead(origin, "empty")

    def _told_by_its_end(self, origin: str, first: bytes, file: BinaryIO) -> Found:
        """What does not begin as anything may still be a zip behind something else, or a mail in Outlook's own form."""
        whole = first + file.read(self.bounds.mail_bytes + 1 - len(first))
        if is_zip_behind_junk(whole):
            return self._bare(origin, whole, file)
        return NotRead(origin, (whole.startswith(OLE) and foreign_kind(whole)) or "unknown")

    def _bare(self, origin: str, first: bytes, file: BinaryIO) -> Found:
        return self._found(origin, wrap_report(origin, first, file, self.bounds.report_bytes, self.bounds.mail_bytes))

    def _found(self, origin: str, mail: bytes | None) -> Found:
        if mail is None:
            return NotRead(origin, "too-big")
        return ReceivedMail(raw=mail, received_at=int(self.now()), way=Way.FILE, origin=origin)


def _first_line(file: BinaryIO) -> bytes:
    """At most 64 KiB of the first line that is not blank; empty where the first 64 KiB are blank."""
    blank = 0
    while blank < LINE_BYTES:
        line = file.readline(LINE_BYTES)
        if line.strip() or not line:
            return line
        blank += len(line)
    return b""


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "forbidden"
    if error.errno == errno.ELOOP:
        return "leads-outside"
    return {errno.ENOENT: "missing", errno.ENXIO: "no-file"}.get(error.errno or 0, "unreadable")
