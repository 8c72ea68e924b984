"""DKIM key records (RFC 6376 section 3.6.1, with RFC 8301, 8463 and 8616).

A verifier either can use a record or must discard it. What makes it unusable is its ``flaw``, the one cause that
explains the rest; what is merely unwise or obsolete are ``remarks``. Reading never raises, whatever was published.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from mailguard.dkim.rsa import DerFault, RsaKey, is_factorable, read_rsa
from mailguard.dkim.testkeys import KNOWN_KEYS

MIN_BITS: Final = 1024
"""RSA keys below are never accepted (RFC 8301 section 3.2)."""

GOOD_BITS: Final = 2048
"""RSA keys should have at least so many bits (RFC 8301 section 3.2)."""

MAX_BITS: Final = 4096
"""Verifiers need not accept longer RSA keys (RFC 8301 section 3.2)."""

_PANEL_LIMIT: Final = 255
"""Octets in one character-string of a TXT record; where many DNS panels cut a pasted key off."""

_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FWS = " \t\r\n"
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


class Flaw(StrEnum):
    """Why verifiers cannot use a record."""

    NOT_A_KEY = "not-a-key"  # no tag of a key record in it: an SPF text, ADSP, a site verification
    WRONG_VERSION = "wrong-version"  # v= is not exactly DKIM1
    DUPLICATE_TAG = "duplicate-tag"  # a tag twice invalidates the whole list (RFC 6376 section 3.2)
    BAD_TAG_LIST = "bad-tag-list"  # something between semicolons is no tag=value
    STRAY_CHARACTERS = "stray-characters"  # quotes, backslashes, a PEM header or a second "p=" from pasting
    TRUNCATED = "truncated"  # the key ends too early
    UNKNOWN_KEY_TYPE = "unknown-key-type"  # neither rsa nor ed25519: verifiers ignore it
    NO_KEY_DATA = "no-key-data"  # p= is missing
    NOT_BASE64 = "not-base64"
    UNREADABLE_KEY = "unreadable-key"  # base64 of something that is no key of the type k= says
    ED25519_WRAPPED = "ed25519-wrapped"  # ed25519 in a SubjectPublicKeyInfo instead of the bare 32 octets
    NO_SHA256 = "no-sha256"  # h= permits sha1 only (RFC 8301 section 3.1)
    NOT_FOR_MAIL = "not-for-mail"  # s= lists neither * nor email


class Remark(StrEnum):
    """What is unwise, rare or obsolete about a record that verifiers can read."""

    VERSION_NOT_FIRST = "version-not-first"
    PKCS1 = "pkcs1"  # the bare RSAPublicKey of RFC 6376 section 3.6.1, which few accept
    LONG = "long"  # RSA above 4096 bits
    BAD_EXPONENT = "bad-exponent"  # RSA with a public exponent of 1 or an even one, which makes no RSA key
    LARGE_EXPONENT = "large-exponent"  # RSA with an exponent above 32 bits, which common libraries refuse
    FACTORABLE = "factorable"  # the modulus has a small factor or the mark of the ROCA generator
    KNOWN_PRIVATE_KEY = "known-private-key"  # the private key is printed in a standard
    OLD_GRANULARITY = "old-granularity"  # g= of RFC 4871
    STRICT_IDENTITY = "strict-identity"  # t=s


class Strength(StrEnum):
    """How an RSA key's length is to be judged; ed25519 keys are good."""

    GOOD = "good"
    WEAK = "weak"
    TOO_SHORT = "too-short"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One TXT record at a selector, read as far as it can be read.

    ``bits`` is the RSA modulus's length, 256 for ed25519, ``None`` where no key could be read. ``key`` holds the octets
    of ``p=`` and identifies the key. ``detail`` is the piece of text that shows the flaw.
    """

    text: str
    key_type: str = "rsa"
    bits: int | None = None
    exponent: int | None = None
    key: bytes = b""
    revoked: bool = False
    testing: bool = False
    flaw: Flaw | None = None
    detail: str = ""
    remarks: frozenset[Remark] = frozenset()
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def is_key(self) -> bool:
        """Somebody meant it to be a DKIM key, whether or not it can be used."""
        return self.flaw is not Flaw.NOT_A_KEY

    @property
    def strength(self) -> Strength:
        """Whether the key is long enough; good where its length is not known, which is another fault."""
        if self.key_type != "rsa" or self.bits is None or self.bits >= GOOD_BITS:
            return Strength.GOOD
        return Strength.WEAK if self.bits >= MIN_BITS else Strength.TOO_SHORT

    @property
    def exponent_text(self) -> str:
        """The exponent for people: a hostile one has thousands of digits, which ``str`` refuses to write."""
        if self.exponent is None or self.exponent < 1 << 64:
            return str(self.exponent or "")
        return _shown(f"{self.exponent:#x}", 20)

    @property
    def services(self) -> tuple[str, ...]:
        """What the key may sign (s=); ``*`` is everything."""
        return _items(self.tags.get("s", "*"))

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of t=."""
        return _items(self.tags.get("t", ""))


