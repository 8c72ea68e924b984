"""What is fuzzed, where it begins, and what must hold whatever comes."""

from __future__ import annotations

import gzip
import json
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from mailguard.dkim.key import parse_key
from mailguard.dmarc.record import parse_record as parse_dmarc
from mailguard.dmarc.record import text_of
from mailguard.errors import UsageError
from mailguard.feedback.mail import MailContents, read_file, read_mail
from mailguard.feedback.report import AggregateReport
from mailguard.inquiry import run
from mailguard.names import DomainName
from mailguard.render.inspection import in_words, inspection
from mailguard.settings.parse import parse_settings
from mailguard.spf.record import parse_record as parse_spf
from mailguard.spool.frames import decode_file, encode_file
from mailguard.trust.assess import assess
from mailguard.trust.grade import Grade
from mailguard.trust.judge import Owned
from mailguard.trust.token import ReportAddresses
from mailguard.worker.wire import Reply, decode_reply, encode_reply
from tests.feedback.mails import mail, record, report, zipped
from tests.feedback.suite import mail_cases, tls_cases, xml_cases
from tests.fuzz.campaign import Check, Target
from tests.fuzz.session import SESSION_WORDS, listening_check, session_seeds
from tests.trust.mails import key_zone, received, sign
from tests.worker.mails import report_mail

OWNED: Final = Owned(frozenset({DomainName("clinic.example.jp")}))
REPORT: Final = report(record("192.0.2.1", 7), record("2001:db8::1", 3))


def _seeds_of(module: object) -> list[bytes]:
    return [case.raw for case in module.cases() if len(case.raw) < 20_000]  # type: ignore[attr-defined]


def check_contents(source: str, size: int, contents: MailContents) -> set[str]:
    """What holds for whatever was read."""
    assert decode_reply(encode_reply(Reply(contents=contents))).contents == contents
    for one in (*contents.reports, *contents.tls_reports):
        assert one.read == one.kept + one.dropped, "every record that was met was kept or dropped"
        assert 0 <= one.repaired <= one.kept
    for language in ("ja", "en"):
        text = in_words(inspection(source, size, contents), language)
        drawn = {unicodedata.category(letter) for letter in text.replace("\n", "")} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not drawn, "what strangers wrote draws on no screen"
    json.dumps(inspection(source, size, contents))
    return set(_noticed(contents))


def _noticed(contents: MailContents) -> Iterator[str]:
    yield f"kind {contents.kind}, {len(contents.reports)} reports, {len(contents.tls_reports)} of TLS"
    yield from (f"refused {one.reason}" for one in contents.unreadable)
    for one in (*contents.reports, *contents.tls_reports):
        yield from (f"{defect.kind} {''.join(c for c in defect.place if not c.isdecimal())}" for defect in one.defects)
        yield f"{min(one.kept, 9)} kept, {min(one.dropped, 9)} dropped, {min(one.repaired, 9)} repaired"


def check_mail(data: bytes) -> set[str]:
    return check_contents("mail", len(data), read_mail(data, failure_reports=True))


def check_file(data: bytes) -> set[str]:
    return check_contents("file", len(data), read_file("file", data))


def check_xml(data: bytes) -> set[str]:
    """As a file; and where the standard library reads it without a word, every record it sees has been met."""
    contents = read_file("file", data)
    records = _plain_records(data)
    if records is not None and len(contents.reports) == 1 and not contents.unreadable:
        (only,) = contents.reports
        assert only.read >= records, f"{records} records can be seen, {only.read} were met"
    return check_contents("file", len(data), contents)


def _plain_records(data: bytes) -> int | None:
    """How many records a well-formed report shows; None for anything else."""
    if b"<!" in data:
        return None
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError):
        return None
    return len(root.findall("record")) if root.tag == "feedback" else None


@cache
def _signed() -> tuple[bytes, ...]:
    whole = mail(gzip.compress(REPORT.encode(), mtime=0))
    plain = mail(REPORT.encode(), "text/xml", "report.xml")
    fields = [b"from", b"to", b"subject", b"mime-version", b"content-type", b"content-transfer-encoding"]
    simple = sign(plain, canonicalize=(b"simple", b"simple"), include_headers=[*fields, *fields])
    return sign(whole), sign(plain), sign(sign(whole)), simple


