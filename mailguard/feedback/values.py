"""Single values of a report: what reporters write, bent into what the standard means.

Every function takes the text of an element and returns the value and whether it had to be bent (``True`` = repaired);
``None`` instead of a value means that no person could say what was meant.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar

from mailguard.names import name


class Disposition(StrEnum):
    """What a receiver did with the messages of a record (RFC 9990 3.1.1.6)."""

    NONE = "none"  # nothing special
    PASS = "pass"  # noqa: S105 - passed DMARC under an enforcing policy; new in RFC 9990
    QUARANTINE = "quarantine"
    REJECT = "reject"
    UNKNOWN = "unknown"  # not said, or not in a word that the standard knows


class Alignment(StrEnum):
    """Whether a mechanism gave an aligned pass, as the receiver evaluated it."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNKNOWN = "unknown"  # not said, or not in a word that the standard knows


class AuthResult(StrEnum):
    """A raw DKIM or SPF result (RFC 8601 2.7.1 and 2.7.2), before alignment."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    UNKNOWN = "unknown"  # not said, or not in a word that the standard knows


_Word = TypeVar("_Word", bound=StrEnum)

# Words of older drafts that real reporters still use.
_OLD_RESULTS: Final = {
    "hardfail": AuthResult.FAIL,
    "error": AuthResult.TEMPERROR,
    "unknown": AuthResult.PERMERROR,  # what RFC 4408 2.5.7 named PermError was "unknown" in the drafts before it
}

_OCTETS: Final = frozenset(map(str, range(256)))
# RFC 5952 4: an IPv6 address that is its own canonical form, for there is no group of zero in it but those, two at
# least, that "::" stands for. Not all canonical forms; those of nearly all sources.
_GROUP: Final = "[1-9a-f][0-9a-f]{0,3}"
_SOME_GROUPS: Final = f"(?:{_GROUP}(?::{_GROUP})*+)?+"
_PLAIN_IPV6: Final = re.compile(
    # At most six groups beside "::", and no IPv4 address in IPv6 clothes.
    rf"(?!(?:[^:]*:){{7}}|::ffff:){_SOME_GROUPS}::{_SOME_GROUPS}|(?:{_GROUP}:){{7}}{_GROUP}"
)
_WHOLE: Final = re.compile(r"([0-9]{1,19})(\.0*)?")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_EPOCH: Final = re.compile(r"([0-9]{1,14})(?:\.[0-9]*)?")
_FIRST_MILLISECOND: Final = 10**11
"""An epoch time from here on (year 5138) was written in milliseconds."""

_LAST_SECOND: Final = 253402300799  # the end of year 9999


@lru_cache(maxsize=256)
def disposition_of(text: str) -> tuple[Disposition, bool]:
    """``None`` (in any case) is a disposition; anything unknown is UNKNOWN."""
    return _word(text, Disposition, Disposition.UNKNOWN)


@lru_cache(maxsize=256)
def alignment_of(text: str) -> tuple[Alignment, bool]:
    """``pass`` or ``fail`` in any case, else UNKNOWN."""
    return _word(text, Alignment, Alignment.UNKNOWN)


@lru_cache(maxsize=256)
def auth_result_of(text: str) -> tuple[AuthResult, bool]:
    """A result of RFC 8601 in any case, or the word of an old draft for it, else UNKNOWN."""
    old = _OLD_RESULTS.get(text.strip().lower())
    return (old, True) if old else _word(text, AuthResult, AuthResult.UNKNOWN)


def _word(text: str, words: type[_Word], otherwise: _Word) -> tuple[_Word, bool]:
    plain = text.strip()
    try:
        word = words(plain.lower())
    except ValueError:
        return otherwise, True
    return word, word is otherwise or plain != word.value


def count_of(text: str, limit: int) -> tuple[int | None, bool]:
    """A number of messages, 0 to ``limit``; ``1.0``, ``1,000`` and ``+1`` are understood."""
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and len(plain) < 20:
        number = int(plain)
        return (number, False) if number <= limit else (None, True)
    if _GROUPED.fullmatch(plain) or plain.startswith("+"):
        return count_of(plain.removeprefix("+").replace(",", ""), limit)[0], True
    match = _WHOLE.fullmatch(plain)
    if not match or int(match[1]) > limit:
        return None, True
    return int(match[1]), match[2] is not None


@lru_cache(maxsize=4096)
def address_of(text: str) -> tuple[str | None, bool]:
    """An IP address in its canonical form; an IPv4 address in IPv6 clothes is undressed, a zone id dropped."""
    if _OCTETS.issuperset(octets := text.split(".")) and len(octets) == 4:
        return text, False
    if _PLAIN_IPV6.fullmatch(text):
        return text, False
    return _odd_address_of(text)


def _odd_address_of(text: str) -> tuple[str | None, bool]:
    """The long way: what ``ipaddress`` makes of it, at ten times the price."""
    plain = text.strip().strip("[]")
    try:
        address = ip_address(plain.partition("%")[0])
    except ValueError:
        return None, True
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped), True
    return str(address), plain != text.strip() or "%" in plain


@lru_cache(maxsize=4096)
def domain_of(text: str) -> tuple[str, bool]:
    """A domain name as A-labels without the final dot. A text that is no domain name is kept, in lower case."""
    plain = text.strip()
    canonical = str(name(plain.strip("<>")))
    if canonical.isascii():
        return canonical, plain.lower().rstrip(".") != canonical
    import idna

    try:
        return idna.encode(canonical, uts46=True).decode("ascii"), False
    except (idna.IDNAError, UnicodeError):
        return canonical, True


def moment_of(text: str) -> tuple[int | None, bool]:
    """A time as POSIX seconds: whole seconds as the standard wants, or fractions, milliseconds, ISO 8601 (UTC)."""
    plain = text.strip()
    match = _EPOCH.fullmatch(plain)
    if match:
        seconds = int(match[1])
        if seconds >= _FIRST_MILLISECOND:
            return seconds // 1000, True
        return seconds, match[1] != plain
    try:
        moment = datetime.fromisoformat(plain)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None, True
    return (seconds, True) if 0 <= seconds <= _LAST_SECOND else (None, True)