def parse_key(strings: tuple[bytes, ...]) -> KeyRecord:
    """Read the character-strings of one TXT record. Never raises; DNS bounds the input to 64 KB."""
    return _parse(strings)


@lru_cache(maxsize=4096)
def _parse(strings: tuple[bytes, ...]) -> KeyRecord:
    text = b"".join(strings).decode("utf-8", "backslashreplace")
    tags, faults = _read_tags(text)
    if not _looks_like_key(text, tags):
        return KeyRecord(text, flaw=Flaw.NOT_A_KEY, detail=_shown(text))
    cut = any(len(string) == _PANEL_LIMIT for string in strings[-1:])
    return _Reading(text, tags, faults, cut).record()


def _items(value: str) -> tuple[str, ...]:
    return tuple(item.strip(_FWS) for item in value.split(":") if item.strip(_FWS))


def _shown(text: str, limit: int = 80) -> str:
    """A piece short enough for a sentence."""
    return text if len(text) <= limit else text[:limit] + "…"


# tag-list = tag-spec *( ";" tag-spec ) [ ";" ]     tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
# (RFC 6376 section 3.2). Empty tag-specs (";;") are no tags; every verifier we know passes over them, and so do we.
def _read_tags(text: str) -> tuple[dict[str, str], list[tuple[Flaw, str]]]:
    tags: dict[str, str] = {}
    faults: list[tuple[Flaw, str]] = []
    for spec in text.split(";"):
        tag, equals, value = spec.partition("=")
        tag = tag.strip(_FWS)
        if not spec.strip(_FWS):
            continue
        if not equals or not _TAG_NAME.fullmatch(tag):
            faults.append((Flaw.BAD_TAG_LIST, _shown(spec.strip(_FWS))))
        elif tag in tags:
            faults.append((Flaw.DUPLICATE_TAG, tag))
        else:
            tags[tag] = value.strip(_FWS)
    return tags, faults


def _looks_like_key(text: str, tags: Mapping[str, str]) -> bool:
    """Whether a record at a selector was meant as a DKIM key: it says so, or it has key data."""
    start = text.lstrip(_FWS + "\"'\\").lower()
    if start.startswith(("v=spf1", "v=dmarc1", "dkim=")):
        return False
    return "p" in tags or "k" in tags or re.match(r"v\s*=\s*dkim", start) is not None or "p=mi" in start


