"""What else DNS says about a domain that mail depends on: MX, addresses, name servers, wildcards."""

from __future__ import annotations

from dataclasses import dataclass

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask
from mailguard.names import DomainName


@dataclass(frozen=True, slots=True)
class ZoneSurvey:
    """MX, addresses, name servers and wildcard facts of a domain."""

    domain: DomainName
    mx: Answer


def survey_zone(domain: DomainName, probe_label: str) -> Inquiry[ZoneSurvey]:
    """Collect them. ``probe_label`` is a label that nobody publishes, for control questions; the caller draws it."""
    mx = yield from ask(Question(domain, RRType.MX))
    return ZoneSurvey(domain, mx)
