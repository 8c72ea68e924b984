"""Invented report mails, the same ones for the same seed.

Three kinds of reporters take turns. They differ in what large ones really differ in: the order and number of elements,
indentation, namespace, packing, and how the mail is built: a report alone, beside a greeting, or beside a page of HTML
three multiparts deep. Header blocks have the length of real ones. Sources and the domains behind them are drawn from
pools, so that they recur within a report and between reports, as those of a hospital and of its recipients' forwarders
do.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from base64 import encodebytes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

AUTHOR: Final = "clinic.example.jp"
RECEIVED_AT: Final = 1_790_200_000
_DAY_S: Final = 86_400

_OWN_SOURCES: Final = tuple(f"192.0.2.{n}" for n in range(1, 41))
_V4: Final = tuple(f"{net}.{n}" for net in ("198.51.100", "203.0.113") for n in range(1, 255))
_V6: Final = tuple(f"2001:db8:{n:x}::{n % 97 + 1:x}" for n in range(1, 8_000))
_FORWARDERS: Final = tuple(f"mx{n}.forwarder{n % 400}.example" for n in range(2_000))
_SELECTORS: Final = ("s1", "s2", "google", "selector1", "mail2026")


@dataclass(frozen=True, slots=True)
class _Row:
    """One record before a reporter puts it into words."""

    source_ip: str
    count: int
    dkim: bool
    spf: bool
    helper: str  # the domain that SPF was checked for
    selector: str
    forwarded: bool

    @property
    def disposition(self) -> str:
        return "none" if self.dkim or self.spf or self.forwarded else "quarantine"


def make_mails(count: int, records: int, seed: int = 1) -> Iterator[bytes]:
    """``count`` mails of one report with ``records`` records each."""
    for number in range(count):
        # Of its own for each mail, so that a mail is the same however many there are.
        dice = random.Random(f"{seed} {records} {number}")
        reporter = _REPORTERS[number % len(_REPORTERS)]
        yield reporter(number, [_row(dice) for _ in range(records)])


def make_large_mail(records: int) -> bytes:
    """One mail with a large report, each record of which has a source of its own."""
    dice = random.Random(records)
    rows = [_row(dice, source_ip=f"2001:db8::{n >> 16:x}:{n & 0xFFFF:x}") for n in range(1, records + 1)]
    return _telling(0, rows)


def make_bomb(size: int = 194 * 1024) -> bytes:
    """A mail whose gzip file of so many bytes becomes 190 MB of small elements: no report at all."""
    cell = b"<a><b/></a>" * 6_000
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(b"<feedback>")
        while packed.tell() < size - 100:
            file.write(cell)
    return _single("reporter.example", "r-0", "application/gzip", "bomb.xml.gz", packed.getvalue())


def _row(dice: random.Random, source_ip: str = "") -> _Row:
    own = dice.random() < 0.6
    aligned = own and dice.random() < 0.95
    return _Row(
        source_ip or dice.choice(_OWN_SOURCES if own else _V4 if dice.random() < 0.5 else _V6),
        min(5_000, int(dice.paretovariate(0.9))),
        aligned or dice.random() < 0.4,
        aligned,
        AUTHOR if own else dice.choice(_FORWARDERS),
        dice.choice(_SELECTORS),
        not own and dice.random() < 0.2,
    )


def _passed(passed: bool) -> str:
    return "pass" if passed else "fail"


def _terse_record(row: _Row) -> str:
    """As RFC 7489 has it at least, indented by two."""
    reason = """
        <reason>
          <type>local_policy</type>
          <comment>arc=pass</comment>
        </reason>"""
    return f"""  <record>
    <row>
      <source_ip>{row.source_ip}</source_ip>
      <count>{row.count}</count>
      <policy_evaluated>
        <disposition>{row.disposition}</disposition>
        <dkim>{_passed(row.dkim)}</dkim>
        <spf>{_passed(row.spf)}</spf>{reason if row.forwarded else ""}
      </policy_evaluated>
    </row>
    <identifiers>
      <header_from>{AUTHOR}</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>{AUTHOR}</domain>
        <result>{_passed(row.dkim)}</result>
        <selector>{row.selector}</selector>
      </dkim>
      <spf>
        <domain>{row.helper}</domain>
        <result>{_passed(row.spf)}</result>
      </spf>
    </auth_results>
  </record>
