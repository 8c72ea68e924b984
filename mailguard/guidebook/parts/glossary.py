"""The words of the guide, each in one sentence, and all sources of its statements."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.guidebook.blocks import Block, Heading, Paragraph, Part, Rich, Span, Table
from mailguard.guidebook.case import Case
from mailguard.guidebook.claims import load_claims, source_list
from mailguard.guidebook.glossary import Group, Term, load_glossary
from mailguard.guidebook.texts import Texts


def make(case: Case, texts: Texts) -> Part:
    """The same for every domain: words first, then sources."""
    return Part("glossary", texts("glossary.title"), tuple(_blocks(texts)))


def _blocks(texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts("glossary.lead"), lead=True)
    for group in load_glossary():
        yield from _group(group, texts)
    yield Heading(texts("glossary.sources"), anchor="glossary-sources")
    yield Paragraph(texts("glossary.sources-lead"))
    yield source_list(load_claims().sources.values(), texts)
    yield Paragraph(texts("glossary.sources-note"))
    yield Paragraph(texts("glossary.standards"))


def _group(group: Group, texts: Texts) -> Iterator[Block]:
    yield Heading(_own(group.title.of(texts.language)), anchor=f"glossary-{group.id}")
    head = (texts("glossary.head-word"), texts("glossary.head-other"), texts("glossary.head-meaning"))
    yield Table(head, tuple(_row(term, texts) for term in group.terms), widths=(30, 20, 50))


def _row(term: Term, texts: Texts) -> tuple[Rich, ...]:
    if texts.language == "ja":
        return _japanese(term, texts), _own(term.name.en), _own(term.says.ja)
    return texts("glossary.word", word=_own(term.name.en)), _japanese(term, texts), _own(term.says.en)


def _japanese(term: Term, texts: Texts) -> Rich:
    """The Japanese word, with its reading where it is not written as it is read."""
    if term.reading == term.name.ja:
        return texts("glossary.word", word=_own(term.name.ja))
    return texts("glossary.word-read", word=_own(term.name.ja), reading=_own(term.reading))


def _own(text: str) -> Rich:
    return (Span(text),)
