"""One SPF record as a tree with positions, and the selection of the record among TXT answers.

::

    record = "v=spf1" *( 1*SP ( directive / modifier ) ) *SP

Receivers check the whole record before they use any of it, and one fault anywhere makes it ``permerror``
(RFC 7208 section 4.6). So everything is read, and every fault is kept: as a ``Broken`` term among the others, with its
reason and its place. Positions count characters of ``Record.text``. Reading never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from mailguard.inquiry import Txt
from mailguard.spf.terms import Broken, Directive, Kind, Modifier, Reason, Term, format_term, parse_term

VERSION: Final = "v=spf1"
MAX_CACHED_OCTETS: Final = 4096
"""Of longer records only the last two are kept, so that hostile ones cannot fill the cache."""

_TERM = re.compile("[^ ]+")  # section 4.6.1: terms are separated by U+0020 and nothing else


@dataclass(frozen=True, slots=True)
class Record:
    """A record that begins with ``v=spf1``, and all that stands in it."""

    terms: tuple[Term, ...]
    text: str = field(default="", compare=False)

    @property
    def faults(self) -> tuple[Broken, ...]:
        """Every reason why a receiver says permerror (section 4.6), in order."""
        return tuple(term for term in self.terms if isinstance(term, Broken))

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The mechanisms in order, also those after ``all``."""
        return tuple(term for term in self.terms if isinstance(term, Directive))

    @property
    def modifiers(self) -> tuple[Modifier, ...]:
        """The modifiers in order."""
        return tuple(term for term in self.terms if isinstance(term, Modifier))

    @property
    def all(self) -> Directive | None:
        """The first ``all``; whatever stands after it is never reached (section 5.1)."""
        return next((term for term in self.directives if term.kind is Kind.ALL), None)

    @property
    def live(self) -> tuple[Directive, ...]:
        """The directives that evaluation can reach: up to and with the first ``all``."""
        directives = self.directives
        stop = next((i for i, term in enumerate(directives) if term.kind is Kind.ALL), len(directives))
        return directives[: stop + 1]

    @property
    def redirect(self) -> Modifier | None:
        """The redirect that counts: none if there is any ``all`` (section 6.1)."""
        return None if self.all else self.modifier("redirect")

    def modifier(self, wanted: str) -> Modifier | None:
        """The first modifier of a name, also a redirect that ``all`` puts out of use."""
        return next((term for term in self.modifiers if term.name == wanted), None)


def is_spf(text: bytes) -> bool:
    """Whether a receiver takes this TXT for an SPF record (section 4.5): ``v=spf1``, then a space or the end."""
    return text[:6].lower() == b"v=spf1" and text[6:7] in (b"", b" ")


def select_records(records: Sequence[Txt]) -> tuple[Txt, ...]:
    """The TXT records that are SPF records: one is usable, none means ``none``, more mean ``permerror``."""
    return tuple(record for record in records if is_spf(record.joined))


def parse_record(octets: bytes) -> Record:
    """Read a record for which :func:`is_spf` holds. Octets that are no UTF-8 read as U+FFFD. Never raises."""
    return _parse_cached(octets) if len(octets) <= MAX_CACHED_OCTETS else _parse_large(octets)


def _parse(octets: bytes) -> Record:
    text = octets.decode("utf-8", "replace")
    terms = (parse_term(match[0], match.start()) for match in _TERM.finditer(text, len(VERSION)))
    return Record(tuple(_mark_repeated(terms)), text)


_parse_cached = lru_cache(maxsize=2048)(_parse)
_parse_large = lru_cache(maxsize=2)(_parse)


def format_record(terms: Iterable[Term]) -> str:
    """A record as text, in our canonical form: one blank between terms. Parsing it gives the same terms."""
    return " ".join((VERSION, *map(format_term, terms)))


def _mark_repeated(terms: Iterable[Term]) -> Iterator[Term]:
    # Section 6: redirect and exp MUST NOT appear more than once each.
    reasons = {"redirect": Reason.REPEATED_REDIRECT, "exp": Reason.REPEATED_EXP}
    seen: set[str] = set()
    for term in terms:
        if isinstance(term, Modifier) and term.name in reasons:
            if term.name in seen:
                yield Broken(reasons[term.name], term.text, term.start, term.end, term.start)
                continue
            seen.add(term.name)
        yield term
