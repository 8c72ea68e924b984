"""Where a mail ends, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.ingest.dot_stuffing import DataReader, TooMuchData


def read(data: bytes, size: int = 1 << 20, limit: int = 1 << 20) -> tuple[bytes, bytes] | None:
    reader = DataReader(limit)
    for at in range(0, len(data), size):
        if reader.feed(data[at : at + size]):
            return reader.take(), reader.rest + data[at + size :]
    return None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n"),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
    ],
)
def test_dots(data: bytes, content: bytes, size: int) -> None:
    assert read(data, size) == (content, b"")
    assert read(data + b"QUIT\r\n", size) == (content, b"QUIT\r\n")


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n.\r"])
def test_nothing_but_crlf_dot_crlf_ends_a_mail(end: bytes) -> None:
    smuggled = b"Subject: one\r\n\r\nx" + end + b"MAIL FROM:<a@b.example>\r\n"
    found = read(smuggled + b"\r\n.\r\n")
    assert found is not None
    assert b"MAIL FROM" in found[0]
    assert found[1] == b""


def test_a_mail_at_the_limit_and_one_beyond_it() -> None:
    reader = DataReader(limit=10)
    assert reader.feed(b"12345\r\n.\r\n")
    assert not reader.too_big
    reader = DataReader(limit=10)
    assert reader.feed(b"123456\r\n.\r\nRSET\r\n")
    assert (reader.too_big, reader.rest) == (True, b"RSET\r\n")


def test_a_mail_without_end_is_cut_and_not_kept() -> None:
    reader = DataReader(limit=1000)
    for _ in range(20):
        assert not reader.feed(b"x" * 100)
    with pytest.raises(TooMuchData):
        reader.feed(b"x" * 100)
    assert len(reader.take()) < 10


@given(st.binary(max_size=200), st.integers(1, 50))
def test_what_was_stuffed_comes_out_again(mail: bytes, size: int) -> None:
    lines = mail.replace(b"\r", b"").replace(b"\n", b"\r\n")
    stuffed = (b"\r\n" + lines).replace(b"\r\n.", b"\r\n..")[2:]
    assert read(stuffed + b"\r\n.\r\nNOOP", size) == (lines + b"\r\n", b"NOOP")
