"""What people type where a domain is wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailguard.targets as targets
from mailguard.errors import DomainError
from mailguard.targets import Flaw, Said, TargetError, parse_list, parse_target

UNDERSTOOD = [
    ("clinic.example.jp", "clinic.example.jp", ()),
    ("  clinic.example.jp\n", "clinic.example.jp", ()),
    ("\ufeffclinic.example.jp\u3000", "clinic.example.jp", ()),
    ('"clinic.example.jp",', "clinic.example.jp", ()),
    ("「clinic.example.jp」、", "clinic.example.jp", ()),
    ("Clinic.Example.JP", "clinic.example.jp", (Said.UPPER_CASE,)),
    ("clinic.example.jp.", "clinic.example.jp", (Said.TRAILING_DOT,)),
    (".clinic.example.jp", "clinic.example.jp", (Said.LEADING_DOT,)),
    ("https://clinic.example.jp/access?x=1#map", "clinic.example.jp", (Said.URL,)),
    ("https://www.clinic.example.jp/", "clinic.example.jp", (Said.URL, Said.WWW)),
    ("HTTP://user:pw@clinic.example.jp:8080/", "clinic.example.jp", (Said.URL, Said.PORT)),
    ("//clinic.example.jp", "clinic.example.jp", (Said.URL,)),
    ("clinic.example.jp/contact", "clinic.example.jp", (Said.URL,)),
    ("www.clinic.example.jp", "www.clinic.example.jp", ()),  # typed on purpose, as far as we can know
    ("http://www.jp/", "www.jp", (Said.URL,)),
    ("clinic.example.jp:25", "clinic.example.jp", (Said.PORT,)),
    ("info@clinic.example.jp", "clinic.example.jp", (Said.MAIL_ADDRESS,)),
    ("@clinic.example.jp", "clinic.example.jp", (Said.MAIL_ADDRESS,)),
    ("受付 <info@clinic.example.jp>", "clinic.example.jp", (Said.MAIL_ADDRESS,)),
    ("mailto:info@clinic.example.jp?subject=x", "clinic.example.jp", (Said.MAIL_ADDRESS,)),
    ("a/b@clinic.example.jp", "clinic.example.jp", (Said.MAIL_ADDRESS,)),
    ("ｉｎｆｏ＠ｃｌｉｎｉｃ．ｅｘａｍｐｌｅ．ｊｐ", "clinic.example.jp", (Said.FULL_WIDTH, Said.MAIL_ADDRESS)),
    ("clinic。example｡jp", "clinic.example.jp", (Said.FULL_WIDTH,)),
    ("ｈｔｔｐｓ：／／clinic.example.jp／", "clinic.example.jp", (Said.FULL_WIDTH, Said.URL)),
    ("医院.example.jp", "xn--ekrs67m.example.jp", (Said.U_LABEL,)),
    ("xn--ekrs67m.example.jp", "xn--ekrs67m.example.jp", ()),
    ("straße.example", "xn--strae-oqa.example", (Said.U_LABEL,)),  # IDNA 2008 keeps the letter, 2003 made it ss
    ("cli\u200bnic.example.jp", "clinic.example.jp", ()),
    ("_dmarc.clinic.example.jp", "clinic.example.jp", (Said.RECORD_NAME,)),
    ("s1._domainkey.clinic.example.jp", "clinic.example.jp", (Said.RECORD_NAME,)),
]


@pytest.mark.parametrize(("text", "domain", "said"), UNDERSTOOD, ids=[repr(text) for text, *_ in UNDERSTOOD])
def test_understood(text: str, domain: str, said: tuple[Said, ...]) -> None:
    target = parse_target(text)
    assert (str(target.domain), target.said, target.given) == (domain, said, text.strip())


REFUSED = [
    ("", Flaw.EMPTY),
    ("　", Flaw.EMPTY),
    ("@", Flaw.EMPTY),
    ("https://", Flaw.EMPTY),
    ("localhost", Flaw.SINGLE_LABEL),
    ("info@clinic", Flaw.SINGLE_LABEL),
    ("192.0.2.1", Flaw.IP_ADDRESS),
    ("https://192.0.2.1/", Flaw.IP_ADDRESS),
    ("2001:db8::1", Flaw.IP_ADDRESS),
    ("clinic example.jp", Flaw.SPACES),
    ("a.example.jp b.example.jp", Flaw.SPACES),
    ("clinic..example.jp", Flaw.EMPTY_LABEL),
    ("*.example.jp", Flaw.WILDCARD),
    ("clinic_1.example.jp", Flaw.CHARACTERS),
    ("-clinic.example.jp", Flaw.CHARACTERS),
    ("03.1234.5678", Flaw.CHARACTERS),
    ("clinic.example.jp;rm", Flaw.CHARACTERS),
    ("a" * 64 + ".example.jp", Flaw.LONG_LABEL),
    ("あ" * 70 + ".example.jp", Flaw.LONG_LABEL),
    ("a." * 130 + "jp", Flaw.TOO_LONG),
    ("x" * 5000, Flaw.TOO_LONG),
    ("xn--999999999.example.jp", Flaw.IDNA),
    ("\u2764\ufe0f\u202e.example.jp", Flaw.IDNA),
]


@pytest.mark.parametrize(("text", "flaw"), REFUSED, ids=[repr(text[:30]) for text, _ in REFUSED])
def test_refused_in_one_sentence_with_a_code(text: str, flaw: Flaw) -> None:
    with pytest.raises(DomainError) as caught:
        parse_target(text)
    assert isinstance(caught.value, TargetError)
    assert caught.value.flaw is flaw
    assert len(str(caught.value)) < 250
    assert str(caught.value).endswith(".")


@given(st.text(max_size=300))
def test_nothing_but_domain_error_is_raised_and_what_is_understood_can_be_asked(text: str) -> None:
    try:
        target = parse_target(text)
    except DomainError:
        return
    assert target.domain.is_askable
    assert parse_target(target.domain).domain == target.domain


@given(st.text(alphabet=".@:/_-*xn １。＠aA<>[]%#?\\", max_size=60))
def test_nothing_but_domain_error_is_raised_near_the_grammar(text: str) -> None:
    test_nothing_but_domain_error_is_raised_and_what_is_understood_can_be_asked.hypothesis.inner_test(text)  # type: ignore[attr-defined]


LINES = "clinic.example.jp\r\nhospital.example.com\r\n医院.example.jp\r\n"
DOMAINS = ["clinic.example.jp", "hospital.example.com", "xn--ekrs67m.example.jp"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
def test_lists_are_read_as_spreadsheets_write_them(encoding: str) -> None:
    found = parse_list(LINES.encode(encoding), "list.txt")
    assert [str(target.domain) for target in found.targets] == DOMAINS
    assert found.problems == ()


@pytest.mark.parametrize("bad", [b"\xff", b"\x83", b"\xe3\x81", b"\xe9"])
@pytest.mark.parametrize("name", ["青空クリニック", "Aozora"])
def test_a_line_that_is_not_utf_8_is_named_and_costs_no_other(bad: bytes, name: str) -> None:
    before, after = f"# {name}\n日本語.example.jp\n".encode(), f"{name},clinic.example.jp\n".encode()
    found = parse_list(before + b"bad" + bad + b".example.jp\n" + after, "list")
    assert [str(target.domain) for target in found.targets] == ["xn--wgv71a119e.example.jp", "clinic.example.jp"]
    (problem,) = found.problems
    assert (problem.line, problem.error and problem.error.flaw) == (3, Flaw.ENCODING)


def test_bytes_that_are_no_text_beside_a_domain_cost_nothing() -> None:
    found = parse_list("青空\n病院".encode() + b"\xff,clinic.example.jp\n", "list")
    assert [str(target.domain) for target in found.targets] == ["clinic.example.jp"]


def test_csv_takes_the_first_plain_domain_of_a_line_and_skips_the_heading() -> None:
    text = (
        "番号,医療機関名,連絡先,ドメイン\n"
        '1,"さくら, 内科",tantou@example.net,clinic.example.jp\n'
        "2,Dr.山田,yamada@example.net,https://www.hospital.example.com/\n"
        "3,\t,info@example.com,\n"
    )
    found = parse_list(text.encode("cp932"), "list.csv")
    assert [str(target.domain) for target in found.targets] == [
        "clinic.example.jp",
        "hospital.example.com",
        "example.com",
    ]
    assert found.problems == ()


@pytest.mark.parametrize("line", ["1\tclinic.example.jp\tx", "1;clinic.example.jp", "name, clinic.example.jp"])
def test_other_separators(line: str) -> None:
    assert [target.domain for target in parse_list(line.encode(), "list").targets] == ["clinic.example.jp"]


def test_comments_blank_lines_and_duplicates() -> None:
    text = "# ours\n\n　\n; old\n＃ 全角\nclinic.example.jp # the first\nCLINIC.example.jp.\nb.example.jp\n"
    found = parse_list(text.encode(), "list")
    assert [target.domain for target in found.targets] == ["clinic.example.jp", "b.example.jp"]
    assert found.duplicates == 1
    assert found.problems == ()


def test_one_bad_line_never_loses_the_others() -> None:
    text = b'a.example.jp\n"open quote b.example\nclinic..example.jp\n\xff\xfe\x81\n' + b"y" * 5000 + b"\nz.example.jp"
    found = parse_list(text, "list.txt")
    assert [target.domain for target in found.targets] == ["a.example.jp", "z.example.jp"]
    assert [problem.line for problem in found.problems] == [2, 3, 4, 5]
    assert str(found.problems[1]).startswith("list.txt:3: 'clinic..example.jp' has two dots")


def test_a_first_line_that_is_a_domain_with_a_mistake_is_no_heading() -> None:
    found = parse_list(b"mail..example.jp\nclinic.example.jp", "list")
    assert [problem.line for problem in found.problems] == [1]


def test_bounds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MAX_LIST_LINES", 2)
    found = parse_list(b"a.example.jp\nb.example.jp\nc.example.jp\n", "list")
    assert len(found.targets) == 2
    assert [(problem.line, problem.error) for problem in found.problems] == [(2, None)]
    assert "split the file" in str(found.problems[0])


@given(st.binary(max_size=400))
def test_no_bytes_make_a_list_raise(data: bytes) -> None:
    found = parse_list(data, "list")
    assert all(target.domain.is_askable for target in found.targets)
    assert all(str(problem).startswith("list:") for problem in found.problems)
