"""OpenSSL changes how long a signature takes, and never what is found of it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.dkim.key import parse_key
from mailguard.dkim.rsa import RsaKey, read_rsa
from mailguard.trust import signature
from mailguard.trust.openssl import says_yes
from mailguard.trust.proof import Authentication, Outcome
from tests.trust.mails import check, ed25519_pair, key_zone, only, rsa_pair, sign

WAYS = (b"simple", b"relaxed")
SIGNED = {(header, body): sign(canonicalize=(header, body)) for header in WAYS for body in WAYS}
_VALUE = re.compile(rb"(?<=\sb=)[A-Za-z0-9+/=\s]+?(?=\r\n[^ \t])")


def with_dkimpy_alone(mail: bytes) -> Authentication:
    with mock.patch.object(signature, "says_yes", return_value=False):
        return check(mail)


def with_value(value: bytes) -> bytes:
    """A signed mail with other bytes as its signature."""
    changed, count = _VALUE.subn(b64encode(value), SIGNED[b"relaxed", b"relaxed"], count=1)
    assert count == 1
    return changed


def value() -> bytes:
    found = _VALUE.search(SIGNED[b"relaxed", b"relaxed"])
    assert found
    return b64decode(found[0])


def modulus() -> int:
    key = read_rsa(parse_key((rsa_pair()[1],)).key)
    assert isinstance(key, RsaKey)
    return key.modulus


def test_a_good_signature_needs_no_arithmetic_in_python() -> None:
    with mock.patch("dkim.RSASSA_PKCS1_v1_5_verify", side_effect=AssertionError):
        for mail in SIGNED.values():
            assert only(check(mail)).outcome is Outcome.PASS


def test_other_kinds_of_keys_are_left_to_dkimpy() -> None:
    mail = sign(algorithm="ed25519-sha256")
    assert only(check(mail, key_zone(record=ed25519_pair()[1]))).outcome is Outcome.PASS
    assert not says_yes(None, parse_key((ed25519_pair()[1],)), {}, [], None)


@pytest.mark.parametrize(
    "make",
    [
        value,
        lambda: b"\0" + value(),
        lambda: value()[1:],
        lambda: value()[:-1],
        lambda: b"",
        lambda: bytes(256),
        lambda: (int.from_bytes(value()) + modulus()).to_bytes(257),
        lambda: modulus().to_bytes(256),
        lambda: (modulus() - int.from_bytes(value())).to_bytes(256),
        lambda: b"\xff" * 256,
    ],
)
def test_signatures_of_every_shape_come_out_as_with_dkimpy_alone(make: Callable[[], bytes]) -> None:
    mail = with_value(make())
    assert check(mail) == with_dkimpy_alone(mail)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SIGNED)), st.integers(0), st.binary(max_size=3), st.integers(0, 3))
def test_changed_mails_come_out_as_with_dkimpy_alone(
    ways: tuple[bytes, bytes], at: int, piece: bytes, cut: int
) -> None:
    mail = SIGNED[ways]
    at %= len(mail)
    changed = mail[:at] + piece + mail[at + cut :]
    assert check(changed) == with_dkimpy_alone(changed)


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_keys_of_every_length_come_out_as_with_dkimpy_alone(bits: int) -> None:
    mail = sign(pair=rsa_pair(bits))
    with mock.patch("dkim.RSASSA_PKCS1_v1_5_verify", side_effect=AssertionError):
        assert only(check(mail, key_zone(record=rsa_pair(bits)[1]))).outcome is Outcome.PASS
    assert only(check(mail)).outcome is Outcome.FAIL  # another key
