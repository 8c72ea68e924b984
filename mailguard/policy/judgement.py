"""How much a finding weighs, and whether the owner has decided to live with it for now.

Judging is the last step and changes no finding: the same finding weighed by another policy, or after a waiver has
ended, comes out otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailguard.names import DomainName
from mailguard.policy.files import Policy, Waiver
from mailguard.rules.base import Finding, Severity


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with its weight. ``waiver`` is the one that matches it, also when it has ended: then it is shown so."""

    finding: Finding
    severity: Severity
    waiver: Waiver | None = None
    waived: bool = False

    @property
    def waiver_expired(self) -> bool:
        """A waiver was given and its last day is over."""
        return self.waiver is not None and not self.waived


def judge(findings: Iterable[Finding], policy: Policy, domain: DomainName, as_of: datetime) -> tuple[Judged, ...]:
    """Weigh findings about ``domain``: most severe first, waived ones last, otherwise in the order given.

    A waiver counts to the end of its last day in the time zone of ``as_of``. Of several that match, the one that lasts
    longest is taken.
    """
    judged = (_judge_one(finding, policy, domain, as_of) for finding in findings)
    return tuple(sorted(judged, key=lambda one: (one.waived, one.severity.rank)))


def _judge_one(finding: Finding, policy: Policy, domain: DomainName, as_of: datetime) -> Judged:
    severity = policy.severities.get(finding.rule.id, finding.rule.severity)
    matching = [one for one in policy.waivers if one.rule == finding.rule.id and domain.is_within(one.domain)]
    if not matching:
        return Judged(finding, severity)
    waiver = max(matching, key=lambda one: one.until)
    return Judged(finding, severity, waiver, as_of.date() <= waiver.until)
