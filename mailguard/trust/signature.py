"""DKIM signatures: read (RFC 6376 section 3.5), weighed (6.1.1, RFC 8301) and verified (6.1.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from mailguard.dkim.key import MAX_BITS, Flaw, KeyRecord, Remark, Strength, parse_key
from mailguard.inquiry import Answer
from mailguard.names import ROOT, DomainName
from mailguard.trust.head import MAX_FIELD_BYTES, Head, domain_in
from mailguard.trust.openssl import says_yes
from mailguard.trust.proof import Outcome, Signature, SignatureFault, SignatureRemark

MAX_SIGNATURES: Final = 5
"""Signatures that are verified in one mail. Those of the author's domain come first, so none is crowded out."""

MAX_SIGNED_FIELDS: Final = 200
"""Names in h=."""

MAX_BLANKS: Final = 100
"""White space in one place of a signature: dkimpy's pattern for b= takes the square of it."""

TLS_REPORTS: Final = "tlsrpt"
"""The service (s=) of a key that signs TLS reports (RFC 8460 section 3)."""

SKEW_S: Final = 3600
"""How far a signer's clock may be off."""

_ALGORITHMS: Final = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
_REQUIRED: Final = ("v", "a", "b", "bh", "d", "h", "s")
_TAG_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NUMBER: Final = re.compile(r"[0-9]{1,12}")
_LENGTH: Final = re.compile(r"[0-9]{1,76}")
_SELECTOR: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*")
_CANONICALIZATION: Final = re.compile(r"(?:simple|relaxed)(?:/(?:simple|relaxed))?")
_TO_BLANKS: Final = bytes.maketrans(b"\t\r\n\v\f", b"     ")


