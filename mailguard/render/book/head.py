"""What stands at the head of a guide in every form."""

from __future__ import annotations

from mailguard.guidebook.blocks import Book
from mailguard.guidebook.days import format_date, format_time
from mailguard.guidebook.texts import Texts
from mailguard.render.safe import visible


def facts_of(book: Book, texts: Texts) -> tuple[tuple[str, str], ...]:
    """When it was made, as of when it holds, and its number, each with its name."""
    facts = (
        (texts.plain("layout.made"), format_date(book.made_at, book.language)),
        (texts.plain("layout.as_of"), format_time(book.as_of, book.language)),
        (texts.plain("layout.number"), visible(book.number)),
    )
    return tuple((name, value) for name, value in facts if value)
