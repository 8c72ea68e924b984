"""What people type or paste where a domain is wanted, understood.

A URL, a mail address, full-width letters, U-labels, the name of a record: all of these mean a domain, and
``Target.said`` keeps in codes what was taken for what, so that the reader can be told in one word. What cannot be
understood raises :class:`TargetError`, which carries a code and the offending text and never more than one sentence.

Lists come from spreadsheets: UTF-8, CP932 or UTF-16, with or without BOM, CSV or one name a line, with comments. One
bad line is a problem with its number and loses no other line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from mailguard.errors import DomainError, Sentence
from mailguard.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS, DomainName

MAX_TEXT: Final = 2048
"""Longest text, in characters, that is looked at as one target or one line of a list; long enough for a URL."""

MAX_LIST_BYTES: Final = 10_000_000
MAX_LIST_LINES: Final = 200_000


class Said(StrEnum):
    """What a text was that was understood as a domain."""

    URL = "url"
    WWW = "www"  # the web server's name in a URL; mail has the name without it
    PORT = "port"
    MAIL_ADDRESS = "mail-address"
    FULL_WIDTH = "full-width"
    RECORD_NAME = "record-name"  # _dmarc.<domain> or <selector>._domainkey.<domain>
    LEADING_DOT = "leading-dot"
    TRAILING_DOT = "trailing-dot"
    U_LABEL = "u-label"  # a name in Japanese or another script; DNS has its A-label
    UPPER_CASE = "upper-case"


class Flaw(StrEnum):
    """Why a text is no domain name."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    SPACES = "spaces"
    IP_ADDRESS = "ip-address"
    SINGLE_LABEL = "single-label"
    EMPTY_LABEL = "empty-label"
    LONG_LABEL = "long-label"
    WILDCARD = "wildcard"
    CHARACTERS = "characters"
    IDNA = "idna"
    ENCODING = "encoding"  # of a line of a list


MESSAGES: Final = {
    Flaw.EMPTY: "Nothing was given; type a domain such as clinic.example.jp.",
    Flaw.TOO_LONG: "{text!r} is longer than a domain name can be (253 characters); type the part after the @ only.",
    Flaw.SPACES: "{text!r} has spaces in it; type one domain at a time.",
    Flaw.IP_ADDRESS: "{text!r} is an IP address; type the domain, the part of a mail address after the @.",
    Flaw.SINGLE_LABEL: "{text!r} has no dot, so it is no domain; type it in full, such as clinic.example.jp.",
    Flaw.EMPTY_LABEL: "{text!r} has two dots in a row; take one out.",
    Flaw.LONG_LABEL: "{text!r} has a part of more than 63 characters; check for a missing dot.",
    Flaw.WILDCARD: "{text!r} has a * in it; type the domain itself, its subdomains are looked at with it.",
    Flaw.CHARACTERS: "{text!r} has characters that no domain name can have; check for a typing mistake.",
    Flaw.IDNA: "{text!r} cannot be written as an internationalised domain name; check for a typing mistake.",
    Flaw.ENCODING: "{text!r} is not written in the file's encoding; type this line again and save the file as UTF-8.",
}


class TargetError(DomainError):
    """A text that is no domain: ``flaw`` says why, ``text`` is what was given (cut to 80 characters)."""

    def __init__(self, flaw: Flaw, text: str) -> None:
        self.flaw: Final = flaw
        self.text: Final = text if len(text) <= 80 else text[:79] + "…"
        super().__init__(MESSAGES[flaw], text=self.text)


@dataclass(frozen=True, slots=True)
class Target:
    """A domain to look at, the text it was read from, and what that text was besides a plain name."""

    domain: DomainName
    given: str
    said: tuple[Said, ...] = ()


# Full-width ASCII (U+FF01 to U+FF5E) stands in the order of ASCII; the dots are those of RFC 3490 section 3.1.
_NARROW: Final = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {
    0x3000: " ",
    0x3002: ".",
    0xFF61: ".",
}
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3002\uff61]")
_AROUND: Final = " \t\r\n\u00a0\u3000\ufeff\u200b\"'`<>()[]{}「」『』“”‘’,、"
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_RECORD = re.compile(r"(?:_dmarc|(?:.*\.)?_domainkey|_mta-sts|_smtp\._tls|(?:.*\.)?_bimi)\.(?=[^.]+\.)", re.IGNORECASE)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_target(text: str) -> Target:
    """Understand one text as a domain. Raises TargetError (a DomainError) and nothing else."""
    if len(text) > MAX_TEXT:
        raise TargetError(Flaw.TOO_LONG, text)
    said: list[Said] = []
    host = text.strip(_AROUND)
    if _FULL_WIDTH.search(host):
        said.append(Said.FULL_WIDTH)
        host = host.translate(_NARROW).strip(_AROUND)
    host = _host_of(host, said)
    return Target(_domain(host, text.strip(), said), text.strip(), tuple(dict.fromkeys(said)))


