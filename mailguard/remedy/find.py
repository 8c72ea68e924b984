"""From findings to fixes: propose, prove, combine.

Proposals that may be pasted as they are, are put on top of each other, one proof after the other, so that the reader
gets one record for each name that corrects all of it. Proposals that need a decision are proved on top of those, each
by itself, because the reader may take one and leave the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailguard.inquiry import Question
from mailguard.remedy.fix import Fix, FixRecord, Readiness, Reason
from mailguard.remedy.propose import Proposal, propose, reasons_in_dmarc, reasons_in_spf
from mailguard.remedy.prove import Find, Look, View, helps, overlay, rests_on_unseen, view
from mailguard.rules.base import Finding

MAX_PROOFS: Final = 24
"""So many times one domain is looked at again; a bound on time, far above what real domains need."""


def find_fixes(now: View, look: Look, find: Find) -> tuple[Fix, ...]:
    """Proved fixes for the findings of ``now``, those to paste first. Pure; at most ``MAX_PROOFS`` proofs."""
    workshop = _Workshop(now, look, find)
    workshop.paste()
    return (*workshop.pasted(), *workshop.decisions())


@dataclass(frozen=True, slots=True)
class _Proof:
    """A proposal that helps: the domain with it, and what speaks against pasting it unread."""

    rule_id: str
    proposal: Proposal
    after: View
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """A proposal that was pasted, and the rules whose findings it made go away."""

    proposal: Proposal
    solved: frozenset[str]


class _Workshop:
    """Collects what helps. ``_view`` is the domain with everything pasted so far."""

    def __init__(self, now: View, look: Look, find: Find) -> None:
        self._view = now
        self._look = look
        self._find = find
        self._proofs: dict[tuple[str, Proposal], _Proof | None] = {}
        self._looks = 0
        self._steps: list[_Step] = []

    def paste(self) -> None:
        """Apply every proposal that may be pasted and helps; begin anew after each, for it may have solved others."""
        while (proof := self._next_to_paste()) is not None:
            self._steps.append(_Step(proof.proposal, _solved(proof, self._view)))
            self._view = proof.after
            self._proofs = {key: known for key, known in self._proofs.items() if known is None}

    def _next_to_paste(self) -> _Proof | None:
        for finding in self._view.findings:
            for proposal in propose(finding, self._view.dossier):
                proof = None if proposal.reasons else self._prove(proposal, finding)
                if proof is not None and not proof.reasons:
                    return proof
        return None

    def pasted(self) -> Iterator[Fix]:
        """One fix for each name that the pasted proposals touch."""
        changes: dict[Question, FixRecord] = {}
        solved: dict[Question, list[str]] = {}
        for step in self._steps:
            for record in step.proposal.records:
                question = Question(record.name, record.rrtype)
                first = changes.get(question)
                before = first.before if first else record.before
                changes[question] = FixRecord(record.name, record.rrtype, before, record.after)
                solved.setdefault(question, []).extend(sorted(step.solved))
        for question, record in changes.items():
            yield Fix(tuple(dict.fromkeys(solved[question])), (record,), Readiness.PASTE)

    def decisions(self) -> Iterator[Fix]:
        """Proposals that need a decision, each proved on top of what may be pasted; one for each finding."""
        told: set[tuple[FixRecord, ...]] = set()
        for finding in self._view.findings:
            for proposal in propose(finding, self._view.dossier):
                proof = self._prove(proposal, finding)
                records = tuple(self._as_published(record) for record in proposal.records)
                if proof is not None and records not in told:
                    told.add(records)
                    solved = tuple(sorted(_solved(proof, self._view)))
                    yield Fix(solved, records, Readiness.DECIDE, proof.reasons)
                    break

    def _as_published(self, record: FixRecord) -> FixRecord:
        """The record with what is published today as ``before``, not what has been pasted meanwhile."""
        for step in self._steps:
            for earlier in step.proposal.records:
                if (earlier.name, earlier.rrtype) == (record.name, record.rrtype):
                    return FixRecord(record.name, record.rrtype, earlier.before, record.after)
        return record

    def _prove(self, proposal: Proposal, finding: Finding) -> _Proof | None:
        key = (finding.rule.id, proposal)
        if key not in self._proofs:
            self._looks += 1
            self._proofs[key] = self._look_again(proposal, finding) if self._looks <= MAX_PROOFS else None
        return self._proofs[key]

    def _look_again(self, proposal: Proposal, finding: Finding) -> _Proof | None:
        source = self._view.source
        for record in proposal.records:
            source = overlay(source, record)
        after = view(source, self._look, self._find)
        if not helps(self._view, after, finding):
            return None
        here, there = self._view.survey, after.survey
        seen = (*reasons_in_dmarc(here.dmarc, there.dmarc), *reasons_in_spf(here.spf, there.spf))
        reasons = tuple(dict.fromkeys((*proposal.reasons, *seen)))
        if rests_on_unseen(proposal, reasons, there):
            return None
        return _Proof(finding.rule.id, proposal, after, reasons)


def _solved(proof: _Proof, before: View) -> frozenset[str]:
    """The rule that was proposed for, and others whose findings at the changed names go away with it.

    What vanishes at other names was not solved, only superseded by another finding.
    """
    names = {record.name for record in proof.proposal.records}
    still = {finding.rule.id for finding in proof.after.findings}
    gone = {finding.rule.id for finding in before.findings if finding.at in names} - still
    return frozenset({proof.rule_id, *gone})
