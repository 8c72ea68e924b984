"""Report mails made to measure."""

from __future__ import annotations

import gzip
from base64 import encodebytes
from dataclasses import replace

from mailguard.feedback.envelope import ReceivedMail, Way

NOW = 1_700_100_000

REPORT = """<?xml version="1.0"?><feedback><report_metadata><org_name>{org}</org_name>
<email>noreply@{org}</email><report_id>{id}</report_id>
<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><p>none</p></policy_published>{records}</feedback>"""

RECORD = """<record><row><source_ip>192.0.2.{n}</source_ip><count>{n}</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.jp</header_from></identifiers>
<auth_results><spf><domain>example.jp</domain><result>pass</result></spf></auth_results></record>"""


def report_xml(id: str, *, org: str = "reporter.example", domain: str = "example.jp", records: int = 1) -> str:
    return REPORT.format(
        id=id, org=org, domain=domain, records="".join(RECORD.format(n=n % 250 + 1) for n in range(records))
    )


def mail_bytes(id: str, *, org: str = "reporter.example", header: str = "", records: int = 1) -> bytes:
    packed = encodebytes(gzip.compress(report_xml(id, org=org, records=records).encode(), mtime=0)).decode()
    return (
        f"From: DMARC <noreply@{org}>\r\nTo: dmarc@example.jp\r\n{header}"
        f"Subject: Report Domain: example.jp Submitter: {org} Report-ID: <{id}>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + packed.replace("\n", "\r\n")
    ).encode()


def report_mail(id: str, *, way: Way = Way.SMTP, **parts: object) -> ReceivedMail:
    return ReceivedMail(
        raw=mail_bytes(id, **parts),  # type: ignore[arg-type]
        received_at=NOW,
        peer="192.0.2.25" if way is Way.SMTP else "",
        mail_from="noreply@reporter.example" if way is Way.SMTP else "",
        helo="mx.reporter.example" if way is Way.SMTP else "",
        rcpt_to=("dmarc@example.jp",) if way is Way.SMTP else (),
        way=way,
    )


def poison(kind: str, id: str = "poison") -> ReceivedMail:
    """A mail that ``poisoned_child`` obeys: ``crash``, ``hang``, ``grow``, ``raise`` or ``exit``."""
    return replace(report_mail(id), raw=mail_bytes(id, header=f"X-Poison: {kind}\r\n"))


def mail_in_part(id: str, *, way: Way = Way.SMTP) -> ReceivedMail:
    """A mail with two attachments: a report, and what is left of another."""
    good = encodebytes(gzip.compress(report_xml(id).encode(), mtime=0)).decode()
    broken = encodebytes(gzip.compress(report_xml("lost").encode(), mtime=0)[:40]).decode()
    packed = 'Content-Type: application/gzip; name="{}.xml.gz"\nContent-Transfer-Encoding: base64'
    parts = "".join(f"--b\n{packed.format(name)}\n\n{body}" for name, body in (("good", good), ("broken", broken)))
    head = "From: noreply@reporter.example\nSubject: Report Domain: example.jp\nMIME-Version: 1.0\n"
    text = f'{head}Content-Type: multipart/mixed; boundary="b"\n\n{parts}--b--\n'
    return replace(report_mail(id, way=way), raw=text.replace("\n", "\r\n").encode())


ABOUT_A_REPORT = ReceivedMail(
    b"From: someone@example.com\r\nSubject: Re: Report Domain: example.jp Submitter: reporter.example\r\n\r\n"
    b"What do you make of the report of yesterday?\r\n",
    NOW,
    way=Way.MAILBOX,
)
"""Somebody's letter, with the subject of what it answers."""

ORDINARY = ReceivedMail(b"From: someone@example.com\r\nSubject: hello\r\n\r\nNo report here.\r\n", NOW)

UNREADABLE = ReceivedMail(
    b"From: noreply@reporter.example\r\nSubject: Report Domain: example.jp\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: application/gzip; name="r!example.jp!1!2.xml.gz"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    + encodebytes(gzip.compress(b"<!DOCTYPE a [<!ENTITY b 'c'>]><feedback>&b;</feedback>", mtime=0)),
    NOW,
)

FAILURE_REPORT = ReceivedMail(
    b"From: noreply@reporter.example\r\nSubject: DMARC failure\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nA failure report.\r\n"
    b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nVersion: 1\r\n"
    b"User-Agent: x/1\r\nAuth-Failure: dmarc\r\nReported-Domain: example.jp\r\nSource-IP: 192.0.2.1\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: clinic@example.jp\r\nTo: PATIENT@example.com\r\n"
    b"Subject: your appointment\r\n\r\nSecret of a patient.\r\n--b--\r\n",
    NOW,
)
