"""From the elements of a report to its values, whichever way the elements were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element

from mailguard.feedback.known import Key, known_within, usual_dkim_result, usual_spf_result
from mailguard.feedback.layout import Layout, ResultAt, Texts, local_name, of_element
from mailguard.feedback.limits import Effort, Enough, Limits, OverLimit
from mailguard.feedback.place import facts_of_name
from mailguard.feedback.report import (
    AggregateReport,
    Defect,
    DefectKind,
    DkimResult,
    PolicyPublished,
    Reason,
    Record,
    Said,
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

_POLICY_TAGS: Final = ("p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing", "discovery_method")
_PARTS: Final = frozenset({"record", "report_metadata", "policy_published"})
_USUAL_CHARS: Final = 300
_NO_RESULT: Final = ("", "", "")


def _children(element: Element | None) -> Children:
    found: Children = {}
    for child in () if element is None else element:
        found.setdefault(local_name(child.tag), []).append(child)
    return found


def _first(children: Children, name: str) -> Element | None:
    elements = children.get(name)
    return elements[0] if elements else None


def _text_in(children: Children, name: str) -> str | None:
    elements = children.get(name)
    return elements[0].text or "" if elements else None


def _text_at(texts: Texts, position: int | None) -> str | None:
    return None if position is None else texts[position]


class Collector:
    """Takes the parts of one report in any order and puts the report together. ``effort`` is the whole mail's."""

    def __init__(self, limits: Limits, effort: Effort) -> None:
        self._limits = limits
        self._effort = effort
        self._kept_when_counted = 0
        self._records: list[Record] = []
        self._known = known_within(limits.text_chars)
        self._usual = min(_USUAL_CHARS, limits.text_chars)
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
        name = local_name(child.tag)
        if name == "record":
            self.take_record(*of_element(child), mended=mended, undecodable=undecodable)
            return
        self._count_other()
        self._note_changes(name, mended, undecodable)
        # The root is emptied after each child, but what it held stays whole while somebody holds it.
        if name == "report_metadata":
            self._metadata = self._only(self._metadata, child, name)
        elif name == "policy_published":
            self._policy = self._only(self._policy, child, name)
        elif name == "version":
            self._version = self._text(child.text, name)
        else:
            self._look_into(child, name)

    def _only(self, known: Element | None, child: Element, name: str) -> Element:
        """The first of its kind; RFC 9990 3.1.1 has one of each."""
        if known is None:
            return child
        self.note(DefectKind.TOO_MANY, name)
        return known

    def _look_into(self, child: Element, name: str) -> None:
        """Parts that somebody wrapped into an element of another name."""
        parts = [inner for inner in child.iter() if local_name(inner.tag) in _PARTS]
        if parts:
            self.note(DefectKind.BENT, name, "parts of the report lie inside")
        for part in parts:
            self.take(part)

    def drop(self, child: Element) -> None:
        """A child with too many elements in it."""
        self.lose(local_name(child.tag))

    def lose(self, name: str) -> None:
        """A part that could not be read."""
        if name == "record":
            self._read += 1
            self.note(DefectKind.UNUSABLE, f"record {self._read}")
            self._count_dropped()
        else:
            self._count_other()
            self.note(DefectKind.UNUSABLE, name)

    def count(self, elements: int) -> None:
        """So many elements were parsed. Raises OverLimit for ``elements``."""
        kept = len(self._records)
        self._effort.take(elements, kept - self._kept_when_counted)
        self._kept_when_counted = kept

    def note(self, kind: DefectKind, place: str, detail: str = "") -> None:
        """Remember a defect, as long as there are not too many."""
        self._noted += 1
        if len(self._defects) < self._limits.defects:
            self._defects.append(Defect(kind, place, detail[:200]))

    def report(self, digest: bytes, place: str = "") -> AggregateReport | str:
        """The report, or in one word why there is none; ``digest`` is the file's, ``place`` where it lay."""
        if self._metadata is None and self._policy is None and not self._read:
            return "not-a-report"
        policy = self._policy_published(place)
        if not policy.domain:
            return "no-policy-domain"
        metadata = _children(self._metadata)
        begin, end = self._date_range(_children(_first(metadata, "date_range")), place)
        if begin is None or end is None:
            return "no-date-range"
        if not self._read:
            self.note(DefectKind.MISSING, "record")
        texts = self._metadata_texts(metadata)
        errors = tuple(self._text(error.text, "report_metadata/error") for error in metadata.get("error", ())[:10])
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
            place=place,
        )

    def _metadata_texts(self, metadata: Children) -> dict[str, Any]:
        wanted = ("org_name", "report_id")
        return {
            name: self._text(_text_in(metadata, name), f"report_metadata/{name}", wanted=name in wanted)
            for name in ("org_name", "email", "extra_contact_info", "report_id", "generator")
        }

    def _count_other(self) -> None:
        self._others += 1
        if self._others > self._limits.others:
            raise OverLimit("others")

    def _count_dropped(self) -> None:
        kept = len(self._records)
        dropped = self._read - kept
        # A report of which hardly anything can be read is a bomb of empty records rather than a report.
        if dropped > (self._limits.dropped if kept >= dropped else self._limits.mostly_dropped):
            raise OverLimit("dropped")

    def _note_changes(self, place: str, mended: bool, undecodable: bool) -> None:
        if mended:
            self.note(DefectKind.NOT_WELL_FORMED, place)
        if undecodable:
            self.note(DefectKind.UNDECODABLE, place)

    def take_record(self, layout: Layout, texts: Texts, *, mended: bool = False, undecodable: bool = False) -> None:
        """Read one record from its texts. Raises OverLimit for ``dropped``, and Enough."""
        if len(self._records) >= self._limits.records:
            self.note(DefectKind.TOO_MANY, f"record {self._read + 1}")
            raise Enough
        self._read += 1
        key = (layout, layout.rest(texts))
        said = self._known.get(key)
        if said and not mended and not undecodable and (record := self._usual_record(layout, texts, said)):
            self._records.append(record)
            return
        place = f"record {self._read}"
        noted = self._noted
        self._note_changes(place, mended, undecodable)
        # Without its source or its number of messages a record says nothing.
        source_ip = self._value(_text_at(texts, layout.source_ip), place, "source_ip", address_of)
        count = self._value(_text_at(texts, layout.count), place, "count", self._count_of)
        if source_ip is None or count is None:
            self._count_dropped()
            return
        self._records.append(Record(source_ip, count, said or self._said(key, texts, place)))
        self._repaired += self._noted > noted

    def _usual_record(self, layout: Layout, texts: Texts, said: Said) -> Record | None:
        """A record of a source and count about which there is nothing to note."""
        if layout.source_ip is None or layout.count is None:
            return None
        source_ip, count = texts[layout.source_ip], texts[layout.count]
        if len(source_ip) > self._usual or len(count) > self._usual:
            return None
        address, mended = address_of(source_ip)
        number, bent = count_of(count, self._limits.count)
        return None if address is None or number is None or mended or bent else Record(address, number, said)

    def _count_of(self, text: str) -> tuple[int | None, bool]:
        return count_of(text, self._limits.count)

    def _said(self, key: Key, texts: Texts, place: str) -> Said:
        """What a record says beside its source and count. Said in the same words again, it is not read again."""
        noted = self._noted
        said = self._read_said(key[0], texts, place)
        if self._noted == noted:
            self._known.put(key, said)
        return said

    def _read_said(self, layout: Layout, texts: Texts, place: str) -> Said:
        for name in layout.bent:
            self.note(DefectKind.BENT, f"{place}/{name}")
        return Said(
            self._value(_text_at(texts, layout.disposition), place, "disposition", disposition_of)
            or Disposition.UNKNOWN,
            self._value(_text_at(texts, layout.dkim), place, "dkim", alignment_of) or Alignment.UNKNOWN,
            self._value(_text_at(texts, layout.spf), place, "spf", alignment_of) or Alignment.UNKNOWN,
            self._reasons(layout, texts, place),
            self._value(_text_at(texts, layout.header_from), place, "header_from", domain_of) or "",
            self._optional(_text_at(texts, layout.envelope_from), place),
            self._optional(_text_at(texts, layout.envelope_to), place),
            tuple([self._dkim_result(texts, at, place) for at in layout.dkim_results]),
            tuple([self._spf_result(texts, at, place) for at in layout.spf_results]),
        )

    def _reasons(self, layout: Layout, texts: Texts, place: str) -> tuple[Reason, ...]:
        found = []
        for at in layout.reasons:
            kind = self._text(_text_at(texts, at.type), place) or self._text(texts[at.own], place)
            if kind:
                found.append(Reason(kind.lower(), self._text(_text_at(texts, at.comment), place)))
        return tuple(found)

    def _result(self, texts: Texts, at: ResultAt, place: str) -> tuple[str, str, AuthResult]:
        return (
            self._optional(_text_at(texts, at.domain), place) or "",
            self._text(_text_at(texts, at.label), place),
            self._value(_text_at(texts, at.result), place, "result", auth_result_of) or AuthResult.UNKNOWN,
        )

    def _dkim_result(self, texts: Texts, at: ResultAt, place: str) -> DkimResult:
        known = usual_dkim_result(*self._short(texts, at))
        return known or DkimResult(*self._result(texts, at, f"{place}/auth_results/dkim"))

    def _spf_result(self, texts: Texts, at: ResultAt, place: str) -> SpfResult:
        known = usual_spf_result(*self._short(texts, at))
        if known:
            return known
        domain, scope, result = self._result(texts, at, f"{place}/auth_results/spf")
        return SpfResult(domain, scope.lower(), result)

    def _short(self, texts: Texts, at: ResultAt) -> tuple[str, str, str]:
        """The three texts of a result where none is missing or long; else nothing."""
        if at.domain is None or at.label is None or at.result is None:
            return _NO_RESULT
        found = texts[at.domain], texts[at.label], texts[at.result]
        return found if len("".join(found)) <= self._usual else _NO_RESULT

    def _policy_published(self, place: str) -> PolicyPublished:
        inside = _children(self._policy)
        domain = self._value(_text_in(inside, "domain"), "policy_published", "domain", domain_of)
        if not domain:
            domain = facts_of_name(place).domain or self._only_header_from()
        tags = {tag: self._text(_text_in(inside, tag), "policy_published").lower() or None for tag in _POLICY_TAGS}
        return PolicyPublished(domain, **tags)

    def _only_header_from(self) -> str:
        """The author domain of all records, where they agree; empty where they do not."""
        domains = {record.said.header_from for record in self._records}
        return domains.pop() if len(domains) == 1 else ""

    def _date_range(self, inside: Children, file: str) -> tuple[int | None, int | None]:
        """Begin and end; where one of them is missing, both are the other; without both, those in the file's name."""
        place = "report_metadata/date_range"
        begin = self._value(_text_in(inside, "begin"), place, "begin", moment_of)
        end = self._value(_text_in(inside, "end"), place, "end", moment_of)
        if begin is None and end is None:
            facts = facts_of_name(file)
            return facts.begin, facts.end
        if begin is not None and end is not None and end < begin:
            self.note(DefectKind.UNUSABLE, place, "ends before it begins")
        return (end if begin is None else begin), (begin if end is None else end)

    def _value(self, raw: str | None, place: str, name: str, read: Callable[[str], tuple[T | None, bool]]) -> T | None:
        """A value that must be there; whatever is wrong with it is noted."""
        if raw and len(raw) <= self._usual:
            value, repaired = read(raw)
            if value and not repaired:
                return value
        text = self._text(raw, place)
        if not text:
            self.note(DefectKind.MISSING, f"{place}/{name}")
            return None
        value, repaired = read(text)
        if repaired:
            kind = DefectKind.UNUSABLE if value is None else DefectKind.BENT
            self.note(kind, f"{place}/{name}", text)
        return value

    def _optional(self, raw: str | None, place: str) -> str | None:
        """A domain name that need not be there; ``None`` where it is not."""
        if raw is None:
            return None
        return domain_of(raw if len(raw) <= self._usual else self._text(raw, place))[0]

    def _text(self, raw: str | None, place: str, *, wanted: bool = False) -> str:
        """A text without blanks around it; empty for none."""
        text = raw.strip() if raw else ""
        if not text:
            if wanted:
                self.note(DefectKind.MISSING, place)
            return ""
        if len(text) > self._limits.text_chars:
            self.note(DefectKind.TOO_LONG, place)
            return text[: self._limits.text_chars]
        return text