def _host_of(text: str, said: list[Said]) -> str:
    """The host part of a URL, a mail address, a record name or a plain name."""
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :].partition("?")[0]
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if scheme or (host != rest and "@" not in rest.replace(host, "", 1)):
        said.append(Said.URL)
    else:
        host = rest
    if "@" in host:
        host = host.rpartition("@")[2].strip(_AROUND)
        if Said.URL not in said:
            said.append(Said.MAIL_ADDRESS)
    host = _without_port(host, said)
    return _without_extras(host, said)


def _without_port(host: str, said: list[Said]) -> str:
    bare, colon, port = host.partition(":")
    if colon and ":" not in port and (not port or port.isdigit()):
        said.append(Said.PORT)
        return bare
    return host


def _without_extras(host: str, said: list[Said]) -> str:
    if host.startswith(".") and len(host) > 1:
        said.append(Said.LEADING_DOT)
        host = host[1:]
    if host.endswith(".") and len(host) > 1:
        said.append(Said.TRAILING_DOT)
        host = host[:-1]
    record = _RECORD.match(host)
    if record:
        said.append(Said.RECORD_NAME)
        host = host[record.end() :]
    if Said.URL in said and host[:4].lower() == "www." and host.count(".") > 1:
        said.append(Said.WWW)
        host = host[4:]
    return host


def _domain(host: str, given: str, said: list[Said]) -> DomainName:
    flaw = _flaw(host)
    if flaw is not None:
        raise TargetError(flaw, given)
    if host.isascii() and "xn--" not in host.lower():
        lowered = host.lower()
        if lowered != host:
            said.append(Said.UPPER_CASE)
    else:
        lowered = _a_labels(host, given, said)
    labels = lowered.split(".")
    if len(lowered) > MAX_NAME_OCTETS:
        raise TargetError(Flaw.TOO_LONG, given)
    if any(len(label) > MAX_LABEL_OCTETS for label in labels):
        raise TargetError(Flaw.LONG_LABEL, given)
    # A last label of digits would be an address or a number, never a domain (RFC 3696 section 2).
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise TargetError(Flaw.CHARACTERS, given)
    return DomainName(lowered)


def _flaw(host: str) -> Flaw | None:
    """What is wrong at first sight, most telling first."""
    checks = (
        (not host, Flaw.EMPTY),
        (re.search(r"\s", host), Flaw.SPACES),
        (_IPV4.fullmatch(host) or host.count(":") > 1, Flaw.IP_ADDRESS),
        (len(host) > MAX_NAME_OCTETS, Flaw.TOO_LONG),
        ("*" in host, Flaw.WILDCARD),
        (".." in host or host == ".", Flaw.EMPTY_LABEL),
        ("." not in host, Flaw.SINGLE_LABEL),
    )
    return next((flaw for wrong, flaw in checks if wrong), None)


