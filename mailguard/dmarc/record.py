"""DMARC records: text to value and back (RFC 9989 sections 4.7 and 4.8).

::

    dmarc-record  = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]
    dmarc-version = "v" equals %s"DMARC1"
    dmarc-tag     = 1*ALPHA equals 1*dmarc-value
    dmarc-value   = %x20-3A / %x3C-7E            ; printing ASCII except ";"
    dmarc-sep     = *WSP ";" *WSP
    equals        = *WSP "=" *WSP

What a domain publishes never raises. A text that does not begin with the version tag is no DMARC record at all
(``parse_record`` returns ``None``); everything else that is wrong is a ``Problem`` with a code, a tag and a position,
beside the value that receivers are to use instead (section 4.8: the tag's default, else as if the tag were not there).

Leanings, where the standard is silent or open:

* Tag names in upper case are accepted. The ABNF of section 4.8 would match ``V`` and ``P``; section 4.7 imports the tag
  list of RFC 6376 section 3.2, where names are case-sensitive. A problem says so.
* A tag given twice: RFC 6376 section 3.2 calls the whole list invalid, most software takes the first or the last. The
  weakest of the policies given counts here, of other tags the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from mailguard.dmarc.uri import ReportUri, parse_uris

KNOWN_TAGS: Final = ("v", "p", "sp", "np", "adkim", "aspf", "rua", "ruf", "fo", "psd", "t")
"""Tags of RFC 9989 section 4.7, in the order in which we write them."""

OBSOLETE_TAGS: Final = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 removed: unknown, so ignored."""

MAX_TAGS: Final = 200
"""Tags read from one record; a TXT record of 64 KB could hold tens of thousands."""


_MAX_KEPT: Final = 2048
"""Longer records are read anew each time, so that hostile ones cannot fill the memory."""


class Policy(StrEnum):
    """What the domain owner asks receivers to do with mail that fails DMARC (section 4.7, ``p``)."""

    NONE = "none"  # nothing: only watch
    QUARANTINE = "quarantine"  # treat as suspicious, usually: put into the junk folder
    REJECT = "reject"  # refuse

    @property
    def rank(self) -> int:
        """0 for none, 2 for reject."""
        return _RANKS[self]

    @property
    def lowered(self) -> Policy:
        """One level less strict; none stays none (section 4.7, ``t``)."""
        return Policy.QUARANTINE if self is Policy.REJECT else Policy.NONE


_RANKS: Final = {policy: rank for rank, policy in enumerate(Policy)}


class Mode(StrEnum):
    """How like the author domain an authenticated domain must be (section 4.4)."""

    RELAXED = "r"  # the same organizational domain
    STRICT = "s"  # the same domain


class Psd(StrEnum):
    """What the owner says the domain is (section 4.7, ``psd``)."""

    YES = "y"  # a public suffix domain
    NO = "n"  # an organizational domain, not a public suffix
    UNKNOWN = "u"  # receivers work it out


class Treatment(StrEnum):
    """What becomes of a record whose policies cannot all be read (section 4.10.1)."""

    APPLY = "apply"  # the policies count as published
    MONITOR = "monitor"  # receivers act as if it said p=none
    IGNORE = "ignore"  # no DMARC processing at all


class ProblemCode(StrEnum):
    """What is wrong at one place of a record."""

    EMPTY_TAG = "empty-tag"  # two semicolons with nothing between
    NO_EQUALS = "no-equals"  # something between semicolons that is no tag=value
    BAD_NAME = "bad-name"  # a tag name that is not letters only
    EMPTY_VALUE = "empty-value"  # a tag without a value
    BAD_CHARACTER = "bad-character"  # a character outside printing ASCII in a value
    BAD_VALUE = "bad-value"  # a value that the tag does not have
    BAD_URI = "bad-uri"  # a destination that is no URI
    DUPLICATE_TAG = "duplicate-tag"
    UPPER_CASE_NAME = "upper-case-name"
    UNKNOWN_TAG = "unknown-tag"  # to be ignored; often a typing mistake
    TOO_MANY_TAGS = "too-many-tags"  # more than we read


class Problem(NamedTuple):
    """One thing that is wrong; ``position`` counts characters from the start of the text."""

    code: ProblemCode
    tag: str  # lower case; empty where there is none
    position: int
    text: str  # the published words it is about


