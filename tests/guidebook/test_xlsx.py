"""The check sheet as a spreadsheet: read back with another library, in the form that hospitals keep."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from zipfile import ZipFile

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.workbook import Workbook  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from mailguard.errors import UsageError
from mailguard.guidebook.blocks import Book, Form, Reader, Table, fact, plain
from mailguard.guidebook.book import make_book, only
from mailguard.guidebook.case import Clinic
from mailguard.guidebook.parts.checksheet import COLUMNS
from mailguard.render.book.xlsx import render_checksheet
from tests.guidebook.cases import case_of
from tests.guidebook.injection import ATTACKS
from tests.guidebook.vendors import CLINIC, moved, story
from tests.render.test_golden import documents

LANGUAGES = ("ja", "en")


def book(name: str = "moved", language: str = "ja", clinic: Clinic = CLINIC) -> Book:
    return only(make_book(case_of(story(name), clinic=clinic), language), "checksheet")


def opened(made: Book) -> Workbook:
    return openpyxl.load_workbook(BytesIO(render_checksheet(made)))


def sheet(made: Book) -> Worksheet:
    found = opened(made).worksheets[0]
    assert isinstance(found, Worksheet)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["moved", "parked", "unanswered"])
def test_it_holds_every_row_of_the_book(name: str, language: str) -> None:
    made = book(name, language)
    wanted = [row for block in made.parts[0].blocks if isinstance(block, Table) for row in block.rows]
    found = {row[0].value: row for row in sheet(made).iter_rows(min_row=3) if "-" in str(row[0].value)}
    assert list(found) == [plain(row[0]) for row in wanted]
    for row in wanted:
        cells = found[plain(row[0])]
        assert cells[1].value == plain(row[1])
        assert (cells[2].value or "") == plain(row[2])


def test_days_are_days() -> None:
    rows = {row[0].value: row for row in sheet(book()).iter_rows(min_row=3)}
    checked, target = rows["2-1"][COLUMNS.index("checked")], rows["2-1"][COLUMNS.index("target")]
    assert checked.value == datetime(2026, 11, 22)
    assert isinstance(target.value, datetime)
    assert checked.number_format == "yyyy/mm/dd"
    assert rows["1-1"][COLUMNS.index("target")].number_format == "yyyy/mm/dd", "for the day that people enter"


@pytest.mark.parametrize(("language", "answers"), [("ja", '"はい,いいえ"'), ("en", '"Yes,No"')])
def test_answers_are_chosen_and_days_are_checked(language: str, answers: str) -> None:
    page = sheet(book(language=language))
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    last = page.max_row
    assert {place: rule.type for place, rule in rules.items()} == {
        f"C3:C{last}": "list",
        f"D3:D{last}": "date",
        f"E3:E{last}": "date",
    }
    assert rules[f"C3:C{last}"].formula1 == answers


def test_the_head_stays_and_is_repeated_on_paper() -> None:
    page = sheet(book())
    assert page.freeze_panes == "A3"
    assert page.print_title_rows == "$1:$2"
    assert [cell.value for cell in page[2]] == ["番号", "確認する項目", "回答", "確認日", "目標日", "担当者"]
    assert (page.page_setup.paperSize, page.page_setup.orientation) == (9, "landscape")
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert page.page_setup.fitToHeight == 0, "as wide as the page, as long as it gets"


def test_the_person_is_left_blank_and_the_font_is_japanese() -> None:
    page = sheet(book())
    person = COLUMNS.index("person")
    assert {row[person].value for row in page.iter_rows(min_row=3)} <= {None, ""}
    assert {cell.font.name for row in page.iter_rows() for cell in row if cell.value} == {"BIZ UDPGothic"}


def test_the_second_sheet_says_whose_it_is_and_how_to_read_it() -> None:
    about = opened(book()).worksheets[1]
    rows = {row[0]: row[1] for row in about.iter_rows(values_only=True) if row[0]}
    assert rows["医療機関名"] == CLINIC.name
    assert rows["ドメイン"] == "clinic.example.jp"
    assert "wic-net.com" in str(rows["[1]"])
    text = "\n".join(str(row[1]) for row in about.iter_rows(values_only=True))
    assert "国の書式ではありません" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_book_gives_the_same_bytes(language: str) -> None:
    assert render_checksheet(book(language=language)) == render_checksheet(book(language=language))


def poisoned(attack: str) -> Book:
    """The check sheet of a domain and a clinic that are called like the attack."""
    document = {**moved(), "domain_unicode": attack}
    return only(make_book(case_of(document, clinic=Clinic(attack)), "ja"), "checksheet")


def assert_only_text(content: bytes) -> None:
    with ZipFile(BytesIO(content)) as archive:
        names = archive.namelist()
        assert not [name for name in names if re.search(r"vba|externalLink|embeddings|media/", name)]
        for name in names:
            xml = archive.read(name).decode()
            if name.startswith("xl/worksheets/"):
                assert not re.search(r"<(f|hyperlink|oleObject)\b", xml), name
            if name.endswith(".rels"):
                assert 'TargetMode="External"' not in xml
    for page in openpyxl.load_workbook(BytesIO(content)).worksheets:
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", str(cell.value))
                if str(cell.value).lstrip().startswith(("=", "+", "@", "＝")):
                    assert cell.quotePrefix, "stays text when somebody edits it"


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_strangers_wrote_is_only_text(attack: str) -> None:
    assert_only_text(render_checksheet(poisoned(ATTACKS[attack])))


@given(st.text(max_size=40))
def test_no_name_makes_it_fail(name: str) -> None:
    blocks = tuple(
        replace(block, blanks=tuple(replace(blank, value=(fact(name),)) for blank in block.blanks))
        if isinstance(block, Form)
        else block
        for block in BOOK.parts[0].blocks
    )
    made = replace(BOOK, domain=name, parts=(replace(BOOK.parts[0], blocks=blocks),))
    assert_only_text(render_checksheet(made))


BOOK = book()


def test_readers_without_a_check_sheet_are_told_so() -> None:
    made = make_book(case_of(documents()["watching"]), "ja", readers=(Reader.VENDOR,))
    with pytest.raises(UsageError, match="--for"):
        render_checksheet(made)
