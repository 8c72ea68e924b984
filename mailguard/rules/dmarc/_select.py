"""Which part of the survey a DMARC rule looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailguard.dmarc.discovery import Place, published
from mailguard.dmarc.nearmiss import NearMiss, near_miss
from mailguard.dmarc.record import Policy, Record, Treatment
from mailguard.dmarc.uri import ReportUri, UriFlaw
from mailguard.dossier import Dossier
from mailguard.inquiry import Question
from mailguard.names import DomainName
from mailguard.zone.parked import parked_state


@dataclass(frozen=True, slots=True)
class Counted:
    """The record that counts for the audited domain, and where it was seen."""

    record: Record
    at: DomainName
    seen_in: tuple[Question, ...]
    place: Place  # what the audited domain is to this record

    @property
    def asked(self) -> Policy | None:
        """The policy published for the audited domain, before test mode."""
        return published(self.record, self.place)


def counted(dossier: Dossier) -> Counted | None:
    """The record that counts, whether or not its policies can be used; it may be inherited."""
    survey = dossier.survey.dmarc
    if survey.record is None or survey.policy_domain is None:
        return None
    question = survey.nodes[survey.policy_domain].question
    place = Place.SUBDOMAIN if survey.inherited else Place.DOMAIN
    return Counted(survey.record, question.name, (question,), place)


def applied(dossier: Dossier) -> Counted | None:
    """The record that counts, if its policies are used as published (RFC 9989 4.10.1)."""
    found = counted(dossier)
    return found if found and found.record.treatment is Treatment.APPLY else None


def here(dossier: Dossier) -> Counted | None:
    """The record that counts, if its policies are used and it stands at the audited domain itself."""
    found = applied(dossier)
    return found if found and found.place is Place.DOMAIN else None


def strongest(record: Record) -> Policy:
    """The strictest policy that the record names."""
    return max((policy for policy in (record.p, record.sp, record.np) if policy), key=lambda p: p.rank)


def sends_nothing(dossier: Dossier) -> bool:
    """Whether the domain sends no mail, by its owner's word or by its SPF record; false where that is not known."""
    return parked_state(dossier.survey, dossier.expectation).sends is False


def may_send(dossier: Dossier) -> bool:
    """Whether the domain sends mail, as far as its owner's word or its SPF record shows; false where not known."""
    return parked_state(dossier.survey, dossier.expectation).sends is True


def near_misses(dossier: Dossier, kind: NearMiss) -> Iterator[str]:
    """Texts at the domain's place that were meant to be a record, where there is none."""
    own = dossier.survey.dmarc.own
    if not own.records:
        yield from (text for text in own.others if near_miss(text) is kind)


def uris_of(record: Record) -> Iterator[tuple[str, ReportUri]]:
    """Every destination with the tag it stands in; empty ones are left out."""
    for tag, uris in (("rua", record.rua), ("ruf", record.ruf)):
        yield from ((tag, uri) for uri in uris if uri.text)


def tells_reports(record: Record) -> bool:
    """Whether any destination for aggregate reports was published, good or bad."""
    return any(uri.text for uri in record.rua)


def comma_split(record: Record, uri: ReportUri) -> bool:
    """Whether ``uri`` is one half of an address that a bare comma cut in two."""
    uris = record.rua if uri in record.rua else record.ruf
    at = uris.index(uri)
    before, after = uris[max(at - 1, 0) : at], uris[at + 1 : at + 2]
    if uri.flaw is UriFlaw.BAD_ADDRESS and "@" not in uri.text:
        return any(other.flaw is UriFlaw.NO_SCHEME for other in after)
    headless = uri.flaw is UriFlaw.NO_SCHEME
    return headless and any(other.flaw is UriFlaw.BAD_ADDRESS and "@" not in other.text for other in before)