def _content(one: AggregateReport) -> AggregateReport:
    return replace(one, place="", defects=(), defects_omitted=0, repaired=0, digest=b"")


@cache
def _true_reports() -> tuple[AggregateReport, ...]:
    return tuple(_content(one) for raw in _signed() for one in read_mail(raw).reports)


def check_signed(data: bytes) -> set[str]:
    """A report that is believed is one that was signed, word for word."""
    contents = read_mail(data)
    found = run(assess(received(data), contents.reports, owned=OWNED), key_zone())
    for one, trust in zip(contents.reports, found.trusts, strict=True):
        if trust.grade is Grade.VERIFIED:
            assert _content(one) in _true_reports(), "a report was believed that nobody signed"
    reply = Reply(contents=contents, authentication=found.authentication)
    assert decode_reply(encode_reply(reply)) == reply
    proof = found.authentication
    signs = (f"{one.outcome} {one.fault} {[*map(str, one.remarks)]}" for one in proof.signatures)
    return {f"{proof.fault} {proof.dmarc}", *signs, *(f"{trust.grade} {trust.reasons}" for trust in found.trusts)}


def check_frames(data: bytes) -> set[str]:
    """What can be read of a spool file can be written and read again."""
    batch = decode_file(data)
    assert decode_file(b"".join(encode_file(batch.mails))).mails == batch.mails
    return {f"{len(batch.mails)} mails", *(f"damage {''.join(filter(str.isalpha, str(one)))}" for one in batch.damage)}


def check_records(data: bytes) -> set[str]:
    """SPF, DMARC and DKIM key records; what they hold wrong is a result."""
    spf = parse_spf(data)
    dmarc = parse_dmarc(text_of(data))
    key = parse_key((data,))
    problems = dmarc.problems if dmarc else ()
    return {
        *(f"spf {type(term).__name__} {getattr(term, 'kind', '')} {getattr(term, 'reason', '')}" for term in spf.terms),
        *(f"dmarc {problem.code}" for problem in problems),
        f"dkim {key.bits} {sorted(key.remarks)}"[:80],
    }


def check_settings(data: bytes) -> set[str]:
    """A settings file is read or told to be wrong."""
    try:
        parse_settings(data.decode("utf-8", "replace"), "mailguard.toml")
    except UsageError as error:
        return {"".join(filter(str.isalpha, error.sentence._template))[:40]}
    return {"read"}


def check_recipient(data: bytes) -> set[str]:
    """Nobody guesses an address with a token, and no address breaks the one who is asked."""
    accepted = _addresses().accepts(data.decode("latin-1"))
    ours = (
        data.decode("latin-1").lower().rstrip(".") == _addresses().address_of(DomainName("clinic.example.jp")).lower()
    )
    assert not accepted or ours, "an address was accepted that is not ours"
    return {str(bool(accepted))}


@cache
def _addresses() -> ReportAddresses:
    secret = b"a secret of thirty-two characters"
    return ReportAddresses(secret, [DomainName("clinic.example.jp")], "mx.clinic.example.jp")


def _open(check: Check) -> Callable[[], AbstractContextManager[Check]]:
    return lambda: nullcontext(check)


