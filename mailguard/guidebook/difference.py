"""What changed between two audits of one domain. In no language.

A finding that is not there any more is *solved* only where what it rested on was looked at again and answered. A server
that is silent today, a selector or a programme that was not looked for this time, solve nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailguard.evidence import Evidence
from mailguard.render.phrases import SCOPES
from mailguard.rules.base import Severity

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A finding then and now."""

    before: Document
    now: Document


@dataclass(frozen=True, slots=True)
class RecordChange:
    """The record that counts, then and now, and where. None: none does, and the status says whether one is there."""

    name: str
    before: str | None
    now: str | None
    status_before: str = "valid"
    status_now: str = "valid"


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """Whether strangers can send in the name, then and now."""

    scope: str
    before: str
    now: str

    @property
    def is_better(self) -> bool | None:
        """Whether strangers can do less now; None where one of the two is not known."""
        if "unknown" in (self.before, self.now):
            return None
        return _VERDICTS.index(self.now) < _VERDICTS.index(self.before)


_VERDICTS: Final = ("no", "partly", "yes")


@dataclass(frozen=True, slots=True)
class Difference:
    """Every finding of either audit lies in exactly one of these. ``unseen`` are those that nobody can tell of now."""

    solved: tuple[Document, ...]
    new: tuple[Document, ...]
    unchanged: tuple[Pair, ...]
    worse: tuple[Pair, ...]
    better: tuple[Pair, ...]
    unseen: tuple[Document, ...]
    records: tuple[RecordChange, ...]
    verdicts: tuple[VerdictChange, ...]

    @property
    def is_nothing(self) -> bool:
        """Nothing changed, as far as can be told."""
        changed = (self.solved, self.new, self.worse, self.better, self.unseen, self.records, self.verdicts)
        return not any(changed)


def compare(previous: Document, current: Document, evidence: Evidence | None = None) -> Difference:
    """The difference. ``evidence`` is that of the current audit: it knows what was looked at. Never raises."""
    pairs, gone, new = _match(previous["findings"], current["findings"])
    unseen = [finding for finding in gone if not _was_looked_at(finding, current, evidence)]
    return Difference(
        solved=tuple(finding for finding in gone if finding not in unseen),
        new=tuple(new),
        unchanged=tuple(pair for pair in pairs if _step(pair) == 0),
        worse=tuple(pair for pair in pairs if _step(pair) < 0),
        better=tuple(pair for pair in pairs if _step(pair) > 0),
        unseen=tuple(unseen),
        records=tuple(_records(previous, current)),
        verdicts=tuple(_verdicts(previous, current)),
    )


def _match(before: Sequence[Document], now: Sequence[Document]) -> tuple[list[Pair], list[Document], list[Document]]:
    """Pairs, those that are gone, those that are new.

    The same facts are paired first; then the same rule at the same place, of which only the facts have changed.
    """
    pairs: list[Pair] = []
    gone, new = list(before), list(now)
    for alike in (_has_same_facts, _is_same_place):
        for old in tuple(gone):
            match = next((other for other in new if alike(old, other)), None)
            if match is not None:
                pairs.append(Pair(old, match))
                gone.remove(old)
                new.remove(match)
    return pairs, gone, new


def _has_same_facts(one: Document, other: Document) -> bool:
    return _is_same_place(one, other) and bool(one["facts"] == other["facts"])


_NAMING: Final = ("selector", "requirement", "target", "host", "uri", "tag", "provider")
"""Facts that say which of several things at one place a finding is about."""


def _is_same_place(one: Document, other: Document) -> bool:
    if (one["rule"], one["at"]) != (other["rule"], other["at"]):
        return False
    return all(one["facts"].get(fact) == other["facts"].get(fact) for fact in _NAMING)


def _step(pair: Pair) -> int:
    """Below zero: worse. How grave it is, and for the same weight the figure that the rule counts."""
    weight = _rank(pair.now) - _rank(pair.before)
    if weight:
        return weight
    before, now = (one["facts"].get("count") for one in (pair.before, pair.now))
    return before - now if isinstance(before, int) and isinstance(now, int) else 0


def _rank(finding: Document) -> int:
    try:
        return Severity(finding["severity"]).rank
    except ValueError:
        return Severity.INFO.rank


_STATUS_OF_FAMILY: Final = {"SPF": "spf", "DMARC": "dmarc", "DKIM": "dkim"}


_PROBE: Final = re.compile(r"(?<![^.])mailguard-[0-9a-z-]+")
"""The invented label, another one in each audit."""


def _was_looked_at(finding: Document, current: Document, evidence: Evidence | None) -> bool:
    """Whether what the finding rested on was asked for again, and answered."""
    family = finding["rule"].rstrip("0123456789")
    if family == "PROG":
        asked = {row["requirement"] for row in current["programmes"] if row["status"] in ("met", "unmet")}
        return set(finding["facts"].get("requirement_ids", ())) <= asked
    if (part := _STATUS_OF_FAMILY.get(family)) and current[part]["status"] == "unanswered":
        return False
    unanswered = {_PROBE.sub("*", f"{row['name']} {row['type']}") for row in current["unanswered"]}
    if any(_PROBE.sub("*", question) in unanswered for question in finding["seen_in"]):
        return False
    if evidence is not None:
        answered = {str(answer.question) for answer in evidence.answers if not answer.unanswered}
        return _name_is_asked(finding, answered)
    return _selector_is_told(finding, current)


def _name_is_asked(finding: Document, answered: set[str]) -> bool:
    """What DNS now leads to other names for need not be asked again; a selector's own name must be."""
    questions = finding["seen_in"] if "selector" in finding["facts"] else finding["seen_in"][:1]
    own = [question for question in questions if question.split(" ")[0] == finding["at"]]
    return all(question in answered for question in own)


def _selector_is_told(finding: Document, current: Document) -> bool:
    selector = finding["facts"].get("selector")
    told = {one["selector"] for one in current["dkim"]["selectors"] if one["status"] != "unanswered"}
    return selector is None or selector in told


def _records(previous: Document, current: Document) -> Iterator[RecordChange]:
    for what in ("spf", "dmarc"):
        before, now = previous[what], current[what]
        is_known = "unanswered" not in (before["status"], now["status"])
        if is_known and before["record"] != now["record"]:
            place = _place(what, current)
            yield RecordChange(place, before["record"], now["record"], before["status"], now["status"])


def _place(what: str, document: Document) -> str:
    domain = document["domain"]
    return domain if what == "spf" else f"_dmarc.{document['dmarc']['policy_domain'] or domain}"


def _verdicts(previous: Document, current: Document) -> Iterator[VerdictChange]:
    for scope in SCOPES:
        before, now = previous["spoofable"][scope], current["spoofable"][scope]
        if before != now:
            yield VerdictChange(scope, before, now)
