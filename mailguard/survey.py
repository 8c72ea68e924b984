"""``take_survey``: all DNS facts about one domain, as one inquiry.

Each standard's own survey asks what it needs, side by side with the others. That two of them ask the same question
costs nothing: whoever drives the inquiry asks every (name, type) once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from mailguard.dkim.survey import Candidate, DkimSurvey, SelectorOrigin, survey_dkim
from mailguard.dmarc.survey import DmarcSurvey, survey_dmarc
from mailguard.inquiry import Inquiry, Together
from mailguard.names import DomainName
from mailguard.spf.survey import SpfSurvey, survey_spf
from mailguard.zone.survey import ZoneSurvey, survey_zone


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about ``domain``; each part keeps the answers it rests on."""

    domain: DomainName
    spf: SpfSurvey
    dmarc: DmarcSurvey
    dkim: DkimSurvey
    zone: ZoneSurvey


def take_survey(domain: DomainName, *, selectors: Sequence[str] = (), probe_label: str) -> Inquiry[Survey]:
    """Ask all there is to ask about ``domain``.

    Args:
        selectors: DKIM selectors that the user named.
        probe_label: a label that nobody publishes (the caller draws it), for questions that tell wildcards apart.
    """
    candidates = tuple(Candidate(selector, SelectorOrigin.USER) for selector in selectors)
    results = yield Together(
        (
            survey_spf(domain),
            survey_dmarc(domain),
            survey_dkim(domain, candidates, probe_label),
            survey_zone(domain, probe_label),
        )
    )
    spf, dmarc, dkim, zone = cast("tuple[SpfSurvey, DmarcSurvey, DkimSurvey, ZoneSurvey]", results)
    return Survey(domain, spf, dmarc, dkim, zone)
