"""What a proposed record would have done to the mail that reports tell of.

It looks back only: mail that no report told of, and mail to receivers that send no reports, is not in it. So it can say
that something would have been stopped, and never that nothing will be. Without reports it says just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final

from mailguard.dmarc.record import Mode, Policy, Record, parse_record
from mailguard.errors import DomainError
from mailguard.evidence import Evidence, source_of
from mailguard.inquiry import RRType, run
from mailguard.names import name
from mailguard.remedy.fix import FixRecord
from mailguard.remedy.prove import overlay
from mailguard.spf.check_host import check_host
from mailguard.spf.verdict import Mailbox, Result
from mailguard.traffic import Source, SourceClass, Traffic

Document = dict[str, Any]

MAX_SOURCES: Final = 500
"""So many addresses are checked against a proposed SPF record, those with the most messages; the rest is not known."""


class Effect(StrEnum):
    """What becomes of a message."""

    QUARANTINED = "quarantined"  # into the junk folder, at receivers that honour DMARC
    REFUSED = "refused"  # not taken, at receivers that honour DMARC
    SPF_LOST = "spf-lost"  # an SPF pass is lost
    SPF_FAILED = "spf-failed"  # SPF says "not ours", where it said nothing certain before


@dataclass(frozen=True, slots=True)
class Preview:
    """The reported messages that one fix would have had an effect on, by class of their source.

    ``messages`` are all that were looked at, None where there were no reports. ``unknown`` are those of which it cannot
    be told. ``at_most``: the reports do not tell which of them were for the names that the change is about.
    """

    effect: Effect
    messages: int | None = None
    affected: tuple[tuple[SourceClass, int], ...] = ()
    unknown: int = 0
    at_most: bool = False

    @property
    def total(self) -> int:
        """All affected messages."""
        return sum(count for _, count in self.affected)


def previews(fix: Document, traffic: Traffic | None, evidence: Evidence | None) -> tuple[Preview, ...]:
    """What each record of a fix would have done. Empty where the fix asks nobody to be stricter. Never raises.

    Without ``evidence`` a proposed SPF record cannot be followed into its includes; then all is ``unknown``.
    """
    return tuple(_previews(fix, traffic, evidence))


def _previews(fix: Document, traffic: Traffic | None, evidence: Evidence | None) -> Iterator[Preview]:
    reasons = fix["reasons"]
    for record in fix["records"]:
        if record["type"] != "TXT" or not record["after"]:
            continue
        after = parse_record(record["after"][0])
        if after is not None and "tightens-policy" in reasons:
            yield from _of_policy(record, after, traffic)
        elif after is None and "stops-authorizing" in reasons:
            yield _of_spf(Effect.SPF_LOST, record, traffic, evidence)
        elif after is None and "tightens-spf" in reasons:
            yield _of_spf(Effect.SPF_FAILED, record, traffic, evidence)


_EFFECTS: Final = {Policy.QUARANTINE: Effect.QUARANTINED, Policy.REJECT: Effect.REFUSED}


def _of_policy(record: Document, after: Record, traffic: Traffic | None) -> Iterator[Preview]:
    before = parse_record(record["before"][0]) if len(record["before"]) == 1 else None
    asked = [policy for policy in (after.p, after.sp, after.np) if policy in _EFFECTS]
    if not asked:
        return
    effect = _EFFECTS[max(asked, key=lambda policy: policy.rank)]
    if traffic is None or not traffic.messages:
        yield Preview(effect)
        return
    stricter = any(_is_strict(after, one) and not _is_strict(before, one) for one in ("adkim", "aspf"))
    only_below = before is not None and before.p is after.p
    affected = _by_class(traffic, lambda source: source.messages - source.passed)
    yield Preview(effect, traffic.messages, affected, traffic.passed if stricter else 0, at_most=only_below)


def _is_strict(record: Record | None, tag: str) -> bool:
    return record is not None and getattr(record, tag) is Mode.STRICT


def _by_class(traffic: Traffic, count: Callable[[Source], int]) -> tuple[tuple[SourceClass, int], ...]:
    sums = dict.fromkeys(SourceClass, 0)
    for source in traffic.sources:
        sums[source.kind] += count(source)
    return tuple((kind, messages) for kind, messages in sums.items() if messages)


def _of_spf(effect: Effect, record: Document, traffic: Traffic | None, evidence: Evidence | None) -> Preview:
    if traffic is None or not traffic.messages:
        return Preview(effect)
    count = _passing if effect is Effect.SPF_LOST else _not_passing
    outcomes = {source.ip: _changes(source, effect, record, evidence) for source in traffic.sources[:MAX_SOURCES]}
    affected = _by_class(traffic, lambda source: count(source) if outcomes.get(source.ip) else 0)
    unknown = sum(count(source) for source in traffic.sources if outcomes.get(source.ip) is None)
    return Preview(effect, traffic.messages, affected, unknown, at_most=True)


def _passing(source: Source) -> int:
    return source.spf_aligned


def _not_passing(source: Source) -> int:
    return source.messages - source.spf_aligned


def _changes(source: Source, effect: Effect, record: Document, evidence: Evidence | None) -> bool | None:
    """Whether the record changes what SPF says of an address; None where that cannot be told."""
    change = _change(record)
    if evidence is None or change is None:
        return None
    answers = source_of(evidence)
    before = _result(source.ip, str(change.name), answers)
    after = _result(source.ip, str(change.name), overlay(answers, change))
    if Result.TEMPERROR in (before, after):
        return None
    if effect is Effect.SPF_LOST:
        return before is Result.PASS and after is not Result.PASS
    return after is Result.FAIL and before is not Result.FAIL


def _result(ip: str, domain: str, answers: Any) -> Result:
    try:
        client = ip_address(ip)
    except ValueError:
        return Result.TEMPERROR
    return run(check_host(client, domain, Mailbox("postmaster", domain)), answers).result


def _change(record: Document) -> FixRecord | None:
    try:
        return FixRecord(name(record["name"]), RRType.TXT, tuple(record["before"]), tuple(record["after"]))
    except DomainError:
        return None
