"""The parts of a guide, in their order, and the book made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Final

from mailguard.guidebook.blocks import Book, Imprint, Part, Reader
from mailguard.guidebook.case import Case, Document
from mailguard.guidebook.days import in_japan
from mailguard.guidebook.texts import Texts

if TYPE_CHECKING:
    from mailguard.guidebook.portfolio import Portfolio

NOBODY: Final = Imprint()

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


def make_portfolio_book(
    portfolio: Portfolio, language: str, *, pages: bool = False, furigana: bool = False, imprint: Imprint = NOBODY
) -> Book:
    """The report over many clinics; there must be one at least. ``pages`` adds page one of each."""
    from mailguard.guidebook.parts.portfolio import make_parts

    texts = Texts(language)
    cases = [member.case for member in portfolio.members]
    return Book(
        language=language,
        title=texts("portfolio.book"),
        domain="",
        made_at=max(case.made_at for case in cases),
        as_of=min(case.as_of for case in cases),
        parts=make_parts(portfolio, texts, pages=pages),
        imprint=imprint,
        furigana=furigana,
        number=_number((case.document for case in cases), portfolio.key),
    )


def book_number(case: Case) -> str:
    """A short number by which sender and reader can speak of one guide: same audit, same number."""
    return _number([case.document])


def _number(documents: Iterable[Document], key: bytes = b"") -> str:
    """With a key nobody can prove a guess at the names by the number."""
    told = sorted(f"{document['domain']} {document['as_of']}" for document in documents)
    day = in_japan(min(datetime.fromisoformat(one.rpartition(" ")[2]) for one in told))
    return f"MG-{day:%Y%m%d}-{hashlib.sha256(key + chr(10).join(told).encode()).hexdigest()[:6].upper()}"


def only(book: Book, *ids: str) -> Book:
    """The book with some of its parts, for a letter alone or a check sheet alone."""
    return replace(book, parts=tuple(part for part in book.parts if part.id in ids))


def _parts(case: Case, texts: Texts) -> Iterator[Part]:
    for name in PARTS:
        make: PartMaker = import_module(f"mailguard.guidebook.parts.{name}").make
        part = make(case, texts)
        if part is not None:
            yield part
