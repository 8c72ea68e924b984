"""TLS reports (RFC 8460): JSON to values, as tolerantly as aggregate reports are read.

Keys are matched without regard to case and with ``_`` for ``-``; a text stands for a list of one, a number may be
written as text. What was bent is counted and named. A policy without a domain is dropped, for nobody could say whose
it was; everything else of it may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from mailguard.feedback.limits import Damaged, Limits, OverLimit
from mailguard.feedback.mendjson import NoJson, documents
from mailguard.feedback.place import facts_of_name
from mailguard.feedback.report import Defect, DefectKind, TlsFailure, TlsPolicy, TlsReport, Unreadable
from mailguard.feedback.values import count_of, domain_of, moment_of

Fields = dict[str, Any]

_WORDS: Final = (str, int, float)


def read_tls_reports(chunks: Iterable[bytes], place: str, limits: Limits) -> Iterator[TlsReport | Unreadable]:
    """Read all reports in a file, usually one. Never raises for what stands in it.

    Bounds: ``json_bytes`` to ``json_marks`` (before parsing), ``members``, ``records`` for policies and failures.
    """
    try:
        data, damage = _whole(chunks, limits)
    except OverLimit as bound:
        yield Unreadable(place, str(bound))
        return
    text = _decoded(data)
    try:
        values, wrong = documents(text.lstrip("\ufeff \t\r\n"), limits.members)
    except NoJson:
        yield Unreadable(place, "not-a-report")
        return
    for value in _flat(values, limits.members):
        reader = _Reader(limits)
        if damage or wrong == "cut":
            reader.note(DefectKind.CUT_SHORT, "", damage)
        elif wrong:
            reader.note(DefectKind.NOT_WELL_FORMED, "")
        if "\ufffd" in text:
            reader.note(DefectKind.UNDECODABLE, "")
        yield reader.report(value, place, data)


def _whole(chunks: Iterable[bytes], limits: Limits) -> tuple[bytes, str]:
    data = bytearray()
    damage = ""
    try:
        for chunk in chunks:
            data += chunk
            if len(data) > limits.json_bytes:
                raise OverLimit("json_bytes")
    except Damaged as error:
        damage = str(error)
    containers = data.count(b"{") + data.count(b"[")
    if containers > limits.json_containers:
        raise OverLimit("json_containers")
    if containers + data.count(b'"') + data.count(b",") > limits.json_marks:
        raise OverLimit("json_marks")
    return bytes(data), damage


def _decoded(data: bytes) -> str:
    return data.decode(json.detect_encoding(data), "replace")


def _flat(values: list[Any], most: int) -> list[Any]:
    """Reports, also those that stand in a list."""
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return flat[:most] or [None]


def _fields(value: Any) -> Fields:
    """An object with its keys as the standard writes them; nothing for what is no object."""
    if not isinstance(value, dict):
        return {}
    return {key.strip().lower().replace("_", "-"): inside for key, inside in value.items()}


class _Reader:
    """Reads one report and counts what is wrong with it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._defects: list[Defect] = []
        self._noted = 0
        self._failures = 0

    def note(self, kind: DefectKind, place: str, detail: str = "") -> None:
        """Remember a defect, as long as there are not too many."""
        self._noted += 1
        if len(self._defects) < self._limits.defects:
            self._defects.append(Defect(kind, place, detail[:200]))

    def report(self, value: Any, file: str, data: bytes) -> TlsReport | Unreadable:
        """The report, or why there is none."""
        fields = _fields(value)
        if not fields.keys() & {"policies", "organization-name", "report-id", "date-range"}:
            return Unreadable(file, "not-a-report")
        begin, end = self._date_range(_fields(fields.get("date-range")), file)
        if begin is None or end is None:
            return Unreadable(file, "no-date-range")
        policies, read, repaired = self._policies(fields.get("policies"))
        return TlsReport(
            self._text(fields, "organization-name", "", wanted=True),
            self._text(fields, "contact-info", ""),
            self._text(fields, "report-id", "", wanted=True),
            begin,
            end,
            tuple(policies),
            read,
            repaired,
            read - len(policies),
            tuple(self._defects),
            self._noted - len(self._defects),
            sha256(data).digest(),
            file,
        )

    def _date_range(self, fields: Fields, file: str) -> tuple[int | None, int | None]:
        begin = self._moment(fields, "start-datetime")
        end = self._moment(fields, "end-datetime")
        if begin is None and end is None:
            facts = facts_of_name(file)
            return facts.begin, facts.end
        if begin is not None and end is not None and end < begin:
            self.note(DefectKind.UNUSABLE, "date-range", "ends before it begins")
        return (end if begin is None else begin), (begin if end is None else end)

    def _moment(self, fields: Fields, key: str) -> int | None:
        text = self._text(fields, key, "date-range/", wanted=True)
        if not text:
            return None
        seconds, _ = moment_of(text)
        if seconds is None:
            self.note(DefectKind.UNUSABLE, f"date-range/{key}", text)
        elif not _has_zone(text):
            self.note(DefectKind.BENT, f"date-range/{key}", text)
        return seconds

    def _policies(self, value: Any) -> tuple[list[TlsPolicy], int, int]:
        """Policies, how many there were, and how many of those kept had to be repaired."""
        items = self._list(value, "policies")
        if not items:
            self.note(DefectKind.MISSING, "policies")
        if len(items) > self._limits.records:
            self.note(DefectKind.TOO_MANY, f"policy {self._limits.records + 1}")
            items = items[: self._limits.records]
        policies: list[TlsPolicy] = []
        repaired = 0
        for number, item in enumerate(items, start=1):
            noted = self._noted
            policy = self._policy(_fields(item), f"policy {number}")
            if policy:
                policies.append(policy)
                repaired += self._noted > noted
        return policies, len(items), repaired

    def _policy(self, item: Fields, place: str) -> TlsPolicy | None:
        # Some write the fields of "policy" beside it.
        fields = _fields(item.get("policy")) or item
        if fields is item:
            self.note(DefectKind.MISSING, f"{place}/policy")
        summary = _fields(item.get("summary"))
        domain = self._text(fields, "policy-domain", f"{place}/", wanted=True)
        if not domain:
            return None
        return TlsPolicy(
            self._text(fields, "policy-type", f"{place}/", wanted=True).lower(),
            domain_of(domain)[0],
            self._texts(fields, "policy-string", place),
            # RFC 8460 4.4 calls it mx-host; its own example and many reporters give one text instead of a list.
            self._texts(fields, "mx-host", place) or self._texts(fields, "mx-host-pattern", place),
            self._count(summary, "total-successful-session-count", place),
            self._count(summary, "total-failure-session-count", place),
            tuple(self._failure_details(item.get("failure-details"), place)),
        )

    def _failure_details(self, value: Any, place: str) -> Iterator[TlsFailure]:
        for number, item in enumerate(self._list(value, f"{place}/failure-details"), start=1):
            where = f"{place}/failure {number}"
            self._failures += 1
            if self._failures > self._limits.records:
                self.note(DefectKind.TOO_MANY, where)
                return
            fields = _fields(item)
            if not fields:
                self.note(DefectKind.UNUSABLE, where)
                continue
            yield TlsFailure(
                self._text(fields, "result-type", f"{where}/", wanted=True).lower(),
                self._text(fields, "sending-mta-ip", where),
                self._text(fields, "receiving-mx-hostname", where),
                self._text(fields, "receiving-mx-helo", where),
                self._text(fields, "receiving-ip", where),
                self._count(fields, "failed-session-count", where),
                self._text(fields, "additional-information", where),
                self._text(fields, "failure-reason-code", where),
            )

    def _list(self, value: Any, place: str) -> list[Any]:
        if value is None or isinstance(value, list):
            return value or []
        self.note(DefectKind.BENT, place, "no list")
        return [value]

    def _texts(self, fields: Fields, key: str, place: str) -> tuple[str, ...]:
        """A list of texts. One text is a list of its lines."""
        value = fields.get(key)
        if isinstance(value, str):
            return tuple(line.strip()[: self._limits.text_chars] for line in value.splitlines()[:100] if line.strip())
        items = value[:100] if isinstance(value, list) else []
        return tuple(self._text({key: item}, key, place) for item in items if isinstance(item, _WORDS) and item != "")

    def _count(self, fields: Fields, key: str, place: str) -> int | None:
        value = fields.get(key)
        if value is None:
            self.note(DefectKind.MISSING, f"{place}/{key}")
            return None
        count, repaired = count_of(str(value), self._limits.count) if isinstance(value, _WORDS) else (None, True)
        if count is None:
            self.note(DefectKind.UNUSABLE, f"{place}/{key}", str(value)[:200])
        elif repaired or not isinstance(value, int):
            self.note(DefectKind.BENT, f"{place}/{key}", str(value))
        return count

    def _text(self, fields: Fields, key: str, place: str, *, wanted: bool = False) -> str:
        """A text or number as text, without blanks around it; empty for none."""
        value = fields.get(key)
        text = str(value).strip() if isinstance(value, _WORDS) and not isinstance(value, bool) else ""
        text = text.encode("utf-8", "replace").decode("utf-8")  # JSON can write half of a surrogate pair
        if wanted and not text:
            self.note(DefectKind.MISSING, f"{place}{key}")
        if len(text) > self._limits.text_chars:
            self.note(DefectKind.TOO_LONG, f"{place}{key}")
            return text[: self._limits.text_chars]
        return text


def _has_zone(text: str) -> bool:
    """Whether this is a time as RFC 3339 wants it."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
