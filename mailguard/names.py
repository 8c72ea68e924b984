"""Domain names as values.

A ``DomainName`` is a ``str`` in one canonical form: A-labels, lower case, no trailing dot, DNS presentation escapes
(``\\.`` and ``\\DDD``) for octets that are not letters, digits, ``-`` or ``_``. The root is the empty string. Being a
``str`` it compares, hashes and prints at no cost; nothing else in the project builds domain names by hand.

What a *user* types (full-width letters, URLs, mail addresses) is understood in ``targets.py``, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

MAX_NAME_OCTETS: Final = 253
"""Longest name in presentation form without the final dot (RFC 1035 section 2.3.4)."""

MAX_LABEL_OCTETS: Final = 63

_LABEL_BREAK = re.compile(r"(?<!\\)\.")
_ESCAPE = re.compile(r"\\(?:[0-9]{3}|.)", re.DOTALL)
_SAFE_BYTES: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_*/+=~!#$%&'^`{|}<>?,:[]")


class DomainName(str):
    """A domain name in canonical form. Build it with :func:`name`, :meth:`child` or :attr:`parent`."""

    __slots__ = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels from the left; the root has none."""
        if not self:
            return ()
        if "\\" in self:
            return tuple(_LABEL_BREAK.split(self))
        return tuple(self.split("."))

    @property
    def parent(self) -> DomainName:
        """The name without its leftmost label; the parent of a single label is the root."""
        return DomainName(".".join(self.labels[1:]))

    def ancestors(self) -> Iterator[DomainName]:
        """Every parent, nearest first, without the root."""
        labels = self.labels
        for start in range(1, len(labels)):
            yield DomainName(".".join(labels[start:]))

    def child(self, *labels: str) -> DomainName:
        """The name with ``labels`` (canonical, lower case) put in front."""
        return DomainName(".".join((*labels, self) if self else labels))

    def is_within(self, other: DomainName) -> bool:
        """Whether this name is ``other`` or lies below it."""
        return not other or self == other or self.endswith("." + other)

    @property
    def is_askable(self) -> bool:
        """Whether the name fits into a DNS question: labels of 1-63 octets, 253 in all (RFC 1035 section 2.3.4)."""
        plain = _ESCAPE.sub("x", self) if "\\" in self else self
        return len(plain) <= MAX_NAME_OCTETS and all(0 < len(label) <= MAX_LABEL_OCTETS for label in plain.split("."))

    @property
    def unicode(self) -> str:
        """U-labels where every label decodes, else the A-label form; for people, never for look-ups."""
        if "xn--" not in self:
            return str(self)
        import idna

        try:
            return str(idna.decode(self))
        except (idna.IDNAError, UnicodeError):
            return str(self)


ROOT: Final = DomainName("")


def name(text: str) -> DomainName:
    """Canonical form of a name taken from DNS data or from our own code: lower case, no final dot.

    Never raises and judges nothing; ask :attr:`DomainName.is_askable` before putting the name into a question.
    """
    lowered = text.lower()
    if lowered.endswith(".") and not lowered.endswith("\\."):
        lowered = lowered[:-1]
    return DomainName(lowered)


def escape_label(octets: bytes) -> str:
    """DNS presentation form of one label (RFC 1035 section 5.1)."""
    return "".join(chr(octet) if octet in _SAFE_BYTES else f"\\{octet:03d}" for octet in octets.lower())
