"""RSA public keys in DER, read by hand.

Why not by ``cryptography``: it refuses just the keys that an audit wants to describe (an even exponent, a truncated
key) with one exception for all, and costs tens of milliseconds to import. We need two integers out of at most four
nested DER elements; a test compares both readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_RSA_ENCRYPTION: Final = bytes.fromhex("06092a864886f70d010101")


class DerFault(Enum):
    """Why octets are no RSA key."""

    TRUNCATED = "truncated"  # an element is longer than what is there
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The numbers of an RSA public key. ``bare``: an RSAPublicKey without its SubjectPublicKeyInfo."""

    modulus: int
    exponent: int
    bare: bool

    @property
    def bits(self) -> int:
        """Length of the modulus."""
        return self.modulus.bit_length()


class _Fault(Exception):
    def __init__(self, fault: DerFault) -> None:
        self.fault = fault


def read_rsa(octets: bytes) -> RsaKey | DerFault:
    """Read a SubjectPublicKeyInfo (RFC 5280) or a bare RSAPublicKey (RFC 8017 A.1.1). Never raises."""
    try:
        return _read(octets)
    except _Fault as fault:
        return fault.fault


def _read(octets: bytes) -> RsaKey:
    body, rest = _element(octets, _SEQUENCE)
    _nothing(rest)
    if body[:1] == bytes([_INTEGER]):
        return _numbers(body, bare=True)
    algorithm, rest = _element(body, _SEQUENCE)
    if not algorithm.startswith(_RSA_ENCRYPTION):
        raise _Fault(DerFault.MALFORMED)
    bits, rest = _element(rest, _BIT_STRING)
    _nothing(rest)
    if bits[:1] != b"\0":
        raise _Fault(DerFault.MALFORMED)
    inner, rest = _element(bits[1:], _SEQUENCE)
    _nothing(rest)
    return _numbers(inner, bare=False)


def _numbers(body: bytes, *, bare: bool) -> RsaKey:
    modulus, rest = _element(body, _INTEGER)
    exponent, rest = _element(rest, _INTEGER)
    _nothing(rest)
    return RsaKey(_positive(modulus), _positive(exponent), bare)


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """The contents of the first element, which must have this tag, and what follows it (X.690 section 8.1)."""
    if len(octets) < 2:
        raise _Fault(DerFault.TRUNCATED)
    if octets[0] != tag:
        raise _Fault(DerFault.MALFORMED)
    size, start = octets[1], 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 3:  # indefinite, or longer than any TXT record
            raise _Fault(DerFault.MALFORMED)
        size, start = int.from_bytes(octets[2 : 2 + count]), 2 + count
    if len(octets) < start + size:
        raise _Fault(DerFault.TRUNCATED)
    return octets[start : start + size], octets[start + size :]


def _nothing(rest: bytes) -> None:
    if rest:
        raise _Fault(DerFault.MALFORMED)


def _positive(octets: bytes) -> int:
    if not octets or octets[0] & 0x80:
        raise _Fault(DerFault.MALFORMED)
    return int.from_bytes(octets)


_SMALL_PRIMES: Final = tuple(n for n in range(3, 168) if all(n % d for d in range(2, n)))


def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65537, k, prime) for k in range(prime - 1))


_MARKS: Final = tuple((prime, _powers(prime)) for prime in _SMALL_PRIMES if len(_powers(prime)) < prime - 1)


def is_factorable(modulus: int) -> bool:
    """Whether the modulus can be taken apart at once: it has a factor below 168, or it bears the mark of ROCA.

    Keys of the generator behind CVE-2017-15361 are powers of 65537 modulo every small prime; a good key is so for all
    of them with a chance of one in two hundred million.
    """
    if modulus % 2 == 0 or any(modulus % prime == 0 for prime in _SMALL_PRIMES):
        return True
    return all(modulus % prime in powers for prime, powers in _MARKS)
