"""A book as one mail: a cover letter and the director's page; the whole guide is attached as PDF.

Nobody reads fifty pages in a mail, and Gmail cuts a body off at 102 KB, so the body is what one reads at once. It is
laid out in tables, because mail programs know little else, with every style written onto its element. Nothing is
fetched: charts and the logo travel along as pictures. The plain text says the same. The guide's HTML file is not
attached: gateways take bare ``.html`` files out of mails, rightly.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final

from markupsafe import Markup

from mailguard.guidebook.blocks import SYMBOLS, Block, Book, Chart, Heading, Kind, Paragraph, Part, Span, Tone
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.guidebook.texts import Texts
from mailguard.render.book.fonts import find_font
from mailguard.render.book.html import Medium, View, kind_of
from mailguard.render.book.mime import MailForm, Picture, compose_draft
from mailguard.render.book.pdf import render_pdf
from mailguard.render.book.picture import ZOOM, chart_png
from mailguard.render.book.spans import SpansToHtml
from mailguard.render.book.templates import check_size, telling
from mailguard.render.book.text import blocks_text
from mailguard.render.safe import brief

MAX_HTML_BYTES: Final = 100_000
"""Of the HTML. Gmail shows 102 KB of a message and hides the rest."""

_MOST: Final = 253
_UNSAFE_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands around the guide in a mail: to whom, from whom, why, and where to say no. All of it may be empty.

    ``lines`` are the sender's postal address and contact. ``basis`` says on what ground the mail is sent. Texts of a
    list of clinics are strangers' texts.
    """

    clinic: str = ""
    person: str = ""
    sender: str = ""
    lines: tuple[str, ...] = ()
    basis: str = ""
    opt_out_address: str = ""
    opt_out_url: str = ""


def render_mail(
    book: Book, brand: Brand = PLAIN, cover: Cover = Cover(), *, font: str | None = None, pdf: bytes | None = None
) -> MailForm:
    """The guide as a mail's content; ``mime.compose`` makes it a mail.

    Args:
        pdf: The guide as PDF, where it has been made already.

    Raises:
        UsageError, OperationError: as ``render_pdf`` does.
    """
    letter = Letter(book, cover)
    attached = render_pdf(book, brand, font=font) if pdf is None else pdf
    for pages in _choices(book):
        html, pictures = _html(book, brand, letter, pages, font)
        if len(html.encode()) <= MAX_HTML_BYTES:
            break
    blocks = (*letter.opening(), *(block for page in pages for block in _titled(page)), *letter.closing())
    return MailForm(letter.subject, blocks_text(blocks), html, pictures, attached, letter.file)


def render_draft(book: Book, brand: Brand = PLAIN, *, font: str | None = None) -> bytes:
    """The mail as an ``.eml`` file without sender and recipient, to be finished in a mail program."""
    imprint = book.imprint
    return compose_draft(render_mail(book, brand, Cover(sender=imprint.name, lines=imprint.lines), font=font))


class Letter:
    """The words around the guide."""

    def __init__(self, book: Book, cover: Cover) -> None:
        self._book = book
        self._cover = cover
        self._texts = Texts(book.language)
        self.file: Final = f"guide-{_UNSAFE_IN_NAMES.sub('-', book.domain)[:100].strip('-.') or 'domain'}.pdf"

    @property
    def subject(self) -> str:
        """One line that names whose guide it is."""
        facts = {"clinic": brief(self._cover.clinic, 60), "domain": brief(self._book.domain, 100)}
        return self._texts.plain("mail.subject" if self._cover.clinic else "mail.subject-domain", **facts)

    def opening(self) -> Iterator[Block]:
        """What stands before page one."""
        cover, texts = self._cover, self._texts
        clinic, person = brief(cover.clinic, _MOST), brief(cover.person, _MOST)
        if clinic and person:
            yield Paragraph(texts("mail.to-clinic-person", clinic=clinic, person=person))
        elif clinic or person:
            yield Paragraph(texts("mail.to-clinic" if clinic else "mail.to-person", name=clinic or person))
        else:
            yield Paragraph(texts("mail.to-nobody"))
        if cover.sender:
            yield Paragraph(texts("mail.hello", sender=brief(cover.sender, _MOST)))
        yield Paragraph(texts("mail.lead", domain=brief(self._book.domain, _MOST), time=self._book.as_of))
        yield Paragraph(texts("mail.pdf", file=self.file))
        yield Paragraph(texts("mail.honest"))

    def closing(self) -> Iterator[Block]:
        """What stands after it: closing words, who sends it, why, and how to say no."""
        cover, texts = self._cover, self._texts
        yield from (Paragraph((Span(brief(line), Kind.FACT),)) for line in self._book.imprint.closing)
        if cover.sender or cover.lines:
            yield Heading(texts("mail.sender"))
            shown = (cover.sender, *cover.lines)
            yield from (Paragraph((Span(brief(line), Kind.FACT),), Tone.QUIET) for line in shown if line)
        if cover.basis:
            yield Paragraph(texts("mail.basis", basis=brief(cover.basis, _MOST)), Tone.QUIET)
        if cover.opt_out_address:
            yield Paragraph(texts("mail.opt-out", address=cover.opt_out_address), Tone.QUIET)
        if cover.opt_out_url:
            link = (Span(texts.plain("mail.opt-out-page"), Kind.LINK, cover.opt_out_url),)
            yield Paragraph(texts("mail.opt-out-link", page=link), Tone.QUIET)
        yield Paragraph(texts("mail.number", number=brief(self._book.number, _MOST)), Tone.QUIET)


