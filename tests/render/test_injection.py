"""What strangers publish is shown and never obeyed: by a terminal, a browser, a spreadsheet or a parser."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
import unicodedata
from functools import cache
from typing import Any

import pytest
from markdown_it import MarkdownIt

from mailguard.inquiry import Mx, RRType, Txt
from mailguard.names import name
from mailguard.render.data import Csv, Json, Ndjson
from mailguard.render.document import Document
from mailguard.render.markdown import Markdown
from mailguard.render.safe import brief, cell, json_text, markdown, markdown_code, visible
from mailguard.render.sarif import Sarif
from mailguard.render.terminal import Terminal
from tests.render.documents import document_of
from tests.zones import Zone

ATTACKS: dict[str, bytes] = {
    "colour": b"\x1b[31;1mred\x1b[0m",
    "clear the screen": b"\x1b[2J\x1b[H",
    "window title": b"\x1b]0;pwned\x07",
    "link in a terminal": b"\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": b"\x1b]52;c;ZXZpbA==\x07",
    "8-bit control sequence": "\x9b31m".encode(),
    "8-bit control octet": b"\x9b31m",
    "carriage return": b"v=spf1 -all\rv=spf1 +all",
    "new lines": b"one\n\n# two\n- three\n",
    "backspace": b"evil\x08\x08\x08\x08good",
    "NUL": b"a\x00b",
    "DEL": b"a\x7fb",
    "bidi override": "\u202egro.live\u202c".encode(),
    "bidi isolate": "\u2067live\u2069".encode(),
    "zero width": "pay\u200bpal\ufeff\u2060".encode(),
    "soft hyphen": "ex\u00adample".encode(),
    "line separator": "a\u2028b\u2029c".encode(),
    "tag characters": "a\U000e0041b".encode(),
    "private use": "\ue000\U000f0000".encode(),
    "half a character": b"\xed\xa0\x80",
    "broken UTF-8": b"\xff\xfe\xc0\xaf",
    "script": b"<script>alert(1)</script>",
    "image with a script": b"<img src=x onerror=alert(1)>",
    "comment": b"<!-- hidden -->",
    "entity": b"&lt;b&gt; &#x1b;",
    "markdown link": b"[click](http://evil.example)",
    "markdown image": b"![x](http://evil.example/x.png)",
    "reference": b"[x]\n\n[x]: http://evil.example",
    "autolink": b"<http://evil.example> http://evil.example www.evil.example a@evil.example",
    "backticks": b"` `` ``` ~~~ `rm -rf /`",
    "fence": b"```\n# out of the fence\n```",
    "table": b"| a | b |\n|---|---|\n| c | d |",
    "heading": b"# heading",
    "formula": b'=HYPERLINK("http://evil.example","x")',
    "formula after a blank": b" =1+1",
    "command formula": b"+cmd|' /C calc'!A0",
    "sum formula": b"@SUM(1)",
    "minus formula": b"-2+3",
    "full-width formula": "＝1＋1".encode(),
    "quotes": b'" "" \' \\ "; =1',
    "template": b"{domain} {record} {{7*7}} ${x} %s %(x)s {0.__class__}",
    "long": b"x" * 10_000,
    "long in Japanese": "診".encode() * 3_000,
}


def strings(octets: bytes) -> Txt:
    return Txt(tuple(octets[start : start + 255] for start in range(0, len(octets), 255)))


@cache
def documents(attack: str) -> tuple[Document, ...]:
    """Audits of domains that publish an attack wherever text can stand."""
    evil = ATTACKS[attack]
    audits = []
    for spf, dmarc, key in (
        (b"v=spf1 " + evil + b" -all", b"v=DMARC1; p=" + evil, b"v=DKIM1; k=rsa; p=" + evil),
        (
            b"v=spf1 include:" + evil + b" ?all",
            b"v=DMARC1; p=none; rua=mailto:" + evil,
            b"v=DKIM1; n=" + evil + b"; p=",
        ),
        (b"v=spf1 exp=" + evil, b"v=DMARC1; p=reject; " + evil + b"=x; fo=" + evil, b"k=" + evil + b"; p=QUJD"),
        (evil, evil, evil),
    ):
        zone = Zone.parse("clinic.example.jp MX 10 mail.clinic.example.jp\nmail.clinic.example.jp A 192.0.2.1")
        for owner, texts in (
            ("clinic.example.jp", (spf, b"v=spf1 " + evil)),
            ("_dmarc.clinic.example.jp", (dmarc,)),
            ("s1._domainkey.clinic.example.jp", (key,)),
            ("*.clinic.example.jp", (evil,)),
        ):
            zone.records[name(owner), RRType.TXT] = [strings(text) for text in texts]
        audits.append(document_of(zone, selectors=("s1",), policies=("hospital", "gmail"), second_opinion=True))
    return tuple(audits)


FORMS: dict[str, Any] = {
    "terminal": lambda language: Terminal(language, width=100, asks=True),
    "markdown": Markdown,
    "json": lambda _: Json(single=False),
    "ndjson": lambda _: Ndjson(),
    "csv": lambda _: Csv(),
    "sarif": Sarif,
}


def shown(form: str, language: str, attack: str) -> str:
    renderer = FORMS[form](language)
    return renderer.begin() + "".join(map(renderer.item, documents(attack))) + renderer.end()  # type: ignore[no-any-return]


HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("form", FORMS)
def test_no_hidden_character_comes_through(form: str, attack: str) -> None:
    for language in ("ja", "en"):
        text = shown(form, language, attack)
        text.encode("utf-8")
        bare = text.removeprefix("\ufeff").replace("\r\n", "\n") if form == "csv" else text
        assert {char for char in bare if unicodedata.category(char) in HIDDEN} <= {"\n"}


@pytest.mark.parametrize("attack", ATTACKS)
class TestEveryForm:
    def test_json_is_the_same_data(self, attack: str) -> None:
        # What is JSON keeps what was published to the letter; it is escaped, not altered.
        assert json.loads(shown("json", "en", attack)) == [*documents(attack)]
        assert [json.loads(line) for line in shown("ndjson", "en", attack).split("\n")[:-1]] == [*documents(attack)]
        assert json.loads(shown("sarif", "ja", attack))["version"] == "2.1.0"

    def test_csv_has_a_row_for_each_audit_and_no_formula(self, attack: str) -> None:
        rows = [*csv.reader(io.StringIO(shown("csv", "en", attack).removeprefix("\ufeff"), newline=""))]
        assert len(rows) == 1 + len(documents(attack))
        assert len({len(row) for row in rows}) == 1
        starts = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
        assert [text for row in rows for text in row if text.lstrip().startswith(starts)] == []

    def test_markdown_gets_no_markup_from_strangers(self, attack: str) -> None:
        for language in ("ja", "en"):
            harmless = outline(shown("markdown", language, "nothing"))
            assert outline(shown("markdown", language, attack)) - harmless == set()

    def test_the_terminal_is_not_flooded(self, attack: str) -> None:
        renderer = Terminal("ja")
        assert all(len(renderer.item(document)) < 60_000 for document in documents(attack))


ATTACKS["nothing"] = b"nothing"


def outline(text: str) -> set[str]:
    """What Markdown with every extension turned on makes of a text, as far as it can harm: links, images, markup."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    tags: set[str] = set()

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            tags.update([tag, *(f"{tag} {key}={value}" for key, value in attributes)])

        def handle_data(self, data: str) -> None:
            if re.fullmatch(r"\s*out of the fence\s*", data):
                tags.add("out of the fence")

        def handle_comment(self, data: str) -> None:
            tags.add("comment")

    Reader().feed(rendered)
    # GitHub's Markdown makes links of bare addresses too, outside code.
    outside = re.sub(r"```.*?^```$|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    tags.update(re.findall(r"(?:https?://|www\.)evil\S*|a@evil\S*", outside))
    return tags & HARMFUL | {tag for tag in tags if "evil" in tag or "onerror" in tag}


HARMFUL = {"a", "img", "script", "b", "comment", "out of the fence"}


class TestEscapes:
    def test_visible_writes_hidden_characters_out(self) -> None:
        assert visible("a\x1b[0m\u202eb") == r"a\u{1b}[0m\u{202e}b"
        assert visible("診療所 clinic") == "診療所 clinic"

    def test_no_text_in_a_code_span_still_closes_it(self) -> None:
        assert MarkdownIt().render(f"`{markdown_code('')}` and `x`").count("<code>") == 2

    def test_prose_is_not_made_a_link(self) -> None:
        text = markdown("see www.evil.example, http://evil.example and a@evil.example")
        assert "www." not in text
        assert "http://" not in text
        assert MarkdownIt().renderInline(text) == "see www.evil.example, http://evil.example and a@evil.example"

    @pytest.mark.parametrize("text", ["=1", "+1", "-all", "@x", " =1", "＝1", "\u3000=1"])
    def test_a_formula_becomes_a_text(self, text: str) -> None:
        assert cell(text).startswith("'")

    def test_json_hides_nothing_and_changes_nothing(self) -> None:
        # Halves of a surrogate pair stand alone: side by side JSON makes one character of them.
        everything = " ".join(map(chr, range(0x110000)))
        written = json_text(everything)
        is_the_same = json.loads(written) == everything
        assert is_the_same
        assert {char for char in written if unicodedata.category(char) in HIDDEN} == set()

    def test_what_is_cut_says_so(self) -> None:
        assert brief("x" * 501) == "x" * 499 + "…"
        assert brief("x" * 500) == "x" * 500

    def test_an_exchange_is_a_name_like_any_other(self) -> None:
        zone = Zone.parse('clinic.example.jp TXT "v=spf1 mx -all"')
        zone.records[name("clinic.example.jp"), RRType.MX] = [Mx(10, name("\x1b[31m|`<b>.example"))]
        for form in FORMS:
            renderer = FORMS[form]("ja")
            text = renderer.begin() + renderer.item(document_of(zone)) + renderer.end()
            assert "\x1b" not in text
