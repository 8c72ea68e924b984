"""Lists as they come out of spreadsheets, and what is told of those that are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.sending.recipients import RecipientList, read_recipients

WHOLE = """domain,email,name,clinic,language,opt_out,consent
midori.example.jp,info@midori.example.jp,山田太郎,みどり病院,ja,,2026年10月1日の申込書
aoba.example.jp,office@aoba.example.jp,,あおば医院,en,yes,取引先
"""


def read(text: str | bytes, *, advertising: bool = False) -> RecipientList:
    return read_recipients(text.encode() if isinstance(text, str) else text, "list.csv", advertising=advertising)


def problems(text: str | bytes, *, advertising: bool = False) -> list[str]:
    return [str(one) for one in read(text, advertising=advertising).problems]


def test_a_list() -> None:
    midori, aoba = read(WHOLE).recipients
    assert (midori.line, midori.domain, midori.email, midori.name) == (
        *(2, "midori.example.jp", "info@midori.example.jp", "山田太郎"),
    )
    assert (midori.clinic, midori.language, midori.opt_out, midori.consent) == (
        *("みどり病院", "ja", False, "2026年10月1日の申込書"),
    )
    assert (aoba.language, aoba.opt_out) == ("en", True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_of_spreadsheets(encoding: str, line_end: str) -> None:
    assert read(WHOLE.replace("\n", line_end).encode(encoding)) == read(WHOLE)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(delimiter: str) -> None:
    assert read(WHOLE.replace(",", delimiter)) == read(WHOLE)


def test_columns_in_japanese_and_in_any_order() -> None:
    (one,) = read("メール,施設名,ドメイン\ninfo@midori.example.jp,みどり病院,midori.example.jp\n").recipients
    assert (one.domain, one.clinic) == ("midori.example.jp", "みどり病院")


def test_only_two_columns_are_wanted() -> None:
    (one,) = read("domain,email\nmidori.example.jp,info@midori.example.jp\n").recipients
    assert (one.name, one.clinic, one.language, one.opt_out, one.consent) == ("", "", "ja", False, "")


def test_a_clinic_may_have_several_readers() -> None:
    text = "domain,email\nmidori.example.jp,a@midori.example.jp\nmidori.example.jp,b@midori.example.jp\n"
    assert len(read(text).recipients) == 2


def test_names_with_commas_and_line_ends_keep_the_count_of_lines() -> None:
    text = 'domain,email,clinic\nmidori.example.jp,a@midori.example.jp,"みどり,\n病院"\naoba,b@aoba.example.jp,\n'
    assert problems(text)[0].startswith("list.csv, line 4: 'aoba' has no dot")


def test_domains_in_japanese_are_taken_in_their_dns_form() -> None:
    (one,) = read("domain,email\n病院.example.jp,info@病院.example.jp\n").recipients
    assert one.domain == "xn--klto8k.example.jp" or one.domain.startswith("xn--")
    assert one.email == f"info@{one.domain}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("midori.example.jp,,", "line 2: '' is no mail address that can be written to."),
        ("midori.example.jp,info,", "line 2: 'info' is no mail address that can be written to."),
        ("midori.example.jp,a b@midori.example.jp,", "is no mail address that can be written to."),
        ("midori.example.jp,病院@midori.example.jp,", "is no mail address that can be written to."),
        ("midori.example.jp,a..b@midori.example.jp,", "is no mail address that can be written to."),
        ("midori.example.jp,<a@midori.example.jp>,", "is no mail address that can be written to."),
        ("midori.example.jp,a@b@midori.example.jp,", "is no mail address that can be written to."),
        ("nodot,info@midori.example.jp,", "line 2: 'nodot' has no dot"),
        ("midori.example.jp,info@midori.example.jp,fr", "line 2: the language is wanted as one of ja, en."),
        ("midori.example.jp,info@midori.example.jp,ja,maybe", "there are more cells than columns"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, told: str) -> None:
    (problem,) = problems(f"domain,email,language\n{line}\n")
    assert told in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the column domain is missing"),
        ("email\na@midori.example.jp\n", "the column domain is missing"),
        ("domain,email,telephone\n", "the column 'telephone' is not known"),
        ("domain,email,email\nmidori.example.jp,a@b.jp,\n", "a column stands there twice"),
        ("domain,email\n", "names no recipient"),
        ('domain,email\nmidori.example.jp,"a@midori.example.jp\n', "the quotation marks do not match"),
        ("domain,email,opt_out\nmidori.example.jp,a@midori.example.jp,perhaps\n", "opt_out is wanted as yes or no"),
        (b"domain,email\n\x81\x20\xff", "neither UTF-8 nor CP932"),
        ("domain,email,name\nmidori.example.jp,a@midori.example.jp," + "x" * 501, "name has more than 500 characters"),
    ],
)
def test_what_is_wrong_with_a_list(text: str | bytes, told: str) -> None:
    (problem,) = problems(text)
    assert told in problem


def test_the_same_twice_is_told_with_both_lines() -> None:
    text = "domain,email\nmidori.example.jp,a@midori.example.jp\nMIDORI.example.jp,A@midori.example.jp\n"
    assert problems(text) == ["list.csv, line 3: the same domain and address stand in line 2 too."]


def test_every_line_is_told_at_once() -> None:
    text = "domain,email\na,b\nmidori.example.jp,x\nc,d\n"
    assert [problem.partition(":")[0] for problem in problems(text)] == [
        *("list.csv, line 2", "list.csv, line 2", "list.csv, line 3", "list.csv, line 4", "list.csv, line 4"),
    ]


@pytest.mark.parametrize("consent", ["", "no", "なし", "-"])
def test_where_mails_advertise_each_line_says_on_what_ground(consent: str) -> None:
    text = f"domain,email,consent\nmidori.example.jp,a@midori.example.jp,{consent}\n"
    assert problems(text) == []
    assert "line 2: consent is empty" in problems(text, advertising=True)[0]


def test_who_said_no_needs_no_ground() -> None:
    text = "domain,email,opt_out\nmidori.example.jp,a@midori.example.jp,yes\n"
    assert problems(text, advertising=True) == []


@given(st.binary(max_size=500) | st.text(max_size=300).map(lambda text: f"domain,email,name\n{text}".encode()))
def test_no_list_is_too_strange(content: bytes) -> None:
    found = read(content, advertising=True)
    assert found.recipients or found.problems
    assert all("\n" not in one.email and one.email.isascii() for one in found.recipients)