def _choices(book: Book) -> Iterator[tuple[Part, ...]]:
    """What may stand in the body, the most first; a body of the letter alone always fits."""
    pages = tuple(part for part in book.parts if part.one_page)[:1]
    if charted := _first_chart(book):
        yield (*pages, charted)
    if pages:
        yield pages
    yield ()


def _first_chart(book: Book) -> Part | None:
    """The first chart of the guide with its heading, as a part of its own."""
    for part in book.parts:
        for block in part.blocks:
            if isinstance(block, Chart) and not part.one_page:
                return Part(part.id, part.title, (block,))
    return None


def _titled(page: Part) -> tuple[Block, ...]:
    return (Heading(page.title), *page.blocks)


def _html(
    book: Book, brand: Brand, letter: Letter, pages: tuple[Part, ...], font: str | None
) -> tuple[str, tuple[Picture, ...]]:
    with telling(brand.templates):
        view = _MailView(book, brand, font)
        html = check_size(view.mail(letter, pages), brand.templates)
    return _inliner().inline(html), tuple(view.pictures)


@cache
def _inliner():  # type: ignore[no-untyped-def]  # a class of a library in Rust, without types
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_link_tags=False)


class _MailView(View):
    """What templates of a mail may ask for. Pictures that they show are collected in ``pictures``."""

    def __init__(self, book: Book, brand: Brand, font: str | None) -> None:
        super().__init__(book, brand, Medium.SCREEN, "")
        # Nothing to jump to: the body is no book.
        self.rich = SpansToHtml((), readings=book.furigana and book.language == "ja")
        self.pictures: list[Picture] = []
        self._wanted_font = font

    def mail(self, letter: Letter, pages: Iterable[Part]) -> str:
        """The whole body."""
        self._depth = self._level = 1
        template = self._environment.get_template("mail/page.html.j2")
        return template.render(view=self, book=self.book, brand=self._look, letter=letter, pages=pages)

    def block(self, block: Block) -> Markup:
        """One block, by the mail's template of its kind."""
        template = self._environment.get_template(f"mail/blocks/{kind_of(type(block))}.html.j2")
        return Markup(template.render(view=self, block=block, book=self.book, brand=self._look))  # noqa: S704 - autoescaped

    def tone(self, tone: Tone) -> Markup:
        """The symbol as a letter: mail programs take drawings out."""
        return Markup('<span class="tone {}">{}</span>').format(tone, SYMBOLS[tone])

    def chart(self, chart: Chart) -> str:
        """A chart as the address of a picture that travels along."""
        return self._travels("chart", chart_png(chart, self.book.language, font=find_font(self._wanted_font)))

    def logo(self) -> str:
        """The brand's logo likewise, empty where there is none."""
        head, _, content = self._look.logo.partition(",")
        if not content:
            return ""
        picture = b64decode(content)
        if "svg" in head:
            return self._travels("logo", _drawn(picture.decode("utf-8", "replace")))
        return self._travels("logo", picture, "jpeg" if "jpeg" in head else "png")

    def qr(self, text: str, title: str) -> Markup:
        """None: whoever reads a mail has the text to copy."""
        return Markup("")

    def _travels(self, name: str, content: bytes, subtype: str = "png") -> str:
        cid = f"{name}-{len(self.pictures) + 1}.{sha256(content).hexdigest()[:16]}@guide.invalid"
        self.pictures.append(Picture(cid, content, subtype))
        return f"cid:{cid}"


def _drawn(svg: str) -> bytes:
    from resvg_py import svg_to_bytes

    return bytes(svg_to_bytes(svg_string=svg, background="#ffffff", zoom=ZOOM))
