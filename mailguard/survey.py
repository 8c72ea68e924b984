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
from mailguard.inquiry import Answer, Inquiry, Question, RRType, Together, ask_all
from mailguard.names import DomainName
from mailguard.providers import Providers, Recognised, selectors_for
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
    providers: tuple[Recognised, ...] = ()


def take_survey(
    domain: DomainName,
    *,
    selectors: Sequence[str] = (),
    probe_label: str,
    knowledge: Providers | None = None,
) -> Inquiry[Survey]:
    """Ask all there is to ask about ``domain``.

    Args:
        selectors: DKIM selectors that the user named.
        probe_label: a label that nobody publishes (the caller draws it), for questions that tell wildcards apart.
        knowledge: providers whose usual selectors are worth asking for.
    """
    results = yield Together(
        (
            survey_spf(domain),
            survey_dmarc(domain),
            _survey_dkim(domain, selectors, probe_label, knowledge or Providers()),
            survey_zone(domain, probe_label),
        )
    )
    spf, dmarc, (dkim, providers), zone = cast(
        "tuple[SpfSurvey, DmarcSurvey, tuple[DkimSurvey, tuple[Recognised, ...]], ZoneSurvey]", results
    )
    return Survey(domain, spf, dmarc, dkim, zone, providers)


def _survey_dkim(
    domain: DomainName, selectors: Sequence[str], probe_label: str, knowledge: Providers
) -> Inquiry[tuple[DkimSurvey, tuple[Recognised, ...]]]:
    """The DKIM survey, with the selectors that are usual at the providers seen in MX, SPF and NS."""
    under = domain.child("_domainkey")
    txt, mx, ns, *_ = yield from ask_all(
        (
            Question(domain, RRType.TXT),
            Question(domain, RRType.MX),
            Question(domain, RRType.NS),
            # Not needed here, but survey_dkim will want them next: asked now they cost no further round.
            Question(under, RRType.TXT),
            Question(under.child(probe_label), RRType.TXT),
        )
    )
    recognised = _recognise(domain, knowledge, txt, mx, ns)
    candidates = [Candidate(selector, SelectorOrigin.USER) for selector in selectors]
    candidates += [Candidate(selector, SelectorOrigin.PROVIDER) for selector in selectors_for(recognised)]
    dkim = yield from survey_dkim(domain, candidates, probe_label)
    return dkim, recognised


def _recognise(
    domain: DomainName, knowledge: Providers, txt: Answer, mx: Answer, ns: Answer
) -> tuple[Recognised, ...]:
    terms = [term for text in txt.texts if text[:6].lower() == b"v=spf1" for term in text.decode("latin-1").split()]
    return knowledge.recognise(
        domain,
        mx_hosts=[record.exchange for record in mx.exchanges],
        spf_terms=terms,
        ns_hosts=ns.names,
    )
