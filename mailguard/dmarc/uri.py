"""Report destinations: the URIs of ``rua`` and ``ruf`` (RFC 9989 section 4.8, RFC 3986, RFC 6068)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from mailguard.names import DomainName, name

MAX_DESTINATIONS: Final = 100
"""Destinations read from one tag; a TXT record of 64 KB could hold thousands."""


class UriFlaw(StrEnum):
    """Why a destination cannot be used, or not by everybody."""

    NO_SCHEME = "no-scheme"  # a bare mail address: ``mailto:`` is missing
    NOT_MAILTO = "not-mailto"  # a URI, but of a scheme that no receiver has to support
    BAD_CHARACTER = "bad-character"  # a character that no URI may hold
    BANG = "bang"  # an exclamation mark that is no size limit; it must be written %21
    BAD_ADDRESS = "bad-address"  # mailto: without a usable mail address


_MAX_HOST_TEXT: Final = 1024
"""Characters of a host before it is made an A-label name of at most 253."""


@dataclass(frozen=True, slots=True)
class ReportUri:
    """One destination as published.

    ``text`` is the URI without blanks around it and without the size limit; ``size_limit`` is the obsolete limit
    ("10m"), which RFC 9989 tells reporters to ignore. ``address`` and ``host`` are set for a usable mailto.
    ``position`` counts characters from the start of the record.
    """

    text: str
    position: int
    size_limit: str = ""
    scheme: str = ""
    address: str = ""
    host: DomainName | None = None
    flaw: UriFlaw | None = None

    @property
    def valid(self) -> bool:
        """Whether it is a URI by its grammar, whatever its scheme.

        ``mailto:`` without an address is counted as invalid although RFC 6068 has a form for it: nothing can be sent.
        """
        return self.flaw is None or self.flaw is UriFlaw.NOT_MAILTO

    @property
    def usable(self) -> bool:
        """Whether a report can be mailed to it."""
        return self.flaw is None


# RFC 9989 4.8: obs-dmarc-uri = dmarc-uri "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]
_SIZE_LIMIT = re.compile(r"!([0-9]+[kmgt]?)\Z", re.IGNORECASE)
# RFC 3986 section 3: the scheme, then characters that are unreserved, reserved or percent-encoded. "," and "!" are
# reserved characters too, but RFC 9989 4.8 wants them percent-encoded here.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+;=-]|%[0-9A-Fa-f]{2})*")
# RFC 5322 section 3.4.1: local-part = dot-atom / quoted-string; beyond ASCII since RFC 6532.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL_PART = re.compile(rf'{_ATEXT}(?:\.{_ATEXT})*|"(?:[^"\\\x00-\x1f]|\\.)*"')
_HOST_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")


def parse_uris(value: str, position: int = 0) -> tuple[ReportUri, ...]:
    """The destinations of a ``rua`` or ``ruf`` value. Never raises; at most 100 are read.

    ``position`` is where the value starts in its record.
    """
    uris = []
    for part in value.split(",", MAX_DESTINATIONS)[:MAX_DESTINATIONS]:
        text = part.strip(" \t")
        uris.append(_parse_uri(text, position + len(part) - len(part.lstrip(" \t"))))
        position += len(part) + 1
    return tuple(uris)


def _parse_uri(text: str, position: int) -> ReportUri:
    limit = _SIZE_LIMIT.search(text)
    size_limit = limit[1] if limit else ""
    uri = text[: limit.start()] if limit else text
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return ReportUri(uri, position, size_limit, flaw=UriFlaw.NO_SCHEME)
    kind = scheme[1].lower()
    if "!" in uri:
        return ReportUri(uri, position, size_limit, kind, flaw=UriFlaw.BANG)
    if not _URI.fullmatch(uri):
        return ReportUri(uri, position, size_limit, kind, flaw=UriFlaw.BAD_CHARACTER)
    if kind != "mailto":
        return ReportUri(uri, position, size_limit, kind, flaw=UriFlaw.NOT_MAILTO)
    return _parse_mailto(uri, position, size_limit)


def _parse_mailto(uri: str, position: int, size_limit: str) -> ReportUri:
    target = unquote(re.split(r"[?#]", uri.partition(":")[2], maxsplit=1)[0], errors="replace")
    local, at, host_text = target.rpartition("@")
    host = host_of(host_text) if len(host_text) <= _MAX_HOST_TEXT else None
    # "mailto://user@host" is a common slip; "//user" would pass as a local part.
    if not at or host is None or local.startswith("//") or not _LOCAL_PART.fullmatch(local):
        return ReportUri(uri, position, size_limit, "mailto", flaw=UriFlaw.BAD_ADDRESS)
    return ReportUri(uri, position, size_limit, "mailto", f"{local}@{host}", host)


@lru_cache(maxsize=1024)
def host_of(text: str) -> DomainName | None:
    """The domain of a mail address as A-labels, or ``None`` if it is none that mail could be sent to."""
    if not text.isascii():
        import idna

        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    host = name(text)
    if not host.is_askable or not all(_HOST_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    return host