"""


def _terse(number: int, rows: list[_Row]) -> bytes:
    """A zip as the whole mail."""
    reporter, begin = "mail.reporter-a.example", _begin(number)
    xml = f"""<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>reporter-a.example</org_name>
    <email>noreply-dmarc@{reporter}</email>
    <extra_contact_info>https://reporter-a.example/dmarc</extra_contact_info>
    <report_id>{9_000_000_000_000_000_000 + number}</report_id>
    <date_range>
      <begin>{begin}</begin>
      <end>{begin + _DAY_S - 1}</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>{AUTHOR}</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>quarantine</p>
    <sp>quarantine</sp>
    <pct>100</pct>
  </policy_published>
{"".join(map(_terse_record, rows))}</feedback>
"""
    name = f"reporter-a.example!{AUTHOR}!{begin}!{begin + _DAY_S - 1}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.xml", (2026, 9, 24, 0, 0, 0)), xml, zipfile.ZIP_DEFLATED)
    return _single(reporter, str(number), "application/zip", f"{name}.zip", packed.getvalue())


def _telling_record(row: _Row) -> str:
    """Everything that RFC 7489 knows, in one line."""
    return (
        f"<record><row><source_ip>{row.source_ip}</source_ip><count>{row.count}</count><policy_evaluated>"
        f"<disposition>{row.disposition}</disposition><dkim>{_passed(row.dkim)}</dkim><spf>{_passed(row.spf)}</spf>"
        "</policy_evaluated></row><identifiers><envelope_to>recipient.example</envelope_to>"
        f"<envelope_from>{row.helper}</envelope_from><header_from>{AUTHOR}</header_from></identifiers><auth_results>"
        f"<dkim><domain>{AUTHOR}</domain><selector>{row.selector}</selector><result>{_passed(row.dkim)}</result></dkim>"
        f"<spf><domain>{row.helper}</domain><scope>mfrom</scope><result>{_passed(row.spf)}</result></spf>"
        "</auth_results></record>"
    )


def _telling(number: int, rows: list[_Row]) -> bytes:
    """A gzip beside a page of HTML, which lies in two multiparts of its own."""
    reporter, begin = "reporter-b.example", _begin(number)
    xml = (
        '<?xml version="1.0"?><feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><version>1.0</version><report_metadata>'
        f"<org_name>{reporter}</org_name><email>dmarcreport@{reporter}</email><report_id>{number:032x}</report_id>"
        f"<date_range><begin>{begin}</begin><end>{begin + _DAY_S}</end></date_range></report_metadata>"
        f"<policy_published><domain>{AUTHOR}</domain><adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>quarantine</sp><pct>100</pct>"
        f"<fo>0</fo></policy_published>{''.join(map(_telling_record, rows))}</feedback>"
    )
    name = f"{reporter}!{AUTHOR}!{begin}!{begin + _DAY_S}.xml.gz"
    return _with_page(reporter, f"{number:032x}", name, gzip.compress(xml.encode(), mtime=0))


def _modern_record(row: _Row) -> str:
    """As RFC 9990 has it, indented by a tabulator, with two signatures."""
    return f"""\t<record>
