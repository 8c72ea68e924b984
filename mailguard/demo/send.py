"""Report mails as real reporters send them, and sending them to the listener.

The XML under ``demo/samples`` and the mails built here have the shapes of Google, Microsoft, Yahoo, NTT docomo and of
RFC 9990: order of elements, packing, MIME structure, subject, file name. Who sends them and what they tell is invented.
One more is forged: in the name of a reporter, unsigned, and full of praise for a stranger's server.
"""

from __future__ import annotations

import asyncio
import gzip
import smtplib
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from string import Template
from typing import Final

DOMAIN: Final = "hinata-hp.example"
RECIPIENT: Final = "dmarc@reports.example"
_BOUNDARY: Final = "_demonstration_"
_SEND_TIMEOUT_S: Final = 10.0
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class SampleMail:
    """One mail with its envelope."""

    mail_from: str
    rcpt_to: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Day:
    """What changes from one day's report to the next."""

    begin: int
    end: int
    report_id: str

    def fill(self, sample: str) -> bytes:
        text = (files(__package__) / "samples" / f"{sample}.xml").read_text("utf-8")
        values = {"begin": self.begin, "end": self.end, "next": self.end + 1, "report_id": self.report_id}
        return Template(text).substitute(values).encode()

    def file_name(self, receiver: str, suffix: str, unique_id: str = "") -> str:
        # RFC 9990 3.5.2: receiver "!" policy-domain "!" begin "!" end [ "!" unique-id ] "." extension
        unique = f"!{unique_id}" if unique_id else ""
        return f"{receiver}!{DOMAIN}!{self.begin}!{self.end}{unique}.{suffix}"


def build_mails(as_of: datetime, days: int = 7) -> list[SampleMail]:
    """The mails about the last whole UTC days before ``as_of``, oldest first. Equal arguments give equal bytes."""
    midnight = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [mail for ago in range(days, 0, -1) for mail in _mails_of(midnight - timedelta(days=ago))]


def _mails_of(day: datetime) -> Iterator[SampleMail]:
    return (_mail_of(day, sender, build) for sender, build in _REPORTERS.items())


def forge_mail(as_of: datetime) -> SampleMail:
    """A mail that anybody could have sent, about the day before ``as_of``: it says that a stranger's mail is in order.

    It bears the number of the true report of that day.
    """
    midnight = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _mail_of(midnight - timedelta(days=1), "noreply-dmarc-support@tsubame-mail.example", _forged)


def _mail_of(day: datetime, sender: str, build: Callable[[_Day], Message]) -> SampleMail:
    begin = int(day.timestamp())
    number = int.from_bytes(sha256(f"{sender} {begin}".encode()).digest()[:8], "big")
    message = build(_Day(begin, begin + 86_399, str(number)))
    message["From"] = sender
    message["To"] = RECIPIENT
    message["Date"] = format_datetime(day + timedelta(days=1, hours=3))
    message["Message-ID"] = f"<{number}@{sender.rpartition('@')[2]}>"
    return SampleMail(sender, RECIPIENT, message.as_bytes(policy=compat32.clone(linesep="\r\n")))


def _google(day: _Day) -> Message:
    """The whole mail is one zip file."""
    return _in_zip(day, "google", "tsubame-mail.example")


def _forged(day: _Day) -> Message:
    return _in_zip(day, "forged", "tsubame-mail.example")


def _in_zip(day: _Day, sample: str, submitter: str) -> Message:
    packed = _zip(day.file_name(submitter, "xml"), day.fill(sample))
    message = _attachment(packed, "zip", day.file_name(submitter, "zip"))
    message["Subject"] = f"Report domain: {DOMAIN} Submitter: {submitter} Report-ID: {day.report_id}"
    return message


def _microsoft(day: _Day) -> Message:
    """HTML in a wrapping of its own, then a gzip file; the subject is an encoded word."""
    html = MIMEText("<div>This is a DMARC aggregate report from Suzuran Mail.</div>", "html", "utf-8")
    wrapping = MIMEMultipart("alternative", boundary="_av_demonstration_", _subparts=[html])
    name = day.file_name("protection.suzuran.example", "xml.gz")
    message = _with_gzip(wrapping, day.fill("microsoft"), name)
    subject = f"[Preview] Report Domain: {DOMAIN} Submitter: protection.suzuran.example Report-ID: {day.report_id}"
    message["Subject"] = f"=?utf-8?B?{b64encode(subject.encode()).decode()}?="
    return message


def _yahoo(day: _Day) -> Message:
    text = MIMEText("This is an aggregate report from Kawasemi! Inc.\n")
    message = _with_gzip(text, day.fill("yahoo"), day.file_name("kawasemi.example", "xml.gz"))
    message["Subject"] = f"Report Domain: {DOMAIN} Submitter: kawasemi.example Report-ID: <{day.report_id}>"
    return message


def _docomo(day: _Day) -> Message:
    text = MIMEText("This is an aggregate report from hayabusa.example.\n")
    name = day.file_name("hayabusa.example", "xml.gz", day.report_id)
    message = _with_gzip(text, day.fill("docomo"), name)
    message["Subject"] = f"Report Domain: {DOMAIN} Submitter: hayabusa.example Report-ID: <{day.report_id}>"
    return message


def _rfc9990(day: _Day) -> Message:
    """Bare XML, which RFC 9990 3.5.2 allows beside gzip."""
    report = MIMEText(day.fill("rfc9990").decode(), "xml", "utf-8")
    name = day.file_name("aoba-mail.example", "xml")
    report.add_header("Content-Disposition", "attachment", filename=name)
    text = MIMEText("DMARC aggregate report, see the attachment.\n")
    message = MIMEMultipart(boundary=_BOUNDARY, _subparts=[text, report])
    submitter = "aoba-mail.example"
    message["Subject"] = f"Report Domain: {DOMAIN} Submitter: {submitter} Report-ID: <{day.report_id}@{submitter}>"
    return message


_REPORTERS: Final[dict[str, Callable[[_Day], Message]]] = {
    "noreply-dmarc-support@tsubame-mail.example": _google,
    "dmarcreport@suzuran.example": _microsoft,
    "noreply@dmarc.kawasemi.example": _yahoo,
    "reporting@hayabusa.example": _docomo,
    "dmarc-reports@aoba-mail.example": _rfc9990,
}

SENDERS: Final = tuple(_REPORTERS)
"""The addresses that reports come from."""


def _with_gzip(first: Message, data: bytes, name: str) -> Message:
    packed = _attachment(gzip.compress(data, mtime=0), "gzip", name)
    return MIMEMultipart(boundary=_BOUNDARY, _subparts=[first, packed])


def _attachment(data: bytes, subtype: str, name: str) -> Message:
    part = MIMEApplication(data, subtype, name=name)
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part


def _zip(name: str, data: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


async def send_mails(mails: list[SampleMail], host: str, port: int) -> None:
    """Send every mail, each in a session of its own as reporters do. Raises OSError and smtplib.SMTPException."""
    await asyncio.to_thread(_send, mails, host, port)


def _send(mails: list[SampleMail], host: str, port: int) -> None:
    for mail in mails:
        with smtplib.SMTP(host, port, local_hostname="sender.example", timeout=_SEND_TIMEOUT_S) as smtp:
            smtp.sendmail(mail.mail_from, [mail.rcpt_to], mail.raw)
