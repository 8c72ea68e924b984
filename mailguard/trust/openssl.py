"""RSA by OpenSSL: dkimpy computes with Python's whole numbers, which takes twenty times as long.

dkimpy still canonicalizes and hashes, by the same code as ever. A key from here takes the place of the one kind of key
that dkimpy hands a digest to, and only a *yes* of it counts: whatever OpenSSL will not have, dkimpy decides as before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mailguard.dkim.key import KeyRecord
from mailguard.dkim.rsa import RsaKey, read_rsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


class _Key:
    """Looks to dkimpy like a key that signs digests."""

    def __init__(self, key: RSAPublicKey) -> None:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        self._key = key
        self._padding, self._hash = PKCS1v15(), Prehashed(SHA256())

    def verify(self, digest: bytes, signature: bytes) -> None:
        """Raise InvalidSignature unless the signature is right."""
        self._key.verify(signature, digest, self._padding, self._hash)


@lru_cache(maxsize=256)
def _openssl_key(octets: bytes) -> _Key | None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    numbers = read_rsa(octets)
    if not isinstance(numbers, RsaKey):
        return None
    try:
        return _Key(RSAPublicNumbers(numbers.exponent, numbers.modulus).public_key())
    except ValueError:  # an exponent that OpenSSL does not take
        return None


def says_yes(checker: Any, key: KeyRecord, tags: dict[bytes, bytes], signed: list[bytes], field: object) -> bool:
    """Whether OpenSSL finds an RSA signature right; False says nothing yet. Raises what dkimpy raises.

    ``checker`` is dkimpy's, with the mail; the other arguments are those of its ``verify_sig``.
    """
    from cryptography.exceptions import InvalidSignature

    if key.key_type != "rsa" or (quick := _openssl_key(key.key)) is None:
        return False
    checker.pk, checker.keysize, checker.ktag, checker.seqtlsrpt = quick, key.bits, b"ed25519", False
    try:
        return bool(checker.verify_sig_process(tags, signed, field, None))
    except InvalidSignature:
        return False
