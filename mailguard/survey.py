"""``take_survey``: all DNS facts about one domain, as one inquiry.

Each standard's own survey asks what it needs, side by side with the others. That two of them ask the same question
costs nothing: whoever drives the inquiry asks every (name, type) once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from mailguard.dkim.survey import Candidate, DkimSurvey, SelectorOrigin, survey_dkim
from mailguard.dmarc.survey import DmarcSurvey, survey_dmarc
from mailguard.inquiry import Answer, Inquiry, Question, RRType, Together, ask_all
from mailguard.names import DomainName
from mailguard.providers import Providers, Recognised, selectors_for
from mailguard.spf.record import select_records
from mailguard.spf.survey import SpfSurvey, Strangers, survey_passes, survey_spf
from mailguard.zone.reach import doubting, reaches_internet
from mailguard.zone.survey import SubdomainsExist, ZoneSurvey, survey_zone


@dataclass(frozen=True, slots=True)
class Survey:
    """What DNS says about ``domain``; each part keeps the answers it rests on.

    ``organization`` is the SPF record of the organizational domain, where that is another name. ``is_cut_off``: whoever
    answered seems not to reach the internet, and every absence is among the unanswered (``zone/reach.py``).
    """

    domain: DomainName
    spf: SpfSurvey
    dmarc: DmarcSurvey
    dkim: DkimSurvey
    zone: ZoneSurvey
    providers: tuple[Recognised, ...] = ()
    organization: SpfSurvey | None = None
    is_cut_off: bool = False

    @property
    def is_found(self) -> bool:
        """Whether an answer shows that the domain exists, or a name above it that only the internet knows.

        Below a name that is denied nothing exists (RFC 8020 section 2). Who denies it and has something below has a
        zone of its own there, say one for use inside the house that bears the public name: that shows nothing.
        """
        zone, above = self.zone, self.zone.ns[1:]
        own = (zone.mx, zone.txt, zone.a, zone.aaaa, *zone.ns[:1])
        # An alias exists, wherever it leads (RFC 2308 section 2.1).
        if any(answer.aliases or not (answer.unanswered or answer.denies_name) for answer in own):
            return not any(answer.denies_name for answer in above)
        return any(answer.present for answer in (*above, *(node.answer for node in self.dmarc.nodes.values())))

    @property
    def denies(self) -> bool:
        """Whether anything was said not to exist, on which a judgement could rest."""
        nodes = (node.answer for node in self.dmarc.nodes.values())
        answers = (self.zone.mx, self.zone.txt, self.zone.a, self.zone.aaaa, self.dkim.below, *nodes)
        return any(answer.absent for answer in answers)

    @property
    def strangers_above(self) -> Strangers:
        """Whether a stranger gets a pass as the organizational domain, which relaxed alignment takes for this one."""
        if self.organization is not None:
            return self.organization.strangers_can_pass
        return Strangers.UNKNOWN if self.dmarc.organizational_domain is None else Strangers.NO

    @property
    def strangers_by_wildcard(self) -> Strangers:
        """Whether a stranger gets a pass as a name that nobody published, by the record of a wildcard."""
        if self.zone.subdomains_exist is SubdomainsExist.DENIED:
            return Strangers.NO
        if self.zone.probe_txt.unanswered:
            return Strangers.UNKNOWN
        return self.spf.wildcard_strangers(self.zone.wildcard_texts)


def take_survey(
    domain: DomainName,
    *,
    selectors: Sequence[str] = (),
    reported: Sequence[str] = (),
    probe_label: str,
    knowledge: Providers | None = None,
) -> Inquiry[Survey]:
    """Ask all there is to ask about ``domain``.

    Where nothing shows that it exists, one question more (seldom two) tells a missing domain from a server that does
    not reach the internet.

    Args:
        selectors: DKIM selectors that the user named.
        reported: DKIM selectors of this domain that aggregate reports told of.
        probe_label: a label that nobody publishes (the caller draws it), for questions that tell wildcards apart.
        knowledge: providers whose usual selectors are worth asking for.
    """
    knowledge = knowledge or Providers()
    named = [Candidate(selector, SelectorOrigin.USER) for selector in selectors]
    named += [Candidate(selector, SelectorOrigin.REPORT) for selector in reported]
    survey = yield from _survey(domain, named, probe_label, knowledge)
    if survey.is_found or not survey.denies or (yield from reaches_internet(domain)):
        return survey
    return replace((yield from doubting(_survey(domain, named, probe_label, knowledge))), is_cut_off=True)


def _survey(domain: DomainName, named: Sequence[Candidate], probe_label: str, knowledge: Providers) -> Inquiry[Survey]:
    results = yield Together(
        (
            survey_spf(domain),
            survey_dmarc(domain),
            _survey_dkim(domain, named, probe_label, knowledge),
            survey_zone(domain, probe_label),
        )
    )
    spf, dmarc, dkim, zone = cast("tuple[SpfSurvey, DmarcSurvey, DkimSurvey, ZoneSurvey]", results)
    aliases = [alias for facts in dkim.selectors for alias in facts.answer.aliases]
    providers = _recognise(domain, knowledge, zone.txt, zone.mx, zone.name_servers, aliases)
    organization = yield from _survey_organization(dmarc)
    return Survey(domain, spf, dmarc, dkim, zone, providers, organization)


def _survey_organization(dmarc: DmarcSurvey) -> Inquiry[SpfSurvey | None]:
    above = dmarc.organizational_domain
    if above is None or above == dmarc.domain:
        return None
    return (yield from survey_passes(above))


def _survey_dkim(
    domain: DomainName, named: Sequence[Candidate], probe_label: str, knowledge: Providers
) -> Inquiry[DkimSurvey]:
    """The DKIM survey of the selectors that somebody named and of those usual at the providers seen in MX and SPF."""
    under = domain.child("_domainkey")
    txt, mx, *_ = yield from ask_all(
        (
            Question(domain, RRType.TXT),
            Question(domain, RRType.MX),
            # Not needed here, but survey_dkim will want them next: asked now they cost no further round.
            Question(under, RRType.TXT),
            Question(under.child(probe_label), RRType.TXT),
        )
    )
    usual = selectors_for(_recognise(domain, knowledge, txt, mx))
    candidates = (*named, *(Candidate(selector, SelectorOrigin.PROVIDER) for selector in usual))
    return (yield from survey_dkim(domain, candidates, probe_label))


def _recognise(
    domain: DomainName,
    knowledge: Providers,
    txt: Answer,
    mx: Answer,
    name_servers: Iterable[str] = (),
    aliases: Iterable[str] = (),
) -> tuple[Recognised, ...]:
    records = select_records(txt.txts)
    return knowledge.recognise(
        domain,
        mx_hosts=[record.exchange for record in mx.exchanges],
        spf_terms=[term for record in records for term in record.joined.decode("latin-1").split()],
        ns_hosts=name_servers,
        aliases=aliases,
    )
