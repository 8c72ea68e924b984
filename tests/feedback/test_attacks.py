"""Mails made to exhaust whoever reads them: each is stopped by a stated bound, and says which.

Nothing is timed here: a bound that holds does so on a slow machine too. ``bench/limits.py`` measures what they cost.
"""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from mailguard.feedback.limits import MIB
from mailguard.feedback.mail import read_mail
from tests.feedback.mails import METADATA, POLICY, mail, record, report, zipped

XML = report(record(), record("192.0.2.2")).encode()
BEGIN = f"<feedback>{METADATA}{POLICY}".encode()
TOP = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))


def packed(data: bytes) -> bytes:
    return mail(gzip.compress(data, 9))


EMPTY = "<a/>" * 1_990
HEAVY = record().replace("<row>", f"<row>{EMPTY}").encode()  # each within every bound on a record
MENDED = record().replace("<row>", "<row>" + "<&" * 1_900).encode()


XML_ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "billion laughs": (
        lambda: packed(b'<!DOCTYPE feedback [<!ENTITY a0 "ha">' + ENTITIES + b"]>" + BEGIN + b"<x>&a9;</x>"),
        "doctype",
    ),
    "quadratic entity": (
        lambda: packed(b'<!DOCTYPE feedback [<!ENTITY a "' + b"a" * 50_000 + b'">]>' + BEGIN + b"&a;" * 50_000),
        "doctype",
    ),
    "external entity": (
        lambda: packed(b'<!DOCTYPE feedback [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + BEGIN + b"<x>&a;</x>"),
        "doctype",
    ),
    "external document type": (
        lambda: packed(b'<!DOCTYPE feedback SYSTEM "http://192.0.2.1/a.dtd">' + BEGIN + b"</feedback>"),
        "doctype",
    ),
    "document type in UTF-16": (
        lambda: packed(('<!DOCTYPE feedback [<!ENTITY a "b">]>' + report()).encode("utf-16")),
        "doctype",
    ),
    "document type behind junk": (lambda: packed(b"&&<!DOCTYPE feedback>" + BEGIN + b"</feedback>"), "doctype"),
    "deep nesting": (lambda: packed(b"<feedback>" + b"<a>" * 10_000_000), "depth"),
    "eight million empty elements": (lambda: packed(b"<feedback>" + b"<a><b/></a>" * 8_000_000), "others"),
    "empty elements in the metadata": (
        lambda: packed(b"<feedback><report_metadata>" + b"<a><b/></a>" * 4_000_000),
        "record_elements",
    ),
    "empty elements in a record": (lambda: packed(BEGIN + b"<record>" + b"<a><b/></a>" * 4_000_000), "record_elements"),
    "empty elements in every record": (lambda: packed(BEGIN + HEAVY * 1_200 + b"</feedback>"), "elements"),
    "empty elements in every record, not well-formed": (lambda: packed(BEGIN + b"&" + HEAVY * 1_200), "elements"),
    "empty elements in other parts": (lambda: packed(BEGIN + f"<x>{EMPTY}</x>".encode() * 900), "elements"),
    "records in which all is to be mended": (lambda: packed(BEGIN + MENDED * 2_000), "elements"),
    "empty elements, not well-formed": (lambda: packed(b"<feedback>&" + b"<a><b/></a>" * 4_000_000), "record_bytes"),
    "empty elements in another root": (lambda: packed(b"<x>" + b"<a><b/></a>" * 4_000_000), "record_bytes"),
    "empty records": (lambda: packed(BEGIN + b"<record/>" * 4_000_000), "dropped"),
    "empty records, not well-formed": (lambda: packed(BEGIN + b"&" + b"<record></record>" * 2_000_000), "dropped"),
    "a name of 20 MB": (lambda: packed(b"<feedback><" + b"a" * 20 * MIB), "record_bytes"),
    "a text of 20 MB": (lambda: packed(b"<feedback><a>" + b"a" * 20 * MIB), "record_bytes"),
    "a record of 20 MB": (lambda: packed(BEGIN + b"<record><row>" + b"a" * 20 * MIB), "record_bytes"),
    "a comment of 20 MB": (lambda: packed(BEGIN + b"<!--" + b"a" * 20 * MIB), "record_bytes"),
    "95 MB of blanks": (lambda: packed(b"<feedback>" + b" " * 95 * MIB), "record_bytes"),
    "95 MB of blanks before the root": (lambda: packed(b" " * 95 * MIB + XML), "prolog_bytes"),
    "prolog junk": (lambda: packed(b"<?xml version='1.0'?>" + b"<!-- x -->" * 100_000 + XML), "prolog_bytes"),
    "many attributes": (
        lambda: packed(BEGIN + b"<record " + b" ".join(b"a%d=''" % n for n in range(50_000)) + b"/>"),
        "attributes",
    ),
    "many reports in one file": (lambda: packed(XML * 100), "members"),
    "ends of reports": (lambda: packed(BEGIN + b"</feedback>" * 2_000_000), "record_bytes"),
    "JSON brackets": (lambda: packed(b'{"policies":' + b"[" * 3_000_000), "json_containers"),
    "JSON commas": (lambda: packed(b'{"policies":[1' + b",1" * 1_500_000), "json_marks"),
    "JSON of 5 MB": (lambda: packed(b'{"report-id":"' + b"a" * 5 * MIB), "json_bytes"),
    "JSON nested below the bound": (lambda: packed(b'{"report-id":' + b"[" * 100_000), "not-a-report"),
}


