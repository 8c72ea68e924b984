"""Which selectors are worth asking for, and how a selector becomes a DNS name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from mailguard.names import DomainName, name

MAX_GUESSES: Final = 24
"""At most so many selectors of origin GUESS are asked for one domain: discovery must not become brute force."""

MAX_SELECTORS: Final = 40
"""At most so many selectors are asked for one domain, whatever their origin."""

FIRST_GUESSES: Final = 4
"""So many of the guesses go out with the first questions: they find the key of most Japanese domains at once, and they
catch name servers that wrongly deny ``_domainkey`` while keys lie below it."""


class SelectorOrigin(StrEnum):
    """Where a selector name came from: how much its absence means."""

    USER = "user"  # named by the user
    REPORT = "report"  # seen in an aggregate report
    PROVIDER = "provider"  # usual at a provider that the domain was seen to use
    GUESS = "guess"  # from the bounded list of common names

    @property
    def is_named(self) -> bool:
        """Somebody who should know has named it, so its absence is a fault and not a failed guess."""
        return self in (SelectorOrigin.USER, SelectorOrigin.REPORT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selector worth asking for."""

    selector: str
    origin: SelectorOrigin


COMMON_SELECTORS: Final = (
    "default",  # Xserver, ConoHa WING, Onamae, mixhost and other cPanel or Plesk hosts
    "google",  # Google Workspace
    "selector1",  # Microsoft 365
    "selector2",
    "kagoya",
    "s1",  # SendGrid, and a habit of many others
    "s2",
    "k1",  # Mailchimp, Mailgun
    "k2",
    "k3",
    "dkim",
    "mail",
    "sig1",  # iCloud with an own domain
    "resend",
    "colorme1",  # a Japanese shop service
    "mandrill",
    "zoho",
    "fm1",
    "protonmail",
    "mx",
    "smtp",
    "selector",
    "key1",
    "dkim1",
)
"""Guesses, the most useful for Japanese domains first. Date-named and random selectors cannot be guessed at all."""


def selector_of(text: str) -> str:
    """The selector in what a user typed or a report said: lower case, A-labels, without ``._domainkey...``.

    Never raises. A text that is no selector comes back as something that no DNS question can hold or nobody publishes.
    """
    selector = name(text.strip()).split("._domainkey", 1)[0]
    return selector if selector.isascii() else _a_labels(selector)


def _a_labels(selector: str) -> str:
    # RFC 8616 section 4: a selector may be written in U-labels; look-ups use A-labels.
    import idna

    try:
        return idna.encode(selector, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


def key_name(selector: str, domain: DomainName) -> DomainName:
    """Where the key record of a selector lies (RFC 6376 section 3.6.2.1). Selectors may have several labels."""
    return domain.child(selector, "_domainkey")


@lru_cache(maxsize=256)
def choose(candidates: tuple[Candidate, ...]) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """Named candidates and guesses to ask: each selector once, within ``MAX_SELECTORS`` and ``MAX_GUESSES``.

    Users' selectors come first, then reports', then providers', then guesses; what is over the bound is dropped.
    """
    ranks = {origin: rank for rank, origin in enumerate(SelectorOrigin)}
    everything = (*candidates, *(Candidate(selector, SelectorOrigin.GUESS) for selector in COMMON_SELECTORS))
    chosen: dict[str, Candidate] = {}
    for candidate in sorted(everything, key=lambda each: ranks[each.origin]):
        selector = selector_of(candidate.selector)
        if selector:
            chosen.setdefault(selector, Candidate(selector, candidate.origin))
    known = [each for each in chosen.values() if each.origin is not SelectorOrigin.GUESS][:MAX_SELECTORS]
    guesses = [each for each in chosen.values() if each.origin is SelectorOrigin.GUESS]
    return tuple(known), tuple(guesses[: min(MAX_GUESSES, MAX_SELECTORS - len(known))])