@dataclass(frozen=True, slots=True)
class Draft:
    """A signature field that was read but not verified. ``at`` is its place among the fields of the header."""

    at: int
    tags: Mapping[str, str]
    signature: Signature
    strict_identity: bool  # i= has the very domain of d=


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a mail came to us, in POSIX seconds, and whether that is when it was delivered; ``now`` is when we look once
    more, if we do."""

    at: int
    is_delivery: bool
    now: int = 0

    @property
    def latest(self) -> int:
        """What lies after this is still to come."""
        return max(self.at, self.now)


def read_signatures(head: Head, author: DomainName, arrival: Arrival) -> list[Draft]:
    """Every DKIM-Signature field, at most 5: those of the author's domain first, then related ones, then from the top.

    A signature that cannot count already has its fault; no key needs to be asked for it. One that has expired counts
    in a mail that lay somewhere before it came to us (RFC 6376 3.5 leaves that open): large reporters sign for a week.
    """
    fields = [(at, value) for at, (key, value) in enumerate(head.fields) if key.lower() == b"dkim-signature"]
    drafts = [_read(at, value, head, arrival) for at, value in fields]
    drafts.sort(key=lambda draft: _distance(draft.signature.domain, author))
    return drafts[:MAX_SIGNATURES]


def _distance(domain: DomainName, author: DomainName) -> int:
    if domain == author:
        return 0
    return 1 if domain and author and (domain.is_within(author) or author.is_within(domain)) else 2


def _read(at: int, value: bytes, head: Head, arrival: Arrival) -> Draft:
    tags = _tags(value)
    algorithm = tags.get("a", "")[:40]
    domain, selector = domain_in(tags.get("d", "")), tags.get("s", "").lower()
    same = "i" not in tags or tags["i"].rpartition("@")[2].lower() == domain
    fault = _fault(tags, domain, selector, arrival)
    signature = Signature(domain, selector[:253], algorithm, Outcome.FAIL, fault, _remarks(tags, head, arrival))
    return Draft(at, tags, signature, same)


def _tags(value: bytes) -> dict[str, str]:
    """The tags; none at all where the list cannot be read (RFC 6376 3.2: a tag twice, or something else between)."""
    if len(value) > MAX_FIELD_BYTES or b" " * MAX_BLANKS in value.translate(_TO_BLANKS) or not value.isascii():
        return {}
    tags: dict[str, str] = {}
    for spec in value.decode("ascii").split(";"):
        key, equals, text = spec.partition("=")
        key = key.strip()
        if not key and not equals:
            continue
        if not equals or key in tags or not _TAG_NAME.fullmatch(key):
            return {}
        # White space has no meaning in any tag that is looked at.
        tags[key] = "".join(text.split())
    return tags


def _remarks(tags: Mapping[str, str], head: Head, arrival: Arrival) -> tuple[SignatureRemark, ...]:
    signed = tags.get("h", "").lower().split(":")
    unsigned = any(
        field not in signed and head.values(field.encode()) for field in ("content-type", "content-transfer-encoding")
    )
    seen = {
        SignatureRemark.LENGTH: "l" in tags,
        SignatureRemark.CONTENT_TYPE_UNSIGNED: unsigned,
        SignatureRemark.EXPIRED_SINCE: not arrival.is_delivery and _has_expired(tags, arrival),
    }
    return tuple(remark for remark, holds in seen.items() if holds)


def _has_expired(tags: Mapping[str, str], arrival: Arrival) -> bool:
    expiry = tags.get("x", "")
    return _NUMBER.fullmatch(expiry) is not None and int(expiry) < arrival.at - SKEW_S


def _fault(tags: Mapping[str, str], domain: DomainName, selector: str, arrival: Arrival) -> SignatureFault | None:
    """What can be held against a signature before its key is known (section 6.1.1)."""
    if not _is_well_formed(tags) or not domain or not _SELECTOR.fullmatch(selector):
        return SignatureFault.SYNTAX
    if not domain.child(selector, "_domainkey").is_askable:
        return SignatureFault.SYNTAX
    if tags["a"] not in _ALGORITHMS:
        return SignatureFault.SHA1 if tags["a"] == "rsa-sha1" else SignatureFault.ALGORITHM
    if "from" not in tags["h"].lower().split(":"):
        return SignatureFault.FROM_NOT_SIGNED
    identity = tags.get("i", "@" + domain).rpartition("@")[2].lower()
    if not DomainName(identity).is_within(domain):
        return SignatureFault.IDENTITY
    if arrival.is_delivery and _has_expired(tags, arrival):
        return SignatureFault.EXPIRED
    if "t" in tags and int(tags["t"]) > arrival.latest + SKEW_S:
        return SignatureFault.FROM_THE_FUTURE
    return None


def _is_well_formed(tags: Mapping[str, str]) -> bool:
    if any(not tags.get(key) for key in _REQUIRED) or tags["v"] != "1":
        return False
    times = all(_NUMBER.fullmatch(tags[key]) for key in ("t", "x") if key in tags)
    return (
        times
        and not ("t" in tags and "x" in tags and int(tags["x"]) < int(tags["t"]))  # 3.5: x= must be after t=
        and all(_BASE64.fullmatch(tags[key]) for key in ("b", "bh"))
        and _LENGTH.fullmatch(tags.get("l", "0")) is not None
        and tags["h"].count(":") < MAX_SIGNED_FIELDS
        and _CANONICALIZATION.fullmatch(tags.get("c", "simple")) is not None
        and "dns/txt" in tags.get("q", "dns/txt").split(":")
    )


def weigh_key(draft: Draft, answer: Answer) -> tuple[Draft, KeyRecord | None]:
    """The key to verify with, or a draft with the fault that the key has (section 6.1.2, RFC 8301 3.2)."""
    if answer.unanswered:
        return _failed(draft, SignatureFault.KEY_UNANSWERED, Outcome.UNCHECKED), None
    keys = [key for key in (parse_key(txt.strings) for txt in answer.txts) if key.is_key]
    if len(keys) != 1:
        return _failed(draft, SignatureFault.SEVERAL_KEYS if keys else SignatureFault.NO_KEY), None
    draft = replace(draft, signature=replace(draft.signature, key=keys[0].text))
    key = keys[0]
    if key.flaw is Flaw.NOT_FOR_MAIL and TLS_REPORTS in key.services:
        draft, key = _for_tls_reports(draft), _as_if_for_mail(key)
    fault = _fault_of_key(draft, key)
    return (_failed(draft, fault), None) if fault else (draft, key)


def _for_tls_reports(draft: Draft) -> Draft:
    """With its fault; one from the future must not count yet for TLS reports either."""
    return draft if is_early(draft) else _failed(draft, SignatureFault.KEY_FOR_TLS_REPORTS)


def _as_if_for_mail(key: KeyRecord) -> KeyRecord:
    """The key that is not for mail, so that it can be seen whether the signature is right all the same."""
    tags = "; ".join(f"{tag}={value}" for tag, value in key.tags.items() if tag != "s")
    return parse_key((tags.encode("utf-8", "replace"),))


def _fault_of_key(draft: Draft, key: KeyRecord) -> SignatureFault | None:
    if key.flaw:
        return SignatureFault.UNUSABLE_KEY
    if key.revoked:
        return SignatureFault.REVOKED
    if key.key_type != _ALGORITHMS[draft.signature.algorithm]:
        return SignatureFault.ALGORITHM
    if key.strength is Strength.TOO_SHORT:
        return SignatureFault.SHORT_KEY
    if (key.bits or 0) > MAX_BITS or Remark.LARGE_EXPONENT in key.remarks:
        return SignatureFault.LONG_KEY
    if key.remarks & {Remark.KNOWN_PRIVATE_KEY, Remark.FACTORABLE, Remark.BAD_EXPONENT}:
        return SignatureFault.KEY_OF_ALL
    # RFC 6376 3.6.1, t=s: i= must not be a subdomain.
    if Remark.STRICT_IDENTITY in key.remarks and not draft.strict_identity:
        return SignatureFault.IDENTITY
    return None


def _failed(draft: Draft, fault: SignatureFault, outcome: Outcome = Outcome.FAIL) -> Draft:
    return replace(draft, signature=replace(draft.signature, fault=fault, outcome=outcome))


def verify(draft: Draft, key: KeyRecord, head: Head, body: bytes) -> Signature:
    """Verify one signature with dkimpy; ``body`` as ``tidy_body`` gives it. Never raises.

    A draft that has a fault keeps it where the signature is right. One from the future is then ``UNCHECKED``: a clock
    is wrong, theirs or ours, and time may tell.
    """
    from dkim import DKIMException, ValidationError

    remarks = draft.signature.remarks + ((SignatureRemark.TESTING,) if key.testing else ())
    signature = replace(draft.signature, remarks=remarks)
    signed = tuple(part.encode() for part in draft.tags["h"].lower().split(":"))
    checker = _checker(head, body, signed)
    tags = {tag.encode(): value.encode() for tag, value in draft.tags.items() if tag != "l"}
    tags[b"d"], tags[b"s"] = signature.domain.encode(), signature.selector.encode()
    tags[b"c"] = _canonicalization(draft, body)
    record = _plain_record(key.key_type, key.tags["p"])
    try:
        field = head.fields[draft.at]
        good = says_yes(checker, key, tags, list(signed), field) or checker.verify_sig(
            tags, list(signed), field, lambda *_, **__: record
        )
    except ValidationError:  # the only one that dkimpy has left to raise here: the body's hash
        return replace(signature, fault=SignatureFault.BODY)
    except (DKIMException, ValueError, TypeError, ArithmeticError):
        good = False
    except Exception:  # other people's parser on a stranger's bytes: whatever it stumbles over proves nothing
        good = False
    if not good:
        return replace(signature, fault=SignatureFault.MISMATCH)
    if is_early(draft):
        return replace(signature, outcome=Outcome.UNCHECKED)
    return signature if signature.fault else replace(signature, outcome=Outcome.PASS)


def _canonicalization(draft: Draft, body: bytes) -> bytes:
    """What is left to do. A tidy body is canonical the simple way, too, unless it is empty (RFC 6376 3.4.3, 3.4.4)."""
    header = draft.tags.get("c", "simple").partition("/")[0]
    left = "relaxed" if is_relaxed(draft) and body in (b"", b"\r\n") else "simple"
    return f"{header}/{left}".encode()


def _checker(head: Head, body: bytes, signed: tuple[bytes, ...]) -> Any:
    """dkimpy's verifier over our own reading of the mail, with the fields that matter to one signature."""
    from dkim import DKIM

    checker = DKIM()
    wanted = frozenset(signed)
    checker.headers = [[key, value] for key, value in head.fields if key.lower() in wanted]
    checker.body = body
    return checker


