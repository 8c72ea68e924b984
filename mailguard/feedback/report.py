"""DMARC aggregate reports as values (RFC 9990 3.1.1 and RFC 7489 appendix C), with what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mailguard.feedback.values import Alignment, AuthResult, Disposition


class DefectKind(StrEnum):
    """What was wrong with a part of a report."""

    NOT_WELL_FORMED = "not-well-formed"  # no XML as it stands; read piece by piece, or mended
    CUT_SHORT = "cut-short"  # the file or its archive ends too early or is damaged
    UNDECODABLE = "undecodable"  # bytes that are no text in the encoding they claim
    MISSING = "missing"  # an element that must be there is not there, or empty
    UNUSABLE = "unusable"  # a value that nobody could make sense of
    BENT = "bent"  # understood, but not written as the standard wants it
    TOO_LONG = "too-long"  # cut to the bound
    TOO_MANY = "too-many"  # more than the bound; the rest was not looked at


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with a report. ``place`` is a path like ``record 12/row/count``; ``detail`` what stood there."""

    kind: DefectKind
    place: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """The policy that the reporter found, or assumed by default; tags as lower-case text, ``None`` where not told."""

    domain: str
    p: str | None = None
    sp: str | None = None
    np: str | None = None
    adkim: str | None = None
    aspf: str | None = None
    pct: str | None = None
    fo: str | None = None
    testing: str | None = None
    discovery_method: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a receiver did not do what the policy asks (RFC 9990 3.1.1.9)."""

    type: str
    comment: str


# From here to Record: tuples, since a report may have a hundred thousand records, and a data class takes several times
# as long to make.


class DkimResult(NamedTuple):
    """One signature as the receiver saw it, whether aligned or not. ``selector`` may be empty (RFC 7489 reports)."""

    domain: str
    selector: str
    result: AuthResult


class SpfResult(NamedTuple):
    """The SPF result for a MAIL FROM domain (``scope`` ``mfrom`` or empty) or, in old reports, a HELO name."""

    domain: str
    scope: str
    result: AuthResult


class Said(NamedTuple):
    """What a record says beside its source and count. Records that say the same mostly share one.

    ``dkim`` and ``spf`` are the aligned results. ``header_from`` is empty where the report does not tell it;
    ``envelope_from`` and ``envelope_to`` are ``None`` where not told, and an empty ``envelope_from`` is the null path.
    """

    disposition: Disposition
    dkim: Alignment
    spf: Alignment
    reasons: tuple[Reason, ...]
    header_from: str
    envelope_from: str | None
    envelope_to: str | None
    dkim_results: tuple[DkimResult, ...]
    spf_results: tuple[SpfResult, ...]

    @property
    def passes(self) -> bool:
        """Whether the receiver saw DMARC pass (RFC 9989 5.3)."""
        return self.dkim is Alignment.PASS or self.spf is Alignment.PASS


class Record(NamedTuple):
    """Messages of one source with the same identifiers and results."""

    source_ip: str
    count: int  # type: ignore[assignment]  # not tuple.count: nobody looks for values among the fields
    said: Said


@dataclass(frozen=True, slots=True)
class AggregateReport:
    """One report, as far as it could be read.

    ``begin`` and ``end`` are POSIX seconds and may lie in the future, be equal or in the wrong order: nothing here
    is trusted yet. ``read`` counts the records met; of these ``records`` were kept, among them ``repaired`` ones with
    a defect each, and ``dropped`` were not. ``defects_omitted`` counts those beyond the bound on ``defects``.
    ``digest`` is the SHA-256 of the file, unpacked, as far as it was read: another packing does not change it.
    ``place`` says where in the mail the file lay, for people. ``quoted``: it was no file of the mail but stood in the
    text of a letter, or in a mail inside the mail. Who sent the mail may only have passed on what others wrote, as
    bounces and notifications do.
    """

    org_name: str
    email: str
    extra_contact_info: str
    report_id: str
    begin: int
    end: int
    errors: tuple[str, ...]
    generator: str
    version: str
    policy: PolicyPublished
    records: tuple[Record, ...]
    read: int
    repaired: int
    dropped: int
    defects: tuple[Defect, ...]
    defects_omitted: int
    digest: bytes
    place: str = ""
    quoted: bool = False

    @property
    def kept(self) -> int:
        """How many records were kept."""
        return len(self.records)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that gave no report.

    ``reason`` is one word: the name of the bound that it broke (see ``Limits``), ``doctype``, ``not-a-report``,
    ``no-policy-domain``, ``no-date-range``, or what ``unpack`` said.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """Sessions that failed in one way (RFC 8460 4.4). Texts are empty where not told, ``sessions`` is ``None``."""

    result_type: str
    sending_mta_ip: str
    receiving_mx_hostname: str
    receiving_mx_helo: str
    receiving_ip: str
    sessions: int | None
    additional_information: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What a sender saw under one policy: ``tlsa``, ``sts`` or ``no-policy-found`` (RFC 8460 4.4).

    ``strings`` is the policy as the sender found it, ``mx`` its host patterns. Counts are ``None`` where not told.
    """

    type: str
    domain: str
    strings: tuple[str, ...]
    mx: tuple[str, ...]
    successful: int | None
    failed: int | None
    failures: tuple[TlsFailure, ...]


@dataclass(frozen=True, slots=True)
class TlsReport:
    """One TLS report (RFC 8460), as far as it could be read; the counts are of ``policies``, as of records elsewhere.

    ``begin`` and ``end`` are POSIX seconds, not trusted. ``digest`` is the SHA-256 of the file, unpacked. ``quoted`` as
    in ``AggregateReport``.
    """

    organization: str
    contact: str
    report_id: str
    begin: int
    end: int
    policies: tuple[TlsPolicy, ...]
    read: int
    repaired: int
    dropped: int
    defects: tuple[Defect, ...]
    defects_omitted: int
    digest: bytes
    place: str = ""
    quoted: bool = False

    @property
    def kept(self) -> int:
        """How many policies were kept."""
        return len(self.policies)


@dataclass(frozen=True, slots=True)
class FailureReport:
    """The fields of a failure report (RFC 9991, RFC 6591) that say which check failed where, and nothing of the mail.

    Neither the mail, its subject and its recipient nor any local part is kept. ``arrival`` is POSIX seconds.
    ``identity_alignment`` is as written: its meaning was turned round between RFC 7489 7.3 and RFC 9991 4.
    """

    feedback_type: str
    auth_failure: str
    reported_domain: str
    mail_from_domain: str
    dkim_domain: str
    dkim_selector: str
    source_ip: str
    arrival: int | None
    delivery_result: str
    identity_alignment: str
    incidents: int
    reporting_mta: str
    defects: tuple[Defect, ...]
    place: str = ""
