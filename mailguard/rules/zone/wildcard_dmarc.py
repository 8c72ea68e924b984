"""A DMARC record that a wildcard gives to every subdomain."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import is_dmarc_record, text_of
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class WildcardDmarc(Finding):
    """A wildcard TXT record is a DMARC record, which counts for every invented subdomain instead of sp and np."""

    rule = Rule("ZONE011", "wildcard-dmarc", Severity.MEDIUM, cites=("RFC 9989 4.10.1", "RFC 4592 3.3.1"))
    record: str


def check(dossier: Dossier) -> Iterator[WildcardDmarc]:
    zone = dossier.survey.zone
    for octets in zone.wildcard_texts:
        text = text_of(octets)
        if is_dmarc_record(text):
            yield WildcardDmarc(at=zone.domain.child("*"), seen_in=(zone.probe_txt.question,), record=text)
