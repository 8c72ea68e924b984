"""Corrected SPF records that follow from the published one alone.

Pure helpers: each takes a record and returns the text of another. Whether a correction helps is proved elsewhere, on
the evidence. Nothing here invents a sender, and includes of other organisations are never replaced by their addresses:
those addresses are theirs to change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from mailguard.inquiry import Txt
from mailguard.names import DomainName
from mailguard.spf.expansion import Branch, BranchStatus
from mailguard.spf.hosts import RETIRED
from mailguard.spf.limits import MAX_LOOKUPS
from mailguard.spf.mend import mended, revived, separate
from mailguard.spf.networks import is_private
from mailguard.spf.record import VERSION, Record, format_record, is_spf, parse_record
from mailguard.spf.survey import SpfSurvey
from mailguard.spf.terms import Broken, Directive, Kind, Modifier, Qualifier, Term, find_seam, parse_term

_STRICTNESS: Final = (Qualifier.PASS, Qualifier.NEUTRAL, Qualifier.SOFTFAIL, Qualifier.FAIL)


def without(record: Record, starts: Collection[int]) -> str:
    """The record without the terms that begin at these positions."""
    return format_record(term for term in record.terms if term.start not in starts)


def with_all(record: Record, qualifier: Qualifier) -> str:
    """The record with this ``all`` at its end, in place of any other; other modifiers stay."""
    kept = [term for term in record.terms if not _is_all(term)]
    return format_record((*kept, Directive(Kind.ALL, qualifier)))


def before_all(record: Record, texts: Iterable[str]) -> str:
    """The record with terms added where evaluation reaches them: in front of ``all``, or at the end."""
    at = next((index for index, term in enumerate(record.terms) if _is_all(term)), len(record.terms))
    added = [parse_term(text) for text in texts]
    return format_record((*record.terms[:at], *added, *record.terms[at:]))


def all_last(record: Record) -> str:
    """The record with its ``all`` moved behind every other mechanism, so that all of them are reached."""
    last = record.all
    kept = [term for term in record.terms if not _is_all(term)]
    return format_record((*kept, last) if last else kept)


def merged(records: Sequence[Record]) -> str | None:
    """One record that lets pass whoever any of these does; ``None`` where that needs a decision.

    Each must be readable, without redirect, with no qualifier other than ``+`` before its ``all``, and none may end in
    ``+all``. The mildest ``all`` wins, so that no sender is treated more strictly than one of the records asked for.
    """
    if not all(map(_is_mergeable, records)):
        return None
    terms: dict[Term, None] = {}
    for record in records:
        terms.update(dict.fromkeys(term for term in record.terms if not _is_all(term)))
    if sum(isinstance(term, Modifier) and term.name == "exp" for term in terms) > 1:
        return None
    ends = [record.all.qualifier for record in records if record.all]
    end = [Directive(Kind.ALL, min(ends, key=_STRICTNESS.index))] if ends else []
    return format_record((*terms, *end))


def _is_mergeable(record: Record) -> bool:
    own = [term for term in record.directives if term.kind is not Kind.ALL]
    wide_open = record.all is not None and record.all.qualifier is Qualifier.PASS
    plain = all(term.qualifier is Qualifier.PASS for term in own) and record.modifier("redirect") is None
    return plain and not record.faults and not wide_open


def _is_all(term: Term) -> bool:
    return isinstance(term, Directive) and term.kind is Kind.ALL


def propose(rule_id: str, survey: SpfSurvey) -> str | None:
    """The corrected record for the domain, for a finding of ``rule_id``.

    ``None`` where what is right cannot be read off what was published: somebody who knows the senders has to decide.
    """
    proposal = _PROPOSALS.get(rule_id)
    return proposal(survey) if proposal else None


Proposal = Callable[[SpfSurvey], str | None]


def _edit(change: Callable[[SpfSurvey, Record], str | None]) -> Proposal:
    """A proposal that starts from the domain's own readable record; ``None`` where it would change nothing."""

    def proposal(survey: SpfSurvey) -> str | None:
        record = survey.record
        if record is None or record.faults:
            return None
        text = change(survey, record)
        return text if text != format_record(record.terms) else None

    return proposal


