"""The DMARC record is word for word the one that the provider publishes unasked, and its reports reach nobody."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.providers import Layer
from mailguard.rules.address._select import in_layers
from mailguard.rules.base import Confidence, Finding, Rule, Severity


class ProviderDefaultDmarc(Finding):
    """The owner may not know that the record is there."""

    rule = Rule("ADDR005", "provider-default-dmarc", Severity.INFO, Confidence.POSSIBLE, cites=("RFC 9989 5.1",))
    provider: str
    record: str


def check(dossier: Dossier) -> Iterator[ProviderDefaultDmarc]:
    """Only for a record at the domain itself."""
    dmarc = dossier.survey.dmarc
    if dmarc.record is None or dmarc.inherited:
        return
    text = dmarc.record.text
    for provider in in_layers(dossier, Layer.MAILBOX, Layer.DNS):
        if provider.default_dmarc and _plain(text) == _plain(provider.default_dmarc):
            at = dmarc.txt.question.name
            yield ProviderDefaultDmarc(at=at, seen_in=(dmarc.txt.question,), provider=provider.both_names, record=text)
            return


def _plain(record: str) -> str:
    return "".join(record.lower().split()).rstrip(";")
