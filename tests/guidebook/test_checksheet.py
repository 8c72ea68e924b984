"""The check sheet says yes and no only for what was seen, and the days that the tasks say."""

from __future__ import annotations

from datetime import date

import pytest

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import Form, Reader, Table, plain
from mailguard.guidebook.checks import LOOKS, Mark, look
from mailguard.guidebook.clauses import load_guideline
from mailguard.guidebook.parts.checksheet import COLUMNS, DAY
from mailguard.guidebook.sheets import Line, fill_checksheet, load_checksheet, load_questionnaire, parse_checksheet
from mailguard.guidebook.tasks import Work
from mailguard.guidebook.telling import plan_of
from mailguard.guidebook.works import KINDS
from mailguard.render.document import Document
from mailguard.resources import policies
from tests.guidebook.cases import case_of
from tests.guidebook.vendors import CLINIC, assert_golden, moved, part_of, story, text_of
from tests.render.documents import all_documents, below, document_of

LANGUAGES = ("ja", "en")
MAIL = """
    clinic.example.jp     MX   1 mx.clinic.example.jp
    mx.clinic.example.jp  A    192.0.2.1
"""
KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def mark(name: str, records: str) -> Mark:
    return look(name, case_of(document_of(MAIL + records, selectors=("s1",)))).mark


def lines_of(document: Document) -> dict[str, Line]:
    case = case_of(document)
    return {line.item.id: line for group in fill_checksheet(case, plan_of(case)) for line in group.entries}