class Tag(NamedTuple):
    """One tag as published; ``position`` is that of its name, ``value_position`` that of its value."""

    name: str
    value: str
    position: int = 0
    value_position: int = 0

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Record:
    """A DMARC record as published and as it counts.

    ``tags`` holds every tag that could be read, in order, unknown and obsolete ones too. The other fields are what
    counts after the fall-backs of section 4.8: ``p``, ``sp`` and ``np`` are ``None`` where absent *or* invalid (see
    ``treatment`` for what that does), the rest have their defaults.
    """

    text: str
    tags: tuple[Tag, ...]
    problems: tuple[Problem, ...]
    p: Policy | None
    sp: Policy | None
    np: Policy | None
    adkim: Mode
    aspf: Mode
    psd: Psd
    t: bool
    fo: tuple[str, ...]
    rua: tuple[ReportUri, ...]
    ruf: tuple[ReportUri, ...]

    def has(self, key: str) -> bool:
        """Whether the tag was published, valid or not."""
        return any(tag.key == key for tag in self.tags)

    def value(self, key: str) -> str | None:
        """The published value of a tag (the first, if it was given twice)."""
        return next((tag.value for tag in self.tags if tag.key == key), None)

    def problems_of(self, key: str) -> tuple[Problem, ...]:
        """What is wrong with one tag."""
        return tuple(problem for problem in self.problems if problem.tag == key)

    def invalid(self, key: str) -> bool:
        """Whether the policy tag ``key`` (p, sp or np) was published with a value it does not have."""
        return self.has(key) and any(problem.code in _VALUE_PROBLEMS for problem in self.problems_of(key))

    @property
    def treatment(self) -> Treatment:
        """Whether the policies count (section 4.10.1)."""
        return self.treated(("sp", "np"))

    def treated(self, optional_policies: tuple[str, ...]) -> Treatment:
        """Whether the policies count for a receiver that knows ``p`` and these optional policy tags."""
        # 4.10.1: no valid p, or an sp or np that is not valid ...
        if self.p is not None and not any(self.invalid(key) for key in optional_policies):
            return Treatment.APPLY
        # ... and then: p=none if there is somebody to report to, else nothing.
        return Treatment.MONITOR if any(uri.valid for uri in self.rua) else Treatment.IGNORE

    @property
    def pct(self) -> int | None:
        """The obsolete sampling rate in per cent; ``None`` where absent or not 0-100."""
        value = self.value("pct") or ""
        return int(value) if _PCT.fullmatch(value) else None

    @property
    def p_is_second(self) -> bool:
        """Whether ``p`` directly follows ``v``, as RFC 7489 section 6.4 has it."""
        return len(self.tags) > 1 and self.tags[1].key == "p"


_VALUE_PROBLEMS: Final = frozenset({ProblemCode.BAD_VALUE, ProblemCode.EMPTY_VALUE, ProblemCode.BAD_CHARACTER})
_PCT = re.compile(r"100|[0-9]{1,2}")

# "v" is matched in both cases, DMARC1 in one only (4.7: "MUST be DMARC1").
_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
# The value is what follows, stripped: a pattern for it would take quadratic time on long runs of blanks.
_TAG_NAME = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*")
_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
# 4.8: dmarc-fo = "0" / "1" / "d" / "s" joined by ":"; 0 and 1 exclude each other, none twice.
_FO_OPTION = re.compile(r"[01ds]", re.IGNORECASE)


def text_of(octets: bytes) -> str:
    """A TXT record as text, for reading and showing. What is not UTF-8 becomes U+FFFD, which no grammar accepts."""
    return octets.decode("utf-8", "replace")


def is_dmarc_record(text: str) -> bool:
    """Whether a TXT record begins with the version tag, by its grammar (section 4.10: all others are discarded)."""
    return _VERSION.match(text) is not None


def parse_record(text: str) -> Record | None:
    """Read a DMARC record; ``None`` if the text is none. Never raises, whatever the text. Reads at most 200 tags."""
    if not is_dmarc_record(text):
        return None
    return _parse_and_keep(text) if len(text) <= _MAX_KEPT else _parse(text)


@lru_cache(maxsize=4096)
def _parse_and_keep(text: str) -> Record:
    return _parse(text)


def _parse(text: str) -> Record:
    tags: list[Tag] = []
    problems: list[Problem] = []
    for item in _read_tags(text):
        if isinstance(item, Tag):
            tags.append(item)
        else:
            problems.append(item)
    problems.extend(_problems_of_names(tags))
    reader = _Values(tags, problems)
    return Record(
        text=text,
        tags=tuple(tags),
        p=reader.policy("p"),
        sp=reader.policy("sp"),
        np=reader.policy("np"),
        adkim=Mode(reader.keyword("adkim", "r", ("r", "s"))),
        aspf=Mode(reader.keyword("aspf", "r", ("r", "s"))),
        psd=Psd(reader.keyword("psd", "u", ("y", "n", "u"))),
        t=reader.keyword("t", "n", ("y", "n")) == "y",
        fo=reader.failure_options(),
        rua=reader.uris("rua"),
        ruf=reader.uris("ruf"),
        problems=tuple(sorted(problems, key=lambda problem: problem.position)),
    )


