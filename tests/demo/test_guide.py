"""The guide: what it says, and that nothing from outside can make it say or do something else."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from mailguard.demo.guide import Traffic, render_guide
from mailguard.demo.words import EN, JA, WORDS, format_day
from mailguard.store.reports import ReporterRow, SourceRow

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "`</code><script>alert(1)</script>`",
    "<!-- -->",
    "{{ 7 * 7 }}{% raw %}",
    "{domain}",
    "&lt;script&gt;",
    "https://evil.example/",
    "\ue0000\ue001",
    "a\u202egnp.exe",
    "a\u2066b\u2069\x00\x1b[31m",
    "javascript:alert(1)//",
]
WINDOW = (datetime(2026, 11, 15, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
QUIET = Traffic(*WINDOW, [], [])
ALLOWED_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "section", "article", "span", "bdi", "p"),
    *("h1", "h2", "h3", "h4", "strong", "em", "code", "pre", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def document(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "domain_unicode": "clinic.example.jp",
        "as_of": "2026-11-21T23:30:00Z",
        "mailguard": "0.1.0",
        "questions": 24,
        "spoofable": {
            "domain": "yes",
            "subdomain": "partly",
            "nonexistent_subdomain": "unknown",
            "reasons": {"domain": "policy-none", "subdomain": "quarantine", "nonexistent_subdomain": "unanswered"},
        },
        "findings": [],
        "unanswered": [],
    }
    return {**base, **changes}


def finding(text: str = "v=spf1 a ~all", other: str = "v=spf1 mx ~all") -> dict[str, Any]:
    return {
        "rule": "SPF002",
        "severity": "high",
        "waived": None,
        "facts": {"at": "clinic.example.jp", "count": 2, "records": [text, other], "record": text},
        "fix": {
            "readiness": "needs-your-decision",
            "reasons": ["stops-authorizing"],
            "records": [{"name": "clinic.example.jp", "type": "TXT", "before": [text], "after": ["v=spf1 a mx ~all"]}],
        },
    }


class Page(HTMLParser):
    """What a browser would see: tags, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_answer_comes_first_in_both_languages() -> None:
    for words, language in ((JA, "ja"), (EN, "en")):
        text = Page(render_guide(document(), QUIET, language)).text
        assert text.index(words.answer_heading) < text.index(words.findings_heading)
        for verdict, reason in (("yes", "policy-none"), ("partly", "quarantine"), ("unknown", "unanswered")):
            assert words.verdicts[verdict] in text
            assert words.reasons[reason] in text
        assert words.no_findings in text
        assert words.no_traffic in text


def test_a_finding_has_its_page_and_its_record() -> None:
    text = Page(render_guide(document(findings=[finding()]), QUIET, "ja")).text
    for heading in ("見えたこと", "なぜ大切か", "だれが何をするか", "かかる時間", "直ったかの確かめ方", "元に戻すには"):
        assert heading in text
    assert "v=spf1 a mx ~all" in text
    assert JA.readiness["needs-your-decision"] in text
    assert "{" not in text.partition("}")[2].partition("</style>")[2]


def test_a_waived_finding_says_so() -> None:
    waived = {**finding(), "waived": {"reason": "x", "until": "2027-01-01", "expired": False}}
    expired = {**finding(), "waived": {"reason": "x", "until": "2026-01-01", "expired": True}}
    assert JA.waived in render_guide(document(findings=[waived]), QUIET, "ja")
    assert JA.waived not in render_guide(document(findings=[expired]), QUIET, "ja")


def test_traffic_is_told_by_source() -> None:
    traffic = Traffic(
        *WINDOW,
        [SourceRow("192.0.2.1", 1200, 1200, 1200, 0, 0, 2), SourceRow("192.0.2.66", 4, 0, 0, 0, 1, 1)],
        [ReporterRow("reporter.example", 7, 1204)],
    )
    text = Page(render_guide(document(), traffic, "ja")).text
    assert "2026-11-15から2026-11-21まで" in text
    assert "1,204通でした" in text
    assert JA.readings["all"] in text
    assert JA.readings["none"] in text
    assert "レポート7件" in text


def test_many_sources_are_cut_and_counted() -> None:
    sources = [SourceRow(f"192.0.2.{n}", 1, 1, 1, 0, 0, 1) for n in range(60)]
    text = Page(render_guide(document(), Traffic(*WINDOW, sources, []), "en")).text
    assert "10 more sources" in text
    assert "192.0.2.50" not in text


def test_what_was_not_answered_is_told() -> None:
    unanswered = [{"name": "clinic.example.jp", "type": "MX", "status": "timeout", "note": ""}]
    assert "clinic.example.jp MX: timeout" in Page(render_guide(document(unanswered=unanswered), QUIET, "ja")).text


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_from_outside_becomes_markup(evil: str, language: str) -> None:
    traffic = Traffic(*WINDOW, [SourceRow(evil, 1, 0, 0, 0, 0, 1)], [ReporterRow(evil, 1, 1)])
    hostile = finding(evil, evil)
    hostile["facts"]["at"] = evil
    hostile["fix"]["records"][0] |= {"name": evil, "after": [evil]}
    unanswered = [{"name": evil, "type": "TXT", "status": "timeout", "note": ""}]
    text = render_guide(document(domain_unicode=evil, findings=[hostile], unanswered=unanswered), traffic, language)
    page, plain = (
        Page(text),
        Page(render_guide(document(findings=[finding()], unanswered=unanswered), traffic, language)),
    )
    assert set(page.tags) <= ALLOWED_TAGS
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b\ue000\ue001]", html.unescape(text))


def test_the_page_fetches_and_runs_nothing() -> None:
    text = render_guide(document(findings=[finding()]), QUIET, "ja")
    page = Page(text)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert not {"src", "href", "style"} & {name for name, _ in page.attributes}
    assert "url(" not in text
    assert "@import" not in text


def test_both_languages_have_the_same_codes() -> None:
    for table in ("scopes", "verdicts", "reasons", "readings", "severities", "readiness", "steps"):
        assert getattr(WORDS["ja"], table).keys() == getattr(WORDS["en"], table).keys()


def test_every_code_of_an_audit_has_its_word() -> None:
    from mailguard.remedy.fix import Readiness, Reason
    from mailguard.rules.base import Severity
    from mailguard.verdict import Because, Verdict

    assert set(JA.verdicts) == set(Verdict)
    assert set(JA.reasons) == {*Because, *Reason}
    assert set(JA.severities) == set(Severity)
    assert set(JA.readiness) == set(Readiness)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-22T00:00:00+00:00", "2026年（令和8年）11月22日"),
        ("2026-11-21T15:00:00+00:00", "2026年（令和8年）11月22日"),
        ("2019-05-01T00:00:00+00:00", "2019年（令和元年）5月1日"),
        ("2019-04-30T00:00:00+00:00", "2019年4月30日"),
    ],
)
def test_japanese_days(moment: str, day: str) -> None:
    assert format_day(datetime.fromisoformat(moment), "ja") == day
