"""Key records: RFC 6376 sections 3.2 and 3.6.1, RFC 8301, RFC 8463."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dkim.key import Flaw, KeyRecord, Remark, Strength, parse_key
from tests.dkim.keys import element, integer, modulus, record, rsa_public_key, spki


def read(octets: bytes) -> KeyRecord:
    return parse_key((octets,))


ED = b64encode(bytes(range(32))).decode()
GOOD = record(spki(2048))
P = b64encode(spki(2048)).decode()


@pytest.mark.parametrize(
    ("bits", "strength"),
    [
        (512, Strength.TOO_SHORT),
        (1023, Strength.TOO_SHORT),
        (1024, Strength.WEAK),
        (2047, Strength.WEAK),
        (2048, Strength.GOOD),
        (4096, Strength.GOOD),
    ],
)
def test_an_rsa_key_is_measured_by_its_modulus(bits: int, strength: Strength) -> None:
    key = read(record(spki(bits)))
    assert (key.flaw, key.bits, key.exponent, key.strength) == (None, bits, 65537, strength)


def test_an_ed25519_key_is_not_weak_for_being_short() -> None:
    key = read(f"v=DKIM1; k=ed25519; p={ED}".encode())
    assert (key.flaw, key.key_type, key.bits, key.strength) == (None, "ed25519", 256, Strength.GOOD)


def test_strings_are_joined_with_nothing_between() -> None:
    assert parse_key((GOOD[:200], GOOD[200:])) == read(GOOD)


def test_an_empty_p_revokes_and_is_no_flaw() -> None:
    key = read(b"v=DKIM1; p=")
    assert (key.revoked, key.flaw) == (True, None)
    assert read(b"v=DKIM1; k=rsa; p= ; n=gone").revoked


@pytest.mark.parametrize("tags", ["k=rsa", "v=DKIM1", "v = DKIM1 ; k = rsa", "v=DKIM1;; t=s", "v=DKIM1; unknown=1"])
def test_what_the_grammar_allows_is_no_flaw(tags: str) -> None:
    assert read(record(spki(2048), tags)).flaw is None


def test_white_space_inside_the_base64_is_allowed() -> None:
    folded = f"v=DKIM1; p={P[:50]} {P[50:90]}\t\r\n {P[90:]};".encode()
    assert read(folded).bits == 2048


@pytest.mark.parametrize(
    ("text", "flaw", "detail"),
    [
        ("dkim=unknown", Flaw.NOT_A_KEY, "dkim=unknown"),
        ("v=spf1 -all", Flaw.NOT_A_KEY, "v=spf1 -all"),
        ("v=DMARC1; p=none", Flaw.NOT_A_KEY, "v=DMARC1; p=none"),
        ("google-site-verification=abc", Flaw.NOT_A_KEY, "google-site-verification=abc"),
        (f"v=dkim1; p={P}", Flaw.WRONG_VERSION, "dkim1"),
        (f"v=DKIM2; p={P}", Flaw.WRONG_VERSION, "DKIM2"),
        (f"v=DKIM1; k=rsa; k=rsa; p={P}", Flaw.DUPLICATE_TAG, "k"),
        (f"v=DKIM1; p={P}; p={P}", Flaw.DUPLICATE_TAG, "p"),
        (f"v=DKIM1 k=rsa p={P}", Flaw.WRONG_VERSION, None),
        (f"v=DKIM1; rsa; p={P}", Flaw.BAD_TAG_LIST, "rsa"),
        ("v=DKIM1; k=rsa", Flaw.NO_KEY_DATA, "v=DKIM1; k=rsa"),
        (f"v=DKIM1; k=RSA; p={P}", Flaw.UNKNOWN_KEY_TYPE, "RSA"),
        (f"v=DKIM1; k=ecdsa; p={P}", Flaw.UNKNOWN_KEY_TYPE, "ecdsa"),
        (f"v=DKIM1; h=sha1; p={P}", Flaw.NO_SHA256, "sha1"),
        (f"v=DKIM1; s=tlsrpt; p={P}", Flaw.NOT_FOR_MAIL, "tlsrpt"),
        (f'"v=DKIM1; p={P}"', Flaw.STRAY_CHARACTERS, '"'),
        (f"v=DKIM1\\; k=rsa\\; p={P}", Flaw.STRAY_CHARACTERS, "\\"),
        (f"v=DKIM1; p=p={P}", Flaw.STRAY_CHARACTERS, "p=p="),
        (f"v=DKIM1; p=-----BEGIN PUBLIC KEY-----{P}", Flaw.STRAY_CHARACTERS, "-----BEGIN"),
        (f"v=DKIM1; p={P[:80]}…{P[80:]}", Flaw.NOT_BASE64, "…"),
        (f"v=DKIM1; p={P[:240]}", Flaw.TRUNCATED, None),
        ("v=DKIM1; p=aGVsbG8=", Flaw.UNREADABLE_KEY, "aGVsbG8="),
        (f"v=DKIM1; k=ed25519; p={P}", Flaw.UNREADABLE_KEY, None),
        (f"v=DKIM1; k=rsa; p={ED}", Flaw.UNREADABLE_KEY, None),
    ],
)
def test_the_first_cause_is_named(text: str, flaw: Flaw, detail: str | None) -> None:
    key = read(text.encode())
    assert key.flaw is flaw
    assert detail is None or key.detail == detail


def test_a_key_cut_at_255_octets_is_called_truncated() -> None:
    for cut in (255, 254, 253, 252):
        assert read(GOOD[:cut]).flaw is Flaw.TRUNCATED


def test_an_ed25519_key_must_not_be_wrapped() -> None:
    wrapped = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
    assert read(record(wrapped, "v=DKIM1; k=ed25519")).flaw is Flaw.ED25519_WRAPPED


def test_both_lists_that_permit_sha256_and_mail_are_fine() -> None:
    assert read(record(spki(2048), "v=DKIM1; h=sha1:sha256; s=email:tlsrpt")).flaw is None
    assert read(record(spki(2048), "v=DKIM1; h = sha256 ; s=*")).flaw is None


@pytest.mark.parametrize(
    ("octets", "remark"),
    [
        (record(rsa_public_key(2048)), Remark.PKCS1),
        (record(spki(4104)), Remark.LONG),
        (record(spki(2048, exponent=1)), Remark.BAD_EXPONENT),
        (record(spki(2048, exponent=65538)), Remark.BAD_EXPONENT),
        (record(spki(2048, exponent=1 << 64 | 1)), Remark.LARGE_EXPONENT),
        (record(element(0x30, integer(3 * modulus(2046)) + integer(65537))), Remark.FACTORABLE),
        (record(spki(2048), "v=DKIM1; g=*"), Remark.OLD_GRANULARITY),
        (record(spki(2048), "v=DKIM1; t=y:s"), Remark.STRICT_IDENTITY),
        (record(spki(2048), "k=rsa; v=DKIM1"), Remark.VERSION_NOT_FIRST),
        (b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Remark.KNOWN_PRIVATE_KEY),
    ],
)
def test_what_is_readable_but_unwise_is_remarked(octets: bytes, remark: Remark) -> None:
    key = read(octets)
    assert key.flaw is None
    assert remark in key.remarks


def test_a_good_key_has_no_remarks() -> None:
    assert read(GOOD).remarks == frozenset()
    assert read(record(spki(2048, exponent=3))).remarks == frozenset()


def test_roca_keys_are_recognised_by_their_mark() -> None:
    """Such a modulus is (k*M + 65537^a mod M) * (l*M + 65537^b mod M) with M the product of the first primes."""
    product = 1
    for prime in (n for n in range(2, 168) if all(n % d for d in range(2, n))):
        product *= prime
    p, q = 5 * product + pow(65537, 1234, product), 9 * product + pow(65537, 4321, product)
    key = read(record(element(0x30, integer(p * q) + integer(65537))))
    assert Remark.FACTORABLE in key.remarks


def test_testing_and_flags() -> None:
    key = read(record(spki(2048), "v=DKIM1; t= y : s "))
    assert (key.testing, key.flags) == (True, ("y", "s"))
    assert not read(record(spki(2048), "v=DKIM1; t=yes")).testing


@pytest.mark.parametrize("bits", [1024, 1536, 2048, 4096])
def test_our_reader_agrees_with_a_library(bits: int) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    known = load_der_public_key(spki(bits))
    assert isinstance(known, rsa.RSAPublicKey)
    ours = read(record(spki(bits)))
    assert (ours.bits, ours.exponent) == (known.key_size, known.public_numbers().e)


@given(st.lists(st.binary(max_size=300), max_size=6).map(tuple))
def test_reading_never_raises(strings: tuple[bytes, ...]) -> None:
    parse_key(strings)


@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_damaged_keys_never_raise(at: int, octet: int, cut: int) -> None:
    octets = bytearray(spki(2048))
    octets[at % len(octets)] = octet
    read(record(bytes(octets)[: cut or None]))


@given(st.text('vkphstgn=;: \t"\\DKIM1rsaed25519MIGfA0', max_size=120))
def test_tag_soup_never_raises(text: str) -> None:
    key = read(text.encode())
    assert key.flaw or key.revoked or key.bits


def test_the_largest_txt_record_is_read_quickly() -> None:
    strings = (b"v=DKIM1; p=" + b"M" * 244, *([b"A" * 255] * 250))
    assert parse_key(strings).flaw is not None


def test_an_endless_exponent_can_still_be_written_down() -> None:
    key = read(record(spki(2048, exponent=1 << 40000)))
    assert key.flaw is None
    assert key.exponent_text.startswith("0x1000")
    assert len(key.exponent_text) < 30
