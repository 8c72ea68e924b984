"""What SPF facts are visible for one domain."""

from __future__ import annotations

from dataclasses import dataclass

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask
from mailguard.names import DomainName


@dataclass(frozen=True, slots=True)
class SpfSurvey:
    """SPF facts of a domain."""

    domain: DomainName
    txt: Answer


def survey_spf(domain: DomainName) -> Inquiry[SpfSurvey]:
    """Collect the SPF facts of ``domain``."""
    txt = yield from ask(Question(domain, RRType.TXT))
    return SpfSurvey(domain, txt)
