"""From the elements of a report to its values, whichever way the elements were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from xml.etree.ElementTree import Element

from mailguard.feedback.limits import Enough, Limits, OverLimit
from mailguard.feedback.report import (
    AggregateReport,
    Defect,
    DefectKind,
    DkimResult,
    PolicyPublished,
    Reason,
    Record,
    SpfResult,
)
from mailguard.feedback.values import (
    Alignment,
    AuthResult,
    Disposition,
    address_of,
    alignment_of,
    auth_result_of,
    count_of,
    disposition_of,
    domain_of,
    moment_of,
)

T = TypeVar("T")
Children = dict[str, list[Element]]

_NOTHING: Final[Children] = {}
_POLICY_TAGS: Final = ("p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method")


def _local(tag: str) -> str:
    """The name without its namespace: many reports have none, some a wrong one."""
    return tag.rpartition("}")[2]


def _children(element: Element | None) -> Children:
    if element is None or not len(element):
        return _NOTHING
    found: Children = {}
    for child in element:
        found.setdefault(_local(child.tag), []).append(child)
    return found


def _first(children: Children, name: str) -> Element | None:
    elements = children.get(name)
    return elements[0] if elements else None


class Collector:
    """Takes the parts of one report in any order and puts the report together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._records: list[Record] = []
        self._defects: list[Defect] = []
        self._noted = 0
        self._read = 0
        self._repaired = 0
        self._others = 0
        self._metadata: Element | None = None
        self._policy: Element | None = None
        self._version = ""

    def take(self, child: Element, *, mended: bool = False, undecodable: bool = False) -> None:
        """Read one child of the root element. Raises OverLimit for ``others`` and ``dropped``, and Enough.

        ``mended`` and ``undecodable`` say that its text was changed so that it could be read at all.
        """
        name = _local(child.tag)
        if name == "record":
            self._take_record(child, mended, undecodable)
            return
        self._count_other()
        self._note_changes(name, mended, undecodable)
        # The root is emptied after each child, but what it held stays whole while somebody holds it.
        if name == "report_metadata" and self._metadata is None:
            self._metadata = child
        elif name == "policy_published" and self._policy is None:
            self._policy = child
        elif name == "version":
            self._version = self._text(child, name)

    def drop(self, child: Element) -> None:
        """A child with too many elements in it."""
        self.lose(_local(child.tag))

    def lose(self, name: str) -> None:
        """A part that could not be read."""
        if name == "record":
            self._read += 1
            self.note(DefectKind.UNUSABLE, f"record {self._read}")
            self._count_dropped()
        else:
            self._count_other()
            self.note(DefectKind.UNUSABLE, name)

    def note(self, kind: DefectKind, place: str, detail: str = "") -> None:
        """Remember a defect, as long as there are not too many."""
        self._noted += 1
        if len(self._defects) < self._limits.defects:
            self._defects.append(Defect(kind, place, detail[:200]))

    def report(self, digest: bytes) -> AggregateReport | str:
        """The report, or in one word why there is none; ``digest`` is the file's."""
        if self._metadata is None and self._policy is None and not self._read:
            return "not-a-report"
        policy = self._policy_published()
        if not policy.domain:
            return "no-policy-domain"
        metadata = _children(self._metadata)
        begin, end = self._date_range(_children(_first(metadata, "date_range")))
        if begin is None or end is None:
            return "no-date-range"
        if not self._read:
            self.note(DefectKind.MISSING, "record")
        texts = {
            name: self._text(
                _first(metadata, name), f"report_metadata/{name}", wanted=name in ("org_name", "report_id")
            )
            for name in ("org_name", "email", "extra_contact_info", "report_id", "generator")
        }
        errors = tuple(self._text(error, "report_metadata/error") for error in metadata.get("error", ())[:10])
        return AggregateReport(
            **texts,
            begin=begin,
            end=end,
            errors=errors,
            version=self._version,
            policy=policy,
            records=tuple(self._records),
            read=self._read,
            repaired=self._repaired,
            dropped=self._read - len(self._records),
            defects=tuple(self._defects),
            defects_omitted=self._noted - len(self._defects),
            digest=digest,
        )

    def _count_other(self) -> None:
        self._others += 1
        if self._others > self._limits.others:
            raise OverLimit("others")

    def _count_dropped(self) -> None:
        if self._read - len(self._records) > self._limits.dropped:
            raise OverLimit("dropped")

    def _note_changes(self, place: str, mended: bool, undecodable: bool) -> None:
        if mended:
            self.note(DefectKind.NOT_WELL_FORMED, place)
        if undecodable:
            self.note(DefectKind.UNDECODABLE, place)

    def _take_record(self, element: Element, mended: bool, undecodable: bool) -> None:
        place = f"record {self._read + 1}"
        if len(self._records) >= self._limits.records:
            self.note(DefectKind.TOO_MANY, place)
            raise Enough
        self._read += 1
        noted = self._noted
        self._note_changes(place, mended, undecodable)
        record = self._record(element, place)
        if record is None:
            self._count_dropped()
            return
        self._records.append(record)
        self._repaired += self._noted > noted

    def _record(self, element: Element, place: str) -> Record | None:
        """A record; ``None`` where its source or its number of messages cannot be told."""
        parts = _children(element)
        row = _children(_first(parts, "row"))
        evaluated = _children(_first(row, "policy_evaluated"))
        # "identities" is the spelling of early drafts.
        identifiers = _children(_first(parts, "identifiers" if "identifiers" in parts else "identities"))
        results = _children(_first(parts, "auth_results"))
        source_ip = self._value(row, "source_ip", place, address_of)
        count = self._value(row, "count", place, lambda text: count_of(text, self._limits.count))
        if source_ip is None or count is None:
            return None
        return Record(
            source_ip,
            count,
            self._value(evaluated, "disposition", place, disposition_of) or Disposition.UNKNOWN,
            self._value(evaluated, "dkim", place, alignment_of) or Alignment.UNKNOWN,
            self._value(evaluated, "spf", place, alignment_of) or Alignment.UNKNOWN,
            self._reasons(evaluated, place),
            self._value(identifiers, "header_from", place, domain_of) or "",
            self._optional(identifiers, "envelope_from", place),
            self._optional(identifiers, "envelope_to", place),
            self._dkim_results(results, place),
            self._spf_results(results, place),
        )

    def _reasons(self, evaluated: Children, place: str) -> tuple[Reason, ...]:
        found = []
        for element in evaluated.get("reason", ()):
            inside = _children(element)
            kind = self._text(_first(inside, "type"), place) or self._text(element, place)
            if kind:
                found.append(Reason(kind.lower(), self._text(_first(inside, "comment"), place)))
        return tuple(found)

    def _dkim_results(self, results: Children, place: str) -> tuple[DkimResult, ...]:
        if "dkim" not in results:
            return ()
        return tuple(
            DkimResult(
                self._optional(inside, "domain", place) or "",
                self._text(_first(inside, "selector"), place),
                self._value(inside, "result", f"{place}/auth_results/dkim", auth_result_of) or AuthResult.UNKNOWN,
            )
            for inside in map(_children, results["dkim"])
            if inside
        )

    def _spf_results(self, results: Children, place: str) -> tuple[SpfResult, ...]:
        if "spf" not in results:
            return ()
        return tuple(
            SpfResult(
                self._optional(inside, "domain", place) or "",
                self._text(_first(inside, "scope"), place).lower(),
                self._value(inside, "result", f"{place}/auth_results/spf", auth_result_of) or AuthResult.UNKNOWN,
            )
            for inside in map(_children, results["spf"])
            if inside
        )

    def _policy_published(self) -> PolicyPublished:
        inside = _children(self._policy)
        domain = self._value(inside, "domain", "policy_published", domain_of) or ""
        tags = {tag: self._text(_first(inside, tag), "policy_published").lower() or None for tag in _POLICY_TAGS}
        return PolicyPublished(domain, **tags)

    def _date_range(self, inside: Children) -> tuple[int | None, int | None]:
        """Begin and end; where one of them is missing, both are the other."""
        place = "report_metadata/date_range"
        begin = self._value(inside, "begin", place, moment_of)
        end = self._value(inside, "end", place, moment_of)
        if begin is not None and end is not None and end < begin:
            self.note(DefectKind.UNUSABLE, place, "ends before it begins")
        return (end if begin is None else begin), (begin if end is None else end)

    def _value(
        self, children: Children, name: str, place: str, read: Callable[[str], tuple[T | None, bool]]
    ) -> T | None:
        """A value that must be there; whatever is wrong with it is noted."""
        text = self._text(_first(children, name), place)
        if not text:
            self.note(DefectKind.MISSING, f"{place}/{name}")
            return None
        value, repaired = read(text)
        if repaired:
            kind = DefectKind.UNUSABLE if value is None else DefectKind.BENT
            self.note(kind, f"{place}/{name}", text)
        return value

    def _optional(self, children: Children, name: str, place: str) -> str | None:
        """A domain name that need not be there; ``None`` where it is not."""
        element = _first(children, name)
        if element is None:
            return None
        return domain_of(self._text(element, place))[0]

    def _text(self, element: Element | None, place: str, *, wanted: bool = False) -> str:
        """An element's text without blanks around it; empty for none."""
        text = ((element.text if element is not None else None) or "").strip()
        if wanted and not text:
            self.note(DefectKind.MISSING, place)
        if len(text) > self._limits.text_chars:
            self.note(DefectKind.TOO_LONG, place)
            return text[: self._limits.text_chars]
        return text
