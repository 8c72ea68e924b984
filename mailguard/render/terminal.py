"""The audit for a person at a terminal: the answer first, then what was seen, then what to do."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator
from typing import Final

from mailguard.guides import fill, load_guide
from mailguard.render.phrases import SCOPES, Phrases
from mailguard.render.reading import Document, has_rival_decisions, is_waived, wants_mailing_lists
from mailguard.render.safe import brief, visible

_COLOURS: Final = {"critical": "31;1", "high": "31", "medium": "33", "low": "36", "info": "2"}
_RECORD: Final = 2000
"""Characters of a published record that are shown; an honest one is far shorter."""

_VERDICT_COLOURS: Final = {"yes": "31;1", "partly": "33", "no": "32", "unknown": "35"}


class Terminal:
    """Documents to lines of text.

    ``colour`` puts in ANSI colours; ``width`` is in columns; ``asks`` is whether the policy wants to know about mailing
    lists, which is asked once, after the last audit.
    """

    def __init__(self, language: str, *, colour: bool = False, width: int = 100, asks: bool = False) -> None:
        self._phrases = Phrases(language)
        self._say = self._phrases.say
        self._language = language
        self._colour = colour
        self._width = max(60, width)
        self._asks = asks
        self._wants_to_know = False

    def begin(self) -> str:
        """Nothing stands before the first audit."""
        return ""

    def item(self, document: Document) -> str:
        """One audit."""
        self._wants_to_know |= wants_mailing_lists(document)
        lines = [
            self._paint(visible(document["domain_unicode"]), "1"),
            *self._answer(document),
            "",
            *self._facts(document),
            *self._programmes(document),
            *self._findings(document),
            *self._opinion(document),
            *self._unanswered(document),
            "",
            self._foot(document),
        ]
        return "\n".join(lines) + "\n\n"

    def end(self) -> str:
        """The question about mailing lists, where an aim depends on the answer."""
        if not (self._asks and self._wants_to_know):
            return ""
        lines = [
            *wrap(self._say("Do people post to mailing lists with addresses of these domains?"), self._width),
            *self._wrapped(self._say("If nobody does, the aim is p=reject, otherwise p=quarantine."), 2),
            *self._wrapped(self._say("Answer with --mailing-lists yes or no, or write it into a policy file."), 2),
        ]
        return "\n".join(lines) + "\n"

    def _answer(self, document: Document) -> Iterator[str]:
        spoofable = document["spoofable"]
        parts = [
            f"{self._phrases.scope(scope, visible(document['domain_unicode']))}: "
            + self._paint(self._phrases.verdict(spoofable[scope]), _VERDICT_COLOURS[spoofable[scope]])
            for scope in SCOPES
        ]
        if suffix := self._phrases.public_suffix(document, visible(document["domain_unicode"])):
            yield from self._wrapped(suffix, 2)
        yield "  " + self._say("Can a stranger send mail in this name (at receivers that honour DMARC)?")
        yield "  " + " / ".join(parts)
        told = dict.fromkeys(spoofable["reasons"][scope] for scope in SCOPES)
        for reason in told:
            yield "  " + self._phrases.aside(self._phrases.reason(reason))
        if network := self._phrases.network(document):
            yield from self._wrapped(network, 2)

    def _facts(self, document: Document) -> Iterator[str]:
        spf, dmarc, dkim, mx = (document[key] for key in ("spf", "dmarc", "dkim", "mx"))
        text = self._phrases.state(spf["status"])
        if spf["lookups"] is not None and spf["record"]:
            text += "  " + self._phrases.lookups(spf["lookups"])
        yield from self._fact("SPF", text, spf["record"])
        text = self._phrases.state(dmarc["status"])
        if dmarc["policy_domain"] and dmarc["policy_domain"] != document["domain"]:
            text += "  " + self._say("inherited from {name}").format(name=visible(dmarc["policy_domain"]))
        yield from self._fact("DMARC", text, dmarc["record"])
        keys = [
            f"{visible(key['selector'])} ({self._key(key)})" for key in dkim["selectors"] if key["status"] != "absent"
        ]
        yield from self._fact("DKIM", self._phrases.state(dkim["status"]), ", ".join(keys) or None)
        yield from self._fact("MX", self._phrases.mx(mx["status"]), ", ".join(mx["hosts"]) or None)
        if document["parked"]["status"] in ("perfect", "imperfect"):
            yield "  " + self._phrases.state(document["parked"]["status"])

    def _key(self, key: Document) -> str:
        state = self._phrases.key(key["status"])
        if key["bits"]:
            return f"{visible(str(key['key_type']))} {key['bits']} bit, {state}"
        return state

    def _fact(self, label: str, text: str, record: str | None) -> Iterator[str]:
        yield f"  {label:6} {text}"
        if record:
            yield from self._wrapped(brief(record, _RECORD), 9)

    def _programmes(self, document: Document) -> Iterator[str]:
        rows = document["programmes"]
        if rows:
            yield ""
            yield "  " + self._say("Sender requirements (o met, x not met, ? not known, - cannot be seen from outside)")
        for row in rows:
            yield from self._wrapped(visible(self._phrases.requirement(row)), 4)

    def _findings(self, document: Document) -> Iterator[str]:
        open_findings = [finding for finding in document["findings"] if not is_waived(finding)]
        waived = [finding for finding in document["findings"] if is_waived(finding)]
        shown: set[str] = set()
        if not (document["findings"] or self._phrases.network(document)):
            yield ""
            yield "  " + self._phrases.nothing_found(document)
        for finding in open_findings:
            yield ""
            yield from self._finding(finding, document)
            yield from self._fix_once(finding["fix"], shown)
        for finding in waived:
            yield ""
            yield "  " + self._say("Waived until {until}: {rule} ({reason})").format(
                until=finding["waived"]["until"], rule=finding["rule"], reason=visible(finding["waived"]["reason"])
            )
        if has_rival_decisions(document):
            yield ""
            yield from self._wrapped(self._phrases.one_at_a_time(), 2)

    def _finding(self, finding: Document, document: Document) -> Iterator[str]:
        guide = load_guide(finding["rule"], self._language)
        mark = self._paint(f"[{self._phrases.severity(finding['severity'])}]", _COLOURS[finding["severity"]])
        sure = "" if finding["confidence"] == "certain" else f" ({self._phrases.confidence(finding['confidence'])})"
        yield f"  {mark} {guide.title}{sure}  {finding['rule']}"
        facts = {**finding["facts"], "domain": document["domain_unicode"]}
        yield from self._wrapped(fill(guide.summary, facts, self._language, brief).replace("`", ""), 4)
        if finding["waived"]:
            yield "    " + self._say("The waiver ended on {until}.").format(until=finding["waived"]["until"])

    def _fix_once(self, fix: Document | None, shown: set[str]) -> Iterator[str]:
        if fix is None:
            return
        key = repr(fix)
        if key in shown:
            yield "    " + self._say("The record shown above corrects this too.")
            return
        shown.add(key)
        readiness = self._phrases.readiness(fix["readiness"])
        yield "    " + self._paint(self._say("What to publish ({readiness}):").format(readiness=readiness), "1")
        for reason in fix["reasons"]:
            yield f"      {self._phrases.reason(reason)}"
        for record in fix["records"]:
            yield from self._record(record)

    def _record(self, record: Document) -> Iterator[str]:
        # Never wrapped: what is to be pasted must be copied in one piece.
        yield f"      {visible(record['name'])}  {record['type']}"
        for value in record["before"]:
            yield "        " + self._paint(f"- {brief(value, _RECORD)}", "2")
        for value, parts in zip(record["after"], record["split"], strict=True):
            yield "        " + self._paint(f"+ {visible(value)}", "32")
            if len(parts) > 1:
                yield "        " + self._say("split for panels that want at most 255 characters:")
                yield "        " + " ".join(f'"{visible(part)}"' for part in parts)

    def _opinion(self, document: Document) -> Iterator[str]:
        opinion = document.get("second_opinion")
        if not opinion:
            return
        yield ""
        yield "  " + self._say("Second opinion (checkdmarc {version} on the same evidence)").format(
            version=opinion["version"]
        )
        if not opinion["disagreements"]:
            yield "    " + self._say("It agrees.")
        for difference in opinion["disagreements"]:
            yield from self._wrapped(f"{difference['aspect']}: {difference['explanation'][self._language]}", 4)

    def _unanswered(self, document: Document) -> Iterator[str]:
        rows = document["unanswered"]
        if not rows:
            return
        yield ""
        yield "  " + self._say("Not answered, so nothing is concluded from it:")
        for row in rows[:10]:
            yield f"    {visible(row['name'])} {row['type']}: {self._phrases.unanswered(row)}"
        if len(rows) > 10:
            yield "    " + self._say("and {count} more").format(count=len(rows) - 10)

    def _foot(self, document: Document) -> str:
        text = self._say("{questions} questions, {seconds} s, as of {when}").format(
            questions=document["questions"], seconds=document["duration_s"], when=document["as_of"]
        )
        return self._paint(f"  {text}", "2")

    def _wrapped(self, text: str, indent: int, mark: str = "") -> Iterator[str]:
        lines = wrap(text, self._width - indent - len(mark))
        for number, line in enumerate(lines):
            yield " " * indent + (mark if number == 0 else " " * len(mark)) + line

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def columns(text: str) -> int:
    """Columns that a terminal needs: full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


_NO_LINE_START: Final = frozenset("、。，．）」』】〉》！？・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ)]}!?,.:;")


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns; Japanese breaks between any two characters that may stand apart."""
    if columns(text) <= width:
        return [text]
    if text.isascii():
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    lines: list[str] = []
    line = ""
    for word in _pieces(text):
        if line and columns(line) + columns(word) > width:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    return [*lines, line]


def _pieces(text: str) -> list[str]:
    """What must stay on one line: runs of narrow characters, or one wide character with what may not begin a line."""
    pieces: list[str] = []
    for char in text:
        wide = unicodedata.east_asian_width(char) in "WF"
        if pieces and (char in _NO_LINE_START or _joins(pieces[-1][-1], char, wide)):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _joins(last: str, char: str, wide: bool) -> bool:
    return not wide and last != " " and unicodedata.east_asian_width(last) not in "WF"
