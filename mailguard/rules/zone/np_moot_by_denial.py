"""np that the name server puts out of use."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import np_is_stronger
from mailguard.zone.survey import SubdomainsExist


class NpMootByDenial(Finding):
    """The name server does not deny names that do not exist, so np never applies, and sp, which does, is weaker."""

    rule = Rule("ZONE013", "np-moot-by-compact-denial", Severity.MEDIUM, cites=("RFC 9989 3.2.13", "RFC 9824 2"))
    np: str
    sp: str  # what applies instead


def check(dossier: Dossier) -> Iterator[NpMootByDenial]:
    zone, policies = dossier.survey.zone, dossier.survey.dmarc.effective
    if zone.subdomains_exist is SubdomainsExist.COMPACT_DENIAL and np_is_stronger(dossier):
        yield NpMootByDenial(
            at=dossier.survey.dmarc.txt.question.name,
            seen_in=(zone.probe_txt.question, zone.probe_mx.question, zone.probe_a.question),
            np=policies.nonexistent_subdomain.value,
            sp=policies.subdomain.value,
        )