@lru_cache(maxsize=256)
def _plain_record(key_type: str, data: str) -> bytes:
    """The key as dkimpy reads it without going astray: it does not know lists in s=, h= and blanks in p=."""
    encoded = "".join(data.split())
    return f"v=DKIM1; k={key_type}; p={encoded + '=' * (-len(encoded) % 4)}".encode()


def tidy_body(mail: bytes, head: Head, *, relaxed: bool) -> bytes:
    """The body with CRLF line ends and without what canonicalization takes away anyway (sections 3.4.3 and 3.4.4).

    dkimpy would take the square of the time on long runs of blanks, and a step of its own for every empty line at the
    end; what comes from here it passes over quickly. A test holds this to what dkimpy hashes when it signs.
    """
    body = mail[head.body_at :]
    if body.count(b"\n") != body.count(b"\r\n"):
        body = re.sub(rb"\r?\n", b"\r\n", body)
    if relaxed:
        body = body.replace(b"\t", b" ")
        while b"  " in body:  # halves every run: 22 rounds for a mail full of blanks
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n")
    return _without_empty_lines(body)


def _without_empty_lines(body: bytes) -> bytes:
    """At most one line end at the end. A CR of its own is no line end."""
    start = len(body.rstrip(b"\r\n"))
    tail = body[start:]
    if not tail.endswith(b"\r\n"):
        return body
    return body[: start + tail.rfind(b"\r\r") + 1] + b"\r\n"


def is_relaxed(draft: Draft) -> bool:
    """Whether the body is canonicalized the relaxed way; simple is the default (section 3.5, c=)."""
    return draft.tags.get("c", "").endswith("/relaxed")


def key_name(draft: Draft) -> DomainName:
    """Where the key stands; the root for a signature that cannot count."""
    return ROOT if draft.signature.fault and not is_early(draft) else draft.signature.key_name


def is_early(draft: Draft) -> bool:
    """Whether all that is held against a signature so far is that it was made later than the mail came."""
    return draft.signature.fault is SignatureFault.FROM_THE_FUTURE
