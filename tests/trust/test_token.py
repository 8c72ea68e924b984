"""Report addresses that nobody can guess."""

from __future__ import annotations

import copy
import pprint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import UsageError
from mailguard.names import DomainName
from mailguard.trust.token import TOKEN_CHARS, ReportAddresses, token_of

SECRET, OLD = bytes(range(32)), bytes(range(32, 64))
OURS, ALSO_OURS = DomainName("clinic.example.jp"), DomainName("hospital.example.jp")
ADDRESSES = ReportAddresses(SECRET, [OURS, ALSO_OURS], "reports.example.net", old_secrets=[OLD])


def test_an_address_names_its_domain_without_showing_it() -> None:
    address = ADDRESSES.address_of(OURS)
    assert address == f"dmarc+{token_of(SECRET, OURS)}@reports.example.net"
    assert ADDRESSES.domain_of(address) == OURS
    assert ADDRESSES.domain_of(ADDRESSES.address_of(ALSO_OURS)) == ALSO_OURS


def test_tokens_stay_the_same_from_release_to_release() -> None:
    assert token_of(SECRET, OURS) == "wolbbqy7dcc6hsicbelbd7kfcx"


def test_case_and_final_dot_do_not_matter() -> None:
    assert ADDRESSES.accepts(ADDRESSES.address_of(OURS).upper())
    assert ADDRESSES.accepts(ADDRESSES.address_of(OURS) + ".")


def test_old_secrets_are_accepted_and_no_longer_published() -> None:
    old = f"dmarc+{token_of(OLD, OURS)}@reports.example.net"
    assert ADDRESSES.domain_of(old) == OURS
    assert ADDRESSES.address_of(OURS) != old
    assert not ReportAddresses(SECRET, [OURS], "reports.example.net").accepts(old)


GOOD = token_of(SECRET, OURS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "dmarc@reports.example.net",
        "dmarc+@reports.example.net",
        f"dmarc+{GOOD}@other.example.net",
        f"dmarc+{GOOD}@reports.example.net.evil.example",
        f"dmarc+{GOOD}",
        f"{GOOD}@reports.example.net",
        f"postmaster+{GOOD}@reports.example.net",
        f"dmarc+{GOOD}x@reports.example.net",
        f"dmarc+{GOOD[:-1]}@reports.example.net",
        f"dmarc+ {GOOD}@reports.example.net",
        f"dmarc+{GOOD}@evil.example@reports.example.net",
        f"dmarc+{token_of(b'x' * 32, OURS)}@reports.example.net",
        f"dmarc+{token_of(SECRET, DomainName('other.example'))}@reports.example.net",
        "dmarc+" + "a" * 100_000 + "@reports.example.net",
        f"<dmarc+{GOOD}@reports.example.net>",
    ],
)
def test_any_other_recipient_is_refused(address: str) -> None:
    assert not ADDRESSES.accepts(address)


@given(st.text(max_size=60))
def test_no_address_raises_and_none_is_hit_by_chance(local: str) -> None:
    assert not ADDRESSES.accepts(f"dmarc+{local}@reports.example.net")
    assert not ADDRESSES.accepts(local)


def test_every_domain_and_secret_has_its_own_token() -> None:
    tokens = {token_of(secret, DomainName(f"d{n}.example")) for n in range(200) for secret in (SECRET, OLD)}
    assert len(tokens) == 400
    assert all(len(token) == TOKEN_CHARS and token.isalnum() and token == token.lower() for token in tokens)


def test_the_secret_is_nowhere_to_be_seen() -> None:
    kept = {slot: getattr(ADDRESSES, slot) for slot in ADDRESSES.__slots__}
    shown = repr(ADDRESSES) + str(ADDRESSES) + pprint.pformat(kept) + repr(copy.copy(ADDRESSES))
    assert repr(SECRET)[2:10] not in shown
    assert SECRET.hex() not in shown
    assert GOOD not in repr(ADDRESSES)


@pytest.mark.parametrize("secret", [b"", b"x" * 31])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(UsageError) as refused:
        ReportAddresses(secret, [OURS], "reports.example.net")
    assert "x" * 31 not in str(refused.value)
    with pytest.raises(UsageError):
        ReportAddresses(SECRET, [OURS], "reports.example.net", old_secrets=[secret])


def test_another_prefix_and_domains_that_are_not_ours() -> None:
    plain = ReportAddresses(SECRET, [OURS], "Reports.Example.net.", prefix="rua-")
    assert plain.accepts(f"rua-{GOOD}@reports.example.net")
    with pytest.raises(KeyError):
        plain.address_of(ALSO_OURS)