\t\t<row>
\t\t\t<source_ip>{row.source_ip}</source_ip>
\t\t\t<count>{row.count}</count>
\t\t\t<policy_evaluated>
\t\t\t\t<disposition>{"pass" if row.dkim or row.spf else row.disposition}</disposition>
\t\t\t\t<dkim>{_passed(row.dkim)}</dkim>
\t\t\t\t<spf>{_passed(row.spf)}</spf>
\t\t\t</policy_evaluated>
\t\t</row>
\t\t<identifiers>
\t\t\t<header_from>{AUTHOR}</header_from>
\t\t\t<envelope_from>{row.helper}</envelope_from>
\t\t</identifiers>
\t\t<auth_results>
\t\t\t<dkim>
\t\t\t\t<domain>{AUTHOR}</domain>
\t\t\t\t<selector>{row.selector}</selector>
\t\t\t\t<result>{_passed(row.dkim)}</result>
\t\t\t</dkim>
\t\t\t<dkim>
\t\t\t\t<domain>{row.helper}</domain>
\t\t\t\t<selector>default</selector>
\t\t\t\t<result>pass</result>
\t\t\t</dkim>
\t\t\t<spf>
\t\t\t\t<domain>{row.helper}</domain>
\t\t\t\t<scope>mfrom</scope>
\t\t\t\t<result>{_passed(row.spf)}</result>
\t\t\t</spf>
\t\t</auth_results>
\t</record>
"""


def _modern(number: int, rows: list[_Row]) -> bytes:
    """A gzip beside a greeting."""
    reporter, begin = "reporter-c.example", _begin(number)
    xml = f"""<?xml version="1.0" encoding="utf-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
\t<version>1.0</version>
\t<report_metadata>
\t\t<org_name>Reporter C</org_name>
\t\t<email>dmarc@{reporter}</email>
\t\t<report_id>{begin}.{number}</report_id>
\t\t<date_range>
\t\t\t<begin>{begin}</begin>
\t\t\t<end>{begin + _DAY_S - 1}</end>
\t\t</date_range>
\t\t<generator>reporter 2.1</generator>
\t</report_metadata>
\t<policy_published>
\t\t<domain>{AUTHOR}</domain>
\t\t<p>quarantine</p>
\t\t<sp>quarantine</sp>
\t\t<np>reject</np>
\t\t<adkim>r</adkim>
\t\t<aspf>r</aspf>
\t\t<fo>1</fo>
\t\t<testing>n</testing>
\t\t<discovery_method>treewalk</discovery_method>
\t</policy_published>
{"".join(map(_modern_record, rows))}</feedback>
"""
    name = f"{reporter}!{AUTHOR}!{begin}!{begin + _DAY_S - 1}.xml.gz"
    return _with_greeting(reporter, f"{begin}.{number}", name, gzip.compress(xml.encode(), mtime=0))


_REPORTERS: Final[tuple[Callable[[int, list[_Row]], bytes], ...]] = (_terse, _telling, _modern)


def _begin(number: int) -> int:
    return RECEIVED_AT - RECEIVED_AT % _DAY_S - (1 + number % 30) * _DAY_S


_WORD: Final = "kweehcgRqVbTx1Fby9ebSI0rW1klDvwh5BNl7H8RYyhPqlds43Oo3Ry6t9Cgx0QW"
_CARRIED: Final = "".join(
    f"{field}: i=1; a=rsa-sha256; d=carrier.example;\n\tt=1790200000; s=s2026;\n\tb={_WORD}\n\t {_WORD}\n\t {_WORD}\n"
    for field in ("X-Carrier-Seal", "X-Carrier-Signature", "X-Carrier-Results", "X-Carrier-Verdict")
) + "".join(f"X-Carrier-{number}: {_WORD[:40]}\n" for number in range(10))
"""What carriers write on top of a mail: a third of the fields and a half of the bytes of a real header block."""


def _head(reporter: str, report_id: str, more: str) -> str:
    host = reporter.removeprefix("mail.")
    return f"""Received: from mta.{host} (mta.{host} [192.0.2.200])
