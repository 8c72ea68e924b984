"""Whole guides, from audits in which everything that was published is hostile, through every form."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from typing import Any

import jsonschema
import pytest
from pypdf import PdfReader

from mailguard.guidebook.blocks import Book
from mailguard.guidebook.book import make_book, only
from mailguard.guidebook.case import Case, Clinic
from mailguard.policy.shelf import load_providers
from mailguard.render.book.data import to_data
from mailguard.render.book.html import render_html
from mailguard.render.book.markdown import render_markdown
from mailguard.render.book.pdf import render_pdf
from mailguard.render.book.text import render_text
from mailguard.traffic import Day, Reporter, Source, SourceClass, Traffic
from tests.guidebook.books import can_draw
from tests.guidebook.injection import ATTACKS, HARMLESS, poisoned_document
from tests.guidebook.test_render_forms import SCHEMA, Reading
from tests.guidebook.test_render_injection import HIDDEN, Skeleton
from tests.render.documents import document_of

MADE_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ZONE = """
clinic.example.jp        MX   10 mx.clinic.example.jp
clinic.example.jp        TXT  v=spf1 include:_spf.google.com +all
_dmarc.clinic.example.jp TXT  v=DMARC1; p=none; rua=mailto:a@clinic.example.jp
mx.clinic.example.jp     A    192.0.2.1
"""


@cache
def document() -> dict[str, Any]:
    return document_of(ZONE)


def traffic(attack: str) -> Traffic:
    source = Source("192.0.2.1", 120, 20, 10, 10, 5, 1, SourceClass.UNKNOWN, authenticated_as=(attack,))
    reporter = Reporter(org_name=attack, domain=attack, reports=3, messages=120)
    day = Day(date(2026, 11, 1), {SourceClass.UNKNOWN: 120})
    return Traffic(date(2026, 11, 1), date(2026, 11, 21), (source,), (day,), (reporter,), unverified=1)


def guide(attack: str, language: str) -> Book:
    """A guide of an audit, an earlier audit, reports and a list of clinics that are all the attack."""
    poisoned = poisoned_document(document(), attack)
    earlier = {**poisoned, "as_of": "2026-10-01T00:00:00Z", "findings": poisoned["findings"][:1]}
    case = Case(
        document=poisoned,
        made_at=MADE_AT,
        knowledge=load_providers(),
        traffic=traffic(attack),
        previous=earlier,
        clinic=Clinic(attack, attack),
    )
    return make_book(case, language)


def forms(book: Book) -> Iterator[str]:
    yield from (render_html(book), render_markdown(book), render_text(book))


@pytest.fixture(params=["ja", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - {"long", "long words", "combining"}))
def test_no_attack_gets_through_a_whole_guide(name: str, language: str) -> None:
    book = guide(ATTACKS[name], language)
    for form in forms(book):
        assert not [char for char in form if char != "\n" and unicodedata.category(char) in HIDDEN]
    elements = {element for element, _ in Skeleton(render_html(book)).elements}
    assert elements <= {element for element, _ in Skeleton(render_html(guide(HARMLESS, language))).elements}
    jsonschema.validate(to_data(book), SCHEMA)


def test_an_attack_leads_nowhere(language: str) -> None:
    named = Skeleton(render_html(guide(HARMLESS, language))).addresses
    for attack in ("javascript:alert(1)", "http://evil.example/", "[x](http://evil.example)"):
        found = Skeleton(render_html(guide(attack, language))).addresses
        assert not [one for one in found - named if not one.startswith(("#", "data:image/"))]


def test_a_whole_guide_has_headings_in_order_and_links_that_lead_somewhere(language: str) -> None:
    page = Reading(render_html(guide("clinic.example.jp", language)))
    assert page.levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.levels, page.levels[1:], strict=False))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.pictures_without_words == page.heads_without_scope == 0


@pytest.mark.skipif(not can_draw(), reason="PDF cannot be made here")
def test_the_directors_page_is_one_page(language: str) -> None:
    made = render_pdf(only(guide("clinic.example.jp", language), "director"))
    assert len(PdfReader(BytesIO(made)).pages) == 1
