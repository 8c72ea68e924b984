"""When something happens: three sheets with what to do and when, whom to tell, model notices, a log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Card,
    Heading,
    PageBreak,
    Paragraph,
    Part,
    Reader,
    Rich,
    Span,
    Table,
    Tone,
    Verbatim,
    fact,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.claims import told
from mailguard.guidebook.contacts import Contact, load_contacts
from mailguard.guidebook.pages import load_page, page_blocks
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail
from mailguard.guides import LANGUAGES, fill
from mailguard.render.safe import visible

SHEETS: Final = ("spoofed", "takeover", "undelivered")
NOTICES: Final = (
    *("spoofed-patients", "spoofed-partners", "takeover-patients", "takeover-partners"),
    "undelivered-patients",
)
"""Model texts, each in both languages: patients and partners may read either."""

_CALM: Final = ("care", "alone", "keep", "blame")
_LOG_ROWS: Final = 10
_BLANK: Final = "____________"


def make(case: Case, texts: Texts) -> Part:
    """The sheets for the audited domain."""
    blocks = (*_first(texts), _contacts(case, texts), *_sheets(case, texts), *_notices(case, texts), *_log(texts))
    readers = frozenset({Reader.IT, Reader.STAFF})
    return Part("incident", texts("incident.title"), told(blocks, texts, "incident"), readers)


def _first(texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts("incident.lead"), lead=True)
    calm = Bullets(tuple((Paragraph(texts(f"incident.calm-{word}")),) for word in _CALM))
    yield Callout(texts("incident.calm-title"), (calm,), Tone.CARE)
    yield Heading(texts("incident.which-title"))
    head = (texts("incident.head-seen"), texts("incident.head-sheet"))
    yield Table(head, tuple((texts(f"incident.seen-{sheet}"), texts(f"incident.sheet-{sheet}")) for sheet in SHEETS))


def _contacts(case: Case, texts: Texts) -> Card:
    """Whom to tell, with blank fields for numbers, and what the rules say of the order."""
    head = tuple(texts(f"incident.head-{column}") for column in ("order", "who", "when", "phone"))
    rows = ((fact(number), contact) for number, contact in enumerate(load_contacts(), 1))
    told_rows = tuple(((number,), _name(contact, case, texts), _when(contact, texts), ()) for number, contact in rows)
    table = Table(head, told_rows, widths=(8, 34, 33, 25), form=True)
    rules = page_blocks(load_page("incident-rules", texts.language), {}, texts.language)
    lead = Paragraph(texts("incident.contacts-lead"))
    return Card(texts("incident.contacts-title"), (lead, table, *rules), anchor="incident-contacts", page=True)


def _name(contact: Contact, case: Case, texts: Texts) -> Rich:
    """Who it is, with the companies that DNS shows where it is one of them."""
    name = (Span(contact.name.of(texts.language)),)
    seen = case.providers(contact.layer) if contact.layer else ()
    if not seen:
        return name
    names = ", ".join(provider.name.of(texts.language) for provider in seen)
    return texts("incident.contact-seen", name=name, seen=names, day=case.as_of)


def _when(contact: Contact, texts: Texts) -> Rich:
    return (Span(contact.when.of(texts.language)),)


def _sheets(case: Case, texts: Texts) -> Iterator[Card]:
    for sheet in SHEETS:
        page = load_page(f"incident-{sheet}", texts.language)
        blocks = page_blocks(page, {"domain": case.domain}, texts.language)
        yield Card(texts(f"incident.sheet-{sheet}"), blocks, anchor=f"incident-{sheet}", page=True)


def _notices(case: Case, texts: Texts) -> Iterator[Block]:
    yield PageBreak()
    yield Heading(texts("incident.notices-title"), anchor="incident-notices")
    yield Paragraph(texts("incident.notices-lead"))
    languages = sorted(LANGUAGES, key=lambda language: language != texts.language)
    for notice, language in product(NOTICES, languages):
        yield _notice(notice, language, case, texts)


def _notice(notice: str, language: str, case: Case, texts: Texts) -> Card:
    """A page to put up or send. A domain that sends no mail is not told as ours: there is a blank in its place."""
    address = _BLANK if is_without_mail(case.document) else case.domain
    page = fill(load_page(f"notice-{notice}", language), {"address": address}, language, escape=visible)
    title = texts(
        "incident.notice-in", title=texts(f"incident.notice-{notice}"), language=texts(f"incident.in-{language}")
    )
    return Card(title, (Verbatim(page.rstrip("\n")),), anchor=f"incident-{notice}-{language}", page=True)


def _log(texts: Texts) -> Iterator[Block]:
    yield PageBreak()
    yield Heading(texts("incident.log-title"), anchor="incident-log")
    yield Paragraph(texts("incident.log-lead"))
    head = tuple(texts(f"incident.head-{column}") for column in ("time", "what", "by"))
    yield Table(head, (((), (), ()),) * _LOG_ROWS, row_heads=False, widths=(22, 60, 18), form=True)
