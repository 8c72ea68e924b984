"""Who reports in the demonstration: invented mailbox providers, which sign their mails as real ones do.

The key is made when the demonstration starts, so nothing that is installed could sign for anybody. Its public half
stands in the zones of the reporters, and our trust check finds it there by asking.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Final

import dns.name

from mailguard.demo.dns_server import Zones, parse_zone
from mailguard.demo.send import SENDERS, SampleMail

SELECTOR: Final = "reports"

_ZONE: Final = """
$TTL 3600
@ IN SOA ns1.example.net. hostmaster.example.net. 2026112201 3600 900 1209600 3600
@ NS ns1.example.net.
@ NS ns2.example.net.
@ TXT "v=spf1 ip4:192.0.2.48/28 -all"
_dmarc TXT "v=DMARC1; p=reject"
"""


class Signer:
    """Signs with one key for all reporters (RFC 8463), and knows the zones that publish it."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.generate()
        self._private = b64encode(key.private_bytes_raw())
        self._public = b64encode(key.public_key().public_bytes_raw()).decode()

    def zones(self) -> Zones:
        """A zone for each reporter, with its key."""
        record = f'{SELECTOR}._domainkey TXT "v=DKIM1; k=ed25519; p={self._public}"\n'
        origins = (dns.name.from_text(domain) for domain in sorted(set(map(_organization, SENDERS))))
        return {origin: parse_zone(_ZONE + record, origin) for origin in origins}

    def sign(self, mail: SampleMail) -> SampleMail:
        """The mail with a signature of its sender's domain, made now. The same key signs it differently each second."""
        import dkim

        domain = _organization(mail.mail_from).encode()
        signature: bytes = dkim.sign(
            mail.raw,
            SELECTOR.encode(),
            domain,
            self._private,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=b"ed25519-sha256",
        )
        return replace(mail, raw=signature + mail.raw)


def _organization(address: str) -> str:
    """The last two labels, which is enough for invented names."""
    return ".".join(address.rpartition("@")[2].split(".")[-2:])
