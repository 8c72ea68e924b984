"""The parts of a guide, in their order, and the book made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Final

from mailguard.guidebook.blocks import Book, Part, Reader
from mailguard.guidebook.case import Case
from mailguard.guidebook.texts import Texts

PartMaker = Callable[[Case, Texts], Part | None]
"""``make`` of a module under ``parts``. None: there is nothing to say."""

PARTS: Final = (
    "director",
    "todo",
    "findings",
    "letters",
    "questionnaire",
    "checksheet",
    "clauses",
    "difference",
    "monitoring",
    "evidence",
    "incident",
    "training",
    "booklet",
    "glossary",
)
"""Modules under ``guidebook/parts``, which are the parts' ids too. Their order is that of the book."""


def make_book(
    case: Case, language: str, *, readers: Collection[Reader] = tuple(Reader), furigana: bool = False
) -> Book:
    """The guide of one domain, with the parts that are for any of the readers."""
    texts = Texts(language)
    return Book(
        language=language,
        title=texts("book.title"),
        domain=case.domain,
        made_at=case.made_at,
        as_of=case.as_of,
        parts=tuple(part for part in _parts(case, texts) if part.readers & frozenset(readers)),
        imprint=case.imprint,
        furigana=furigana,
        number=book_number(case),
    )


def book_number(case: Case) -> str:
    """A short number by which sender and reader can speak of one guide: same audit, same number."""
    told = f"{case.document['domain']} {case.document['as_of']}"
    return f"MG-{case.as_of:%Y%m%d}-{hashlib.sha256(told.encode()).hexdigest()[:6].upper()}"


def only(book: Book, *ids: str) -> Book:
    """The book with some of its parts, for a letter alone or a check sheet alone."""
    return replace(book, parts=tuple(part for part in book.parts if part.id in ids))


def _parts(case: Case, texts: Texts) -> Iterator[Part]:
    for name in PARTS:
        make: PartMaker = import_module(f"mailguard.guidebook.parts.{name}").make
        part = make(case, texts)
        if part is not None:
            yield part
