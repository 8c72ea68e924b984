"""Texts that were meant to be a DMARC record and are none: why, and what was meant.

Receivers discard such a text without a word (RFC 9989 section 4.10), so the owner believes in a protection that does
not exist. The kinds differ in what the owner has to do, hence in the rule that tells of them.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from mailguard.dmarc.record import is_dmarc_record


class NearMiss(StrEnum):
    """Why a text that looks like a DMARC record is none; the first that applies, in this order."""

    QUOTES = "quotes"  # quotation marks or backslashes are part of the data
    FULL_WIDTH = "full-width"  # full-width letters, blanks or signs, as Japanese input methods type them
    LEADING_TEXT = "leading-text"  # a blank or an invisible character stands before v
    WRONG_CASE = "wrong-case"  # v=dmarc1
    WRONG_VERSION = "wrong-version"  # v=DMARC2, v=DMARC10, v=DMARC
    NO_SEPARATOR = "no-separator"  # v=DMARC1 p=none: the semicolon is missing, or is a comma or colon
    NOT_FIRST = "not-first"  # p=none; v=DMARC1
    NO_VERSION = "no-version"  # p=none; rua=mailto:...


_MAX_TEXT = 4096  # longer texts are no slips of the pen; also bounds the work on hostile data
_QUOTES = re.compile("[\"'\\\\“”„‟‘’‚′″＂＇「」]")
_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060\u00ad\x00-\x1f\x7f]")
_V = re.compile(r"v\s*[=:]\s*", re.IGNORECASE)
_LOOKS_MEANT = re.compile(r"(?:\A|[\s;,])v\s*[=:]\s*dmarc", re.IGNORECASE)
_POLICY_FIRST = re.compile(r"\A(?:p\s*=\s*(?:none|quarantine|reject)\b|(?:rua|ruf)\s*=\s*mailto:)", re.IGNORECASE)


def meant(text: str) -> str:
    """The text without quotes, invisible characters, wide letters and outer blanks; mistakes of wording stay."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text[:_MAX_TEXT]))
    return _QUOTES.sub("", plain).strip()


def near_miss(text: str) -> NearMiss | None:
    """Why a text that looks like a DMARC record is none; ``None`` for a record, and for a text about something else.

    Looks at the first 4096 characters.
    """
    return _near_miss(text[:_MAX_TEXT])


@lru_cache(maxsize=1024)
def _near_miss(text: str) -> NearMiss | None:
    plain = meant(text)
    if is_dmarc_record(text) or not (_LOOKS_MEANT.search(plain) or _POLICY_FIRST.search(plain)):
        return None
    if is_dmarc_record(plain):
        return _of_disguise(text)
    version = _V.match(plain)
    if version is None:
        return NearMiss.NOT_FIRST if _LOOKS_MEANT.search(plain) else NearMiss.NO_VERSION
    return _of_version(plain[version.end() :])


def _of_disguise(text: str) -> NearMiss:
    if _QUOTES.search(text):
        return NearMiss.QUOTES
    wide = unicodedata.normalize("NFKC", text) != text
    return NearMiss.FULL_WIDTH if wide and not text[0].isspace() else NearMiss.LEADING_TEXT


def _of_version(value: str) -> NearMiss:
    word = re.match(r"[A-Za-z]*\s?[0-9.]*", value)
    assert word is not None  # the pattern also matches nothing
    if word[0].strip() == "DMARC1":
        return NearMiss.NO_SEPARATOR
    return NearMiss.WRONG_CASE if word[0].strip().upper() == "DMARC1" else NearMiss.WRONG_VERSION
