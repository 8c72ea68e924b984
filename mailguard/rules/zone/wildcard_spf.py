"""An SPF record that a wildcard gives to every subdomain."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf import open_record_nearby
from mailguard.spf.record import select_records
from mailguard.zone.parked import may_pass


class WildcardSpf(Finding):
    """A wildcard gives every invented subdomain an SPF record that lets hosts send."""

    rule = Rule("ZONE021", "wildcard-spf-authorises", Severity.LOW, cites=("RFC 7208 3.5",))
    record: str


def check(dossier: Dossier) -> Iterator[WildcardSpf]:
    """Quiet where it lets everybody send, which is graver and told by SPF046."""
    zone = dossier.survey.zone
    if any(open_record_nearby.check(dossier)):
        return
    for record in select_records(zone.probe_txt.txts):
        if may_pass(record.joined):
            text = record.joined.decode("utf-8", "backslashreplace")
            yield WildcardSpf(at=zone.domain.child("*"), seen_in=(zone.probe_txt.question,), record=text)
