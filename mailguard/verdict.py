"""The answer on the first line: can a stranger send mail in this name?

It is an answer about receivers that honour DMARC, from what DNS shows. *No* needs two things to be seen: the policy
that applies is reject, and no stranger gets an aligned pass, be it by SPF or by a DKIM key whose private half
everybody can have. *Partly* is quarantine: the mail arrives, in the junk folder. *Unknown* means that a deciding answer
could not be had; it never hides behind one of the others.

Under relaxed alignment (RFC 9989 section 4.4) a pass for *any* name of the organisation will do. Of those names we see
the domain itself, the organizational domain, and whatever a wildcard answers for; names that exist below cannot be
listed from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailguard.dmarc.discovery import Discovery, Outcome, Place, outcome
from mailguard.dmarc.record import Mode, Record
from mailguard.dmarc.walk import read_node
from mailguard.spf.survey import Strangers
from mailguard.survey import Survey
from mailguard.zone.survey import SubdomainsExist


class Verdict(StrEnum):
    """Whether a stranger can send in a name."""

    YES = "yes"
    NO = "no"
    PARTLY = "partly"
    UNKNOWN = "unknown"


class Because(StrEnum):
    """Why the verdict is what it is."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    POLICY_NONE = "policy-none"
    NO_POLICY = "no-policy"
    SPF_PASSES_EVERYONE = "spf-passes-everyone"
    SPF_UNKNOWN = "spf-unknown"
    KEY_OPEN_TO_ALL = "key-open-to-all"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Spoofable:
    """The three verdicts with their reasons: as the domain, as a subdomain that exists, as one that does not."""

    domain: Verdict
    subdomain: Verdict
    nonexistent_subdomain: Verdict
    because_domain: Because
    because_subdomain: Because
    because_nonexistent_subdomain: Because


_BY_POLICY = {
    Outcome.QUARANTINE: (Verdict.PARTLY, Because.QUARANTINE),
    Outcome.NONE: (Verdict.YES, Because.POLICY_NONE),
    Outcome.ABSENT: (Verdict.YES, Because.NO_POLICY),
    Outcome.UNANSWERED: (Verdict.UNKNOWN, Because.UNANSWERED),
}


def judge_spoofing(survey: Survey) -> Spoofable:
    """The verdicts for one domain."""
    dmarc, own, invented_name = survey.dmarc, survey.spf.strangers_can_pass, survey.strangers_by_wildcard
    at_domain = [own]
    if _is_relaxed(dmarc.record):
        at_domain += [survey.strangers_above, invented_name if dmarc.is_one_with_subdomains else Strangers.NO]
    below = _strangers_below(survey, dmarc.below.record)
    policy, record = _of_invented(survey)
    invented = _strangers_below(survey, record)
    signed = survey.dkim.strangers_can_sign
    signed_below = signed and dmarc.is_one_with_subdomains
    domain = _verdict(dmarc.effective.domain, _worst(*at_domain), signed)
    subdomain = _verdict(dmarc.effective.subdomain, below, signed_below and _signs_below(dmarc.below.record))
    # The invented name's own record, from a wildcard, is aligned in either mode.
    nonexistent = _verdict(policy, _worst(invented, invented_name), signed_below and _signs_below(record))
    return Spoofable(domain[0], subdomain[0], nonexistent[0], domain[1], subdomain[1], nonexistent[1])


def _verdict(policy: Outcome, strangers: Strangers, signed: bool) -> tuple[Verdict, Because]:
    if not policy.enforces:
        return _BY_POLICY[policy]
    if signed:
        return Verdict.YES, Because.KEY_OPEN_TO_ALL
    # An aligned SPF pass is a DMARC pass: the policy is then never applied (RFC 9989 section 4.4).
    if strangers is Strangers.YES:
        return Verdict.YES, Because.SPF_PASSES_EVERYONE
    if strangers is Strangers.UNKNOWN:
        return Verdict.UNKNOWN, Because.SPF_UNKNOWN
    return (Verdict.NO, Because.REJECT) if policy is Outcome.REJECT else _BY_POLICY[policy]


def _strangers_below(survey: Survey, record: Record | None) -> Strangers:
    """Whether a stranger gets a pass that is aligned with a subdomain for which ``record`` counts."""
    # Below a public suffix domain (psd=y) every name is an organisation of its own.
    if not _is_relaxed(record) or not survey.dmarc.is_one_with_subdomains:
        return Strangers.NO
    return _worst(survey.spf.strangers_can_pass, survey.strangers_above, survey.strangers_by_wildcard)


def _signs_below(record: Record | None) -> bool:
    return record is None or record.adkim is Mode.RELAXED


def _worst(*strangers: Strangers) -> Strangers:
    order = (Strangers.NO, Strangers.UNKNOWN, Strangers.YES)
    return max(strangers, key=order.index)


def _is_relaxed(record: Record | None) -> bool:
    return record is None or record.aspf is Mode.RELAXED


def _of_invented(survey: Survey) -> tuple[Outcome, Record | None]:
    """The policy for an invented name, and the record that it stands in."""
    policies, below, zone = survey.dmarc.effective, survey.dmarc.below.record, survey.zone
    if zone.subdomains_exist is SubdomainsExist.DENIED:
        return policies.nonexistent_subdomain, below
    if zone.probe_txt.unanswered:
        return Outcome.UNANSWERED, below
    # A wildcard's DMARC record answers at _dmarc.<invented name> too: it is that name's own.
    own = read_node(zone.domain.child("*"), zone.probe_txt).record
    if own is not None:
        return outcome(Discovery(zone.domain, own), Place.DOMAIN), own
    if zone.subdomains_exist is SubdomainsExist.UNANSWERED and policies.subdomain is not policies.nonexistent_subdomain:
        return Outcome.UNANSWERED, below
    # Where every name exists, np never applies (RFC 9989 section 3.2.13).
    return policies.subdomain, below
