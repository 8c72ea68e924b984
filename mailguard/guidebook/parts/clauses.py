"""Which part of the guide helps with which clause of the ministry's guideline, and what the texts do not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from mailguard.guidebook.blocks import Block, Callout, Heading, Kind, Paragraph, Part, Reader, Rich, Span, Table, Tone
from mailguard.guidebook.case import Case
from mailguard.guidebook.claims import Source, source_list, told
from mailguard.guidebook.clauses import Clause, Guideline, load_guideline
from mailguard.guidebook.letters import make_letters
from mailguard.guidebook.telling import anchor_of, listed, plan_of, unique
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail

_READ: Final = "clauses-read"
"""The anchor of the list of texts in which clauses were read."""


def make(case: Case, texts: Texts) -> Part:
    """The table, after what has to be known before it is used."""
    guideline = load_guideline()
    numbers = {source: number for number, source in enumerate(guideline.sources, 1)}
    intro = (Paragraph(texts("clauses.lead"), lead=True), *_duty(guideline, texts))
    tables = _Tables(case, texts, numbers)
    blocks = (
        *intro,
        *tables.clauses(guideline),
        *tables.items(guideline),
        *_programmes(case, texts),
        Heading(texts("clauses.read"), 2, anchor=_READ),
        source_list(_ordered(guideline.sources, numbers), texts),
    )
    return Part("clauses", texts("clauses.title"), told(blocks, texts, "clauses"), frozenset((Reader.IT,)))


def _ordered(sources: Mapping[str, Source], numbers: Mapping[str, int]) -> Sequence[Source]:
    return [sources[source] for source in sorted(numbers, key=numbers.__getitem__)]


def _duty(guideline: Guideline, texts: Texts) -> Iterator[Block]:
    edition = guideline.edition
    newer = texts(
        "clauses.duty.newer",
        title=edition.title.of(texts.language),
        version=edition.version.of(texts.language),
        day=edition.checked,
    )
    words = (texts("clauses.duty.none"), texts("clauses.duty.rule"), newer)
    yield Callout(texts("clauses.duty"), tuple(map(Paragraph, words)), Tone.CARE)


def _programmes(case: Case, texts: Texts) -> Iterator[Block]:
    if case.document["programmes"]:
        yield Heading(texts("clauses.programmes"))
        link = (Span(texts.plain("findings.programmes"), Kind.LINK, "#programmes"),)
        yield Paragraph(texts("clauses.programmes.text", part=link))


_PRESENT: Final[Mapping[str, Callable[[Case], bool]]] = {
    "difference": lambda case: case.previous is not None,
    "monitoring": lambda case: case.traffic is not None,
    "letters": lambda case: bool(make_letters(case, plan_of(case))),
    "questionnaire": lambda case: not is_without_mail(case.document),
}
"""Parts that not every guide has."""


class _Tables:
    """Clauses and items in rows."""

    def __init__(self, case: Case, texts: Texts, numbers: Mapping[str, int]) -> None:
        self._texts = texts
        self._numbers = numbers
        self._findings = unique(case.document["findings"])
        self._absent = {part for part, is_present in _PRESENT.items() if not is_present(case)}

    def clauses(self, guideline: Guideline) -> Iterator[Block]:
        """The guideline's clauses."""
        yield Heading(self._texts("clauses.clauses"))
        rows = tuple(self._clause(clause) for clause in guideline.clauses.values())
        yield Table(self._head("clause", "asks", "helps", "findings"), rows, widths=(23, 27, 31, 19))

    def items(self, guideline: Guideline) -> Iterator[Block]:
        """The checklist's items."""
        texts, edition = self._texts, guideline.checklist
        yield Heading(texts("clauses.items"))
        lead = texts(
            "clauses.items.lead",
            title=edition.title.of(texts.language),
            version=edition.version.of(texts.language),
            day=edition.checked,
        )
        yield Paragraph(lead)
        rows = tuple((self._name(item), self._helps(item)) for item in guideline.items.values())
        yield Table(self._head("item", "helps"), rows, widths=(45, 55))

    def _head(self, *columns: str) -> tuple[Rich, ...]:
        return tuple(self._texts(f"clauses.column.{column}") for column in columns)

    def _clause(self, clause: Clause) -> tuple[Rich, ...]:
        asks = self._texts("clauses.asks", asks=clause.asks.of(self._texts.language))
        return self._name(clause), asks, self._helps(clause), self._near(clause)

    def _name(self, clause: Clause) -> Rich:
        texts = self._texts
        title, name = clause.title.of(texts.language), clause.name(texts.language)
        shape = ("both" if title else "number") if name else "title"
        words = texts(f"clauses.name.{shape}", name=name, title=title)
        if clause.read_in:
            words = texts(f"clauses.read-in.{clause.read_in}", name=words)
        numbers = [self._numbers[source] for source in clause.sources]
        mark = texts.plain("clauses.mark", numbers=listed(numbers, texts))
        return (*words, Span(mark, Kind.LINK, f"#{_READ}"))

    def _helps(self, clause: Clause) -> Rich:
        texts = self._texts
        helps = clause.helps.of(texts.language)
        links = [
            texts("clauses.part", part=(Span(texts.plain(f"{part}.title"), Kind.LINK, f"#{part}"),))
            for part in clause.parts
            if part not in self._absent
        ]
        return (
            texts("clauses.helps", helps=helps, parts=self._joined(links))
            if links
            else texts("clauses.helps.bare", helps=helps)
        )

    def _near(self, clause: Clause) -> Rich:
        rules = [one["rule"] for one in self._findings if one["rule"].rstrip("0123456789") in clause.families]
        links = [(Span(rule, Kind.LINK, f"#{anchor_of(rule)}"),) for rule in rules]
        return self._joined(links) or self._texts("clauses.findings.none")

    def _joined(self, items: Sequence[Rich]) -> Rich:
        comma = self._texts("todo.comma")
        return tuple(span for number, item in enumerate(items) for span in (*(comma if number else ()), *item))
