"""Corrected zone records: what a domain without mail should publish.

Only records are made here; whether they may be published is the owner's decision, since they stop all mail of a domain
that does send. The set follows the M3AAWG practice for parked domains and BSI TR-03182-P module L. A report address
(``rua``) is kept where there is one and never invented: a domain that receives no mail cannot receive reports either.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mailguard.dmarc.edit import without_mail
from mailguard.inquiry import Answer, RRType
from mailguard.names import DomainName
from mailguard.spf.record import select_records
from mailguard.survey import Survey
from mailguard.zone.parked import publishes_receiving, rejects_everywhere
from mailguard.zone.survey import MxStatus

NEVER_SENDS: Final = "v=spf1 -all"
NULL_MX: Final = "0 ."
REVOKED_KEY: Final = "v=DKIM1; p="

_FOR_PARKED: Final = frozenset({"ZONE014", "ZONE015"})
_FOR_NULL_MX: Final = frozenset({"ZONE020"})


class ZoneRecord(NamedTuple):
    """What should stand at a name instead of what stands there; TXT values unquoted, MX as ``preference host``."""

    name: DomainName
    rrtype: RRType
    before: tuple[str, ...]
    after: tuple[str, ...]


def propose(rule_id: str, survey: Survey) -> tuple[ZoneRecord, ...]:
    """The records that correct a finding of the zone rules; empty where nobody outside can know them."""
    if rule_id in _FOR_PARKED:
        return parked_records(survey)
    return (_mx(survey),) if rule_id in _FOR_NULL_MX else ()


def parked_records(survey: Survey) -> tuple[ZoneRecord, ...]:
    """Everything a domain without mail should have, less what is there already."""
    domain = survey.domain
    texts = (
        (domain, survey.zone.txt, NEVER_SENDS),
        (domain.child("*"), survey.zone.probe_txt, NEVER_SENDS),
        (domain.child("*", "_domainkey"), survey.dkim.control, REVOKED_KEY),
    )
    # Beside a CNAME no other record may stand (RFC 1034 section 3.6.2); what was not answered may be there already.
    wanted = [_txt(name, answer, value) for name, answer, value in texts if not (answer.aliases or answer.unanswered)]
    if rejects_everywhere(survey) is False and not (survey.dmarc.txt.aliases or survey.dmarc.txt.unanswered):
        wanted.append(policy_record(survey))
    # Without an address nobody would deliver here anyhow; internet.nl then asks for no MX at all.
    if survey.zone.mx_status is not MxStatus.NULL and publishes_receiving(survey):
        wanted.append(_mx(survey))
    return tuple(record for record in wanted if record.before != record.after)


def _txt(name: DomainName, answer: Answer, value: str) -> ZoneRecord:
    """One text in place of those of its kind: other TXT records at the name stay as they are."""
    if value == NEVER_SENDS:
        octets = tuple(record.joined for record in select_records(answer.txts))
    else:
        octets = tuple(text for text in answer.texts if text.lstrip().lower().startswith(b"v=dkim1"))
    return ZoneRecord(name, RRType.TXT, tuple(text.decode("utf-8", "backslashreplace") for text in octets), (value,))


def policy_record(survey: Survey, address: str = "") -> ZoneRecord:
    """The DMARC record at the domain's own name, in place of all that was meant to be one."""
    own = survey.dmarc.own
    record = survey.dmarc.record if not survey.dmarc.inherited else None
    # A text that was meant to be a record would otherwise stay beside the new one.
    before = own.records or survey.dmarc.near_misses
    return ZoneRecord(survey.domain.child("_dmarc"), RRType.TXT, before, (without_mail(record, address),))


def _mx(survey: Survey) -> ZoneRecord:
    before = tuple(f"{record.preference} {record.exchange or '.'}" for record in survey.zone.mx.exchanges)
    return ZoneRecord(survey.domain, RRType.MX, before, (NULL_MX,))
