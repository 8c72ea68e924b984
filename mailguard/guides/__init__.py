"""Guide pages: what mailguard says about a finding, in Japanese and English.

One Markdown file per rule and language, ``guides/<language>/<RULE ID>.md``::

    # A short title without placeholders

    One or two sentences that tell the finding, with its facts as {placeholders}. Shown in the terminal.

    ## What we saw
    ## Why it matters
    ## Who does what
    ## How long it takes
    ## How to check
    ## How to go back

The six headings are fixed per language (``HEADINGS``). Placeholders are the finding's field names plus ``{domain}``,
the audited domain; ``{{`` and ``}}`` are braces. Filling in never evaluates anything: values are put in as they are,
and each renderer escapes them for its own form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("ja", "en")

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "ja": (
        "見えたこと",
        "なぜ大切か",
        "だれが何をするか",
        "かかる時間",
        "直ったかの確かめ方",
        "元に戻すには",
    ),
    "en": (
        "What we saw",
        "Why it matters",
        "Who does what",
        "How long it takes",
        "How to check",
        "How to go back",
    ),
}

_LIST_JOINER: Final = {"ja": "、", "en": ", "}
_CODE_SPAN = re.compile(r"(`[^`]*`)")  # with one group, so that split() puts code spans at the odd places
_LIST_IN_CODE = re.compile(r"`\{([a-z_]+)\}`")  # a code span that holds one placeholder and nothing else
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide page, still with its placeholders."""

    rule_id: str
    language: str
    title: str
    summary: str
    sections: tuple[tuple[str, str], ...]  # (heading, Markdown body) in the order of HEADINGS

    @property
    def placeholders(self) -> frozenset[str]:
        """Every placeholder used anywhere on the page."""
        text = "\n".join((self.title, self.summary, *(body for _, body in self.sections)))
        return frozenset(match[1] for match in _PLACEHOLDER.finditer(text) if match[1])


def parse_guide(rule_id: str, language: str, text: str) -> Guide:
    """Read a guide page. Raises ValueError that says which part is missing or out of order."""
    head, *parts = re.split(r"^## +", text.strip(), flags=re.MULTILINE)
    first, _, summary = head.partition("\n")
    if not first.startswith("# ") or not summary.strip():
        raise ValueError(f"{language}/{rule_id}: a page begins with '# title' and a summary paragraph")
    sections = []
    for part in parts:
        heading, _, body = part.partition("\n")
        sections.append((heading.strip(), body.strip()))
    headings = tuple(heading for heading, _ in sections)
    if headings != HEADINGS[language]:
        raise ValueError(f"{language}/{rule_id}: headings are {headings}, not {HEADINGS[language]}")
    empty = [heading for heading, body in sections if not body]
    if empty:
        raise ValueError(f"{language}/{rule_id}: nothing stands under {empty[0]!r}")
    return Guide(rule_id, language, first[2:].strip(), " ".join(summary.split()), tuple(sections))


@cache
def load_guide(rule_id: str, language: str) -> Guide:
    """The guide page of a rule. Raises FileNotFoundError for a rule without one (a test forbids that)."""
    text = (files(__package__) / language / f"{rule_id}.md").read_text("utf-8")
    return parse_guide(rule_id, language, text)


def fill(
    text: str,
    facts: Mapping[str, object],
    language: str,
    escape: Callable[[str], str] = str,
    escape_code: Callable[[str], str] | None = None,
) -> str:
    """Put facts into a text with placeholders.

    ``escape`` is applied to each value, never to our own words; ``escape_code``, where given, to values inside a code
    span, where Markdown knows no escapes. A list is joined with commas; where a code span holds only the list, each
    item gets a span of its own. Raises KeyError for a placeholder without a fact.
    """

    def value(match: re.Match[str], escape: Callable[[str], str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        fact = facts[match[1]]
        if isinstance(fact, tuple | list):
            return _LIST_JOINER[language].join(escape(str(item)) for item in fact)
        return escape(str(fact))

    def part(index: int, segment: str) -> str:
        chosen = escape if index % 2 == 0 or escape_code is None else escape_code
        alone = _LIST_IN_CODE.fullmatch(segment)
        if alone and isinstance(items := facts[alone[1]], tuple | list) and items:
            # Each item has its own code span, so that the comma between them does not look like part of a record.
            return _LIST_JOINER[language].join(f"`{chosen(str(item))}`" for item in items)
        return _PLACEHOLDER.sub(lambda match: value(match, chosen), segment)

    return "".join(part(index, segment) for index, segment in enumerate(_CODE_SPAN.split(text)))