def _a_labels(host: str, given: str, said: list[Said]) -> str:
    """IDNA 2008 with the mapping of UTS 46, not transitional: ``ß`` stays itself."""
    import idna

    try:
        # std3_rules: otherwise a mapped character could bring in a slash or an underscore.
        encoded = idna.encode(host, uts46=True, std3_rules=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise TargetError(_idna_flaw(host), given) from None
    if not host.isascii() and "xn--" in encoded:
        said.append(Said.U_LABEL)
    return encoded


def _idna_flaw(host: str) -> Flaw:
    return Flaw.LONG_LABEL if any(len(label) > MAX_LABEL_OCTETS for label in host.split(".")) else Flaw.IDNA


class Problem(NamedTuple):
    """A line of a list that gave no domain. ``error`` is ``None`` where the list was cut off at a bound."""

    list_name: str
    line: int
    text: str
    error: TargetError | None

    @property
    def sentence(self) -> Sentence:
        """What is wrong, and where."""
        told = "{list}:{line}: the list ends here for us ({limit} bytes or {lines} lines); split the file."
        if self.error is None:
            return Sentence(told, list=self.list_name, line=self.line, limit=MAX_LIST_BYTES, lines=MAX_LIST_LINES)
        return Sentence("{list}:{line}: {problem}", list=self.list_name, line=self.line, problem=self.error.sentence)

    def __str__(self) -> str:
        return self.sentence


class TargetList(NamedTuple):
    """What a list holds: each domain once, in order, and the lines that hold none."""

    targets: tuple[Target, ...]
    problems: tuple[Problem, ...]
    duplicates: int  # domains that stood there again


def parse_list(data: bytes, name: str) -> TargetList:
    """Read a list of domains; ``name`` is what problems call it. Never raises.

    Looks at the first ``MAX_LIST_BYTES`` and ``MAX_LIST_LINES``; what is beyond is one problem. A line may be CSV
    (commas, tabs or semicolons): the first plain domain in it counts, else the first URL, else the first mail address.
    Lines that begin with ``#`` or ``;``, blank lines and a heading in the first line are skipped.
    """
    found: dict[DomainName, Target] = {}
    problems: list[Problem] = []
    duplicates = 0
    lines = _NEW_LINE.split(_decode(data[:MAX_LIST_BYTES]))
    for number, line, is_first in _content(lines[:MAX_LIST_LINES]):
        result = _read_line(line)
        if isinstance(result, Target):
            duplicates += result.domain in found
            found.setdefault(result.domain, result)
        elif not (is_first and _is_heading(line)):
            problems.append(Problem(name, number, line[:80], result))
    if len(data) > MAX_LIST_BYTES or len(lines) > MAX_LIST_LINES:
        problems.append(Problem(name, min(len(lines), MAX_LIST_LINES), "", None))
    return TargetList(tuple(found.values()), tuple(problems), duplicates)


_HEADING = re.compile("domain|ドメイン|host|fqdn|url|mail|メール|アドレス|ホスト|サイト", re.IGNORECASE)
_COMMENT = re.compile(r"^[#;＃；]|\s[#＃].*$")
_NEW_LINE = re.compile(r"\r\n|\r|\n")


def _content(lines: Sequence[str]) -> Iterator[tuple[int, str, bool]]:
    """Line number, text without comment, and whether it is the first line that holds anything."""
    is_first = True
    for number, line in enumerate(lines, 1):
        stripped = line.strip(" \t\u00a0\u3000\ufeff\x00")
        if stripped and not _COMMENT.match(stripped):
            yield number, _COMMENT.sub("", stripped), is_first
            is_first = False


def _is_heading(line: str) -> bool:
    """A column name; a line with a dot is rather a domain with a typing mistake, and that is told."""
    return "." not in line and _HEADING.search(line) is not None


def _decode(data: bytes) -> str:
    """BOM first, then UTF-16 by its zero bytes, then UTF-8, then what Japanese spreadsheets write."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    head = data[:200]
    if head.count(0) > len(head) // 4:
        return data.decode("utf-16-be" if head[:1] == b"\0" else "utf-16-le", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        japanese = _as_cp932(data)
        return data.decode("utf-8-sig", errors="replace") if japanese is None else japanese


# What CP932 makes of bytes that stand for nothing: C1 controls, and a part of the private use area.
_NOTHING = re.compile("[\x80-\xa0\uf8f0-\uf8f3]")


def _as_cp932(data: bytes) -> str | None:
    """The list in CP932; None where that is not likely: most lines that are not ASCII are UTF-8, or it does not fit."""
    beyond = [line for line in data.splitlines() if not line.isascii()]
    if 2 * sum(_is_utf8(line) for line in beyond) >= len(beyond):
        return None
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    return None if _NOTHING.search(text) else text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_REPLACED: Final = "\ufffd"  # what stands for bytes that could not be decoded


def _read_line(line: str) -> Target | TargetError:
    """The best domain among the cells of a line, else what is wrong with the cell that comes nearest to one."""
    if len(line) > MAX_TEXT:
        return TargetError(Flaw.TOO_LONG, line)
    best: Target | None = None
    error: TargetError | None = None
    for cell in _cells(line):
        try:
            target = parse_target(cell)
        except TargetError as caught:
            if error is None or ("." in cell) > ("." in error.text):
                error = caught
            continue
        if best is None or _plainness(target) < _plainness(best):
            best = target
    if best is None and _REPLACED in line:
        return TargetError(Flaw.ENCODING, line)
    return best or error or TargetError(Flaw.EMPTY, line)


def _cells(line: str) -> list[str]:
    delimiter = next((mark for mark in ("\t", ",", ";") if mark in line), ",")
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except (csv.Error, ValueError):
        cells = line.split(delimiter)
    return [cell for cell in cells if cell.strip(_AROUND)]


def _plainness(target: Target) -> tuple[bool, int]:
    """A title like "Dr.山田" can be read as a name in Japanese script, so a last label in ASCII goes first."""
    last_is_ascii = not target.domain.labels[-1].startswith("xn--")
    form = 2 if Said.MAIL_ADDRESS in target.said else 1 if Said.URL in target.said else 0
    return (not last_is_ascii, form)
