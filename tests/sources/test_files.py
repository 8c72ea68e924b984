"""Mails and bare reports in files: all are found, and one bad file costs no other."""

from __future__ import annotations

import gzip
import io
import json
import mailbox
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import read_mail
from mailguard.sources.files import Bounds, Found, NotRead, read_sources
from mailguard.sources.mbox import split_mbox
from tests.feedback.mails import gzipped_mail, mail, record, report, zipped

MAIL = gzipped_mail(report())
NOW = 1_790_100_000


def read(*paths: Path | str, stdin: bytes | None = None, bounds: Bounds | None = None) -> list[Found]:
    stream = None if stdin is None else io.BytesIO(stdin)
    return list(read_sources(paths, stream, bounds or Bounds(), now=lambda: NOW))


def reports(found: list[Found]) -> int:
    """How many reports the reader finds in what was given."""
    return sum(len(read_mail(each.raw).reports) for each in found if isinstance(each, ReceivedMail))


def told(found: list[Found]) -> list[tuple[str, str]]:
    return [(Path(each.origin).name, each.reason) for each in found if isinstance(each, NotRead)]


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_mail_is_given_as_it_lies(tmp_path: Path) -> None:
    path = put(tmp_path / "a.eml", MAIL)
    assert read(path) == [ReceivedMail(MAIL, NOW, way=Way.FILE, origin=str(path))]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.xml", report().encode()),
        ("with-declaration.xml", b'<?xml version="1.0"?>\n' + report().encode()),
        ("byte-order-mark.xml", b"\xef\xbb\xbf" + report().encode()),
        ("utf-16.xml", ('<?xml version="1.0" encoding="UTF-16"?>' + report()).encode("utf-16")),
        ("blank-lines-first.xml", b"\n \r\n" + report().encode()),
        ("r.xml.gz", gzip.compress(report().encode())),
        ("r.zip", zipped(report().encode())),
        ("line-break-first.xml.gz", b"\r\n " + gzip.compress(report().encode())),
        ("junk-first.zip", b"scanned\r\n" + zipped(report().encode())),
        ("junk-of-2-mb-first.zip", b"\xff" * 2_000_000 + zipped(report().encode())),
        ("no-name-helps", report().encode()),
        ("wrong-name.zip", gzip.compress(report().encode())),
        ("受信 レポート;\r\n.xml", report().encode()),
        ('quote".xml', report().encode()),
    ],
)
def test_a_bare_report_goes_through_the_same_reader(tmp_path: Path, name: str, data: bytes) -> None:
    assert reports(read(put(tmp_path / name, data))) == 1


def test_a_bare_report_of_many_megabytes_fits_into_its_mail(tmp_path: Path) -> None:
    records = [record(f"198.51.{number // 250 % 250}.{number % 250}", number + 1) for number in range(30_000)]
    found = read(put(tmp_path / "big.xml", report(*records).encode()))
    assert [len(each.records) for each in read_mail(found[0].raw).reports] == [30_000]  # type: ignore[union-attr]


def test_a_tls_report_goes_through_the_same_reader(tmp_path: Path) -> None:
    data = {
        "organization-name": "reporter.example",
        "date-range": {"start-datetime": "2026-09-21T00:00:00Z", "end-datetime": "2026-09-21T23:59:59Z"},
        "contact-info": "tls@reporter.example",
        "report-id": "t-1",
        "policies": [],
    }
    (found,) = read(put(tmp_path / "tls.json", json.dumps(data).encode()))
    assert isinstance(found, ReceivedMail)
    assert [each.report_id for each in read_mail(found.raw).tls_reports] == ["t-1"]


def test_the_same_report_makes_the_same_mail(tmp_path: Path) -> None:
    one, two = (read(put(tmp_path / where / "r.xml", report().encode()))[0] for where in ("a", "b"))
    assert one.digest == two.digest  # type: ignore[union-attr]


def test_standard_input_may_be_a_mail_a_report_or_an_mbox() -> None:
    mbox = b"From a Mon Sep 21 00:00:00 2026\n" + MAIL.replace(b"\r\n", b"\n") + b"\n"
    assert [reports(read("-", stdin=data)) for data in (MAIL, report().encode(), mbox + mbox)] == [1, 1, 2]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000


def test_a_mail_in_the_form_of_outlook_is_named_and_an_old_sheet_is_not(tmp_path: Path) -> None:
    put(tmp_path / "no-name-helps", OLE + "__substg1.0_37010102".encode("utf-16-le"))
    put(tmp_path / "sheet.msg", OLE + "Workbook".encode("utf-16-le"))
    assert told(read(tmp_path)) == [("no-name-helps", "outlook"), ("sheet.msg", "unknown")]


