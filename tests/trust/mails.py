"""Report mails for tests, signed with keys that are made here and nowhere else."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import Any
from unittest import mock

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.inquiry import run
from mailguard.trust.authenticate import authenticate
from mailguard.trust.proof import Authentication, Signature
from tests.dkim.keys import zone_txt
from tests.zones import Zone

NOW = 1_790_090_000
PEER = "192.0.2.25"

HEAD = (
    b"From: DMARC reports <dmarc@reporter.example>\r\n"
    b"To: dmarc@clinic.example.jp\r\n"
    b"Subject: Report Domain: clinic.example.jp Submitter: reporter.example Report-ID: <r-1>\r\n"
    b"Date: Tue, 22 Sep 2026 14:33:20 +0000\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/xml\r\n"
)
BODY = b"<feedback>\r\nA report,  with two blanks \r\n</feedback>\r\n"
MAIL = HEAD + b"\r\n" + BODY


@cache
def rsa_pair(bits: int = 2048) -> tuple[bytes, bytes]:
    """A private key as dkimpy signs with, and its key record."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(65537, bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, b"v=DKIM1; k=rsa; p=" + b64encode(public)


@cache
def ed25519_pair() -> tuple[bytes, bytes]:
    from nacl.encoding import Base64Encoder
    from nacl.signing import SigningKey

    private = SigningKey(bytes(range(32)))
    return private.encode(Base64Encoder), b"v=DKIM1; k=ed25519; p=" + private.verify_key.encode(Base64Encoder)


def sign(
    mail: bytes = MAIL,
    *,
    domain: str = "reporter.example",
    selector: str = "s1",
    pair: tuple[bytes, bytes] | None = None,
    algorithm: str = "rsa-sha256",
    at: int = NOW - 60,
    **options: Any,
) -> bytes:
    """The mail with one more signature on top."""
    from dkim import DKIM

    private, _ = pair or (ed25519_pair() if algorithm.startswith("ed25519") else rsa_pair())
    signer = DKIM(mail, signature_algorithm=algorithm.encode())
    with mock.patch("dkim.time.time", return_value=at):
        field = signer.sign(selector.encode(), domain.encode(), private, **options)
    return bytes(field) + mail


def sign_with(mail: bytes, tags: dict[str, str], **options: Any) -> bytes:
    """A signature with tags that dkimpy would not write itself: they are put in before the header is hashed."""
    from dkim import DKIM

    original = DKIM.gen_header

    def gen_header(self: Any, fields: Any, *rest: Any, **more: Any) -> Any:
        known = {key.decode() for key, _ in fields}
        extra = [(key.encode(), value.encode()) for key, value in tags.items() if key not in known]
        kept = [(key, tags[key.decode()].encode() if key.decode() in tags else value) for key, value in fields]
        return original(self, kept[:-1] + extra + kept[-1:], *rest, **more)

    with mock.patch.object(DKIM, "gen_header", gen_header):
        return sign(mail, **options)


def key_zone(
    *, domain: str = "reporter.example", selector: str = "s1", record: bytes | None = None, more: str = ""
) -> Zone:
    owner = f"{selector}._domainkey.{domain}"
    return Zone.parse(zone_txt(owner, rsa_pair()[1] if record is None else record) + "\n" + more)


def received(raw: bytes, way: Way = Way.FILE, **facts: Any) -> ReceivedMail:
    return ReceivedMail(raw, facts.pop("received_at", NOW), way=way, **facts)


def by_smtp(raw: bytes = MAIL, mail_from: str = "bounce@reporter.example", **facts: Any) -> ReceivedMail:
    envelope = {"peer": PEER, "helo": "mx.reporter.example", **facts}
    return received(raw, Way.SMTP, mail_from=mail_from, **envelope)


def check(mail: bytes | ReceivedMail, zone: Zone | str | None = None, **options: Any) -> Authentication:
    zone = Zone.parse(zone) if isinstance(zone, str) else zone or key_zone()
    return run(authenticate(mail if isinstance(mail, ReceivedMail) else received(mail), **options), zone)


def only(proof: Authentication) -> Signature:
    (signature,) = proof.signatures
    return signature
