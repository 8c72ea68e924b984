"""What DMARC facts are visible for one domain."""

from __future__ import annotations

from dataclasses import dataclass

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask
from mailguard.names import DomainName


@dataclass(frozen=True, slots=True)
class DmarcSurvey:
    """DMARC facts of a domain."""

    domain: DomainName
    txt: Answer


def survey_dmarc(domain: DomainName) -> Inquiry[DmarcSurvey]:
    """Collect the DMARC facts of ``domain``."""
    txt = yield from ask(Question(domain.child("_dmarc"), RRType.TXT))
    return DmarcSurvey(domain, txt)
