"""The mailboxes have moved, and SPF still lacks the service that now sends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.providers import Layer, Provider, Recognised, Role, belongs_to
from mailguard.rules.address._select import in_layers, never_sends
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.spf.survey import SpfStatus
from mailguard.spf.terms import Directive, Kind

MAX_ADDRESSES = 4
"""With more address terms than this at names of nobody known, the record may spell the service's addresses out."""

_INCLUDE = re.compile(r"include:\S+")


class MailboxNotInSpf(Finding):
    """MX shows the mailboxes at a mail service whose SPF name is nowhere in the record."""

    rule = Rule(
        "ADDR003", "mailbox-not-in-spf", Severity.HIGH, Confidence.LIKELY, cites=("RFC 7208 10.1", "RFC 7208 5.2")
    )
    provider: str
    wanted: str  # the term that the service tells its customers to publish
    record: str


def check(dossier: Dossier) -> Iterator[MailboxNotInSpf]:
    """Silent where the tree was not fully seen, where mail leaves by a gateway, and where addresses are spelled out."""
    survey = dossier.survey
    spf = survey.spf
    service = _mail_service(survey.providers)
    if service is None or spf.status is not SpfStatus.VALID or spf.text is None or never_sends(dossier):
        return
    if not spf.lookups_exact or any(in_layers(dossier, Layer.OUTBOUND)) or _spells_addresses_out(dossier):
        return
    targets = (branch.target for branch in spf.branches() if branch.target)
    wanted = _INCLUDE.search(service.spf_record)
    if wanted is None or any(belongs_to(service, "spf", target) for target in targets):
        return
    yield MailboxNotInSpf(
        at=survey.domain,
        seen_in=(survey.zone.mx.question, spf.txt.question),
        provider=service.both_names,
        wanted=wanted[0],
        record=spf.text,
    )


def _mail_service(providers: tuple[Recognised, ...]) -> Provider | None:
    """The one mail service that MX shows; ``None`` beside a gateway or a second provider."""
    in_mx = [one.provider for one in providers if "mx" in one.seen_in]
    return in_mx[0] if len(in_mx) == 1 and in_mx[0].role is Role.SAAS else None


def _spells_addresses_out(dossier: Dossier) -> bool:
    known = [one.provider for one in dossier.survey.providers]
    literals = [
        branch
        for branch in dossier.survey.spf.branches()
        if isinstance(branch.term, Directive) and branch.term.kind in (Kind.IP4, Kind.IP6)
    ]
    return sum(not any(belongs_to(one, "spf", branch.domain) for one in known) for branch in literals) > MAX_ADDRESSES
