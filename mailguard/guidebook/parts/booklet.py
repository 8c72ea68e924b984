"""A booklet of eight pages for beginners, with readings: what it is about, who does what, whom to ask.

Every hard word is explained where it first stands. The last page says whom to ask for what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.guidebook.blocks import Blank, Block, Callout, Form, PageBreak, Paragraph, Part, Reader
from mailguard.guidebook.case import Case
from mailguard.guidebook.claims import told
from mailguard.guidebook.exposure import judge_exposure
from mailguard.guidebook.pages import load_page, page_blocks
from mailguard.guidebook.parts.training import TONES
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail

PAGES: Final = ("1-start", "2-address", "3-spoofing", "4-tools", "5-limits", "6-role", "7-documents", "8-ask")
_WITH_STATE: Final = "5-limits"
_CONTACTS: Final = ("person", "dns", "mail", "web")


def make(case: Case, texts: Texts) -> Part:
    """The booklet; what it says of our own domain stands on one page, the rest is the same for everybody."""
    *pages, last = (tuple(_page(name, case, texts)) for name in PAGES)
    before = [block for page in pages for block in (*page, PageBreak())]
    contacts = Form(tuple(Blank(texts(f"booklet.contact-{contact}")) for contact in _CONTACTS))
    # Sources stand before the last page, so that the booklet ends with whom to ask.
    blocks = (*told(before[:-1], texts, "booklet"), PageBreak(), *last)
    closing = Callout(texts("booklet.contacts-title"), (contacts,))
    readers = frozenset({Reader.IT, Reader.STAFF})
    return Part("booklet", texts("booklet.title"), (*blocks, closing), readers)


def _page(name: str, case: Case, texts: Texts) -> Iterator[Block]:
    yield from page_blocks(load_page(f"booklet-{name}", texts.language), {"domain": case.domain}, texts.language)
    if name == _WITH_STATE:
        yield _state(case, texts)


def _state(case: Case, texts: Texts) -> Callout:
    exposure = judge_exposure(case.document)
    words = [f"booklet.state-{exposure}"]
    if is_without_mail(case.document):
        words.insert(0, "booklet.state-no-mail")
    paragraphs = tuple(Paragraph(texts(message)) for message in words)
    return Callout(texts("booklet.state-title", day=case.as_of), paragraphs, TONES[exposure])
