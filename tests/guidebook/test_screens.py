"""Where a setting stands on a company's screens: told where the company's own page was read, and else not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from mailguard.guidebook.blocks import Book, Callout, Paragraph, plain
from mailguard.guidebook.book import make_book, only
from mailguard.guidebook.telling import name_of
from mailguard.guidebook.texts import Texts
from mailguard.policy.shelf import load_providers
from mailguard.providers import Panel, Provider, Providers
from mailguard.render.book.data import render_json
from mailguard.render.book.docx import render_letters
from mailguard.render.book.html import Medium, render_html
from mailguard.render.book.mail import render_mail
from mailguard.render.book.markdown import render_markdown
from mailguard.render.book.pdf import render_pdf
from mailguard.render.book.text import render_text
from mailguard.render.book.xlsx import render_checksheet
from mailguard.render.document import Document
from tests.guidebook.books import can_draw
from tests.guidebook.cases import blocks_in, case_of
from tests.guidebook.vendors import moved

LANGUAGES = ("ja", "en")
PATHS = ("ScreenForKeys", "ScreenForPolicies", "ScreenForRecords")
WITH_PANEL = {one.id: one for one in load_providers().all if one.panel}


def knowing(panel: Panel | None) -> Providers:
    """Every company with the same screens."""
    return Providers([replace(one, panel=panel) for one in load_providers().all])


def book(language: str, evidence: str) -> Book:
    """A guide that asks for a key, a policy and another record."""
    return make_book(replace(case_of(moved()), knowledge=knowing(Panel(*PATHS, evidence))), language)


def forms(made: Book) -> Iterator[str]:
    """A whole guide in every form except PDF, as text."""
    yield from (render_html(made, medium=medium) for medium in Medium)
    yield from (render_markdown(made), render_text(made), render_json(made))
    mail = render_mail(made, pdf=b"%PDF")
    yield from (mail.text, mail.html)
    for content in (*(content for _, content in render_letters(made)), render_checksheet(made)):
        with ZipFile(BytesIO(content)) as packed:
            yield "".join(packed.read(name).decode(errors="replace") for name in packed.namelist())


def seen(text: str) -> set[str]:
    return {path for path in PATHS if path in text}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_form_of_a_guide_tells_a_path_that_was_not_verified(language: str) -> None:
    assert not [path for form in forms(book(language, "S")) for path in seen(form)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_that_holds_the_findings_tells_a_verified_path(language: str) -> None:
    made = book(language, "V")
    whole = (render_html, render_markdown, render_text, render_json)
    assert [seen(render(made)) for render in whole] == [set(PATHS)] * len(whole)


@pytest.mark.skipif(not can_draw(), reason="PDF cannot be made here")
@pytest.mark.parametrize(("evidence", "told"), [("V", set(PATHS)), ("S", set())])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_the_same(language: str, evidence: str, told: set[str]) -> None:
    pages = PdfReader(BytesIO(render_pdf(only(book(language, evidence), "findings")))).pages
    assert seen("".join(page.extract_text() for page in pages)) == told


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_a_path_was_not_verified_the_company_is_asked(language: str) -> None:
    known = {one.id: one for one in load_providers().all}
    assert asked(known["sakura"], language) in callouts(book(language, "S"), language)
    assert asked(known["google_workspace"], language) in callouts(book(language, "S"), language)
    assert not {asked(one, language) for one in known.values()} & set(callouts(book(language, "V"), language))


def test_a_verified_path_is_told_with_the_day_on_which_it_was_read() -> None:
    assert "2026年11月22日に確認" in " ".join(callouts(book("ja", "V"), "ja"))
    assert "22 November 2026" in " ".join(callouts(book("en", "V"), "en"))


def test_nothing_is_said_of_screens_of_which_nothing_is_known() -> None:
    for panel in (None, Panel("", "", "", "V"), Panel("", "", "", "S")):
        made = make_book(replace(case_of(moved()), knowledge=knowing(panel)), "ja")
        assert callouts(made, "ja") == []


def asked(provider: Provider, language: str) -> str:
    texts = Texts(language)
    return texts.plain("findings.panel.ask", provider=name_of(provider, texts))


def callouts(made: Book, language: str) -> list[str]:
    """The sentences under the title of screens."""
    title = Texts(language).plain("findings.panel")
    blocks = (block for part in made.parts for block in blocks_in(part.blocks))
    inside = [one.blocks for one in blocks if isinstance(one, Callout) and plain(one.title) == title]
    return [plain(one.text) for told in inside for one in told if isinstance(one, Paragraph)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("company", WITH_PANEL)
def test_of_the_companies_that_are_known_each_is_treated_as_its_evidence_says(company: str, language: str) -> None:
    provider = WITH_PANEL[company]
    assert provider.panel is not None
    text = render_text(only(make_book(case_of(at(company)), language), "findings"))
    paths = {path for path in (provider.panel.dkim, provider.panel.dmarc, provider.panel.dns) if path}
    told = {path for path in paths if path in text}
    assert bool(told) == provider.panel.is_verified
    assert (asked(provider, language) in text) != provider.panel.is_verified


def at(company: str) -> Document:
    """The same audit with everything at one company."""
    return {**moved(), "providers": [{"id": company, "role": role} for role in ("mailbox", "dns")]}
