"""The answer on the first line: can a stranger send mail in this name?

It is an answer about receivers that honour DMARC, from what DNS shows. *No* needs two things to be seen: the policy
that applies is reject, and SPF gives no stranger an aligned pass. *Partly* is quarantine: the mail arrives, in the
junk folder. *Unknown* means that a deciding answer could not be had; it never hides behind one of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailguard.dmarc.discovery import Outcome
from mailguard.dmarc.record import Mode
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
    """The verdicts for one domain.

    SPF records of subdomains that exist cannot be listed from outside, so the verdict about them rests on the policy
    and on the domain's own SPF, which under relaxed alignment (RFC 9989 section 4.4) serves them too.
    """
    policies = survey.dmarc.effective
    own, invented = survey.spf.strangers_can_pass, _strangers_below(survey)
    domain = _verdict(policies.domain, own)
    subdomain = _verdict(policies.subdomain, own if _is_relaxed(survey) else Strangers.NO)
    nonexistent = _verdict(_policy_of_invented(survey), invented)
    return Spoofable(domain[0], subdomain[0], nonexistent[0], domain[1], subdomain[1], nonexistent[1])


def _verdict(policy: Outcome, strangers: Strangers) -> tuple[Verdict, Because]:
    if not policy.enforces:
        return _BY_POLICY[policy]
    # An aligned SPF pass is a DMARC pass: the policy is then never applied (RFC 9989 section 4.4).
    if strangers is Strangers.YES:
        return Verdict.YES, Because.SPF_PASSES_EVERYONE
    if strangers is Strangers.UNKNOWN:
        return Verdict.UNKNOWN, Because.SPF_UNKNOWN
    return (Verdict.NO, Because.REJECT) if policy is Outcome.REJECT else _BY_POLICY[policy]


def _policy_of_invented(survey: Survey) -> Outcome:
    """The policy for an invented name. Where every name exists, ``np`` never applies (RFC 9989 section 3.2.13)."""
    policies = survey.dmarc.effective
    match survey.zone.subdomains_exist:
        case SubdomainsExist.DENIED:
            return policies.nonexistent_subdomain
        case SubdomainsExist.UNANSWERED if policies.subdomain is not policies.nonexistent_subdomain:
            return Outcome.UNANSWERED
        case _:
            return policies.subdomain


def _strangers_below(survey: Survey) -> Strangers:
    """Whether a stranger gets an aligned SPF pass as an invented subdomain: by its own record, or by the domain's."""
    own = survey.spf.strangers_can_pass if _is_relaxed(survey) else Strangers.NO
    below = survey.spf.wildcard_strangers(survey.zone.wildcard_texts)
    order = (Strangers.NO, Strangers.UNKNOWN, Strangers.YES)
    return max(own, below, key=order.index)


def _is_relaxed(survey: Survey) -> bool:
    record = survey.dmarc.record
    return record is None or record.aspf is Mode.RELAXED
