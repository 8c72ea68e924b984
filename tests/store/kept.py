"""A database with two clients in it, from mails that can be read again."""

from __future__ import annotations

import gzip
import json
from base64 import encodebytes

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import read_mail
from mailguard.store import Filed, Store
from mailguard.trust.grade import UNVERIFIED, Trust
from tests.feedback.mails import METADATA, POLICY, record, report
from tests.store.samples import BEGIN, VERIFIED

CLINIC = "clinic.example.jp"
BELOW = "www.clinic.example.jp"
OTHER = "other.example.jp"
ALIKE = "myclinic.example.jp"
ADDRESS = "dmarc@reports.example"

AUDITS = tuple(
    {"domain": domain, "as_of": f"2026-11-0{day}T01:00:00Z", "findings": []}
    for day, domain in enumerate((CLINIC, BELOW, OTHER, ALIKE), 1)
)


def aggregate(domain: str, report_id: str = "r-1", *records: str) -> str:
    """A report about a domain; its records name it, and nobody else."""
    return report(
        *(one.replace(CLINIC, domain) for one in records or (record(count=3), record("192.0.2.9", 4))),
        metadata=METADATA.replace("r-1", report_id),
        policy=POLICY.replace(CLINIC, domain),
    )


def tls(*domains: str) -> str:
    """A TLS report about one domain or several (RFC 8460 section 4.4)."""
    policies = [
        {
            "policy": {"policy-type": "sts", "policy-domain": domain, "policy-string": ["version: STSv1"]},
            "summary": {"total-successful-session-count": 5, "total-failure-session-count": 1},
        }
        for domain in domains
    ]
    return json.dumps(
        {
            "organization-name": "reporter.example",
            "date-range": {"start-datetime": "2026-11-01T00:00:00Z", "end-datetime": "2026-11-01T23:59:59Z"},
            "contact-info": "tls@reporter.example",
            "report-id": f"t-{len(domains)}",
            "policies": policies,
        }
    )


def mail(subject: str, *files: str | bytes, header: str = "") -> bytes:
    """A mail with files; texts are compressed, bytes stay as they are."""
    parts = [_part(one) for one in files]
    head = (
        f"From: dmarc@reporter.example\r\nTo: {ADDRESS}\r\nSubject: {subject}\r\n{header}MIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    )
    return (head + "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n").encode()


def _part(content: str | bytes) -> str:
    kind = "application/tlsrpt+gzip" if isinstance(content, str) and content.startswith("{") else "application/gzip"
    packed = gzip.compress(content.encode(), mtime=0) if isinstance(content, str) else content
    data = encodebytes(packed).decode().replace("\n", "\r\n")
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{data}"


def filed(raw: bytes, trust: Trust = VERIFIED, *, origin: str = "", after_s: int = 100_000) -> Filed:
    """A mail as the worker would file it."""
    contents = read_mail(raw, failure_reports=True)
    received = ReceivedMail(raw, BEGIN + after_s, rcpt_to=(ADDRESS,), origin=origin)
    trusts = ((trust,) * len(one) for one in (contents.reports, contents.tls_reports, contents.failure_reports))
    reports, tls_reports, failures = trusts
    return Filed(received, contents, reports, tls_trusts=tls_reports, failure_trusts=failures)


def about(domain: str) -> str:
    """The subject of a report mail."""
    return f"Report Domain: {domain} Submitter: reporter.example"


FAILURE = """From: dmarc@reporter.example
Subject: FW: hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: x/1
Version: 1
Auth-Failure: dmarc
Reported-Domain: clinic.example.jp
Source-IP: 192.0.2.66
Identity-Alignment: none

--b
Content-Type: message/rfc822

From: a@clinic.example.jp
Subject: secret

A letter.
--b--
""".replace("\n", "\r\n").encode()

OWN = {
    "report": mail(about(CLINIC), aggregate(CLINIC)),
    "below": mail(about(BELOW), aggregate(BELOW, "r-2")),
    "copy": mail(about(CLINIC), aggregate(CLINIC), header="X-Copy: 1\r\n"),
    "unreadable": mail(about(CLINIC), b"\x1f\x8bbroken"),
    "tls": mail("TLS", tls(CLINIC)),
    "failure": FAILURE,
}
"""Mails with nothing of others. ``copy`` was counted under ``report``; of ``unreadable`` only the subject tells."""

SHARED = {
    "two": mail("Two reports", aggregate(CLINIC, "r-3"), aggregate(OTHER, "r-3")),
    "two copies": mail("Two copies", aggregate(CLINIC), aggregate(OTHER, "r-4")),
    "tls": mail("TLS", tls(CLINIC, OTHER)),
}
"""Mails with reports about two clients."""

OTHERS = {
    "report": mail(about(OTHER), aggregate(OTHER, "r-4")),
    "alike": mail(about(ALIKE), aggregate(ALIKE, "r-5")),
    "unreadable": mail(about(OTHER), b"\x1f\x8bbroken"),
    "tls": mail("TLS", tls(OTHER)),
    "ordinary": b"From: someone@example.com\r\nSubject: hello\r\n\r\nNothing.\r\n",
}
"""Mails with nothing of the client."""


def fill(store: Store) -> None:
    """Both clients, unverified reports and audits too."""
    store.add([filed(raw) for raw in (*OWN.values(), *OTHERS.values(), *SHARED.values())])
    for domain in (CLINIC, OTHER):
        store.add([filed(mail("Forged", aggregate(domain, "f-1")), UNVERIFIED)])
    for document in AUDITS:
        store.keep_audit(document)
