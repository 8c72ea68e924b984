"""What DKIM facts are visible for one domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask
from mailguard.names import DomainName


class SelectorOrigin(StrEnum):
    """Where a selector name came from: how much its absence means."""

    USER = "user"  # named by the user
    REPORT = "report"  # seen in an aggregate report
    PROVIDER = "provider"  # usual at a provider that the domain was seen to use
    GUESS = "guess"  # from the bounded list of common names


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selector worth asking for."""

    selector: str
    origin: SelectorOrigin


@dataclass(frozen=True, slots=True)
class DkimSurvey:
    """DKIM facts of a domain."""

    domain: DomainName
    below: Answer  # TXT at _domainkey.<domain>


def survey_dkim(domain: DomainName, candidates: Sequence[Candidate], probe_label: str) -> Inquiry[DkimSurvey]:
    """Collect the DKIM facts of ``domain``.

    ``probe_label`` is a label that nobody publishes, for control questions; the caller draws it.
    """
    below = yield from ask(Question(domain.child("_domainkey"), RRType.TXT))
    return DkimSurvey(domain, below)