@dataclass(frozen=True, slots=True)
class _Reading:
    """One record on its way from tags to a verdict; each step returns a finished record or passes on."""

    text: str
    tags: dict[str, str]
    faults: list[tuple[Flaw, str]]
    cut: bool  # the last character-string is exactly as long as a panel's field

    def record(self) -> KeyRecord:
        key_type = self.tags.get("k") or "rsa"
        flaw, detail = self._flaw_of_list() or self._flaw_of_tags(key_type) or (None, "")
        bare = KeyRecord(
            self.text,
            key_type=key_type,
            testing="y" in _items(self.tags.get("t", "")),
            flaw=flaw,
            detail=detail,
            remarks=self._remarks(),
            tags=MappingProxyType(self.tags),
        )
        # An empty p= revokes (RFC 6376 section 3.6.1); with any flaw above the record is discarded all the same.
        if flaw is None and self.tags["p"] == "":
            return replace(bare, revoked=True)
        return bare if flaw else _with_key(bare, self.cut)

    def _flaw_of_list(self) -> tuple[Flaw, str] | None:
        stray = self._stray()
        if stray:
            return Flaw.STRAY_CHARACTERS, stray
        version = self.tags.get("v")
        # RFC 6376 section 3.6.1: records that begin with any other version must be discarded.
        if version is not None and version != "DKIM1":
            return Flaw.WRONG_VERSION, _shown(version, 24)
        return self.faults[0] if self.faults else None

    def _stray(self) -> str:
        """What pasting left behind; notes (n=) may hold anything."""
        value = self.tags.get("p", "")
        if "-----BEGIN" in self.text or "-----END" in self.text:
            return "-----BEGIN"
        if re.match(r"p\s*=", value):
            return "p=p="
        looked_at = ";".join(spec for spec in self.text.split(";") if not re.match(r"\s*n\s*=", spec))
        return next((mark for mark in ('"', "\\", "“", "”", "'") if mark in looked_at), "")

    def _flaw_of_tags(self, key_type: str) -> tuple[Flaw, str] | None:
        if key_type not in ("rsa", "ed25519"):
            return Flaw.UNKNOWN_KEY_TYPE, key_type
        if "p" not in self.tags:
            return Flaw.NO_KEY_DATA, _shown(self.text)
        if "h" in self.tags and "sha256" not in _items(self.tags["h"]):
            return Flaw.NO_SHA256, self.tags["h"]
        if "s" in self.tags and not {"*", "email"} & {*_items(self.tags["s"])}:
            return Flaw.NOT_FOR_MAIL, self.tags["s"]
        return None

    def _remarks(self) -> frozenset[Remark]:
        seen = {
            Remark.VERSION_NOT_FIRST: "v" in self.tags and next(iter(self.tags)) != "v",
            Remark.OLD_GRANULARITY: "g" in self.tags,
            Remark.STRICT_IDENTITY: "s" in _items(self.tags.get("t", "")),
        }
        return frozenset(remark for remark, holds in seen.items() if holds)


def _with_key(record: KeyRecord, cut: bool) -> KeyRecord:
    # RFC 6376 section 3.6.1: white space is allowed inside the base64 of p=.
    encoded = re.sub(r"[ \t\r\n]+", "", record.tags["p"])
    if not _BASE64.fullmatch(encoded):
        wrong = re.search(r"[^A-Za-z0-9+/]+", encoded)
        return replace(record, flaw=Flaw.NOT_BASE64, detail=_shown(wrong[0] if wrong else encoded))
    try:
        octets = b64decode(encoded + "=" * (-len(encoded) % 4) if cut or "=" not in encoded else encoded)
    except Base64Error:
        flaw = Flaw.TRUNCATED if cut or encoded.startswith("MI") else Flaw.NOT_BASE64
        return replace(record, flaw=flaw, detail=_shown(encoded[-20:]))
    record = replace(record, key=octets)
    if octets in KNOWN_KEYS:
        record = replace(record, remarks=record.remarks | {Remark.KNOWN_PRIVATE_KEY})
    return _with_ed25519(record) if record.key_type == "ed25519" else _with_rsa(record)


def _with_ed25519(record: KeyRecord) -> KeyRecord:
    # RFC 8463 section 4: the bare 32 octets, not a SubjectPublicKeyInfo.
    if len(record.key) == 32:
        return replace(record, bits=256)
    if record.key.startswith(_ED25519_SPKI) and len(record.key) == 44:
        return replace(record, flaw=Flaw.ED25519_WRAPPED, detail=record.tags["p"])
    return replace(record, flaw=Flaw.UNREADABLE_KEY, detail=_shown(record.tags["p"], 24))


def _with_rsa(record: KeyRecord) -> KeyRecord:
    rsa = read_rsa(record.key)
    if rsa is DerFault.TRUNCATED:
        return replace(record, flaw=Flaw.TRUNCATED, detail=_shown(record.tags["p"][-20:]))
    if rsa is DerFault.MALFORMED:
        return replace(record, flaw=Flaw.UNREADABLE_KEY, detail=_shown(record.tags["p"], 24))
    assert isinstance(rsa, RsaKey)
    remarks = record.remarks | _remarks_of(rsa)
    return replace(record, bits=rsa.bits, exponent=rsa.exponent, remarks=remarks)


def _remarks_of(rsa: RsaKey) -> frozenset[Remark]:
    seen = {
        Remark.PKCS1: rsa.bare,
        Remark.LONG: rsa.bits > MAX_BITS,
        Remark.BAD_EXPONENT: rsa.exponent < 3 or rsa.exponent % 2 == 0,
        Remark.LARGE_EXPONENT: rsa.exponent >= 1 << 32,
        Remark.FACTORABLE: is_factorable(rsa.modulus),
    }
    return frozenset(remark for remark, holds in seen.items() if holds)
