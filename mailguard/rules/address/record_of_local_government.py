"""The DMARC record that counts is that of the city, prefecture or other public body above the domain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity

# city.<city>.<prefecture>.jp or city.<city>.jp, pref.<prefecture>.jp, metro.tokyo.jp and whatever lies below lg.jp.
_PUBLIC_BODY = re.compile(r"(?:city|town|vill|pref)(?:\.[a-z0-9-]+){1,2}\.jp|metro\.tokyo\.jp|(?:[a-z0-9-]+\.)+lg\.jp")


class RecordOfLocalGovernment(Finding):
    """A municipal hospital inherits the record of the body it belongs to, and cannot change it alone."""

    rule = Rule("ADDR006", "record-of-local-government", Severity.INFO, Confidence.LIKELY, cites=("RFC 9989 4.10.1",))
    policy_domain: str
    record: str


def check(dossier: Dossier) -> Iterator[RecordOfLocalGovernment]:
    """Only where a record was inherited from such a name."""
    dmarc = dossier.survey.dmarc
    if not dmarc.inherited or dmarc.policy_domain is None or dmarc.record is None:
        return
    if _PUBLIC_BODY.fullmatch(dmarc.policy_domain):
        question = dmarc.nodes[dmarc.policy_domain].question
        yield RecordOfLocalGovernment(
            at=question.name,
            seen_in=(dmarc.txt.question, question),
            policy_domain=str(dmarc.policy_domain),
            record=dmarc.record.text,
        )
