"""A book as PDF, drawn by WeasyPrint from the same templates as the HTML.

The engine is handed one text and may fetch nothing: every address but a ``data:`` one is refused. It keeps what it
learned of fonts and pictures for as long as its process lives, so whoever makes many PDFs lets ``pool`` do it.
"""

from __future__ import annotations

import hashlib
import logging
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import OperationError
from mailguard.guidebook.blocks import Book
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.render.book.fonts import Font, find_font
from mailguard.render.book.html import Medium, render_html
from mailguard.render.book.style import css_string

if TYPE_CHECKING:
    import pydyf  # type: ignore[import-untyped]

_VARIANT: Final = "pdf/ua-1"


def render_pdf(book: Book, brand: Brand = PLAIN, *, font: str | None = None) -> bytes:
    """An accessible PDF on A4: tagged, with language, outline and page numbers. It opens with its outline shown.

    The same book, brand and fonts give the same bytes: all dates in it are the book's own.

    Args:
        font: A family, or a font file, that comes before ours.

    Raises:
        UsageError: the wanted font is not there, or a template of the brand is broken.
        OperationError: the engine's own libraries are missing, or no font here can show Japanese.
    """
    weasyprint = _engine()
    drawn = find_font(font)
    html = render_html(book, brand, medium=Medium.PAPER, font=drawn.family)
    styles = [weasyprint.CSS(string=_face(drawn), url_fetcher=_fetcher())] if drawn.file else []
    document = weasyprint.HTML(string=html, url_fetcher=_fetcher(), base_url=None)
    made: bytes = document.write_pdf(
        stylesheets=styles,
        pdf_variant=_VARIANT,
        pdf_identifier=hashlib.sha256(html.encode()).digest()[:16],
        finisher=_show_outline,
    )
    return made


def _engine() -> Any:
    """WeasyPrint. Its import loads the C library pango, which no wheel carries."""
    try:
        import weasyprint  # type: ignore[import-untyped]
    except OSError as error:
        told = (
            "PDF needs the library pango, which is not on this machine; install it "
            "(Debian: libpango-1.0-0 and libpangoft2-1.0-0)."
        )
        raise OperationError(told) from error
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it tells of every rule of CSS that it does not know
    return weasyprint


def _fetcher() -> Any:
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


def _face(font: Font) -> str:
    assert font.file is not None
    content = b64encode(font.file.read_bytes()).decode("ascii")
    return f"@font-face {{ font-family: {css_string(font.family)}; src: url(data:font/sfnt;base64,{content}) }}"


def _show_outline(document: Any, pdf: pydyf.PDF) -> None:
    """Readers open with the outline (しおり) beside the page, where there is one."""
    if "Outlines" in pdf.catalog:
        pdf.catalog["PageMode"] = "/UseOutlines"