def _mended(survey: SpfSurvey) -> str | None:
    return mended(survey.record) if survey.record and survey.record.faults else None


def grown_together(txt: Txt, record: Record) -> list[Directive | Modifier]:
    """Readable terms that look like two where two strings of the TXT record meet without a blank (section 3.3)."""
    seams, length = [], 0
    for string in txt.strings[:-1]:
        length += len(string)
        seams.append(length)
    return [
        term
        for term in record.terms
        if not isinstance(term, Broken) and any(term.start < seam < term.end and _is_seam(term, seam) for seam in seams)
    ]


def _is_seam(term: Directive | Modifier, seam: int) -> bool:
    return term.start + find_seam(term.text) == seam


def _separated(survey: SpfSurvey) -> str | None:
    record = survey.record
    if record is None or record.faults:
        return _mended(survey)
    grown = grown_together(survey.candidates[0], record)
    texts = ((separate(term.text) or term.text) if term in grown else term.text for term in record.terms)
    return " ".join((VERSION, *texts)) if grown else None


def _merged(survey: SpfSurvey) -> str | None:
    return merged([parse_record(txt.joined) for txt in survey.candidates]) if len(survey.candidates) > 1 else None


def _revived(survey: SpfSurvey) -> str | None:
    return revived(survey.lookalikes[0]) if len(survey.lookalikes) == 1 else None


def _only_one(texts: Iterable[bytes]) -> str | None:
    """The record among texts found elsewhere, if there is exactly one and it can be read."""
    found = [parse_record(text) for text in texts if is_spf(text)]
    return format_record(found[0].terms) if len(found) == 1 and not found[0].faults else None


def _own(survey: SpfSurvey, wanted: Callable[[Branch], bool]) -> set[int]:
    """Where those terms of the domain's own record begin."""
    return {branch.term.start for branch in survey.tree.branches if wanted(branch)}


def _drop(wanted: Callable[[Branch], bool]) -> Proposal:
    def change(survey: SpfSurvey, record: Record) -> str | None:
        starts = _own(survey, wanted)
        others = [branch for branch in survey.tree.branches if branch.term.start not in starts]
        # A record that would allow nobody any more is no correction: the right sender is missing.
        return without(record, starts) if starts and any(map(_may_pass, others)) else None

    return _edit(change)


def _may_pass(branch: Branch) -> bool:
    term = branch.term
    return isinstance(term, Modifier) or (term.qualifier is Qualifier.PASS and term.kind is not Kind.ALL)


def is_include(branch: Branch) -> bool:
    """Whether a branch is an include."""
    return isinstance(branch.term, Directive) and branch.term.kind is Kind.INCLUDE


def is_empty_host(branch: Branch) -> bool:
    """Whether a branch is an a or mx that stands for no address at all."""
    named = isinstance(branch.term, Directive) and branch.term.kind in (Kind.A, Kind.MX)
    return named and branch.status in (BranchStatus.EMPTY, BranchStatus.NXDOMAIN)


def repeated(survey: SpfSurvey) -> set[int]:
    """Where those terms of the domain's own record begin that say again what an earlier one said."""
    seen: set[tuple[object, ...]] = set()
    starts = set()
    for branch in survey.tree.branches:
        term = branch.term
        if isinstance(term, Modifier) or not term.asks or branch.target is None:
            continue
        key = (term.kind, term.prefix4, term.prefix6, branch.target)
        if key in seen:
            starts.add(term.start)
        seen.add(key)
    return starts


def _leaner(survey: SpfSurvey, record: Record) -> str | None:
    """Without terms that authorise nobody or nobody new; ``None`` if that does not bring it within the limit."""
    useless = repeated(survey) | _own(survey, is_empty_host)
    saved = sum(branch.lookups for branch in survey.tree.branches if branch.term.start in useless)
    return without(record, useless) if survey.tree.lookups - saved <= MAX_LOOKUPS else None


