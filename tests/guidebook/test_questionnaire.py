"""The mail provider is asked about everything that decides, and DNS answers only what it shows."""

from __future__ import annotations

import pytest

from mailguard.guidebook.blocks import Form, Kind, Reader, Table, plain
from mailguard.guidebook.sheets import load_questionnaire, parse_questionnaire
from mailguard.render.document import Document
from mailguard.resources import policies
from tests.guidebook.cases import blocks_in, spans_in
from tests.guidebook.vendors import CLINIC, assert_golden, moved, part_of, story, text_of
from tests.render.documents import all_documents, document_of

LANGUAGES = ("ja", "en")
SEEN = {"ja": "DNSで確認済み", "en": "seen in DNS"}
OPEN = {"ja": "はい・いいえ・対象外", "en": "yes / no / n. a."}
MAIL = """
    clinic.example.jp  MX   1 aspmx.l.google.com
    aspmx.l.google.com  A  192.0.2.1
"""


def answers(document: Document, language: str = "ja") -> dict[str, tuple[str, str]]:
    """Answer and remark by the number of the question."""
    part = part_of("questionnaire", document, language)
    assert part is not None
    tables = [block for block in blocks_in(part.blocks) if isinstance(block, Table)]
    return {plain(row[0]): (plain(row[2]), plain(row[3])) for table in tables for row in table.rows}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_is_what_was_reviewed(language: str) -> None:
    assert_golden(
        f"questionnaire-moved.{language}", text_of(part_of("questionnaire", story("moved"), language, clinic=CLINIC))
    )


def test_every_question_is_whole_and_has_its_own_number() -> None:
    questions = [question for group in load_questionnaire() for question in group.entries]
    assert len({question.id for question in questions}) == len(questions) >= 30
    for question in questions:
        assert all((*question.says, *question.remark)), question.id
        assert question.says.ja.endswith("か。"), question.id
        assert question.says.en.endswith(("?", ".")), question.id


@pytest.mark.parametrize(
    "topic",
    [
        *("include", "d=", "セレクター", "2048ビット", "取り替え", "CNAME", "リターンパス", "一致"),
        *("DMARCを確かめ", "集計レポートを、相手", "ARC", "STARTTLS", "MTA-STS", "DANE", "TLS-RPT", "Null MX"),
        *("二段階認証", "記録を保管", "連絡先", "契約", "上限", "サブドメイン", "メーリングリスト"),
    ],
)
def test_it_asks_about(topic: str) -> None:
    asked = [question for group in load_questionnaire() for question in group.entries]
    assert [question for question in asked if topic in question.says.ja + question.remark.ja]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_dns_shows_is_filled_in_and_says_so(language: str) -> None:
    key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    spf = 'clinic.example.jp TXT "v=spf1 include:_spf.google.com ~all"'
    theirs = '_spf.google.com TXT "v=spf1 ip4:192.0.2.0/28 ~all"'
    zone = f'{MAIL}{spf}\n{theirs}\ng1._domainkey.clinic.example.jp TXT "{key}"'
    filled = answers(document_of(zone, selectors=("g1",)), language)
    assert {number for number, (answer, _) in filled.items() if SEEN[language] in answer} == {"1-1", "2-2", "2-4"}
    assert "include:_spf.google.com" in filled["1-1"][1]
    assert "g1 (ed25519" in filled["2-4"][1]


def test_what_dns_does_not_show_is_left_to_the_vendor() -> None:
    unknown = document_of(
        f'{MAIL}_domainkey.clinic.example.jp TXT "x"\nclinic.example.jp TXT "v=spf1 ip4:192.0.2.1 ~all"'
    )
    assert unknown["dkim"]["status"] == "unknown"
    assert {answer for answer, _ in answers(unknown).values()} == {OPEN["ja"]}


def test_silence_is_no_answer() -> None:
    silent = document_of(f"{MAIL}_domainkey.clinic.example.jp * !timeout\nclinic.example.jp TXT !timeout")
    filled = answers(silent)
    assert filled["2-2"][0].startswith("？")
    assert OPEN["ja"] in filled["2-2"][0]
    assert not [answer for answer, _ in filled.values() if SEEN["ja"] in answer]


def test_a_weak_key_is_a_no_with_its_length() -> None:
    key = {"selector": "k1", "origin": "guess", "status": "weak", "key_type": "rsa", "bits": 1024}
    document = {**moved(), "dkim": {"status": "present", "selectors": [key]}}
    answer, remark = answers(document)["2-4"]
    assert answer == "いいえ（DNSで確認済み）"
    assert "k1 (rsa 1024)" in remark


def test_nobody_is_asked_where_no_mail_provider_works_for_us() -> None:
    assert part_of("questionnaire", document_of("", "ocn.ne.jp")) is None
    unused = document_of('clinic.example.jp TXT "v=spf1 -all"\nclinic.example.jp MX 0 .')
    assert part_of("questionnaire", unused) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_document_of_the_suite_makes_it_fail(language: str) -> None:
    made = [part_of("questionnaire", document, language) for document in all_documents().values()]
    assert len([part for part in made if part]) > 100
    for part in filter(None, made):
        assert part.readers == {Reader.VENDOR, Reader.IT}


def test_it_says_who_asks_and_until_when() -> None:
    part = part_of("questionnaire", moved(), clinic=CLINIC)
    assert part is not None
    forms = [block for block in blocks_in(part.blocks) if isinstance(block, Form)]
    given = {plain(blank.label): plain(blank.value) for form in forms for blank in form.blanks}
    assert "みどり医院" in given["質問する医療機関"]
    assert given["ご返信の期限"] == "2026年12月22日（令和8年12月22日）"
    assert given["会社名"] == given["記入した日"] == ""


def test_a_strangers_record_is_shown_as_code_and_not_at_length() -> None:
    record = "v=spf1 include:_spf.google.com " + "ip4:192.0.2.1 " * 40 + "\u202e~all"
    document = {**moved(), "spf": {**moved()["spf"], "status": "valid", "record": record}}
    part = part_of("questionnaire", document)
    assert part is not None
    (span,) = [span for span in spans_in(part.blocks) if "ip4:" in span.text]
    assert span.kind is Kind.CODE
    assert len(span.text) <= 220


def test_a_broken_file_is_named() -> None:
    text = (policies() / "guide" / "questionnaire.toml").read_text("utf-8")
    for broken in (
        text.replace('id = "1-2"', 'id = "1-1"'),
        text.replace('group = "2"', 'group = "99"', 1),
        text.replace('seen = "dkim-key-length"', 'seen = "no-such-look"'),
    ):
        assert broken != text
        with pytest.raises(ValueError, match="question"):
            parse_questionnaire(broken)
