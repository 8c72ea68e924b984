"""The header of a mail, read once and strictly, and what stands in its From and Subject fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.feedback.limits import Limits
from mailguard.names import ROOT, DomainName, name

MAX_FIELD_BYTES: Final = 16 * 1024
"""A longer field is not looked into; real signatures and results stay below 4 KB."""

MAX_FROM_CHARS: Final = 2_000


class HeadFault(StrEnum):
    """Why a header proves nothing about its author."""

    TOO_LARGE = "header-too-large"  # beyond the bounds for reading reports
    MALFORMED = "header-malformed"  # a line that is no field, or a bare CR or NUL: readers disagree about it
    NO_FROM = "no-from"
    SEVERAL_FROM = "several-from"  # more than one From field, or more than one address in it
    UNREADABLE_FROM = "unreadable-from"  # no address with a domain name
    REPEATED_FIELD = "repeated-field"  # a field twice that decides how the mail is read: which one was signed?


@dataclass(frozen=True, slots=True)
class Head:
    """Fields from the top: names as written, values with their folds and CRLF. ``body_at`` is where the body starts."""

    fields: tuple[tuple[bytes, bytes], ...]
    body_at: int
    _values: Mapping[bytes, list[bytes]]

    def values(self, field: bytes) -> Sequence[bytes]:
        """The values of all fields of this (lower-case) name, from the top."""
        return self._values.get(field, ())


# RFC 5322 2.2: printable US-ASCII except colon. White space before the colon (obs-optional) is read in two ways.
_FIELD: Final = re.compile(rb"([!-9;-~]{1,200}):")


def read_head(mail: bytes, limits: Limits) -> Head | HeadFault:
    """Read the header. Never raises. Bounds: ``header_bytes`` and ``headers`` of the limits.

    A first line of an mbox ("From ...") is passed over.
    """
    end, body_at = _blank_line(mail, limits.header_bytes + 4) or (len(mail), len(mail))
    if end == len(mail) > limits.header_bytes:
        return HeadFault.TOO_LARGE
    head = mail[:end]
    if head.count(b"\r") != head.count(b"\r\n") or b"\0" in head or head[:1] in (b"\r", b"\n", b" ", b"\t"):
        return HeadFault.MALFORMED
    fields = _read_fields(head.replace(b"\r\n", b"\n").split(b"\n"))
    if fields is None:
        return HeadFault.MALFORMED
    if len(fields) > limits.headers:
        return HeadFault.TOO_LARGE
    values: dict[bytes, list[bytes]] = {}
    for key, value in fields:
        values.setdefault(key.lower(), []).append(value)
    return Head(fields, body_at, values)


def _blank_line(mail: bytes, most: int) -> tuple[int, int] | None:
    """Where the line ends of the first blank line begin and end, with CR or without; ``None`` beyond ``most`` bytes."""
    found = [(at, len(gap)) for gap in (b"\n\n", b"\n\r\n") if (at := mail.find(gap, 0, most)) >= 0]
    if not found:
        return None
    at, size = min(found)
    return at - (mail[at - 1 : at] == b"\r"), at + size


def _read_fields(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...] | None:
    if lines[0].startswith(b"From "):
        lines = lines[1:]
    if lines and not lines[-1]:
        lines.pop()  # a header that ends with its last line's end, without a body
    found: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and found:
            found[-1][1].append(line)
            continue
        match = _FIELD.match(line)
        if match is None:
            return None
        found.append((match[1], [line[match.end() :]]))
    return tuple((key, b"\r\n".join(pieces) + b"\r\n") for key, pieces in found)


def author_of(head: Head) -> DomainName | HeadFault:
    """The author domain: that of the single address of the single From field (RFC 9989 section 4.2)."""
    fields = head.values(b"from")
    if len(fields) != 1:
        return HeadFault.SEVERAL_FROM if fields else HeadFault.NO_FROM
    if len(fields[0]) > MAX_FROM_CHARS:
        return HeadFault.UNREADABLE_FROM
    # Two of these let the mail be read otherwise than it was signed: readers take the first, DKIM begins at the last.
    for field in (b"subject", b"content-type", b"content-transfer-encoding"):
        if len(head.values(field)) > 1:
            return HeadFault.REPEATED_FIELD
    return _domain_of_mailbox(fields[0].decode("utf-8", "replace"))


def _domain_of_mailbox(text: str) -> DomainName | HeadFault:
    plain = without_comments(text, quoted="")
    if plain is None or plain.count("<") > 1 or plain.count(">") != plain.count("<"):
        return HeadFault.UNREADABLE_FROM
    before, angle, rest = plain.partition("<")
    address, _, after = rest.partition(">") if angle else (plain, "", "")
    # A list of mailboxes, or a group (RFC 5322 3.4).
    if any(mark in before + after + address for mark in ",;:"):
        return HeadFault.SEVERAL_FROM
    if after.strip() or address.count("@") != 1:
        return HeadFault.UNREADABLE_FROM
    return domain_in(address.partition("@")[2].strip()) or HeadFault.UNREADABLE_FROM


def address_of(head: Head) -> str:
    """The author's address in lower case, of a head that ``author_of`` could read; a quoted local part is left out."""
    plain = without_comments(head.values(b"from")[0].decode("utf-8", "replace"), quoted="") or ""
    before, angle, rest = plain.partition("<")
    return "".join((rest.partition(">")[0] if angle else before).split()).lower()


