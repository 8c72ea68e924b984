"""The audit for machines: JSON, NDJSON and CSV."""

from __future__ import annotations

import csv
import io
from typing import Final

from mailguard.render.reading import Document, is_waived
from mailguard.render.safe import cell, json_text


class Json:
    """One object for one domain that was named alone, else an array; written as the audits come."""

    def __init__(self, *, single: bool, ascii_only: bool = False) -> None:
        self._single = single
        self._ascii_only = ascii_only
        self._count = 0

    def begin(self) -> str:
        """The opening bracket of an array."""
        return "" if self._single else "["

    def item(self, document: Document) -> str:
        """One audit."""
        text = json_text(document, ascii_only=self._ascii_only, indent=2)
        if self._single:
            return text + "\n"
        self._count += 1
        return ("\n" if self._count == 1 else ",\n") + text

    def end(self) -> str:
        """The closing bracket."""
        return "" if self._single else "\n]\n"


class Ndjson:
    """One line for each audit."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self._ascii_only = ascii_only

    def begin(self) -> str:
        """Nothing."""
        return ""

    def item(self, document: Document) -> str:
        """One audit."""
        return json_text(document, ascii_only=self._ascii_only) + "\n"

    def end(self) -> str:
        """Nothing."""
        return ""


COLUMNS: Final = (
    "domain",
    "domain_unicode",
    "as_of",
    "organizational_domain",
    "spoofable_domain",
    "spoofable_subdomain",
    "spoofable_nonexistent_subdomain",
    "spf_status",
    "spf_record",
    "spf_lookups",
    "spf_void_lookups",
    "spf_all",
    "dmarc_status",
    "dmarc_record",
    "dmarc_policy_domain",
    "dmarc_policy",
    "dmarc_subdomain_policy",
    "dmarc_nonexistent_subdomain_policy",
    "dkim_status",
    "dkim_selectors",
    "mx_status",
    "mx_hosts",
    "parked",
    "critical",
    "high",
    "medium",
    "low",
    "info",
    "findings",
    "unanswered",
)
"""Columns of the CSV form, one line for each domain."""


class Csv:
    """One line for each domain, with a byte-order mark, which spreadsheets need to read Japanese in UTF-8."""

    def __init__(self, *, bom: bool = True) -> None:
        self._mark = "\ufeff" if bom else ""

    def begin(self) -> str:
        """Byte-order mark and the line of column names."""
        return self._mark + _line(COLUMNS)

    def item(self, document: Document) -> str:
        """One audit."""
        return _line(tuple(cell(value) for value in _values(document)))

    def end(self) -> str:
        """Nothing."""
        return ""


def _line(values: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue()


def _values(document: Document) -> list[str]:
    spf, dmarc, dkim, mx = (document[key] for key in ("spf", "dmarc", "dkim", "mx"))
    open_findings = [finding for finding in document["findings"] if not is_waived(finding)]
    keys = [f"{key['selector']}={key['status']}" for key in dkim["selectors"] if key["status"] != "absent"]
    severities = [finding["severity"] for finding in open_findings]
    values = [
        document["domain"],
        document["domain_unicode"],
        document["as_of"],
        document["organizational_domain"],
        *(document["spoofable"][scope] for scope in ("domain", "subdomain", "nonexistent_subdomain")),
        *(spf[key] for key in ("status", "record", "lookups", "void_lookups", "all")),
        *(dmarc[key] for key in ("status", "record", "policy_domain")),
        *(dmarc["effective_policy"][scope] for scope in ("domain", "subdomain", "nonexistent_subdomain")),
        dkim["status"],
        " ".join(keys),
        mx["status"],
        " ".join(mx["hosts"]),
        document["parked"]["status"],
        *(severities.count(severity) for severity in ("critical", "high", "medium", "low", "info")),
        " ".join(dict.fromkeys(finding["rule"] for finding in open_findings)),
        len(document["unanswered"]),
    ]
    return ["" if value is None else str(value) for value in values]
