"""Reports as values, put together in one line, and a look at everything a store holds."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport, DkimResult, PolicyPublished, Record, Said, SpfResult
from mailguard.feedback.values import Alignment, AuthResult, Disposition
from mailguard.store import Filed
from mailguard.store.database import Database
from mailguard.trust.grade import UNVERIFIED, Grade, Trust

DOMAIN = "clinic.example.jp"
BEGIN = 1_790_000_000
VERIFIED = Trust(Grade.VERIFIED, "reporter.example")
AUTHENTICATED = Trust(Grade.AUTHENTICATED, "stranger.example")


def record(ip: str = "192.0.2.1", count: int = 1, *, passes: bool = True, selector: str = "s1") -> Record:
    said = Said(
        disposition=Disposition.NONE if passes else Disposition.REJECT,
        dkim=Alignment.PASS if passes else Alignment.FAIL,
        spf=Alignment.FAIL,
        reasons=(),
        header_from=DOMAIN,
        envelope_from=None,
        envelope_to="",
        dkim_results=(DkimResult(DOMAIN, selector, AuthResult.PASS if passes else AuthResult.FAIL),),
        spf_results=(SpfResult("host.example.net", "mfrom", AuthResult.SOFTFAIL),),
    )
    return Record(ip, count, said)


def report(
    *records: Record,
    report_id: str = "r-1",
    org_name: str = "reporter.example",
    domain: str = DOMAIN,
    begin: int = BEGIN,
    digest: bytes | None = None,
) -> AggregateReport:
    """A report; its digest depends on everything that it says, as that of a file does."""
    said = repr((records, report_id, org_name, domain, begin)).encode("utf-8", "replace")
    return AggregateReport(
        org_name=org_name,
        email="dmarc@reporter.example",
        extra_contact_info="",
        report_id=report_id,
        begin=begin,
        end=begin + 86_399,
        errors=(),
        generator="",
        version="1.0",
        policy=PolicyPublished(domain, p="none"),
        records=records,
        read=len(records),
        repaired=0,
        dropped=0,
        defects=(),
        defects_omitted=0,
        digest=digest or sha256(said).digest(),
    )


def filed(*reports: AggregateReport, trust: Trust = VERIFIED, raw: bytes = b"") -> Filed:
    """A mail with reports that are all trusted alike; its bytes depend on what is in it and on who sent it."""
    raw = raw or repr(([one.digest for one in reports], trust)).encode()
    return Filed(ReceivedMail(raw, BEGIN + 100_000), MailContents(reports, ()), (trust,) * len(reports))


def filed_as(raw: bytes, contents: MailContents, trust: Trust = UNVERIFIED) -> Filed:
    return Filed(ReceivedMail(raw, BEGIN + 100_000), contents, (trust,) * len(contents.reports))


EVERYTHING = {
    "mail": "id, sha256, size",
    "unreadable": "*",
    "report": "id, mail_id, key, digest, superseded_by, grade, reporter, org_name, messages",
    "record": "*",
    "report_selector": "*",
    "defect": "*",
    "report_conflict": "*",
    "rollup_day": "*",
    "rollup_source": "*",
}


def everything(database: Database, tables: Sequence[str] = tuple(EVERYTHING)) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, in an order of their own."""
    return {table: sorted(database.rows(f"SELECT {EVERYTHING[table]} FROM {table}"), key=repr) for table in tables}
