"""The mail form: one message of the right parts, small enough, that nothing breaks out of and that fetches nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.guidebook.blocks import Book, Table
from mailguard.guidebook.brand import PLAIN
from mailguard.render.book.mail import MAX_HTML_BYTES, Cover, render_draft, render_mail
from mailguard.render.book.mime import (
    Head,
    Mailbox,
    MailForm,
    Unsubscribe,
    compose,
    compose_draft,
    is_address,
    unstructured,
)
from mailguard.render.forms import render
from tests.guidebook.books import IMPRINT, book, can_draw, every_block, page_one, part
from tests.guidebook.books import text as words
from tests.guidebook.injection import ATTACKS, HARMLESS, book_of

pytestmark = pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
PDF = b"%PDF-1.7 of the guide"
COVER = Cover(
    clinic="みどり病院",
    person="山田太郎",
    sender="例示ITサポート株式会社",
    lines=("東京都千代田区例町1-2-3", "電話 03-0000-0000"),
    basis="保守契約にもとづくご報告です。",
    opt_out_address="stop@consult.example.jp",
    opt_out_url="https://consult.example.jp/stop/abc",
)
HEAD = Head(
    sender=Mailbox("guide@consult.example.jp", "例示ITサポート株式会社"),
    recipient=Mailbox("info@midori.example.jp", "山田太郎"),
    message_id="MG-20261122-0AB1C2.abc@consult.example.jp",
    reply_to="desk@consult.example.jp",
    unsubscribe=Unsubscribe("stop@consult.example.jp", "https://consult.example.jp/stop/abc", one_click=True),
)


def form_of(one: Book, cover: Cover = COVER) -> MailForm:
    return render_mail(one, PLAIN, cover, pdf=PDF)


@cache
def sent(language: str = "ja") -> Message:
    return message_from_bytes(compose(form_of(every_block(language, imprint=IMPRINT)), HEAD))


def field(mail: Message, name: str) -> str:
    return str(make_header(decode_header(mail[name])))


def tree(mail: Message) -> object:
    if not mail.is_multipart():
        return mail.get_content_type()
    return (mail.get_content_type(), *(tree(one) for one in mail.get_payload() if isinstance(one, Message)))


def content(mail: Message, kind: str) -> str:
    (found,) = (one for one in mail.walk() if one.get_content_type() == kind)
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def test_the_parts_of_the_mail() -> None:
    assert tree(sent()) == (
        "multipart/mixed",
        ("multipart/alternative", "text/plain", ("multipart/related", "text/html", "image/png")),
        "application/pdf",
    )


def test_the_pdf_is_the_only_attachment_and_no_html_file_is() -> None:
    attached = [one for one in sent().walk() if one.get_content_disposition() == "attachment"]
    assert [one.get_filename() for one in attached] == ["guide-midori.example.jp.pdf"]
    assert attached[0].get_payload(decode=True) == PDF
    assert not [one for one in sent().walk() if (one.get_filename() or "").endswith((".html", ".htm"))]


def test_the_header() -> None:
    mail = sent()
    assert field(mail, "From") == "例示ITサポート株式会社 <guide@consult.example.jp>"
    assert field(mail, "To") == "山田太郎 <info@midori.example.jp>"
    assert field(mail, "Subject") == "なりすましメール対策の手引き（みどり病院様、midori.example.jp）"
    assert mail["Message-ID"] == "<MG-20261122-0AB1C2.abc@consult.example.jp>"
    assert mail["Reply-To"] == "desk@consult.example.jp"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.sub(r"\s+", " ", mail["List-Unsubscribe"]) == (
        "<https://consult.example.jp/stop/abc>, <mailto:stop@consult.example.jp?subject=unsubscribe>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["MIME-Version"] == "1.0"
    assert mail["Date"] is None, "it gets one when it is handed over"


@pytest.mark.parametrize(
    ("unsubscribe", "post"),
    [
        (Unsubscribe("stop@consult.example.jp"), None),
        (Unsubscribe("stop@consult.example.jp", "https://consult.example.jp/stop"), None),
        (Unsubscribe("", "https://consult.example.jp/stop/a", one_click=True), "List-Unsubscribe=One-Click"),
        (Unsubscribe("stop@consult.example.jp", "", one_click=True), None),
    ],
)
def test_one_click_is_promised_only_where_there_is_one(unsubscribe: Unsubscribe, post: str | None) -> None:
    mail = message_from_bytes(compose(form_of(book(page_one())), replace(HEAD, unsubscribe=unsubscribe)))
    assert mail["List-Unsubscribe-Post"] == post


def test_the_mail_is_ascii_with_short_lines() -> None:
    raw = compose(form_of(every_block(imprint=IMPRINT)), HEAD)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_same_guide_makes_the_same_mail() -> None:
    assert compose(form_of(every_block()), HEAD) == compose(form_of(every_block()), HEAD)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_text_and_html_say_the_same(language: str) -> None:
    mail = sent(language)
    words, html = content(mail, "text/plain"), content(mail, "text/html")
    shown = re.sub(r"<[^>]+>", "", html)
    for said in ("院長先生へ", "止められません", "stop@consult.example.jp", "電話 03-0000-0000", "MG-20261122-0AB1C2"):
        assert said in words
        assert said in shown


def test_page_one_stands_in_the_body_and_the_rest_in_the_pdf() -> None:
    words = content(sent(), "text/plain")
    assert "いま、だれでも貴院の名前でメールを送れます。" in words
    assert "DKIM の鍵が短いままです" not in words


def test_a_row_without_a_name_has_no_head() -> None:
    table = Table((words("a"), words("b")), ((words("c"), words("d")), ((), words("e"))))
    html = content(message_from_bytes(compose(form_of(book(part(table, one_page=True))), HEAD)), "text/html")
    assert html.count('scope="row"') == 1


def test_charts_travel_along_as_pictures_with_words() -> None:
    mail = sent()
    (picture,) = (one for one in mail.walk() if one.get_content_type() == "image/png")
    cid = picture["Content-ID"].strip("<>")
    html = content(mail, "text/html")
    assert f'src="cid:{cid}"' in html
    assert 'alt="認証されたメールが増え、知らない送信元は減っています。"' in html
    assert picture.get_content_disposition() == "inline"


class Addresses(HTMLParser):
    """Elements, and what they lead to or load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.loads: set[str] = set()
        self.leads: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style" or not re.search(r"url\(|expression|@import", value or "")
            if name == "src":
                self.loads.add((value or "").partition(":")[0])
            elif name in ("href", "action", "background"):
                self.leads.add(value or "")

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def test_every_style_stands_on_its_element_and_nothing_is_fetched() -> None:
    found = Addresses(content(sent(), "text/html"))
    names = {tag for tag, _ in found.elements}
    assert not names & {"style", "link", "script", "svg", "iframe", "object", "form", "input", "base"}
    assert found.loads == {"cid"}
    assert found.leads == {"https://www.example.jp/guide", "https://consult.example.jp/stop/abc"}


def test_a_long_guide_keeps_below_what_gmail_shows() -> None:
    long = part(*(page_one().blocks * 400), id="director", one_page=True)
    form = form_of(book(long))
    assert len(form.html.encode()) <= MAX_HTML_BYTES
    assert "添付のPDF" in form.html
    assert "いま、だれでも" not in form.text, "text and HTML leave out the same"


def test_a_guide_without_page_one_is_a_letter_with_its_pdf() -> None:
    assert "添付のPDF" in form_of(book(part())).text


@pytest.mark.parametrize(
    ("cover", "begins"),
    [
        (Cover(clinic="みどり病院", person="山田太郎"), "みどり病院　山田太郎様"),
        (Cover(clinic="みどり病院"), "みどり病院　御中"),
        (Cover(person="山田太郎"), "山田太郎様"),
        (Cover(), "ご担当者様"),
    ],
)
def test_whom_the_letter_speaks_to(cover: Cover, begins: str) -> None:
    assert form_of(book(page_one()), cover).text.startswith(f"{begins}\n")


def test_a_draft_has_no_sender_and_opens_for_writing() -> None:
    ((suffix, raw),) = render("mail", every_block(imprint=IMPRINT), PLAIN)
    mail = message_from_bytes(raw)
    assert (suffix, mail["From"], mail["To"], mail["X-Unsent"]) == (".eml", None, None, "1")
    assert "例示ITサポート株式会社" in content(mail, "text/plain")
    assert raw == render_draft(every_block(imprint=IMPRINT))


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest) -> str:
    return ATTACKS[request.param]


