"""The mail service signs with its own name until DKIM is set up for the domain, and no key of the domain was seen."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.providers import Layer
from mailguard.rules.address._select import in_layers, never_sends
from mailguard.rules.base import Confidence, Finding, Rule, Severity


class SignedByProvider(Finding):
    """Such mail passes DKIM, but in the provider's name: for DMARC the signature does not count."""

    rule = Rule("ADDR004", "signed-by-provider", Severity.INFO, Confidence.POSSIBLE, cites=("RFC 9989 4.4",))
    provider: str
    signing_domain: str


def check(dossier: Dossier) -> Iterator[SignedByProvider]:
    """Silent where a usable key of the domain was seen, and where it could not be found out."""
    survey = dossier.survey
    if survey.dkim.status not in (DkimStatus.ABSENT, DkimStatus.UNKNOWN) or survey.dkim.unseen or never_sends(dossier):
        return
    for provider in in_layers(dossier, Layer.MAILBOX, Layer.OUTBOUND):
        if provider.signs_as:
            yield SignedByProvider(
                at=survey.dkim.below.question.name,
                seen_in=answered(survey.zone.mx, survey.spf.txt, survey.dkim.below),
                provider=provider.both_names,
                signing_domain=provider.signs_as,
            )
