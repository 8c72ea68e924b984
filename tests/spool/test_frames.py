"""Mails as bytes: what goes in comes out, and whatever is damaged is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.spool.frames import Batch, decode_file, encode_file
from mailguard.spool.reason import Reason
from tests.spool.mails import mail

MAILS = st.builds(
    ReceivedMail,
    raw=st.binary(max_size=300),
    received_at=st.integers(0, 2**40),
    peer=st.text(max_size=40),
    mail_from=st.text(max_size=40),
    rcpt_to=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    helo=st.text(max_size=40),
    tls=st.text(max_size=10),
    way=st.sampled_from(Way),
    origin=st.text(max_size=40),
)
FILES = st.lists(MAILS, min_size=1, max_size=4)


def encode(mails: list[ReceivedMail]) -> bytes:
    return b"".join(encode_file(mails))


@given(st.lists(MAILS, max_size=4))
def test_what_goes_in_comes_out(mails: list[ReceivedMail]) -> None:
    assert decode_file(encode(mails)) == Batch(tuple(mails))


@given(FILES, st.data())
def test_a_cut_is_told_and_what_precedes_it_is_read(mails: list[ReceivedMail], data: st.DataObject) -> None:
    whole = encode(mails)
    found = decode_file(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert found.damage
    assert found.mails == tuple(mails[: len(found.mails)])
    assert len(found.mails) < len(mails)


@given(FILES, st.data())
def test_each_mail_that_is_whole_before_a_cut_is_read(mails: list[ReceivedMail], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(mails) - 1))
    at = len(encode(mails)) - sum(map(len, encode_file(mails)[1 + 2 * count :]))
    found = decode_file(encode(mails)[:at])
    assert (len(found.mails), bool(found.damage)) == (count, True)


@given(FILES, st.data())
def test_a_flipped_bit_is_told_and_costs_at_most_what_follows(mails: list[ReceivedMail], data: st.DataObject) -> None:
    whole = bytearray(encode(mails))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = decode_file(bytes(whole))
    assert found.damage
    assert set(found.mails) <= set(mails)


def test_damage_in_one_mail_does_not_cost_the_next() -> None:
    mails = [mail("one"), mail("two"), mail("three")]
    damaged = encode(mails).replace(b"\r\n\r\ntwo", b"\r\n\r\ntwO")
    assert decode_file(damaged) == Batch((mails[0], mails[2]), (Reason("mail-damaged", {"number": 2, "count": 3}),))


@given(FILES, st.binary(min_size=1, max_size=20))
def test_something_that_follows_is_told(mails: list[ReceivedMail], more: bytes) -> None:
    found = decode_file(encode(mails) + more)
    assert found.mails == tuple(mails)
    assert found.damage


@given(st.binary(max_size=400))
def test_any_bytes_are_told_apart_from_a_file(data: bytes) -> None:
    assert decode_file(data) == Batch((), (Reason("no-spool-file"),))


@given(FILES, st.data())
def test_hostile_bytes_never_raise(mails: list[ReceivedMail], data: st.DataObject) -> None:
    whole = encode(mails)
    at = data.draw(st.integers(0, len(whole)))
    decode_file(whole[:at] + data.draw(st.binary(max_size=60)) + whole[at + 5 :])


def test_a_mail_cannot_bring_mails_in_when_its_file_is_damaged() -> None:
    """A stranger's mail may hold a whole frame. It must not come to life when the lengths before it are damaged."""
    forged = ReceivedMail(raw=b"forged", received_at=0, peer="192.0.2.66", rcpt_to=("a@b.example",))
    carrier = ReceivedMail(raw=encode([forged]) * 2, received_at=0)
    whole = bytearray(encode([carrier, mail()]))
    whole[40] ^= 0xFF
    found = decode_file(bytes(whole))
    assert found.mails == ()
    assert found.damage


@pytest.mark.parametrize("change", [{"later": 1}, {}], ids=["a later version says more", "nothing changed"])
def test_files_of_another_version_are_read(change: dict[str, object]) -> None:
    assert _with_envelope(lambda envelope: {**envelope, **change}).mails == (mail(),)


def test_a_mail_that_was_written_before_a_field_existed_is_read() -> None:
    def older(envelope: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in envelope.items() if name not in ("tls", "helo", "origin")}

    (found,) = _with_envelope(older).mails
    assert (found.tls, found.helo, found.raw) == ("", "", mail().raw)


def test_an_unknown_way_is_damage_and_no_exception() -> None:
    assert _with_envelope(lambda envelope: {**envelope, "way": "pigeon"}).damage == (
        Reason("mail-damaged", {"number": 1, "count": 1}),
    )


def _with_envelope(change: Callable[[dict[str, object]], dict[str, object]]) -> Batch:
    """What is read when the envelope was written with other fields; the layout as ``frames`` states it."""
    magic, head_and_envelope, raw = encode_file([mail()])
    head, envelope = head_and_envelope[:24], head_and_envelope[28:]
    text = json.dumps(change(json.loads(envelope))).encode()
    head = head[:4] + len(text).to_bytes(4, "big") + head[8:16] + crc32(text).to_bytes(4, "big") + head[20:]
    return decode_file(magic + head + crc32(head).to_bytes(4, "big") + text + raw)
