"""np that a wildcard puts out of use."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import np_is_stronger
from mailguard.zone.survey import SubdomainsExist


class NpMootByWildcard(Finding):
    """Every subdomain exists because of a wildcard, so np never applies, and sp, which does, is weaker."""

    rule = Rule("ZONE012", "np-moot-by-wildcard", Severity.MEDIUM, cites=("RFC 9989 3.2.13", "RFC 4592 3.3.1"))
    np: str
    sp: str  # what applies instead


def check(dossier: Dossier) -> Iterator[NpMootByWildcard]:
    zone, policies = dossier.survey.zone, dossier.survey.dmarc.effective
    if zone.subdomains_exist is SubdomainsExist.WILDCARD and np_is_stronger(dossier):
        yield NpMootByWildcard(
            at=dossier.survey.dmarc.txt.question.name,
            seen_in=(zone.probe_txt.question, zone.probe_mx.question, zone.probe_a.question),
            np=policies.nonexistent_subdomain.value,
            sp=policies.subdomain.value,
        )
