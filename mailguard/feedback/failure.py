"""Failure reports (RFC 9991, RFC 6591): only the fields that say which check failed, for whom and where.

They can hold a patient's mail. What is read here is the part ``message/feedback-report`` (or the few lines that Exim
writes in its place); the mail beside it is never looked at. Of addresses only the domain is kept.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

from mailguard.feedback.limits import Limits
from mailguard.feedback.report import Defect, DefectKind, FailureReport
from mailguard.feedback.values import address_of, count_of, domain_of

_MOST_BYTES: Final = 64 * 1024
_MOST_LINES: Final = 200
_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z, -]{0,60}")
_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,253}")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_EXIM: Final = {
    "sender domain": "reported-domain",
    "sender ip address": "source-ip",
    "received date": "arrival-date",
}
_END_OF_EXIM: Final = re.compile(r"^-{4}", re.MULTILINE)


def read_failure(text: bytes, place: str, limits: Limits) -> FailureReport:
    """Read the fields of a failure report. Never raises; everything may be missing. Looks at 64 KiB, 200 lines."""
    fields = _fields(text[:_MOST_BYTES].decode("utf-8", "replace"), limits.text_chars)
    defects: list[Defect] = []
    source_ip = _source_ip(fields.get("source-ip", ""), defects)
    arrival = _moment(fields.get("arrival-date", "") or fields.get("received-date", ""), defects)
    # RFC 5965 3.1 and RFC 6591 3.1: these must be there.
    for name in ("feedback-type", "auth-failure"):
        if not fields.get(name):
            defects.append(Defect(DefectKind.MISSING, name))
    return FailureReport(
        _words(fields.get("feedback-type", "")),
        _words(fields.get("auth-failure", "")),
        _domain(fields.get("reported-domain", "")),
        _domain(fields.get("original-mail-from", "").rpartition("@")[2].strip("<> ")),
        _domain(fields.get("dkim-domain", "")),
        _domain(fields.get("dkim-selector", "")),
        source_ip,
        arrival,
        _words(fields.get("delivery-result", "")),
        _words(fields.get("identity-alignment", "")),
        count_of(fields.get("incidents", "1"), limits.count)[0] or 1,
        _domain(fields.get("reporting-mta", "").rpartition(";")[2].strip()),
        tuple(defects),
        place,
    )


def _fields(text: str, most: int) -> dict[str, str]:
    """The first of each field, by name in lower case."""
    found: dict[str, str] = {}
    # Exim indents its lines, which elsewhere means that they go on.
    plain = _END_OF_EXIM.split(text, maxsplit=1)[0] if "Sender IP Address:" in text else _FOLD.sub(" ", text)
    for line in plain.splitlines()[:_MOST_LINES]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            found.setdefault(_EXIM.get(key, key), value.strip()[:most])
    return found


def _words(text: str) -> str:
    """A few words of the standards, such as ``dkim, spf``; empty for anything longer or stranger."""
    return text.lower() if _WORDS.fullmatch(text) else ""


def _domain(text: str) -> str:
    """A domain name or selector; empty for anything else, which might be a person's."""
    domain = domain_of(text)[0]
    return domain if _DOMAIN.fullmatch(domain) else ""


def _source_ip(text: str, defects: list[Defect]) -> str:
    if not text:
        defects.append(Defect(DefectKind.MISSING, "source-ip"))
        return ""
    address, repaired = address_of(text)
    if repaired:
        defects.append(Defect(DefectKind.BENT if address else DefectKind.UNUSABLE, "source-ip", text[:200]))
    return address or ""


def _moment(text: str, defects: list[Defect]) -> int | None:
    try:
        seconds = int(parsedate_to_datetime(text[:100]).timestamp()) if text else None
    except (ValueError, OverflowError, IndexError, TypeError):
        seconds = None
    if seconds is None:
        defects.append(Defect(DefectKind.UNUSABLE if text else DefectKind.MISSING, "arrival-date", text[:200]))
    return seconds