def poisoned(attack: str) -> tuple[MailForm, Message]:
    """A mail in which every text of a stranger is the attack: the guide's, the list's."""
    cover = replace(COVER, clinic=attack, person=attack, basis=attack)
    form = form_of(book_of(attack), cover)
    head = replace(HEAD, recipient=Mailbox("info@midori.example.jp", attack))
    return form, message_from_bytes(compose(form, head))


def kinds(mail: Message) -> list[str]:
    """Types of the parts; pictures are left out where the body would be too large with them."""
    return [one.get_content_type() for one in mail.walk() if one.get_content_type() != "image/png"]


@cache
def harmless() -> tuple[MailForm, Message]:
    return poisoned(HARMLESS)


def test_header_fields_are_those_of_any_mail(attack: str) -> None:
    _, mail = poisoned(attack)
    assert mail.keys() == harmless()[1].keys()
    assert mail.defects == []
    assert kinds(mail) == kinds(harmless()[1])
    for name in ("Subject", "To", "From"):
        shown = field(mail, name)
        assert not [char for char in shown if unicodedata.category(char) in HIDDEN]
    assert field(mail, "To").removesuffix(">").endswith("info@midori.example.jp")
    assert all(len(line) <= 998 for line in mail.as_string().splitlines())


def test_an_encoded_word_of_a_stranger_is_shown_and_not_carried_out() -> None:
    word = ATTACKS["mail header, encoded"]
    _, mail = poisoned(word)
    assert word in field(mail, "To")
    assert mail["Bcc"] is None