def format_record(tags: Iterable[tuple[str, str]]) -> str:
    """Tags (name, value) as record text, in the order given: ``v=DMARC1; p=none``."""
    return "; ".join(f"{key}={value}" for key, value in tags)


def _read_tags(text: str) -> Iterator[Tag | Problem]:
    parts = text.split(";", MAX_TAGS)
    start = 0
    for number, part in enumerate(parts[:MAX_TAGS]):
        is_last = number == len(parts) - 1
        if part.strip(" \t") or not is_last:  # the last separator may be followed by nothing
            yield _read_tag(part, start)
        start += len(part) + 1
    if len(parts) > MAX_TAGS:
        yield Problem(ProblemCode.TOO_MANY_TAGS, "", start, "")


def _read_tag(part: str, start: int) -> Tag | Problem:
    match = _TAG_NAME.match(part)
    if match:
        return Tag(match[1], part[match.end() :].rstrip(" \t"), start + match.start(1), start + match.end())
    words = part.strip(" \t")
    at = start + len(part) - len(part.lstrip(" \t"))
    if not words:
        return Problem(ProblemCode.EMPTY_TAG, "", start, "")
    return Problem(ProblemCode.BAD_NAME if "=" in words else ProblemCode.NO_EQUALS, "", at, words)


def _problems_of_names(tags: list[Tag]) -> Iterator[Problem]:
    seen: set[str] = set()
    for tag in tags:
        if tag.key in seen:
            yield Problem(ProblemCode.DUPLICATE_TAG, tag.key, tag.position, tag.name)
        seen.add(tag.key)
        if tag.name != tag.key:
            yield Problem(ProblemCode.UPPER_CASE_NAME, tag.key, tag.position, tag.name)
        if tag.key not in KNOWN_TAGS and tag.key not in OBSOLETE_TAGS:
            yield Problem(ProblemCode.UNKNOWN_TAG, tag.key, tag.position, tag.name)
        if not tag.value:
            yield Problem(ProblemCode.EMPTY_VALUE, tag.key, tag.value_position, "")
        elif not _VALUE.fullmatch(tag.value):
            yield Problem(ProblemCode.BAD_CHARACTER, tag.key, tag.value_position, tag.value)


class _Values:
    """Reads the values of a tag list and notes what is wrong with them in ``problems``."""

    def __init__(self, tags: list[Tag], problems: list[Problem]) -> None:
        self._tags = tags
        self._problems = problems

    def _named(self, key: str) -> list[Tag]:
        return [tag for tag in self._tags if tag.key == key]

    def _refuse(self, code: ProblemCode, tag: Tag) -> None:
        # An empty value or one with a bad character already has its problem.
        if _VALUE.fullmatch(tag.value) and tag.value:
            self._problems.append(Problem(code, tag.key, tag.value_position, tag.value))

    def policy(self, key: str) -> Policy | None:
        policies = []
        for tag in self._named(key):
            try:
                policies.append(Policy(tag.value.lower()))
            except ValueError:
                self._refuse(ProblemCode.BAD_VALUE, tag)
                return None
        return min(policies, key=lambda policy: policy.rank, default=None)

    def keyword(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        for tag in self._named(key):
            if tag.value.lower() in allowed:
                return tag.value.lower()
            self._refuse(ProblemCode.BAD_VALUE, tag)
            break
        return default

    def failure_options(self) -> tuple[str, ...]:
        for tag in self._named("fo"):
            options = tag.value.lower().split(":", 4)
            distinct = len(set(options)) == len(options) and not {"0", "1"} <= set(options)
            if distinct and all(_FO_OPTION.fullmatch(option) for option in options):
                return tuple(options)
            self._refuse(ProblemCode.BAD_VALUE, tag)
            break
        return ("0",)

    def uris(self, key: str) -> tuple[ReportUri, ...]:
        for tag in self._named(key):
            uris = parse_uris(tag.value, tag.value_position)
            for uri in uris:
                if not uri.valid:
                    self._problems.append(Problem(ProblemCode.BAD_URI, key, uri.position, uri.text))
            return uris
        return ()
