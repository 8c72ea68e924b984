"""Reports that are packed, encoded or attached in odd ways; every one of them is there for a person to read."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import quopri
import zipfile
import zlib
from collections.abc import Iterator

from tests.feedback.mails import mail, record, report, zipped
from tests.feedback.suite.case import Case, counts

ONE = report(record("192.0.2.1"), record("192.0.2.2")).encode()
TWO = report(record("198.51.100.1"), record("198.51.100.2"), record("198.51.100.3")).replace("r-1", "r-2").encode()
PACKED = gzip.compress(ONE)
FIRST = (2, 2, 0, 0)
SECOND = (3, 3, 0, 0)
NAME = "reporter.example!clinic.example.jp!1790000000!1790086399.xml.gz"
TOP = b"From: dmarc@reporter.example\r\nTo: dmarc@clinic.example.jp\r\nMIME-Version: 1.0\r\n"


def zip_of(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def self_extracting(data: bytes) -> bytes:
    """A zip that was appended to something, and whose directory counts from the beginning of the whole."""
    out = io.BytesIO(b"#!/bin/sh\nexit\n")
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", data)
    return out.getvalue()


def without_directory(packed: bytes) -> bytes:
    return packed[: packed.index(b"PK\x01\x02")]


def packed_by_method(data: bytes, method: int) -> bytes:
    """A zip that says that its file is packed by another method than it is."""
    packed = bytearray(zipped(data))
    for at in (8, packed.rindex(b"PK\x01\x02") + 10):
        packed[at : at + 2] = method.to_bytes(2, "little")
    return bytes(packed)


def b64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def part(data: bytes, kind: str = "application/gzip", encoding: str = "base64", name: str = NAME) -> bytes:
    body = b64(data) if encoding.lower().strip() == "base64" else data
    head = f'Content-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: {encoding}\r\n'
    return f'{head}Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode() + body


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "b=_1", top: bytes = TOP) -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    return (
        top
        + f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
        + body
        + (b"--" + boundary.encode() + b"--\r\n")
    )


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThis is an aggregate report.\r\n"
HTML = b"Content-Type: text/html\r\n\r\n<html><body>We welcome your <b>feedback</b>.</body></html>\r\n"


def text_mail(body: bytes, *fields: bytes) -> bytes:
    return TOP + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def uuencoded(data: bytes, name: str = "report.xml.gz") -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return f"begin 644 {name}\n".encode() + b"".join(lines) + b"`\nend\n"


def encrypted(data: bytes) -> bytes:
    packed = bytearray(zipped(data))
    packed[6] |= 1
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def with_bad_checksum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


NO_TYPE = b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(PACKED)
FORWARDED = b"Content-Type: message/rfc822\r\n\r\n" + multipart(TEXT, part(PACKED))

GOOD: dict[str, bytes] = {
    # packings
    "gzip": mail(PACKED),
    "zip": mail(zipped(ONE)),
    "bare": mail(ONE, "text/xml", "report.xml"),
    "zip, stored": mail(zip_of(("a.xml", ONE), method=zipfile.ZIP_STORED)),
    "zip called gz": mail(zipped(ONE), "application/gzip", "a.xml.gz"),
    "gzip called zip": mail(PACKED, "application/zip", "a.zip"),
    "bare called gz": mail(ONE, "application/gzip", "a.xml.gz"),
    "gzip called xml": mail(PACKED, "text/xml", "a.xml"),
    "two gzip members": mail(gzip.compress(ONE[:300]) + gzip.compress(ONE[300:])),
    "an empty gzip member first": mail(gzip.compress(b"") + PACKED),
    "gzip with a name and a comment inside": mail(
        b"\x1f\x8b\x08\x18" + b"\0" * 6 + b"report.xml\0a comment\0" + PACKED[10:]
    ),
    "gzip, padded": mail(PACKED + b"\0" * 200),
    "gzip, junk behind": mail(PACKED + b"-- \r\nscanned"),
    "zip, junk behind": mail(zipped(ONE) + b"\r\n"),
    "zip, junk before": mail(b"-- \r\nscanned\r\n" + zipped(ONE)),
    "zip, junk before that its directory knows of": mail(self_extracting(ONE)),
    "zip, junk before and behind": mail(b"scanned" + zipped(ONE) + b"\r\n"),
    "zip, a line break before": mail(b"\r\n" + zipped(ONE)),
    "zip, 100 KB before": mail(b"MZ" + b"\x90" * 100_000 + zipped(ONE)),
    "gzip, a line break before": mail(b"\r\n" + PACKED),
    "gzip, blanks before": mail(b" \t\r\n \n" + PACKED),
    "zip, bzip2": mail(zip_of(("a.xml", ONE), method=zipfile.ZIP_BZIP2)),
    "zip, LZMA": mail(zip_of(("a.xml", ONE), method=zipfile.ZIP_LZMA)),
    "zip, LZMA without its directory": mail(without_directory(zip_of(("a.xml", ONE), method=zipfile.ZIP_LZMA))),
    "zip with folders and an empty file": mail(zip_of(("folder/", b""), ("folder/a.xml", ONE), ("empty.txt", b""))),
    "gzip in gzip": mail(gzip.compress(PACKED)),
    "gzip in zip": mail(zip_of(("a.xml.gz", PACKED))),
    "zip in zip": mail(zip_of(("a.zip", zipped(ONE)))),
    "zip in gzip": mail(gzip.compress(zipped(ONE))),
    "a saved mail in a zip": mail(zip_of(("a.eml", multipart(TEXT, part(PACKED))))),
    # types
    **{
        f"as {kind}": mail(PACKED, kind)
        for kind in (
            "application/octet-stream",
            "application/x-gzip",
            "application/gzip-compressed",
            "text/plain",
            "text/xml",
            "application/x-zip-compressed",
            "text/html",
            "image/png",
            "video/mp4",
            "x/y",
            "nonsense",
            "application/tlsrpt+gzip",
        )
    },
    # transfer encodings
    **{f"encoding {name!r}": multipart(TEXT, part(PACKED, encoding=name)) for name in ("base64", "BASE64", "Base64 ")},
    "base64 with a comment": multipart(TEXT, part(b64(PACKED), encoding="base64 (RFC 2045)")),
    "base64 in quotes": multipart(TEXT, part(b64(PACKED), encoding='"base64"')),
    "base64 not declared": multipart(TEXT, part(b64(PACKED), encoding="7bit")),
    "base64 declared as quoted-printable": multipart(TEXT, part(b64(PACKED), encoding="quoted-printable")),
    "base64 declared as x-gzip64": multipart(TEXT, part(b64(PACKED), encoding="x-gzip64")),
    "base64 in one line": multipart(TEXT, part(base64.b64encode(PACKED), encoding="base64 ;")),
    "base64 without padding": text_mail(b64(PACKED).rstrip(b"=\r\n"), b"Content-Transfer-Encoding: base64"),
    "base64 with blanks in it": text_mail(
        b64(PACKED).replace(b"\r\n", b" \r\n "), b"Content-Transfer-Encoding: base64"
    ),
    "whole body in base64, no MIME": b"From: a@b.example\r\n\r\n" + b64(PACKED),
    "whole body in base64 after a greeting": b"From: a@b.example\r\n\r\nHello,\r\n\r\n" + b64(PACKED) + b"\r\nBye\r\n",
    "bare XML in base64, not declared": b"From: a@b.example\r\n\r\n" + b64(ONE),
    "binary": multipart(TEXT, part(PACKED, encoding="binary").replace(b"\r\n\r\n", b"\r\n\r\n", 1)),
    "8bit XML": multipart(TEXT, part(ONE, "text/xml", "8bit", "a.xml")),
    "no encoding": multipart(TEXT, b"Content-Type: text/xml\r\n\r\n" + ONE),
    "an encoding nobody knows": multipart(TEXT, part(ONE, "text/xml", "x-moon", "a.xml")),
    "base64 declared, bare XML sent": text_mail(ONE, b"Content-Type: text/xml", b"Content-Transfer-Encoding: base64"),
    "quoted-printable": multipart(TEXT, part(quopri.encodestring(ONE), "text/xml", "quoted-printable", "a.xml")),
    "quoted-printable, not declared": multipart(
        TEXT, part(quopri.encodestring(b'<?xml version="1.0"?>\n' + ONE), "text/plain", "7bit", "a.txt")
    ),
    "uuencode": text_mail(uuencoded(PACKED), b"Content-Transfer-Encoding: x-uuencode"),
    "uuencode in the text": text_mail(b"The report:\n\n" + uuencoded(PACKED) + b"\nBye\n"),
    "uuencode of bare XML": text_mail(uuencoded(ONE, "report.xml")),
    "begin-base64": text_mail(b"begin-base64 644 report.xml.gz\n" + base64.encodebytes(PACKED) + b"====\n"),
    # structure
    "text first": multipart(TEXT, part(PACKED)),
    "text last": multipart(part(PACKED), TEXT),
    "text and HTML": multipart(multipart(TEXT, HTML, kind="alternative", boundary="c", top=b""), part(PACKED)),
    "related in mixed": multipart(
        multipart(
            multipart(b"\r\n\r\n", HTML, kind="alternative", boundary="e", top=b""),
            kind="related",
            boundary="d",
            top=b"",
        ),
        part(PACKED),
    ),
    "a delimiter of the outer part ends the inner one": multipart(
        multipart(TEXT, boundary="c", top=b"").replace(b"--c--\r\n", b""), part(PACKED)
    ),
    "boundaries that begin alike": multipart(
        multipart(TEXT, HTML, boundary="b=_12", top=b""), part(PACKED), boundary="b=_1"
    ),
    "boundaries that begin alike, the longer one outside": multipart(
        multipart(TEXT, HTML, boundary="b=_", top=b""), part(PACKED)
    ),
    "boundaries that are alike": multipart(
        b'Content-Type: multipart/mixed; boundary="b=_1"\r\n\r\n', TEXT, part(PACKED)
    ),
    "text in quoted-printable": multipart(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"=E5=A0=B1=E5=91=8A=\r\n=3D\r\n",
        part(PACKED),
    ),
    "a line too many before base64, without a name": multipart(
        TEXT, b"Content-Type: application/gzip\r\n" + NO_TYPE
    ).replace(b"base64\r\n\r\n", b"base64\r\n\r\nAAAA\r\n", 1),
    "a line too many before base64": multipart(TEXT, part(PACKED).replace(b"\r\n\r\n", b"\r\n\r\nAAAA\r\n", 1)),
    "multipart/report": multipart(TEXT, part(PACKED), kind="report; report-type=x"),
    "multipart/related": multipart(TEXT, part(PACKED), kind="related"),
    "multipart/signed": multipart(
        multipart(TEXT, part(PACKED), boundary="c", top=b""),
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nxx",
        kind="signed",
    ),
    "inline": multipart(TEXT, part(PACKED).replace(b"attachment", b"inline")),
    "no disposition": multipart(TEXT, b"Content-Type: application/gzip\r\n" + NO_TYPE),
    "no type": multipart(TEXT, NO_TYPE),
    "folded name": multipart(TEXT, part(PACKED).replace(b"; filename=", b";\r\n\tfilename=")),
    "name in RFC 2231": multipart(
        TEXT, part(PACKED).replace(b'filename="', b"filename*=utf-8''").replace(b'.gz"', b".gz")
    ),
    "boundary without quotes": multipart(TEXT, part(PACKED), boundary="simple").replace(b'"simple"', b"simple"),
    "boundary with odd characters": multipart(TEXT, part(PACKED), boundary="=_'()+,-./:=?_x"),
    "bare line feeds": multipart(TEXT, part(PACKED)).replace(b"\r\n", b"\n"),
    "mixed line ends": multipart(TEXT, part(PACKED)).replace(b"\r\n", b"\n", 5),
    "preamble and epilogue": multipart(TEXT, part(PACKED)).replace(b"\r\n\r\n--b=_1", b"\r\n\r\nHello\r\n--b=_1", 1)
    + b"Bye\r\n",
    "no closing delimiter": multipart(TEXT, part(PACKED)).replace(b"--b=_1--\r\n", b""),
    "blanks after delimiters": multipart(TEXT, part(PACKED)).replace(b"--b=_1\r\n", b"--b=_1 \t\r\n"),
    "mbox line on top": b"From a@b.example Tue Apr 30 02:09:16 2026\r\n" + multipart(TEXT, part(PACKED)),
    "forwarded": multipart(TEXT, FORWARDED),
    "forwarded alone": TOP + FORWARDED,
    "forwarded twice": multipart(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + multipart(FORWARDED, boundary="z")),
    "forwarded in base64": multipart(
        TEXT,
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64(multipart(TEXT, part(PACKED))),
    ),
    "forwarded as an octet-stream": multipart(
        TEXT, part(multipart(TEXT, part(PACKED)), "application/octet-stream", name="a.eml")
    ),
    "forwarded in a digest": multipart(b"\r\n" + multipart(TEXT, part(PACKED)), kind="digest", boundary="z"),
    "header folded over many lines": TOP + b"Subject: a\r\n b\r\n c\r\n" + multipart(TEXT, part(PACKED), top=b""),
    "8-bit subject": TOP + "Subject: 報告\r\n".encode() + multipart(TEXT, part(PACKED), top=b""),
    "no header but the type": multipart(TEXT, part(PACKED), top=b""),
}

IN_TEXT: dict[str, bytes] = {
    "XML in the text": text_mail(
        b"Dear postmaster,\r\n\r\n" + ONE.replace(b"\n", b"\r\n"), b"Content-Type: text/plain"
    ),
    "XML escaped in HTML": text_mail(
        b"<html><body><pre>" + ONE.replace(b"<", b"&lt;").replace(b">", b"&gt;") + b"</pre>",
        b"Content-Type: text/html",
    ),
}

SEVERAL: dict[str, bytes] = {
    "two attachments": multipart(TEXT, part(PACKED), part(gzip.compress(TWO))),
    "two attachments of one name": multipart(part(PACKED), part(zipped(TWO))),
    "two files in one zip": mail(zip_of(("a.xml", ONE), ("b.xml", TWO))),
    "two documents in two gzip members": mail(PACKED + gzip.compress(TWO)),
    "two documents in one gzip": mail(gzip.compress(ONE + b"\n" + TWO)),
    "two documents with declarations": mail(
        gzip.compress(b"<?xml version='1.0'?>" + ONE + b"\n<?xml version='1.0'?>" + TWO)
    ),
    "two gzip files in one zip": mail(zip_of(("a.gz", PACKED), ("b.gz", gzip.compress(TWO)))),
    "one attached, one forwarded": multipart(
        part(PACKED), b"Content-Type: message/rfc822\r\n\r\n" + multipart(part(gzip.compress(TWO)), boundary="y")
    ),
    "one attached, one in the text": multipart(
        b"Content-Type: text/plain\r\n\r\n" + b64(PACKED), part(gzip.compress(TWO))
    ),
    "two uuencoded": text_mail(uuencoded(PACKED) + b"\n" + uuencoded(gzip.compress(TWO))),
    "two in base64 in the text": text_mail(b"one\n" + b64(PACKED) + b"\ntwo:\n" + b64(gzip.compress(TWO)) + b"\n"),
}

OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000 + "__substg1.0_37010102".encode("utf-16-le")
# Not compressed, so that what is left of it is the same with every zlib.
HALF = gzip.compress(ONE, 0)[: 20 + ONE.rindex(b"<identifiers>")]

REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "encrypted zip": (mail(encrypted(ONE)), ("encrypted",)),
    "zip with a method that is not read": (mail(packed_by_method(ONE, 9)), ("zip-method",)),
    "zip that says LZMA and is not": (mail(packed_by_method(ONE, zipfile.ZIP_LZMA)), ("not-a-report",)),
    "zip that says bzip2 and is not": (mail(packed_by_method(ONE, zipfile.ZIP_BZIP2)), ("not-a-report",)),
    "empty attachment": (multipart(TEXT, part(b"")), ("empty",)),
    "the word unused": (multipart(TEXT, part(b"unused", "text/xml", "7bit", "a.xml")), ("not-a-report",)),
    "7z": (mail(b"7z\xbc\xaf\x27\x1c" + b"\0" * 50, name="a.7z"), ("archive-kind",)),
    "a mail of Outlook": (mail(OUTLOOK, "application/vnd.ms-outlook", "a.msg"), ("outlook",)),
    "winmail.dat": (mail(b"\x78\x9f\x3e\x22" + b"\0" * 50, name="winmail.dat"), ("tnef",)),
    "S/MIME": (mail(b"\x30\x80" + b"\0" * 50, "application/pkcs7-mime", "smime.p7m"), ("encrypted",)),
    "PGP": (text_mail(b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n"), ("encrypted",)),
    "a picture in gzip": (mail(gzip.compress(b"\x89PNG\r\n" + b"\0" * 500)), ("not-a-report",)),
    "three gzips deep": (mail(gzip.compress(gzip.compress(PACKED))), ("nested",)),
    "partial message": (TOP + b"Content-Type: message/partial; id=x; number=1; total=2\r\n\r\nx", ("partial",)),
    "damaged base64": (
        text_mail(b"!!!!", b'Content-Type: application/gzip; name="a.xml.gz"', b"Content-Transfer-Encoding: base64"),
        ("not-a-report",),
    ),
    "gzip of nothing": (mail(gzip.compress(b"")), ("not-a-report",)),
    "a web page called report": (mail(b"<!DOCTYPE html><html></html>", "text/html", "report.xml"), ("not-a-report",)),
}

# What a person reads in those: nothing, but for what was packed in a way that we do not unpack.
# (The zips with a wrong method are deflated and only say that they are not: no program would unpack them.)
READ_BY_A_PERSON = {"three gzips deep": 2}

NOTHING: dict[str, bytes] = {
    "a greeting": text_mail(b"Hello\r\n", b"Content-Type: text/plain"),
    "HTML that speaks of feedback": multipart(TEXT, HTML),
    "a picture": multipart(TEXT, part(b"\x89PNG\r\n\x1a\n", "image/png", name="logo.png")),
    "an empty mail": b"",
    "only header": b"From: a@b.example\r\n",
    "quoted shell": text_mail(b"begin with this\n> H4sI\nend\n"),
}


def cases() -> Iterator[Case]:
    for name, raw in GOOD.items():
        yield Case(f"mail: {name}", raw, 2, counts(FIRST))
    for name, raw in IN_TEXT.items():
        yield Case(f"mail: {name}", raw, 2, counts(FIRST), defects=True)
    for name, raw in SEVERAL.items():
        yield Case(f"mail: {name}", raw, 5, counts(FIRST, SECOND))
    for name, (raw, reasons) in REFUSED.items():
        yield Case(f"mail: {name}", raw, READ_BY_A_PERSON.get(name, 0), refused=reasons, defects=True)
    for name, raw in NOTHING.items():
        yield Case(f"mail: {name}", raw, 0)
    yield Case("mail: gzip cut short", mail(HALF), 2, counts((2, 1, 0, 1)), defects=True)
    yield Case("mail: gzip without its trailer", mail(PACKED[:-8]), 2, counts(FIRST), defects=True)
    yield Case("mail: gzip with a wrong checksum", mail(with_bad_checksum(PACKED)), 2, counts(FIRST), defects=True)
    yield Case("mail: zip without its directory", mail(without_directory(zipped(ONE))), 2, counts(FIRST))
    yield Case(
        "mail: one good and one broken attachment",
        multipart(part(PACKED), part(b"\x1f\x8b broken")),
        2,
        counts(FIRST),
        refused=("not-a-report",),
        defects=True,
    )
    yield Case(
        "mail: deflate without a container is no archive",
        mail(zlib.compress(ONE), name="a.xml.gz"),
        2,
        refused=("not-a-report",),
        defects=True,
    )