@pytest.mark.parametrize(
    ("name", "records", "expected"),
    [
        ("spf-published", 'clinic.example.jp TXT "v=spf1 mx ~all"', Mark.YES),
        ("spf-published", 'clinic.example.jp TXT "v=spf1 mx ~all"\nclinic.example.jp TXT "v=spf1 -all"', Mark.NO),
        ("spf-published", "", Mark.NO),
        ("spf-published", "clinic.example.jp TXT !timeout", Mark.UNANSWERED),
        ("spf-closes", 'clinic.example.jp TXT "v=spf1 mx -all"', Mark.YES),
        ("spf-closes", 'clinic.example.jp TXT "v=spf1 mx ?all"', Mark.NO),
        ("spf-closes", 'clinic.example.jp TXT "v=spf1 mx"', Mark.NO),
        ("spf-closes", 'clinic.example.jp TXT "v=spf1 mx +all"', Mark.NO),
        ("spf-closes", "clinic.example.jp TXT !servfail", Mark.UNANSWERED),
        ("dkim-key-published", f's1._domainkey.clinic.example.jp TXT "{KEY}"', Mark.YES),
        ("dkim-key-published", "", Mark.NO),
        ("dkim-key-published", '_domainkey.clinic.example.jp TXT "x"', Mark.OPEN),
        ("dkim-key-published", "s1._domainkey.clinic.example.jp TXT !timeout", Mark.UNANSWERED),
        ("dkim-key-length", f's1._domainkey.clinic.example.jp TXT "{KEY}"', Mark.YES),
        ("dkim-key-length", "", Mark.OPEN),
        ("dmarc-published", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"', Mark.YES),
        ("dmarc-published", "", Mark.NO),
        ("dmarc-published", "_dmarc.clinic.example.jp TXT !refused", Mark.UNANSWERED),
        ("dmarc-reports", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua=mailto:a@clinic.example.jp"', Mark.YES),
        ("dmarc-reports", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"', Mark.NO),
        ("dmarc-reports", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua=mailto:a@example.net"', Mark.NO),
        ("dmarc-enforces", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=quarantine"', Mark.YES),
        ("dmarc-enforces", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"', Mark.NO),
        ("dmarc-enforces", "_dmarc.clinic.example.jp TXT !timeout", Mark.UNANSWERED),
        ("dmarc-enforces-below", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; sp=none"', Mark.NO),
        ("dmarc-enforces-below", '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"', Mark.YES),
        ("mail-arrives", "", Mark.YES),
    ],
)
def test_a_look_answers_what_was_seen(name: str, records: str, expected: Mark) -> None:
    assert mark(name, records) is expected


def test_mail_that_cannot_arrive_is_a_no_and_silence_is_not() -> None:
    assert look("mail-arrives", case_of(document_of("clinic.example.jp MX 1 nowhere.example.net"))).mark is Mark.NO
    assert look("mail-arrives", case_of(document_of("clinic.example.jp MX !timeout"))).mark is Mark.UNANSWERED


def test_where_nobody_answered_nothing_is_claimed() -> None:
    owners = ("clinic.example.jp", "example.jp", "jp", *below())
    silent = case_of(document_of("\n".join(f"{owner} * !timeout" for owner in owners)))
    assert {look(name, silent).mark for name in LOOKS} <= {Mark.UNANSWERED, Mark.OPEN}


def test_every_look_is_used_and_holds_for_every_document() -> None:
    named = {item.seen for group in load_checksheet() for item in group.entries}
    named |= {question.seen for group in load_questionnaire() for question in group.entries}
    assert named - {""} == LOOKS
    for document in all_documents().values():
        for name in LOOKS:
            assert look(name, case_of(document)).mark in Mark


def test_days_are_those_of_the_look_and_of_the_tasks() -> None:
    for document in all_documents().values():
        case = case_of(document)
        plan = plan_of(case)
        dues = {task.due for task in plan.tasks}
        for line in lines_of(document).values():
            answered = line.look.mark in (Mark.YES, Mark.NO)
            assert (line.checked == date(2026, 11, 22)) == answered
            assert line.target is None or (line.target in dues and line.look.mark is not Mark.YES)


def test_a_no_is_due_with_the_last_task_that_mends_it() -> None:
    case = case_of(moved())
    tasks = {task.work: task for task in plan_of(case).tasks}
    found = lines_of(moved())
    assert found["2-1"].target == tasks[Work.PUBLISH_SPF].due
    assert found["2-3"].target == tasks[Work.PUBLISH_KEY].due > tasks[Work.MAKE_KEY].due
    assert found["2-7"].target == tasks[Work.TIGHTEN].due > tasks[Work.READ_REPORTS].due


def test_stricter_rules_get_no_day_before_reports_were_read() -> None:
    for document in all_documents().values():
        plan = plan_of(case_of(document))
        read = [task.due for task in plan.tasks if task.work is Work.READ_REPORTS]
        line = lines_of(document).get("2-7")
        if line is not None and line.target is not None and line.look.mark is Mark.NO and read:
            assert line.target >= max(read)


def test_domains_with_and_without_mail_have_items_of_their_own() -> None:
    unused = document_of('clinic.example.jp TXT "v=spf1 -all"\nclinic.example.jp MX 0 .')
    assert "2-10" in lines_of(unused)
    assert not {"1-3", "2-1", "2-9", "3-1"} & set(lines_of(unused))
    assert "2-10" not in lines_of(moved())
    assert {"2-1", "2-9"} <= set(lines_of(moved()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["moved", "parked", "unanswered"])
def test_the_sheet_is_what_was_reviewed(name: str, language: str) -> None:
    assert_golden(f"checksheet-{name}.{language}", text_of(part_of("checksheet", story(name), language, clinic=CLINIC)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_is_that_of_a_check_list(language: str) -> None:
    part = part_of("checksheet", moved(), language)
    assert part is not None
    tables = [block for block in part.blocks if isinstance(block, Table)]
    assert {len(table.head) for table in tables} == {len(COLUMNS)}
    assert all(table.form for table in tables)
    person = COLUMNS.index("person")
    assert all(row[person] == () for table in tables for row in table.rows)
    days = [plain(row[COLUMNS.index("checked")]) for table in tables for row in table.rows]
    assert set(days) == {"", f"{date(2026, 11, 22):{DAY}}"}
    forms = [block for block in part.blocks if isinstance(block, Form)]
    assert forms[0].blanks[0].value == ()


def test_what_dns_did_not_answer_is_marked_and_has_no_day() -> None:
    part = part_of("checksheet", story("unanswered"))
    assert part is not None
    rows = [row for block in part.blocks if isinstance(block, Table) for row in block.rows]
    marked = [row for row in rows if plain(row[COLUMNS.index("answer")]) == "？"]
    assert marked
    assert all(row[COLUMNS.index("checked")] == () for row in marked)


def test_margins_name_clauses_that_are_in_the_data() -> None:
    known = load_guideline().clauses
    for group in load_checksheet():
        for item in group.entries:
            assert set(item.clauses) <= known.keys(), item.id
            assert all(item.says), item.id
    text = text_of(part_of("checksheet", moved()))
    assert "▶システム運用編13" in text
    assert "その条項がこの項目を求めているわけではありません" in text


def test_works_of_items_are_somebodys() -> None:
    works = {work for group in load_checksheet() for item in group.entries for work in item.works}
    assert {KINDS[work].actor for work in works} >= {Actor.DNS, Actor.MAIL, Actor.HOSPITAL}


def test_it_is_for_it() -> None:
    part = part_of("checksheet", moved())
    assert part is not None
    assert part.readers == {Reader.IT}


def test_a_broken_file_is_named() -> None:
    text = (policies() / "guide" / "checksheet.toml").read_text("utf-8")
    for broken in (
        text.replace('id = "1-2"', 'id = "1-1"'),
        text.replace('works = ["tighten", "quarantine"]', 'works = ["no-such-work"]', 1),
        text.replace('seen = "parked"', 'seen = "no-such-look"'),
        text.replace('for = "unused"', 'for = "nobody"'),
    ):
        assert broken != text
        with pytest.raises(ValueError, match="item"):
            parse_checksheet(broken)
