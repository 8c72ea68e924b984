"""Each company gets one letter with all that it is asked for, the records exactly, and when it may begin."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from mailguard.dossier import Expectation, MailingLists
from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import Callout, Card, Form, Kind, Reader, Record, plain
from mailguard.guidebook.letters import VENDORS, Letter, Moment, Why, make_letters
from mailguard.guidebook.tasks import Stage, Work
from mailguard.guidebook.telling import name_of, plan_of
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.works import NEXT_TIME
from mailguard.render.document import Document
from tests.guidebook.cases import blocks_in, case_of, lines, spans_in
from tests.guidebook.vendors import CLINIC, TWO, assert_golden, moved, part_of, story, text_of
from tests.render.documents import all_documents, document_of
from tests.render.test_golden import documents

LANGUAGES = ("ja", "en")


def letters(document: Document) -> dict[Actor, Letter]:
    case = case_of(document)
    return {letter.actor: letter for letter in make_letters(case, plan_of(case))}


def cards(document: Document, language: str = "ja") -> dict[str, Card]:
    part = part_of("letters", document, language, clinic=CLINIC)
    found = part.blocks if part else ()
    return {block.anchor: block for block in found if isinstance(block, Card)}


def told(card: Card) -> str:
    return "\n".join(line for block in card.blocks for line in text_of_block(block))


def text_of_block(block: object) -> list[str]:
    from mailguard.guidebook.blocks import Part

    return lines(Part("x", (), (block,)))[1:]  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["moved", "broken", "parked"])
def test_what_is_sent_is_what_was_reviewed(name: str, language: str) -> None:
    assert_golden(f"letters-{name}.{language}", text_of(part_of("letters", story(name), language, clinic=CLINIC)))


def test_whoever_has_a_task_gets_one_letter_with_all_of_it() -> None:
    for document in all_documents().values():
        plan = plan_of(case_of(document))
        made = letters(document)
        now = {actor: tuple(one for one in plan.of(actor) if one.work not in NEXT_TIME) for actor in VENDORS}
        assert set(made) == {actor for actor in VENDORS if now[actor]}
        for actor, letter in made.items():
            assert tuple(request.task for request in letter.requests) == now[actor]
            assert letter.due in {request.task.due for request in letter.requests}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fix_of_a_vendors_task_stands_in_exactly_one_letter(language: str) -> None:
    for document in all_documents().values():
        plan = plan_of(case_of(document))
        wanted = [
            record for task in plan.tasks if task.actor in VENDORS for fix in task.fixes for record in fix["records"]
        ]
        shown = [
            block
            for card in cards(document, language).values()
            for block in blocks_in((card,))
            if isinstance(block, Record)
        ]
        assert sorted(map(_of_block, shown)) == sorted(map(_of_fix, wanted))


def _of_block(block: Record) -> tuple[object, ...]:
    before = block.before.lines if block.before else ()
    split = block.split.lines if block.split else ()
    return block.name, block.rrtype, before, block.after.lines, split


def _of_fix(record: Document) -> tuple[object, ...]:
    cut = [f'"{one}"' for strings in record["split"] for one in strings]
    is_cut = any(len(strings) > 1 for strings in record["split"])
    return record["name"], record["type"], tuple(record["before"]), tuple(record["after"]), tuple(cut if is_cut else ())


def test_no_letter_without_a_task() -> None:
    assert part_of("letters", documents()["perfect"]) is None
    assert part_of("letters", document_of("", "ocn.ne.jp")) is None, "nobody can publish in a provider's domain"


def test_stricter_rules_wait_for_the_hospitals_decision() -> None:
    seen = 0
    for document in all_documents().values():
        for letter in letters(document).values():
            for request in letter.requests:
                assert (request.moment is Moment.DECISION) == (request.task.stage is Stage.TIGHTEN)
                if request.moment is Moment.DECISION:
                    seen += 1
                    assert any(one.work is Work.AUDIT_ANEW for one in request.first)
                    assert request.task.due >= letter.due
    assert seen > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_says_when_not_to_begin(language: str) -> None:
    said = {"ja": "当院が決めてご連絡するまでは、登録しないでください", "en": "we have decided and told you so"}[
        language
    ]
    assert said in told(cards(moved(), language)["letter-dns"])
    assert said not in told(cards(moved(), language)["letter-mail"])


def test_what_comes_first_is_done_earlier() -> None:
    for document in all_documents().values():
        for letter in letters(document).values():
            for request in letter.requests:
                assert all(one.due < request.task.due for one in request.first if one.stage is not Stage.LATER)
                assert all(one.work is not Work.SEND_REQUESTS for one in request.first)
                assert request.moment is not Moment.NOW or not request.first


def test_a_value_that_is_still_open_is_not_asked_for_at_once() -> None:
    spf = next(one for one in letters(documents()["broken"])[Actor.DNS].requests if one.task.work is Work.PUBLISH_SPF)
    assert spf.moment is Moment.AFTER
    unsettled = document_of("clinic.example.jp MX 1 mx.example.net\nmx.example.net A 192.0.2.1")
    text = told(cards(unsettled)["letter-dns"])
    assert "登録する値が決まりましたら、当院からお知らせします。" in text


def test_a_record_that_is_rewritten_before_is_told_so() -> None:
    overtaken = [
        (document, request)
        for document in all_documents().values()
        for letter in letters(document).values()
        for request in letter.requests
        if request.overtaken
    ]
    assert overtaken
    for document, request in overtaken:
        assert request.moment is Moment.DECISION
        assert "同じ記録を一度書き換えます" in told(cards(document)["letter-dns"])


def test_rivals_are_offered_as_a_choice() -> None:
    document = document_of(
        """
        clinic.example.jp         MX   10 mx.clinic.example.jp
        mx.clinic.example.jp      A    192.0.2.1
        clinic.example.jp         TXT  "v=spf1 ip4:192.0.2.1 -all"
        _dmarc.clinic.example.jp  TXT  "v=DMARC1; p=quarantine; sp=none; rua=mailto:dmarc@clinic.example.jp"
        """,
        "clinic.example.jp",
        said=Expectation(MailingLists.NO),
    )
    card = cards(document)["letter-dns"]
    text = told(card)
    assert "案1" in text
    assert "案2" in text
    assert any(
        plain(blank.label) == "登録する案（当院が記入）"
        for block in blocks_in((card,))
        if isinstance(block, Form)
        for blank in block.blanks
    )
    assert "2つの案" in text_of(part_of("letters", document))


def test_recognised_companies_are_addressed_and_others_left_blank() -> None:
    texts = {anchor: told(card) for anchor, card in cards(moved()).items()}
    assert "さくらのレンタルサーバ／メールボックスのご契約窓口　御中" in texts["letter-dns"]
    assert "Google Workspaceのご契約窓口　御中" in texts["letter-mail"]
    assert "＿＿　御中" in texts["letter-web"]
    assert all(text.count("御中") == 1 for text in texts.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_several_companies_the_sender_chooses_and_the_letter_names_none(language: str) -> None:
    document, words = document_of(TWO), Texts(language)
    part = part_of("letters", document, language, clinic=CLINIC)
    assert part is not None
    made = letters(document)
    assert {actor for actor, letter in made.items() if len(letter.companies) > 1} == {Actor.DNS, Actor.MAIL}
    before = "\n".join(line for block in part.blocks if isinstance(block, Callout) for line in text_of_block(block))
    for actor in (Actor.DNS, Actor.MAIL):
        letter = told(cards(document, language)[f"letter-{actor}"])
        assert words.plain("letters.to.blank") in letter
        hint = words.plain(f"letters.use.choose.{actor}")
        assert hint in before
        assert hint not in letter
        for company in made[actor].companies:
            assert name_of(company, words) in before
            assert words.plain("letters.to", company=name_of(company, words)) not in letter


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_has_to_choose_from_one_company(language: str) -> None:
    words, text = Texts(language), text_of(part_of("letters", moved(), language))
    assert words.plain("letters.use.choose.dns") not in text
    assert words.plain("letters.use.choose.mail") not in text


def test_the_clinic_signs_and_the_person_signs_by_hand() -> None:
    for card in cards(moved()).values():
        assert "みどり医院" in told(card)
        assert "担当者　＿" in told(card)
        assert "佐藤" not in told(card)
    unsigned = text_of(part_of("letters", moved()))
    assert unsigned.count("医療機関名　＿") == 3


def test_the_day_has_its_era_and_the_letter_its_form() -> None:
    for card in cards(moved()).values():
        text = told(card)
        assert text.startswith("2026年11月22日（令和8年11月22日）")
        places = [
            text.index(word) for word in ("御中", "拝啓", "つきましては", "敬具", "\n記\n", "\n以上\n", "# ご連絡票")
        ]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ('_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"', Why.OPEN),
        ('_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"', Why.TIDY),
        ("_dmarc.clinic.example.jp TXT !timeout", Why.TIDY),
    ],
)
def test_the_reason_is_no_worse_than_what_was_seen(zone: str, why: Why) -> None:
    mail = 'clinic.example.jp MX 1 mx.example.net\nmx.example.net A 192.0.2.1\nclinic.example.jp TXT "v=spf1 +mx mx:x'
    document = document_of(f'{mail} ~all"\n{zone}')
    assert letters(document)[Actor.DNS].why is why
    assert ("止めてもらう設定が、まだ整っていませんでした" in told(cards(document)["letter-dns"])) == (why is Why.OPEN)


def test_a_domain_without_mail_is_told_as_one() -> None:
    document = next(one for name, one in all_documents().items() if name.startswith("ZONE014 fires"))
    assert letters(document)[Actor.DNS].why is Why.UNUSED


def test_the_form_asks_for_what_the_letter_asks_for() -> None:
    asked = {
        anchor: {
            plain(blank.label) for block in blocks_in((card,)) if isinstance(block, Form) for blank in block.blanks
        }
        for anchor, card in cards(moved()).items()
    }
    assert "いま公開されている値" in asked["letter-dns"]
    assert {"SPFに書く値", "登録する名前と値"} <= asked["letter-mail"]
    assert {"差出人のアドレス", "SPFに書く値"} <= asked["letter-web"]
    assert all({"作業した方", "備考"} <= labels for labels in asked.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_work_that_vendors_can_be_asked_for_has_its_words(language: str) -> None:
    asked = {
        request.task.work
        for one in all_documents().values()
        for letter in letters(one).values()
        for request in letter.requests
    }
    assert asked >= {Work.TIDY_KEYS, Work.CORRECT_KEY, Work.CONFIRM_KEY, Work.CORRECT_ZONE, Work.TELL_MX}
    for document in all_documents().values():
        for span in spans_in(tuple(cards(document, language).values())):
            assert span.kind in (Kind.FACT, Kind.CODE) or not re.search(r"\{[a-z]|Span\(|None\b", span.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_strangers_wrote_is_never_our_words(language: str) -> None:
    document = dict(moved(), domain_unicode="x\u202e<script>`{x}`.example")
    part = part_of("letters", document, language)
    assert part is not None
    for span in spans_in(part.blocks):
        assert "\u202e" not in span.text
        assert span.kind in (Kind.FACT, Kind.CODE) or "script" not in span.text


def test_letters_are_for_vendors_and_it() -> None:
    part = part_of("letters", moved())
    assert part is not None
    assert part.readers == {Reader.VENDOR, Reader.IT}


def test_a_later_first_day_moves_every_day() -> None:
    case = case_of(moved())
    later = case_of(moved(), due=case.first_due + timedelta(days=10))
    first, second = (make_letters(one, plan_of(one)) for one in (case, later))
    assert [one.due + timedelta(days=10) for one in first] == [one.due for one in second]