_PLAIN: Final = re.compile(r'[^"()\\]+')


def without_comments(text: str, quoted: str | None = None) -> str | None:
    """The text without comments; quoted strings stay, or become ``quoted``. ``None`` if something is not closed.

    Comments nest (RFC 5322 3.2.2). Takes one pass.
    """
    kept: list[str] = []
    at = depth = 0
    while at < len(text):
        if plain := _PLAIN.match(text, at):
            kept.append(plain[0] if not depth else "")
            at = plain.end()
            continue
        mark = text[at]
        if mark == "\\":
            at += 2
        elif mark == '"' and not depth:
            end = _end_of_quotes(text, at)
            if end is None:
                return None
            kept.append(text[at:end] if quoted is None else quoted)
            at = end
        else:
            depth += {"(": 1, ")": -1}.get(mark, 0)
            kept.append(" ")
            at += 1
        if depth < 0:
            return None
    return "".join(kept) if depth == 0 else None


_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _end_of_quotes(text: str, at: int) -> int | None:
    match = _QUOTED.match(text, at)
    return match.end() if match else None


_LDH: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


def domain_in(text: str) -> DomainName:
    """A domain name of two labels or more as A-labels; the root for anything else, such as an address literal."""
    if not text.isascii():
        import idna

        try:
            text = idna.encode(text, uts46=True).decode("ascii") if len(text) <= 253 else ""
        except (idna.IDNAError, UnicodeError):
            return ROOT
    domain = name(text)
    return domain if _LDH.fullmatch(domain) else ROOT


@dataclass(frozen=True, slots=True)
class Subject:
    """What the subject of a report mail says (RFC 9990 3.5.3); empty where it does not."""

    domain: DomainName = ROOT
    submitter: str = ""
    report_id: str = ""


NO_SUBJECT: Final = Subject()

_SUBJECT: Final = {
    key: re.compile(rf"(?<![\w-]){words}:\s*<?([^\s;,<>]{{1,255}})", re.IGNORECASE)
    for key, words in (("domain", r"report\sdomain"), ("submitter", "submitter"), ("report_id", "report-id"))
}


def subject_of(head: Head) -> Subject:
    """Read the single Subject field, in any case and order of its words, at most 2,000 characters."""
    fields = head.values(b"subject")
    if len(fields) != 1:
        return NO_SUBJECT
    text = " ".join(fields[0][:MAX_FROM_CHARS].decode("utf-8", "replace").split())
    found = {key: match[1] for key, pattern in _SUBJECT.items() if (match := pattern.search(text))}
    return Subject(domain_in(found.get("domain", "")), found.get("submitter", ""), found.get("report_id", ""))