def zip_of(number: int, data: bytes = b"<", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for index in range(number):
            archive.writestr(f"{index}.xml", data)
    return out.getvalue()


def with_large_directory() -> bytes:
    data = bytearray(zipped(XML))
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = struct.pack("<L", 0x7FFFFFFF)
    return bytes(data)


def with_lying_size() -> bytes:
    data = zipped(b"a" * 12 * MIB)
    return data.replace(struct.pack("<L", 12 * MIB), struct.pack("<L", 10))


def with_large_window() -> bytes:
    """LZMA that wants 4 GiB of memory for what it may refer back to."""
    data = bytearray(zip_of(1, b"<feedback><a>" + b"a" * 2 * MIB, zipfile.ZIP_LZMA))
    at = data.index(b"0.xml") + 5 + 5  # behind the name: version and size of the properties, then theirs
    data[at : at + 4] = b"\xff" * 4
    return bytes(data)


def quine() -> bytes:
    """Gzip in gzip in gzip; no bottom is looked for."""
    data = XML
    for _ in range(10):
        data = gzip.compress(data)
    return data


ROOMY = record().encode() + b" " * 4_000
BOMB = gzip.compress(BEGIN + ROOMY * 10_000, 9)

ARCHIVE_ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip bomb of records": (lambda: mail(BOMB), "ratio"),
    "gzip bomb in zip": (lambda: mail(zip_of(1, gzip.compress(b"\0" * 50 * MIB))), "record_bytes"),
    "gzip of a gzip bomb": (
        lambda: mail(gzip.compress(gzip.compress(b"<feedback>" + b" " * 50 * MIB))),
        "record_bytes",
    ),
    "zip bomb": (lambda: mail(zip_of(1, BEGIN + ROOMY * 10_000)), "ratio"),
    "zip bomb in bzip2": (lambda: mail(zip_of(1, BEGIN + ROOMY * 10_000, zipfile.ZIP_BZIP2)), "ratio"),
    "zip bomb in LZMA": (lambda: mail(zip_of(1, BEGIN + ROOMY * 10_000, zipfile.ZIP_LZMA)), "ratio"),
    "blanks in bzip2": (lambda: mail(zip_of(1, b"<feedback>" + b" " * 95 * MIB, zipfile.ZIP_BZIP2)), "record_bytes"),
    "a window of 4 GiB": (lambda: mail(with_large_window()), "record_bytes"),
    "a zip that unpacks to a large zip": (lambda: mail(gzip.compress(b"PK\x03\x04" + b"\0" * 30 * MIB)), "ratio"),
    "60 files": (lambda: mail(zip_of(60)), "members"),
    "3,000 files": (lambda: mail(zip_of(3_000)), "zip_directory_bytes"),
    "directory said to be huge": (lambda: mail(with_large_directory()), "zip_directory_bytes"),
    "zip64 locator": (
        lambda: mail(zipped(XML)[:-22] + b"PK\x06\x07" + b"\0" * 16 + zipped(XML)[-22:]),
        "zip_directory_bytes",
    ),
    "size that lies": (lambda: mail(with_lying_size()), "prolog_bytes"),
    "100 empty gzip members": (lambda: mail(gzip.compress(b"") * 100), "members"),
    "100,000 local headers": (lambda: mail((b"PK\x03\x04" + b"\0" * 26) * 100_000), "members"),
    "empty deflate blocks": (
        lambda: mail(b"\x1f\x8b\x08" + b"\0" * 7 + b"\0\0\0\xff\xff" * 1_000_000),
        "not-a-report",
    ),
    "archives without bottom": (lambda: mail(quine()), "nested"),
    "empty elements, a few in each of 12 files": (
        lambda: mail(zip_of(12, BEGIN + f"<x>{EMPTY}</x>".encode() * 100 + XML[len("<feedback>") :])),
        "elements",
    ),
    "many archives in an archive": (lambda: mail(zip_of(45, zip_of(45, XML))), "members"),
}

NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))
DIGESTS = b"".join(b"Content-Type:\r\n multipart/digest; boundary=b%d\r\n\r\n-b%d\r\n\r\n" % (n, n) for n in range(200))
MULTIPART = TOP + b"Content-Type: multipart/mixed; boundary=b\r\n"

MIME_ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "16 MB": (lambda: b"x" * 16 * MIB, "mail_bytes"),
    "one long header line": (lambda: b"X: " + b"y" * 70_000 + b"\r\n\r\n", "header_bytes"),
    "encoded words": (lambda: TOP + b"Subject: " + b"=?utf-8?q?=41?= " * 60_000 + b"\r\n\r\n", "header_bytes"),
    "a recipient list of 4 MB": (lambda: TOP + b"To: " + b"a@b.example, " * 300_000 + b"\r\n\r\n", "header_bytes"),
    "folded subject": (lambda: TOP + b"Subject: x" + b"\r\n y" * 50_000 + b"\r\n\r\n", "header_bytes"),
    "many headers": (lambda: TOP + b"X: y\r\n" * 5_000 + b"\r\n", "headers"),
    "no end of the header": (lambda: TOP + b"X: y\r\n" * 500_000, "header_bytes"),
    "empty lines": (lambda: MULTIPART + b"\r\n" + b"\r\n" * 3_000_000, "lines"),
    "bare carriage returns": (lambda: MULTIPART + b"\r\n" + b"\r" * 3_000_000, "lines"),
    "100,000 parts": (lambda: MULTIPART + b"\r\n" + b"--b\r\n\r\n" * 100_000, "delimiters"),
    "parameters": (
        lambda: TOP + b"Content-Type: multipart/mixed" + b"; a=b" * 5_000 + b"\r\n\r\n",
        "content_type_bytes",
    ),
    "parameters of a part": (
        lambda: MULTIPART + b"\r\n--b\r\nContent-Type: text/plain" + b";\r\n a=b" * 5_000 + b"\r\n\r\n",
        "content_type_bytes",
    ),
    "1,000 nested parts": (lambda: TOP + NESTED, "delimiters"),
    "1,000 nested parts with lines that are no delimiters": (
        lambda: TOP + NESTED.replace(b"--b", b"-- b"),
        "delimiters",
    ),
    "1,000 forwarded mails": (lambda: TOP + b"Content-Type: message/rfc822\r\n\r\n" * 1_000, "containers"),
    "nested digests": (lambda: TOP + DIGESTS, "containers"),
    "mails in mails in base64": (lambda: in_mails(10), "containers"),
}


def in_mails(number: int) -> bytes:
    raw = mail(gzip.compress(XML))
    for _ in range(number):
        raw = mail(raw, "application/octet-stream", "a.eml")
    return raw


ATTACKS = {
    **{f"xml: {name}": attack for name, attack in XML_ATTACKS.items()},
    **{f"archive: {name}": attack for name, attack in ARCHIVE_ATTACKS.items()},
    **{f"mime: {name}": attack for name, attack in MIME_ATTACKS.items()},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_stated_bound_stops_it(name: str) -> None:
    make, reason = ATTACKS[name]
    raw = make()
    tracemalloc.start()
    try:
        contents = read_mail(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason in {file.reason for file in contents.unreadable}
    assert peak < 100 * MIB


@pytest.mark.parametrize(
    "text", [b"begin 644 a\r\n", b"H4sIAAAA\r\n\r\n", b"=3D=3D\r\n", b"PD94bWwg\r\n", b"&lt;feedback", b"<feedback>"]
)
def test_lines_that_look_like_hidden_files_come_to_an_end(text: bytes) -> None:
    """Some 1.5 MB of beginnings without an end; a search that starts anew at each would take hours."""
    contents = read_mail(b"From: a@b.example\r\n\r\n" + text * (1_500_000 // len(text)))
    assert contents.reports == ()


def test_no_attack_hides_the_reports_beside_it() -> None:
    good = b"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    good += mail(gzip.compress(XML)).partition(b"\r\n\r\n")[2]
    bomb = good.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + mail(BOMB).partition(b"\r\n\r\n")[2]
    contents = read_mail(MULTIPART + b"\r\n--b\r\n" + bomb + b"\r\n--b\r\n" + good + b"\r\n--b--\r\n")
    assert [found.kept for found in contents.reports] == [2]
    assert [file.reason for file in contents.unreadable] == ["ratio"]