\tby mx.clinic.example.jp (Postfix) with ESMTPS id 4Zb9QX2Jk1z9sSg
\tfor <dmarc@{AUTHOR}>; Thu, 24 Sep 2026 06:13:20 +0900 (JST)
Date: Wed, 23 Sep 2026 16:59:59 -0700
Message-ID: <{report_id}@{host}>
{_CARRIED}Subject: Report domain: {AUTHOR} Submitter: {host} Report-ID: {report_id}
From: "DMARC reports" <noreply@{host}>
To: dmarc@{AUTHOR}
MIME-Version: 1.0
{more}
"""


def _single(reporter: str, report_id: str, kind: str, name: str, data: bytes) -> bytes:
    more = (
        f'Content-Type: {kind}; \n\tname="{name}"\n'
        f'Content-Disposition: attachment; \n\tfilename="{name}"\nContent-Transfer-Encoding: base64\n'
    )
    return _wire(_head(reporter, report_id, more).encode() + encodebytes(data))


def _with_greeting(reporter: str, report_id: str, name: str, data: bytes) -> bytes:
    boundary = f"_mpm_{report_id}"
    head = _head(reporter, report_id, f'Content-Type: multipart/mixed;\n\tboundary="{boundary}"\n')
    greeting = (
        f"--{boundary}\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n"
        f"This is a DMARC aggregate report about {AUTHOR}. You get it because you asked for it in DNS.\n\n"
    )
    attached = (
        f'--{boundary}\nContent-Type: application/gzip; name="{name}"\nContent-Transfer-Encoding: base64\n'
        f'Content-Disposition: attachment; filename="{name}"\n\n'
    )
    return _wire((head + greeting + attached).encode() + encodebytes(data) + f"\n--{boundary}--\n".encode())


def _with_page(reporter: str, report_id: str, name: str, data: bytes) -> bytes:
    outer, middle, inner = (f"_{kind}_{report_id}_" for kind in ("mpm", "rv", "av"))
    head = _head(reporter, report_id, f'Content-Type: multipart/mixed;\n\tboundary="{outer}"\n')
    page = encodebytes(b"<div style='font-family:sans-serif'>This is a DMARC aggregate report.</div>" * 8).decode()
    nested = (
        f"This is a multi-part message in MIME format.\n\n--{outer}\nContent-Type: multipart/related;\n"
        f'\tboundary="{middle}"\n\n--{middle}\nContent-Type: multipart/alternative;\n\tboundary="{inner}"\n\n'
        f"--{inner}\n\n\n--{inner}\nContent-Type: text/html; charset=us-ascii\nContent-Transfer-Encoding: base64\n\n"
        f"{page}\n"
        f"--{inner}--\n\n--{middle}--\n\n"
    )
    attached = (
        f"--{outer}\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n"
        f'Content-Description: {name}\nContent-Disposition: attachment; filename="{name}";\n\n'
    )
    return _wire((head + nested + attached).encode() + encodebytes(data) + f"\n--{outer}--\n".encode())


def _wire(mail: bytes) -> bytes:
    return mail.replace(b"\n", b"\r\n")


class Signer:
    """Signs mails as their reporters would, with a 2048-bit RSA key that is made here.

    ``zone`` is what the three reporters publish: domain name to TXT record. The sender of the envelope is theirs, too.
    """

    CLIENT: Final = "192.0.2.200"
    _REPORTERS: Final = ("reporter-a.example", "reporter-b.example", "reporter-c.example")

    def __init__(self) -> None:
        from base64 import b64encode

        import dkim
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

        private = rsa.generate_private_key(65537, 2048)
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self._private = private.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
        self._sign = dkim.sign
        # What the library does by itself takes ten times as long as all the rest, and there are many mails.
        once = Prehashed(hashes.SHA256())
        dkim.RSASSA_PKCS1_v1_5_sign = lambda digest, _: private.sign(digest.digest(), padding.PKCS1v15(), once)
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
        self.zone = {}
        for reporter in self._REPORTERS:
            self.zone[f"s2026._domainkey.{reporter}"] = key
            self.zone[f"_dmarc.{reporter}"] = "v=DMARC1; p=reject"
            self.zone[reporter] = f"v=spf1 ip4:{self.CLIENT} -all"

    def sign(self, mail: bytes) -> bytes:
        """The mail with a signature of its author domain on top."""
        domain = self.sender(mail)
        relaxed = (b"relaxed", b"relaxed")
        return bytes(self._sign(mail, b"s2026", domain.encode(), self._private, canonicalize=relaxed)) + mail

    @classmethod
    def sender(cls, mail: bytes) -> str:
        """The reporter that sent a mail."""
        return next(reporter for reporter in cls._REPORTERS if f"<noreply@{reporter}>".encode() in mail)
