"""From the bytes of a mail to its reports: every packing that reporters use, and every one that attackers might."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.limits import Limits
from mailguard.feedback.mail import read_mail
from tests.feedback.mails import gzipped_mail, mail, record, report, zipped

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
XML = report(record(), record("192.0.2.2"))


def counts(raw: bytes, limits: Limits | None = None) -> list[int]:
    return [found.kept for found in read_mail(raw, limits or Limits()).reports]


def reasons(raw: bytes, limits: Limits | None = None) -> list[str]:
    contents = read_mail(raw, limits or Limits())
    assert contents.reports == ()
    return [file.reason for file in contents.unreadable]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(XML.encode()),
        zipped(XML.encode()),
        XML.encode(),
        XML.encode("utf-16"),
        gzip.compress(XML[:300].encode()) + gzip.compress(XML[300:].encode()),
        gzip.compress(XML.encode()) + b"\r\n\r\n",
        zipped(XML.encode()) + b"\r\n",
    ],
    ids=["gzip", "zip", "plain", "utf-16", "two gzip members", "gzip and padding", "zip and padding"],
)
@pytest.mark.parametrize("content_type", ["application/gzip", "application/octet-stream", "text/plain", "text/xml"])
def test_packing_is_told_by_content_alone(data: bytes, content_type: str) -> None:
    assert counts(mail(data, content_type)) == [2]


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "b") -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return head.encode() + body + b"--" + boundary.encode() + b"--\r\n"


def test_greetings_beside_the_report_are_passed_over() -> None:
    text = b"Content-Type: text/plain\r\n\r\nThis is an aggregate report."
    html = b"Content-Type: text/html\r\n\r\n<div>we welcome your feedback</div>"
    contents = read_mail(multipart(text, html, gzipped_mail(XML)))
    assert [found.kept for found in contents.reports] == [2]
    assert contents.unreadable == ()


def test_a_forwarded_mail_is_looked_into() -> None:
    assert counts(multipart(b"Content-Type: message/rfc822\r\n\r\n" + gzipped_mail(XML))) == [2]


def test_several_reports_in_one_zip() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.xml", XML)
        archive.writestr("folder/", "")
        archive.writestr("two.xml", report())
    assert counts(mail(out.getvalue())) == [2, 1]


def test_a_damaged_archive_gives_what_came_before_the_damage() -> None:
    noise = "".join(record(f"192.0.2.{n % 250}", n * 7919 % 99991) for n in range(2000))
    packed = gzip.compress(report(noise).encode())
    (found,) = read_mail(mail(packed[: len(packed) // 2])).reports
    assert 100 < found.kept < 2000
    assert "cut-short" in {defect.kind for defect in found.defects}


def test_a_mail_without_any_report_says_nothing_wrong() -> None:
    contents = read_mail(b"From: a@b.example\r\n\r\nHello\r\n")
    assert (contents.reports, contents.unreadable) == ((), ())


def test_what_the_archives_of_one_mail_give_is_counted_together() -> None:
    big = gzip.compress(report(*(record() for _ in range(100))).encode())
    part = b"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = multipart(*(part + mail(big).partition(b"\r\n\r\n")[2] for _ in range(3)))
    assert counts(raw) == [100, 100, 100]
    contents = read_mail(raw, Limits(inflated_bytes=80_000))
    assert [found.kept for found in contents.reports] == [100]
    assert {file.reason for file in contents.unreadable} == {"inflated_bytes"}


@given(st.binary(max_size=400), st.integers(0, 900))
def test_never_raises(data: bytes, at: int) -> None:
    raw = multipart(gzipped_mail(XML), mail(zipped(XML.encode())))
    read_mail(raw[:at] + data + raw[at:])
    read_mail(mail(b"PK\x03\x04" + data))
    read_mail(mail(b"\x1f\x8b\x08\x00" + data))
    read_mail(b"MIME-Version: 1.0\r\n" + data)


def corpus(pattern: str) -> list[Path]:
    return sorted(path for path in CORPUS.glob(pattern) if path.is_file())


REAL_MAILS = [
    *corpus("mjl-__mox/testdata/dmarc-reports/*.eml"),
    *corpus("domainaware__parsedmarc/samples/aggregate/*.eml"),
]
REAL_FILES = [
    path
    for path in [
        *corpus("domainaware__parsedmarc/samples/aggregate*/*"),
        *corpus("domainaware__parsedmarc/samples/extract_report/*"),
        *corpus("ietf-wg-dmarc__*/*.xml"),
    ]
    if path.suffix != ".eml"
]
NO_CORPUS = "the corpus of real reports is not beside the checkout"


@pytest.mark.skipif(not REAL_MAILS, reason=NO_CORPUS)
@pytest.mark.parametrize("path", REAL_MAILS, ids=lambda path: path.name[:40])
def test_real_mails_are_read_without_a_defect(path: Path) -> None:
    contents = read_mail(path.read_bytes())
    (found,) = contents.reports
    assert contents.unreadable == ()
    assert found.defects == ()
    assert found.kept >= 1


@pytest.mark.skipif(not REAL_FILES, reason=NO_CORPUS)
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.name[:40])
def test_no_record_of_a_real_file_is_lost(path: Path) -> None:
    (found,) = read_mail(mail(path.read_bytes(), name=path.name)).reports
    assert found.dropped == 0
    assert found.kept == found.read >= 1


def test_a_file_without_a_name_in_a_zip_is_read() -> None:
    packed = bytearray(zipped(report().encode(), "x"))
    packed[26:28] = bytes(2)  # the name's length, in the header before the file
    del packed[30]
    entry = packed.index(b"PK\x01\x02")
    packed[entry + 28 : entry + 30] = bytes(2)  # and in the directory
    del packed[entry + 46]
    end = packed.index(b"PK\x05\x06")
    packed[end + 12 : end + 20] = struct.pack("<II", end - entry, entry)
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == [""]
    assert len(read_mail(mail(bytes(packed))).reports) == 1


@pytest.mark.parametrize("lie", ["empty", "folder"])
def test_a_member_that_the_directory_plays_down_is_read(lie: str) -> None:
    """A person who repairs the archive finds the report, so it must not be passed over without a word."""
    archive = bytearray(zipped(report().encode(), "report.xml"))
    entry = archive.rindex(b"PK\x01\x02")
    if lie == "empty":
        archive[entry + 24 : entry + 28] = bytes(4)
    else:
        archive[entry + 46 + 9] = ord("/")
    assert len(read_mail(mail(bytes(archive), "application/zip", "report.zip")).reports) == 1
