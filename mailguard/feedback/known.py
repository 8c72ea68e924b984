"""What was read before, by the words that said it.

Reports of one reporter say the same again and again, within a report and from day to day. What was said in words about
which there was nothing to note is not read a second time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from mailguard.feedback.layout import Layout, Texts
from mailguard.feedback.report import DkimResult, Said, SpfResult
from mailguard.feedback.values import auth_result_of, domain_of

_MOST_KNOWN: Final = 4_096

Key = tuple[Layout, Texts]
"""How a record is laid out, and all of its texts but source and count."""


class Known:
    """What was read of records beside source and count. Bounds: 4,096 entries of at most 1,000 characters;
    all are forgotten when there are more.
    """

    def __init__(self) -> None:
        self._found: dict[Key, Said] = {}
        self.get = self._found.get

    def put(self, key: Key, said: Said) -> None:
        """Remember, if it is worth it."""
        if len("".join(key[1])) > 1_000:
            return
        if len(self._found) >= _MOST_KNOWN:
            self._found.clear()
        self._found[key] = said


@lru_cache(maxsize=4)
def known_within(text_chars: int) -> Known:
    """Texts are cut to a bound, so what was read under one says nothing about another."""
    return Known()


@lru_cache(maxsize=4096)
def usual_dkim_result(domain: str, selector: str, result: str) -> DkimResult | None:
    """A result about which there is nothing to note; ``None`` for any other."""
    word, bent = auth_result_of(result)
    return None if bent or not domain else DkimResult(domain_of(domain)[0], selector.strip(), word)


@lru_cache(maxsize=4096)
def usual_spf_result(domain: str, scope: str, result: str) -> SpfResult | None:
    """A result about which there is nothing to note; ``None`` for any other."""
    word, bent = auth_result_of(result)
    return None if bent or not domain else SpfResult(domain_of(domain)[0], scope.strip().lower(), word)