def test_the_body_loads_and_leads_nowhere_else(attack: str) -> None:
    form, _ = poisoned(attack)
    found = Addresses(form.html)
    assert found.loads <= {"cid"}
    assert found.leads <= {"https://www.example.jp/guide", "https://consult.example.jp/stop/abc"}
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in Addresses(harmless()[0].html).elements}


def test_the_body_hides_nothing(attack: str) -> None:
    form, _ = poisoned(attack)
    for shown in (form.text, form.html, form.subject):
        assert not [char for char in shown if char != "\n" and unicodedata.category(char) in HIDDEN]
    assert len(form.html.encode()) <= MAX_HTML_BYTES
    assert re.fullmatch(r"guide-[A-Za-z0-9.-]{1,100}\.pdf", form.pdf_name)


@given(st.text(max_size=300))
def test_a_free_text_survives_as_it_is_shown(words: str) -> None:
    shown = unstructured("Subject", words)
    encoded = shown.encode(linesep="\r\n")
    assert encoded.isascii()
    assert all(line.startswith(" ") for line in encoded.split("\r\n")[1:])
    from mailguard.render.safe import brief

    assert (
        str(make_header(decode_header(encoded.replace("\r\n", "")))).split()
        == brief(" ".join(words.split()), 180).split()
    )


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.jp", "a b@b.jp", "a@b.jp>", "a\r\n@b.jp", "病@b.jp", "a..b@b.jp", ".a@b.jp", '"a"@b.jp'],
)
def test_what_is_no_address_goes_into_no_header(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(ValueError, match="not an address"):
        Mailbox(address)


@pytest.mark.parametrize("message_id", ["a b@c", "a>@c", "a\r\nb@c", ""])
def test_what_is_no_id_goes_into_no_header(message_id: str) -> None:
    with pytest.raises(ValueError, match="not fit for a header field"):
        compose(form_of(book(page_one())), replace(HEAD, message_id=message_id))


def test_compose_draft_folds_a_long_subject() -> None:
    form = replace(form_of(book(page_one())), subject="手引き" * 100)
    assert field(message_from_bytes(compose_draft(form)), "Subject").startswith("手引き手引き")
