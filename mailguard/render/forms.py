"""A guide in every form: what each is called, and who makes it. Renderers are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mailguard.guidebook.blocks import Book
    from mailguard.guidebook.brand import Brand

BINARY: Final = frozenset({"pdf", "docx", "xlsx", "mail"})
"""Forms that are no text."""

Rendered = Iterator[tuple[str, bytes]]


def render(form: str, book: Book, brand: Brand, *, font: str | None = None) -> Rendered:
    """The files of one form, each as the end of its name and its content. Raises OperationError where it cannot be."""
    yield from _FORMS[form](book, brand, font)


def _html(book: Book, brand: Brand, _: str | None) -> Rendered:
    from mailguard.render.book.html import render_html

    yield ".html", render_html(book, brand).encode()


def _pdf(book: Book, brand: Brand, font: str | None) -> Rendered:
    from mailguard.render.book.pdf import render_pdf

    yield ".pdf", render_pdf(book, brand, font=font)


def _markdown(book: Book, _: Brand, __: str | None) -> Rendered:
    from mailguard.render.book.markdown import render_markdown

    yield ".md", render_markdown(book).encode()


def _text(book: Book, _: Brand, __: str | None) -> Rendered:
    from mailguard.render.book.text import render_text

    yield ".txt", render_text(book).encode()


def _json(book: Book, _: Brand, __: str | None) -> Rendered:
    from mailguard.render.book.data import render_json

    yield ".json", render_json(book).encode()


def _docx(book: Book, brand: Brand, _: str | None) -> Rendered:
    from mailguard.render.book.docx import render_letters

    for name, content in render_letters(book, brand):
        yield f"-{name}.docx", content


def _xlsx(book: Book, brand: Brand, _: str | None) -> Rendered:
    from mailguard.render.book.xlsx import render_checksheet

    if not any(part.id == "checksheet" for part in book.parts):
        return
    yield "-checksheet.xlsx", render_checksheet(book, brand)


def _mail(book: Book, brand: Brand, font: str | None) -> Rendered:
    from mailguard.render.book.mail import render_draft

    yield ".eml", render_draft(book, brand, font=font)


_FORMS: Final[dict[str, Callable[[Book, Brand, str | None], Rendered]]] = {
    "html": _html,
    "pdf": _pdf,
    "markdown": _markdown,
    "text": _text,
    "json": _json,
    "docx": _docx,
    "xlsx": _xlsx,
    "mail": _mail,
}
