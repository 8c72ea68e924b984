"""Report addresses that nobody can guess: ``dmarc+TOKEN@host``, one per domain.

The address is published in the domain's DMARC record, so it is no secret, but who wants to write to it has to look at
that record: lists of likely addresses (``postmaster``, ``dmarc``) do not reach us. The token tells which domain the
mail must be about, and it changes with the secret. Recipients with other tokens are refused before any mail is sent.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as mac
from typing import Final

from mailguard.errors import UsageError
from mailguard.names import DomainName, name

MIN_SECRET_BYTES: Final = 32

TOKEN_CHARS: Final = 26
"""130 bits in base 32; with the prefix far below the 64 octets of a local part (RFC 5321 4.5.3.1.1)."""

MAX_ADDRESS_CHARS: Final = 320

_PURPOSE: Final = b"mailguard report address 1\0"


def token_of(secret: bytes, domain: DomainName) -> str:
    """The token of a domain: HMAC-SHA256 in base 32, lower case, since servers may change the case of a local part."""
    return b32encode(mac(secret, _PURPOSE + domain.encode(), "sha256")).decode().lower()[:TOKEN_CHARS]


class ReportAddresses:
    """The report addresses of our domains, for the listener and for the records that we propose.

    Nothing in here shows the secret: it is not kept after the tokens are made. Comparing takes the same time for every
    wrong token. Immutable; make a new one when domains are added.
    """

    __slots__ = ("_by_digest", "_current", "_host", "_prefix")

    def __init__(
        self,
        secret: bytes,
        domains: Iterable[DomainName],
        host: str,
        *,
        old_secrets: Sequence[bytes] = (),
        prefix: str = "dmarc+",
    ) -> None:
        """Addresses made with ``old_secrets`` are accepted, too, until the records with them are gone.

        Raises UsageError for a secret under 32 bytes.
        """
        if any(len(one) < MIN_SECRET_BYTES for one in (secret, *old_secrets)):
            raise UsageError(
                "The secret for report addresses must have at least {count} bytes.", count=MIN_SECRET_BYTES
            )
        ours = tuple(domains)
        self._prefix = prefix.lower()
        self._host = name(host)
        self._current = {domain: token_of(secret, domain) for domain in ours}
        tokens = ((token_of(one, domain), domain) for domain in ours for one in (secret, *old_secrets))
        self._by_digest = {sha256(token.encode()).digest(): (token, domain) for token, domain in tokens}

    def __repr__(self) -> str:
        return f"<ReportAddresses of {len(self._current)} domains at {self._host}>"

    def address_of(self, domain: DomainName) -> str:
        """The address to publish for one of our domains. Raises KeyError for any other."""
        return f"{self._prefix}{self._current[domain]}@{self._host}"

    def domain_of(self, address: str) -> DomainName | None:
        """The domain that an address is for; ``None`` for an address that is not ours. Never raises."""
        if len(address) > MAX_ADDRESS_CHARS:
            return None
        local, _, host = address.rpartition("@")
        local = local.lower()
        if name(host) != self._host or not local.startswith(self._prefix):
            return None
        presented = local[len(self._prefix) :].encode("utf-8", "replace")
        # Looked up by digest: how long the search takes says nothing about the token.
        token, domain = self._by_digest.get(sha256(presented).digest(), ("", None))
        return domain if compare_digest(token.encode(), presented) else None

    def accepts(self, address: str) -> bool:
        """Whether mail to this address is to be taken."""
        return self.domain_of(address) is not None