def _without_host_bits(_: SpfSurvey, record: Record) -> str:
    return format_record(map(_clear_host_bits, record.terms))


def _clear_host_bits(term: Term) -> Term:
    if isinstance(term, Directive) and term.network is not None and has_host_bits(term):
        return parse_term(f"{term.qualifier}{term.kind}:{term.network}")
    return term


def has_host_bits(term: Directive | Modifier) -> bool:
    """Whether an ip4 or ip6 term has bits set behind its prefix, which receivers ignore (RFC 7208 section 5.6)."""
    if not isinstance(term, Directive) or term.network is None or term.address is None:
        return False
    return term.address != term.network.network_address


def _ignored_to_mechanism(_: SpfSurvey, record: Record) -> str:
    return format_record(
        parse_term(term.text.replace("=", ":", 1)) if is_ignored_mechanism(term) else term for term in record.terms
    )


def is_ignored_mechanism(term: Term) -> bool:
    """Whether a modifier has the name of a mechanism: written with "=" where ":" belongs, and so ignored."""
    return isinstance(term, Modifier) and term.name in tuple(Kind)


def _with_successors(survey: SpfSurvey, record: Record) -> str:
    """Retired includes by their present name; just without them where that name is included already."""
    present = {branch.target for branch in survey.tree.branches if is_include(branch)}
    old = {branch.term.start: RETIRED[branch.target] for branch in survey.tree.branches if branch.target in RETIRED}
    terms = []
    for term in record.terms:
        successor = old.get(term.start)
        if successor is None:
            terms.append(term)
        elif successor not in present and isinstance(term, Directive):
            present.add(DomainName(successor))
            terms.append(parse_term(f"{term.qualifier}include:{successor}"))
    return format_record(terms)


def _is_broken_include(branch: Branch) -> bool:
    return is_include(branch) and branch.status in (BranchStatus.EMPTY, BranchStatus.NXDOMAIN)


def _is_private_network(branch: Branch) -> bool:
    return isinstance(branch.term, Directive) and branch.term.network is not None and is_private(branch.term.network)


def _is_ptr(branch: Branch) -> bool:
    return isinstance(branch.term, Directive) and branch.term.kind is Kind.PTR


def _without_modifier(name: str) -> Proposal:
    return _edit(
        lambda _, record: without(record, {term.start for term in record.modifiers if term.name == name}),
    )


_softfail = _edit(lambda _, record: None if record.redirect else with_all(record, Qualifier.SOFTFAIL))

_PROPOSALS: Final[dict[str, Proposal]] = {
    "SPF002": _merged,
    "SPF003": _mended,
    "SPF004": _edit(_leaner),
    "SPF005": _mended,
    "SPF006": _mended,
    "SPF007": _mended,
    "SPF008": _separated,
    "SPF009": _mended,
    "SPF010": _revived,
    "SPF011": _softfail,
    "SPF013": _drop(is_empty_host),
    "SPF014": _drop(_is_broken_include),
    "SPF015": _drop(_is_broken_include),
    "SPF016": _drop(lambda branch: is_include(branch) and branch.target == branch.domain),
    "SPF020": _softfail,
    "SPF021": _softfail,
    "SPF022": _edit(lambda _, record: all_last(record)),
    "SPF023": _without_modifier("redirect"),
    "SPF024": _edit(_ignored_to_mechanism),
    "SPF026": _drop(_is_ptr),
    "SPF027": _drop(is_empty_host),
    "SPF029": _drop(_is_private_network),
    "SPF030": _edit(_without_host_bits),
    "SPF031": _edit(lambda survey, record: without(record, repeated(survey))),
    "SPF033": lambda survey: _only_one(text for answer in survey.wrong_names for text in answer.texts),
    "SPF034": lambda survey: _only_one(survey.type99.texts),
    "SPF037": _mended,
    "SPF039": _edit(_with_successors),
    "SPF040": _without_modifier("exp"),
    "SPF041": lambda _: f"{VERSION} -all",
    "SPF045": _mended,
}
