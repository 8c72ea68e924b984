"""The thin HTML guide: what one audit and the reports of one window say, for people who do not read DNS.

Texts from DNS and from reports are hostile. They meet HTML in two ways only: as values of an autoescaping template,
and through ``_render``, where the Markdown of a guide page is rendered with a mark in each fact's place and the facts,
escaped, are put in afterwards; so no fact is ever read as Markdown. Bidi and other hidden characters are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from mailguard.demo.words import WORDS, Words, format_day
from mailguard.guides import fill, load_guide
from mailguard.render.safe import visible
from mailguard.resources import templates
from mailguard.store.reports import ReporterRow, SourceRow

Document = Mapping[str, Any]
"""An audit as the published JSON document (``render/document.py``)."""

_MOST_SOURCES: Final = 50
_MARKS: Final = {"no": "○", "partly": "△", "yes": "×", "unknown": "？"}
_READING_MARKS: Final = {"all": "○", "some": "△", "none": "×"}
_TONES: Final = {"critical": ("act", "×"), "high": ("act", "×"), "medium": ("care", "△"), "low": ("care", "△")}
_QUIET: Final = ("good", "○")

# Private-use characters; no guide page has them, and facts never pass through Markdown.
_OPEN, _CLOSE = "\ue000", "\ue001"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the reports of a window say. ``begin`` and ``end`` are whole UTC days, ``end`` not included."""

    begin: datetime
    end: datetime
    sources: Sequence[SourceRow]
    reporters: Sequence[ReporterRow]

    @property
    def messages(self) -> int:
        """All messages reported."""
        return sum(source.messages for source in self.sources)

    @property
    def passed(self) -> int:
        """Those with an aligned pass."""
        return sum(source.passed for source in self.sources)


def render_guide(document: Document, traffic: Traffic, language: str, *, notice: str = "") -> str:
    """One HTML file without scripts or anything fetched. ``notice`` is a line of our own for the head.

    Raises FileNotFoundError for a finding without a guide page (a test forbids that).
    """
    words = WORDS[language]
    guide = {
        "domain": visible(document["domain_unicode"]),
        "day": format_day(datetime.fromisoformat(document["as_of"]), language),
        "questions": document["questions"],
        "version": document["mailguard"],
        "notice": notice,
        "answers": _answers(document, words),
        "traffic": _traffic(traffic, words),
        "findings": [_finding(finding, document, words, language) for finding in document["findings"]],
        "unanswered": [visible(f"{one['name']} {one['type']}: {one['status']}") for one in document["unanswered"]],
    }
    return _environment().get_template("guide.html.j2").render(guide=guide, words=words, language=language)


@cache
def _environment() -> Environment:
    loader = FunctionLoader(lambda name: (templates() / name).read_text("utf-8"))
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _answers(document: Document, words: Words) -> list[dict[str, str]]:
    spoofable = document["spoofable"]
    return [
        {
            "scope": visible(scope_words.format(domain=document["domain_unicode"])),
            "verdict": words.verdicts[spoofable[scope]],
            "mark": _MARKS[spoofable[scope]],
            "reason": words.reasons[spoofable["reasons"][scope]],
        }
        for scope, scope_words in words.scopes.items()
    ]


def _traffic(traffic: Traffic, words: Words) -> dict[str, object]:
    omitted = len(traffic.sources) - _MOST_SOURCES
    return {
        "said": words.traffic_said.format(
            begin=f"{traffic.begin.astimezone(UTC):%Y-%m-%d}",
            end=f"{datetime.fromtimestamp(traffic.end.timestamp() - 1, UTC):%Y-%m-%d}",
            messages=f"{traffic.messages:,}",
            passed=f"{traffic.passed:,}",
        ),
        "sources": [_source(source, words) for source in traffic.sources[:_MOST_SOURCES]],
        "omitted": words.traffic_omitted.format(count=f"{omitted:,}") if omitted > 0 else "",
        "reporters": [
            {
                "name": visible(row.org_name),
                "said": words.reporter_said.format(reports=f"{row.reports:,}", messages=f"{row.messages:,}"),
            }
            for row in traffic.reporters[:_MOST_SOURCES]
        ],
    }


def _source(source: SourceRow, words: Words) -> dict[str, str]:
    reading = "all" if source.passed == source.messages else "some" if source.passed else "none"
    return {
        "ip": visible(source.source_ip),
        "messages": f"{source.messages:,}",
        "passed": f"{source.passed:,}",
        "dkim": f"{source.dkim_aligned:,}",
        "spf": f"{source.spf_aligned:,}",
        "mark": _READING_MARKS[reading],
        "reading": words.readings[reading],
    }


def _finding(finding: Document, document: Document, words: Words, language: str) -> dict[str, object]:
    page = load_guide(finding["rule"], language)
    facts = {key: tuple(fact) if isinstance(fact, list) else fact for key, fact in finding["facts"].items()}
    facts["domain"] = document["domain_unicode"]
    waived = finding["waived"]
    tone, mark = _TONES.get(finding["severity"], _QUIET)
    severity = words.severities[finding["severity"]]
    return {
        "rule": finding["rule"],
        "title": page.title,
        "tone": tone,
        "mark": mark,
        "severity": f"{severity} / {words.waived}" if waived and not waived["expired"] else severity,
        "summary": _render(page.summary, facts, language, _markdown().renderInline),
        "sections": [(heading, _render(text, facts, language, _markdown().render)) for heading, text in page.sections],
        "fix": _fix(finding["fix"], words) if finding["fix"] else None,
    }


def _fix(fix: Document, words: Words) -> dict[str, object]:
    return {
        "readiness": words.readiness[fix["readiness"]],
        "reasons": [words.reasons[reason] for reason in fix["reasons"]],
        "records": [
            {
                "name": visible(record["name"]),
                "type": record["type"],
                "before": [visible(value) for value in record["before"]],
                "after": [visible(value) for value in record["after"]],
            }
            for record in fix["records"]
        ],
    }


def _render(text: str, facts: Mapping[str, object], language: str, render: Callable[[str], str]) -> Markup:
    """Markdown with placeholders as HTML; see the docstring of the module."""
    values: list[str] = []

    def mark(value: str) -> str:
        values.append(value)
        return f"{_OPEN}{len(values) - 1}{_CLOSE}"

    html = render(fill(text, facts, language, escape=mark))
    for number, value in enumerate(values):
        html = html.replace(f"{_OPEN}{number}{_CLOSE}", f"<bdi>{escape(visible(value))}</bdi>")
    return Markup(html)  # noqa: S704 - our own page; every fact in it was escaped