def test_a_maildir_gives_new_and_cur_and_is_not_touched(tmp_path: Path) -> None:
    put(tmp_path / "new" / "1.a.host", MAIL)
    put(tmp_path / "cur" / "2.b.host:2,S", MAIL)
    put(tmp_path / "tmp" / "3.c.host", MAIL[:100])
    put(tmp_path / ".Reports" / "cur" / "4.d.host:2,", MAIL)
    put(tmp_path / ".Reports" / "new" / "5.e.host", MAIL)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    assert reports(read(tmp_path)) == 4
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_one_bad_file_costs_no_other(tmp_path: Path) -> None:
    put(tmp_path / "a.eml", MAIL)
    put(tmp_path / "b-empty.eml", b"")
    put(tmp_path / "c-picture.png", b"\x89PNG\r\n\x1a\n\0\0")
    put(tmp_path / "d-huge.eml", MAIL + b"x" * 5_000)
    (tmp_path / "e-dangling.eml").symlink_to("/nonexistent/x.eml")
    os.mkfifo(tmp_path / "f-pipe.eml")
    put(tmp_path / "g" / "deep.xml", report().encode())
    put(tmp_path / "h.eml", MAIL)
    found = read(tmp_path, tmp_path / "missing", bounds=Bounds(mail_bytes=len(MAIL) + 1_000))
    assert reports(found) == 3
    assert told(found) == [
        ("b-empty.eml", "empty"),
        ("c-picture.png", "unknown"),
        ("d-huge.eml", "too-big"),
        ("e-dangling.eml", "leads-outside"),
        ("f-pipe.eml", "no-file"),
        ("missing", "missing"),
    ]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path / "a.eml", MAIL)
    monkeypatch.setattr(os, "open", refuse)
    assert told(read(path)) == [("a.eml", "forbidden")]


def test_links_inside_a_folder_are_not_followed_and_lose_nothing(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "secret.eml", MAIL)
    inside = tmp_path / "inside"
    put(inside / "a.eml", MAIL)
    (inside / "again.eml").symlink_to("a.eml")
    (inside / "loop").symlink_to(".")
    (inside / "out.eml").symlink_to(outside)
    (inside / "out").symlink_to(outside.parent)
    found = read(inside)
    assert reports(found) == 1
    assert told(found) == [("out", "leads-outside"), ("out.eml", "leads-outside")]


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "real" / "a.eml", MAIL)
    (tmp_path / "link").symlink_to("real")
    assert reports(read(tmp_path / "link", tmp_path / "link" / "a.eml")) == 2


def test_depth_and_number_are_bounded(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b" / "c" / "deep.eml", MAIL)
    for number in range(4):
        put(tmp_path / "many" / f"{number}.eml", MAIL)
    assert told(read(tmp_path / "a", bounds=Bounds(depth=1))) == [("c", "too-deep")]
    found = read(tmp_path / "many", bounds=Bounds(items=3))
    assert (reports(found), told(found)) == (3, [("3.eml", "too-many")])


def test_an_mbox_of_the_standard_library_is_read_back(tmp_path: Path) -> None:
    tricky = MAIL.replace(b"\r\n", b"\n") + b"\nFrom here on: 10:30 is quoted\n>From there too\n"
    box = mailbox.mbox(tmp_path / "box")
    for data in (tricky, MAIL, tricky):
        box.add(data)
    box.close()
    found = read(tmp_path / "box")
    assert reports(found) == 3
    assert [each.origin for each in found] == [f"{tmp_path / 'box'}: {number}" for number in (1, 2, 3)]


def test_a_mail_of_an_mbox_that_is_too_big_costs_only_itself(tmp_path: Path) -> None:
    separator = b"From a Mon Sep 21 00:00:00 2026\n"
    small = mail(b"x").replace(b"\r\n", b"\n") + b"\n"
    box = put(
        tmp_path / "box", separator + small + separator + b"A: b\n\n" + b"x" * 300_000 + b"\n\n" + separator + small
    )
    found = read(box, bounds=Bounds(mail_bytes=10_000))
    assert [isinstance(each, ReceivedMail) for each in found] == [True, False, True]
    assert told(found) == [("box: 2", "too-big")]


@pytest.mark.parametrize("line", [b"From the ward at noon", b" From a 10:00", b"from a 10:00", b">From a 10:00"])
def test_a_line_of_the_body_does_not_split_a_mail(line: bytes) -> None:
    assert len(list(split_mbox(b"From a 10:00\n", io.BytesIO(b"A: b\n\ntext\n\n" + line + b"\nmore\n"), 1_000))) == 1


def test_only_a_line_after_an_empty_one_splits_a_mail() -> None:
    body = b"A: b\n\ntext\nFrom a Mon Sep 21 10:00:00 2026\nmore\n"
    assert list(split_mbox(b"From a 10:00\n", io.BytesIO(body), 1_000)) == [body]


def as_mboxrd(mails: list[bytes]) -> bytes:
    """The writer's side: quote every line that could be taken for a separator, and part the mails by an empty line."""
    out = b""
    for data in mails:
        lines = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in data.split(b"\n")]
        out += b"From a@example.jp Mon Sep 21 00:00:00 2026\n" + b"\n".join(lines) + b"\n\n"
    return out


LINES = st.sampled_from([b"", b"text", b"From a 10:00", b">From b 11:00", b">>From c 12:00", b"From", b"x" * 70_000])


@given(st.lists(st.lists(LINES, max_size=8).map(b"\n".join), min_size=1, max_size=5))
def test_reading_after_writing_gives_the_same_mails(mails: list[bytes]) -> None:
    stream = io.BytesIO(as_mboxrd(mails))
    first = stream.readline()
    assert list(split_mbox(first, stream, 10**6)) == [data + b"\n" for data in mails]


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert len(read("-", stdin=data)) >= 1
