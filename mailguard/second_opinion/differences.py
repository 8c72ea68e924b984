"""The known differences: a condition for each category of categories.toml, by aspect, the more telling ones first.

A condition looks at what was published and answered, and at the class of checkdmarc's exception; at its prose only
where one class stands for several things.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar

from mailguard.dmarc.record import ProblemCode, Treatment
from mailguard.dmarc.record import Record as DmarcRecord
from mailguard.dmarc.record import parse_record as parse_dmarc_record
from mailguard.dmarc.survey import DmarcStatus, DmarcSurvey
from mailguard.inquiry import Mx
from mailguard.second_opinion.opinion import PeerDmarc, PeerMx, PeerSpf
from mailguard.spf.expansion import Branch, BranchStatus
from mailguard.spf.limits import MAX_VOID_LOOKUPS
from mailguard.spf.record import Record
from mailguard.spf.survey import SpfStatus, SpfSurvey
from mailguard.spf.terms import Broken, Directive, Kind, Modifier, Reason
from mailguard.zone.survey import ZoneSurvey

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")

Condition = Callable[[Ours, Theirs], bool]


def _records(ours: SpfSurvey) -> Iterator[Record]:
    """Every record of the tree, also those that cannot be read."""
    places = (ours.tree, *(branch.below for branch in ours.tree.walk()))
    return (place.record for place in places if place and place.record)


def _is_after_all(record: Record, fault: Broken) -> bool:
    return record.all is not None and fault.start > record.all.start


def _is_value_of_unknown_modifier(record: Record, fault: Broken) -> bool:
    name, equals, _ = fault.text.partition("=")
    return bool(equals) and name.replace("-", "").isalnum() and name.lower() not in ("redirect", "exp")


def _is_explanation(record: Record, fault: Broken) -> bool:
    return fault.text.lower().startswith("exp=")


def _is_other_blank(record: Record, fault: Broken) -> bool:
    return fault.reason in (Reason.TAB, Reason.OTHER_BLANK, Reason.CONTROL)


def _is_loose_name(record: Record, fault: Broken) -> bool:
    return fault.reason in (Reason.BAD_DOMAIN, Reason.ADDRESS_FOR_NAME, Reason.EMPTY_DOMAIN)


OVERLOOKED: Final[Mapping[str, Callable[[Record, Broken], bool]]] = {
    "spf-text-after-all": _is_after_all,
    "spf-unknown-modifier-value": _is_value_of_unknown_modifier,
    "spf-explanation-name": _is_explanation,
    "spf-blank-other-than-space": _is_other_blank,
    "spf-name-without-top-label": _is_loose_name,
}
"""Faults that make a record permerror to us and that checkdmarc lets pass."""


def _overlooks(ours: SpfSurvey, theirs: PeerSpf, category: str) -> bool:
    """Whether all faults of an unreadable record are of a kind that checkdmarc lets pass, the first of this one."""
    for record in _records(ours):
        found = [_why_overlooked(record, fault) for fault in record.faults]
        if found and all(found):
            return theirs.valid is True and found[0] == category
    return False


def _why_overlooked(record: Record, fault: Broken) -> str:
    return next((category for category, is_such in OVERLOOKED.items() if is_such(record, fault)), "")


def _directives(ours: SpfSurvey, kind: Kind) -> Iterator[Branch]:
    return (branch for branch in ours.tree.walk() if isinstance(branch.term, Directive) and branch.term.kind is kind)


def _over_void_limit(ours: SpfSurvey, kind: Kind) -> bool:
    """Whether our void look-ups are too many and terms of this kind are among them."""
    voids = any(branch.is_void(4) for branch in _directives(ours, kind))
    return voids and ours.tree.void4 > MAX_VOID_LOOKUPS


def _over_void_limit_by_hosts(ours: SpfSurvey) -> bool:
    hosts = any(branch.is_void(4) and any(_exchanges(branch)) for branch in _directives(ours, Kind.MX))
    return hosts and ours.tree.void4 > MAX_VOID_LOOKUPS


def _exchanges(branch: Branch) -> Iterator[Mx]:
    """The MX records behind an mx term; none where its name depends on the message."""
    return (mx for answer in branch.answers for mx in answer.exchanges)


def _names_itself(branch: Branch) -> bool:
    """Whether the target was written with a macro whose value does not depend on the message."""
    spec = branch.term.value if isinstance(branch.term, Modifier) else branch.term.target
    return branch.target is not None and spec is not None and bool(spec.letters)


def _too_many_void(theirs: PeerSpf) -> bool:
    return "void" in theirs.error and theirs.kind in ("SPFTooManyVoidDNSLookups", "SPFTooManyDNSLookups")


def _has_null_mx(ours: SpfSurvey) -> bool:
    return any(not mx.exchange for branch in _directives(ours, Kind.MX) for mx in _exchanges(branch))


SPF_STATUS: Final[Mapping[str, Condition[SpfSurvey, PeerSpf]]] = {
    "spf-version-in-capitals": lambda ours, theirs: (
        theirs.kind == "SPFSyntaxError" and any(not record.text.startswith("v=spf1") for record in _records(ours))
    ),
    "spf-modifier-ending-in-all": lambda ours, theirs: (
        theirs.kind == "SPFSyntaxError" and "whitespace before 'all'" in theirs.error
    ),
    "spf-no-answer-counted-void": lambda ours, theirs: (
        _too_many_void(theirs)
        and any(branch.status is BranchStatus.UNANSWERED and branch.below for branch in ours.tree.walk())
    ),
    "spf-ptr-counted-void": lambda ours, theirs: _too_many_void(theirs) and any(_directives(ours, Kind.PTR)),
    "spf-null-mx-counted-void": lambda ours, theirs: _too_many_void(theirs) and _has_null_mx(ours),
    "spf-no-answer-read-as-absence": lambda ours, theirs: ours.status is SpfStatus.UNANSWERED and bool(theirs.failed),
    "spf-no-answer-read-as-permerror": lambda ours, theirs: theirs.kind == "SPFRecordNotFound" and bool(theirs.failed),
    "spf-no-answer-passed-over": lambda ours, theirs: theirs.valid is True and ours.outcome is SpfStatus.UNANSWERED,
    **{category: partial(_overlooks, category=category) for category in OVERLOOKED},
    "spf-macro-not-expanded": lambda ours, theirs: (
        theirs.valid is True and any(branch.status.breaks and _names_itself(branch) for branch in ours.tree.walk())
    ),
    "spf-exists-never-asked": lambda ours, theirs: theirs.valid is True and _over_void_limit(ours, Kind.EXISTS),
    "spf-mx-hosts-not-counted-void": lambda ours, theirs: theirs.valid is True and _over_void_limit_by_hosts(ours),
    "spf-void-by-family": lambda ours, theirs: theirs.valid is True and _over_void_limit(ours, Kind.A),
}
SPF_LOOKUPS: Final[Mapping[str, Condition[SpfSurvey, PeerSpf]]] = {
    "spf-count-lost-past-the-limit": lambda ours, theirs: (
        theirs.kind.startswith("SPFTooMany") and (theirs.lookups or 0) < (ours.lookups or 0)
    ),
    "spf-macro-not-expanded": lambda ours, theirs: any(
        _names_itself(branch) and branch.below for branch in ours.tree.walk()
    ),
    "spf-p-macro-counted": lambda ours, theirs: any(
        "p" in term.target.letters for record in _records(ours) for term in record.directives if term.target
    ),
}


def _dmarc_records(ours: DmarcSurvey) -> Iterator[DmarcRecord]:
    """Every DMARC record on the way from the domain to the top."""
    records = (parse_dmarc_record(text) for node in ours.walk.nodes for text in node.records)
    return (record for record in records if record)


def _has_problem(ours: DmarcSurvey, *codes: ProblemCode) -> bool:
    return any(problem.code in codes for record in _dmarc_records(ours) for problem in record.problems)


def _others(ours: DmarcSurvey) -> tuple[str, ...]:
    """Texts on the way that are no DMARC records, the empty one too."""
    return tuple(text for node in ours.walk.nodes for text in node.others)


_UNREADABLE_TAG: Final = (
    ProblemCode.EMPTY_TAG,
    ProblemCode.NO_EQUALS,
    ProblemCode.BAD_NAME,
    ProblemCode.EMPTY_VALUE,
    ProblemCode.BAD_CHARACTER,
)

DMARC_STATUS: Final[Mapping[str, Condition[DmarcSurvey, PeerDmarc]]] = {
    "dmarc-no-answer-read-as-fault": lambda ours, theirs: (
        ours.status is DmarcStatus.UNANSWERED and bool(theirs.failed) and theirs.kind == "DMARCError"
    ),
    "dmarc-leading-blank": lambda ours, theirs: (
        theirs.kind == "DMARCRecordStartsWithWhitespace" and any(text != text.strip() for text in _others(ours))
    ),
    "dmarc-unrelated-text": lambda ours, theirs: (
        theirs.kind == "UnrelatedTXTRecordFoundAtDMARC" and theirs.record is None and bool(_others(ours))
    ),
    "dmarc-octets-outside-utf8": lambda ours, theirs: (
        theirs.kind == "UnrelatedTXTRecordFoundAtDMARC" and "Undecodable characters" in theirs.error
    ),
    "dmarc-unrelated-text-at-the-destination": lambda ours, theirs: (
        theirs.kind == "UnrelatedTXTRecordFoundAtDMARC" and "*._report._dmarc." in theirs.error
    ),
    "dmarc-several-records": lambda ours, theirs: (
        theirs.kind == "MultipleDMARCRecords" and any(len(node.records) > 1 for node in ours.walk.nodes)
    ),
    "dmarc-record-at-the-apex": lambda ours, theirs: (
        theirs.kind == "DMARCRecordInWrongLocation" and any(b"DMARC1" in text for text in ours.apex.texts)
    ),
    "dmarc-name-that-does-not-exist": lambda ours, theirs: (
        theirs.kind == "DMARCRecordNotFound" and ours.apex.denies_name
    ),
    "dmarc-tag-syntax": lambda ours, theirs: theirs.kind == "DMARCSyntaxError" and _has_problem(ours, *_UNREADABLE_TAG),
    "dmarc-duplicate-tag": lambda ours, theirs: (
        theirs.kind == "InvalidDMARCTag" and _has_problem(ours, ProblemCode.DUPLICATE_TAG)
    ),
    "dmarc-optional-tag-value": lambda ours, theirs: (
        theirs.kind == "InvalidDMARCTagValue" and _has_problem(ours, ProblemCode.BAD_VALUE)
    ),
    "dmarc-report-address": lambda ours, theirs: (
        theirs.kind == "InvalidDMARCReportURI" and _has_problem(ours, ProblemCode.BAD_URI)
    ),
    "dmarc-no-policy": lambda ours, theirs: (
        theirs.valid is True and ours.record is not None and ours.record.treatment is not Treatment.APPLY
    ),
}

DMARC_POLICY: Final[Mapping[str, Condition[DmarcSurvey, PeerDmarc]]] = {
    "dmarc-inherited-policy": lambda ours, theirs: ours.inherited,
    "dmarc-test-mode": lambda ours, theirs: ours.testing and theirs.testing,
}

MX_STATUS: Final[Mapping[str, Condition[ZoneSurvey, PeerMx]]] = {
    "mx-no-answer-read-as-fault": lambda ours, theirs: ours.mx.unanswered and bool(theirs.failed),
    "mx-null-beside-others": lambda ours, theirs: (
        len(ours.mx.exchanges) > 1 and not all(mx.exchange for mx in ours.mx.exchanges)
    ),
    "mx-null-with-a-preference": lambda ours, theirs: any(
        not mx.exchange and mx.preference > 0 for mx in ours.mx.exchanges
    ),
}