XML_WORDS = (
    *(b"<record>", b"</record>", b"<row>", b"<count>", b"</feedback>", b"<feedback>", b"<feedback xmlns='urn:x'>"),
    *(
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE a [",
        b"<!ENTITY b 'c'>",
        b"&b;",
        b"&#0;",
        b"&#x110000;",
        b"<?xml version='1.0'?>",
    ),
    *(
        b"encoding='utf-16'",
        b"encoding='shift_jis'",
        b"encoding='utf-7'",
        b"<policy_published>",
        b"<date_range>",
        b"/>",
    ),
)
MAIL_WORDS = (
    *(
        b"Content-Type: ",
        b"multipart/mixed; boundary=b",
        b"message/rfc822",
        b"\r\n--b\r\n",
        b"\r\n--b--\r\n",
        b"text/xml",
    ),
    *(b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"x-uuencode", b"binary", b"application/gzip"),
    *(b"charset*0*=''%ff", b"name*=utf-8''%00", b"begin 644 a\r\n", b"\r\n.\r\n", b"filename=", b"message/partial"),
)
ZIP_WORDS = (
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"\x1f\x8b\x08",
    b"\x08\x00",
    b"\x63\x00",
    b"\x0c\x00",
    b"\x0e\x00",
)
DKIM_WORDS = (
    *(
        b"DKIM-Signature: ",
        b"v=1; ",
        b"a=rsa-sha256; ",
        b"l=0; ",
        b"l=10; ",
        b"x=1; ",
        b"d=reporter.example; ",
        b"h=from; ",
    ),
    *(
        b"From: a@reporter.example\r\n",
        b"Content-Type: text/xml\r\n",
        b"i=@reporter.example; ",
        b"s=s1; ",
        b"c=simple/simple",
    ),
    *(b"Content-Transfer-Encoding: base64\r\n", b"\r\n\r\n", b"bh=", b"z=", b"q=dns/txt; ", REPORT[:200].encode()),
)
JSON_WORDS = (
    b'"policies":[',
    b'"summary":{',
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'"\\ud800"',
    b"1e400",
    b"-0",
    b'"policy":',
)
RECORD_WORDS = (
    *(b"v=spf1 ", b"include:", b"redirect=", b"%{ir}", b"%{", b"exists:", b"ip4:", b"ip6:", b"/33", b"//129", b"-all"),
    *(
        b"v=DMARC1;",
        b"p=reject;",
        b"rua=mailto:",
        b"!10m",
        b"pct=",
        b"sp=",
        b"v=DKIM1;",
        b"k=rsa;",
        b"p=",
        b"t=y:s;",
        b"h=",
    ),
)
TOML_WORDS = (
    b"[listener]\n",
    b"[[mailbox]]\n",
    b"[trust]\n",
    b"domains = [",
    b'"""',
    b"= true\n",
    b"= 1e9\n",
    b"url = ",
    b"\n",
)


def _files() -> list[bytes]:
    xml = REPORT.encode()
    return [
        gzip.compress(xml, mtime=0),
        zipped(xml),
        gzip.compress(xml[:300], mtime=0) * 2,
        zipped(zipped(xml), "a.zip"),
        b"scanned\r\n" + zipped(xml),
        mail_cases.zip_of(("a.xml", xml), method=zipfile.ZIP_BZIP2),
        mail_cases.zip_of(("a.xml", xml), method=zipfile.ZIP_LZMA),
    ]


@contextmanager
def _session() -> Iterator[Check]:
    with listening_check() as check:
        yield check


TARGETS: Final[tuple[Target, ...]] = (
    Target("mail", lambda: [*_seeds_of(mail_cases), tls_cases.FAILURE], _open(check_mail), MAIL_WORDS),
    Target("xml", lambda: [REPORT.encode(), *(_xml_texts())], _open(check_xml), XML_WORDS),
    Target("archive", _files, _open(check_file), ZIP_WORDS),
    Target("json", lambda: [tls_cases.TEXT_OF.encode()], _open(check_file), JSON_WORDS),
    Target("signed", lambda: list(_signed()), _open(check_signed), DKIM_WORDS),
    Target("session", session_seeds, _session, SESSION_WORDS),
    Target("frames", lambda: [b"".join(encode_file([report_mail("a"), report_mail("b")]))], _open(check_frames)),
    Target(
        "records",
        lambda: [
            b"v=spf1 include:a.example ip4:192.0.2.0/24 -all",
            b"v=DMARC1; p=none; rua=mailto:a@b.example!9m",
            b"v=DKIM1; k=rsa; p=MIIB",
        ],
        _open(check_records),
        RECORD_WORDS,
    ),
    Target("settings", lambda: [_sample_settings()], _open(check_settings), TOML_WORDS),
    Target(
        "recipient", lambda: [_addresses().address_of(DomainName("clinic.example.jp")).encode()], _open(check_recipient)
    ),
)


def _xml_texts() -> list[bytes]:
    """What the suite's cases are made of."""
    texts = (*xml_cases.CLEAN.values(), *(text for text, _ in xml_cases.ODD.values()))
    return [text for text in map(xml_cases.as_bytes, texts) if len(text) < 20_000]


def _sample_settings() -> bytes:
    return (Path(__file__).parents[2] / "docs" / "mailguard.toml.example").read_bytes()
