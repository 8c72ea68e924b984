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
        fields.get("feedback-type", "").lower(),
        fields.get("auth-failure", "").lower(),
        domain_of(fields.get("reported-domain", ""))[0],
        domain_of(fields.get("original-mail-from", "").rpartition("@")[2].strip("<> "))[0],
        domain_of(fields.get("dkim-domain", ""))[0],
        fields.get("dkim-selector", ""),
        source_ip,
        arrival,
        fields.get("delivery-result", "").lower(),
        fields.get("identity-alignment", "").lower(),
        count_of(fields.get("incidents", "1"), limits.count)[0] or 1,
        fields.get("reporting-mta", ""),
        tuple(defects),
        place,
    )


def _fields(text: str, most: int) -> dict[str, str]:
    """The first of each field, by name in lower case."""
    found: dict[str, str] = {}
    head = _END_OF_EXIM.split(text, maxsplit=1)[0]
    for line in _FOLD.sub(" ", head).splitlines()[:_MOST_LINES]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            found.setdefault(_EXIM.get(key, key), value.strip()[:most])
    return found


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
