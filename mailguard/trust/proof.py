"""What is proved about the sender of a mail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailguard.names import ROOT, DomainName
from mailguard.spf.verdict import Result
from mailguard.trust.head import NO_SUBJECT, Subject


class Outcome(StrEnum):
    """What became of a check."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"  # checked, and not proved
    UNCHECKED = "unchecked"  # a question was not answered, or a signature is from the future; trying again may help


class SignatureFault(StrEnum):
    """Why a signature does not count."""

    SYNTAX = "syntax"  # a tag is missing, twice, or has a value that it cannot have
    FROM_NOT_SIGNED = "from-not-signed"  # RFC 6376 3.5: h= must contain From
    ALGORITHM = "algorithm"  # unknown, or not the one that the key is for
    SHA1 = "sha1"  # RFC 8301 3.1
    EXPIRED = "expired"  # x= lies before the mail came
    FROM_THE_FUTURE = "from-the-future"  # t= lies after it; unchecked where it is right otherwise
    KEY_UNANSWERED = "key-unanswered"
    NO_KEY = "no-key"
    SEVERAL_KEYS = "several-keys"  # RFC 6376 3.6.2.2: undefined
    REVOKED = "revoked"
    UNUSABLE_KEY = "unusable-key"  # a record that verifiers discard
    SHORT_KEY = "short-key"  # RFC 8301 3.2: RSA under 1024 bits
    LONG_KEY = "long-key"  # over 4096 bits, or with an exponent that takes as long to compute
    KEY_OF_ALL = "key-of-all"  # anybody can sign with it
    KEY_FOR_TLS_REPORTS = "key-for-tls-reports"  # right in every way, but the key is for TLS reports and not for mail
    IDENTITY = "identity"  # i= is not of the domain, or t=s wants it to be the domain itself
    BODY = "body"  # the body is not what was signed
    MISMATCH = "mismatch"  # the header is not what was signed, or not with this key


class SignatureRemark(StrEnum):
    """What is unusual about a signature that may count all the same."""

    LENGTH = "signed-length"  # l= is there; it is not honoured
    CONTENT_TYPE_UNSIGNED = "content-type-unsigned"  # how the body is to be read is not signed
    TESTING = "testing-key"  # t=y
    EXPIRED_SINCE = "expired-since"  # x= lies before now; whether it did when the mail was delivered is not known


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM signature. ``key`` is the record's text as it was used, so that the check can be made again later."""

    domain: DomainName
    selector: str
    algorithm: str
    outcome: Outcome
    fault: SignatureFault | None = None
    remarks: tuple[SignatureRemark, ...] = ()
    key: str = ""

    @property
    def key_name(self) -> DomainName:
        """Where the key stands (RFC 6376 3.6.2.1)."""
        return self.domain.child(self.selector, "_domainkey")


@dataclass(frozen=True, slots=True)
class SpfCheck:
    """The SPF check of a mail; ``identity`` is ``mailfrom``, or ``helo`` for the null path (RFC 7208 2.4)."""

    domain: DomainName
    identity: str
    result: Result

    @property
    def outcome(self) -> Outcome:
        """Only a pass proves anything; temperror may become one."""
        if self.result is Result.PASS:
            return Outcome.PASS
        return Outcome.UNCHECKED if self.result is Result.TEMPERROR else Outcome.FAIL


@dataclass(frozen=True, slots=True)
class Attested:
    """What a trusted mail server wrote on top of a mail: ``method`` dmarc, dkim or spf passed for ``domain``."""

    host: str
    method: str
    domain: DomainName


@dataclass(frozen=True, slots=True)
class Authentication:
    """Everything that was found out about a mail's sender.

    ``author`` is the author domain, the root where the mail has none (``fault`` says why); ``author_address`` the whole
    address in lower case. ``organization`` is its
    organizational domain by the tree walk of RFC 9989, the root where that could not be found out. ``aligned`` names
    the methods that gave an aligned pass: ``dkim``, ``spf``, and ``host`` for what a trusted mail server wrote.
    ``omitted`` counts signatures beyond the bound.
    """

    author: DomainName = ROOT
    fault: str = ""
    organization: DomainName = ROOT
    spf: SpfCheck | None = None
    signatures: tuple[Signature, ...] = ()
    omitted: int = 0
    attested: tuple[Attested, ...] = ()
    dmarc: Outcome = Outcome.FAIL
    aligned: tuple[str, ...] = ()
    subject: Subject = NO_SUBJECT
    author_address: str = ""

    @property
    def proved(self) -> tuple[DomainName, ...]:
        """Domains that are proved to have sent the mail; the author's first, then those that signed it."""
        author = (self.author,) if self.dmarc is Outcome.PASS else ()
        signed = (signature.domain for signature in self.signatures if signature.outcome is Outcome.PASS)
        told = (claim.domain for claim in self.attested)
        sent = (self.spf.domain,) if self.spf and self.spf.outcome is Outcome.PASS else ()
        return tuple(dict.fromkeys((*author, *signed, *told, *sent)))

    @property
    def unchecked(self) -> bool:
        """Whether trying again may prove more: what could make the mail pass DMARC lacks an answer, or its time."""
        return self.dmarc is Outcome.UNCHECKED

    @property
    def early(self) -> bool:
        """Whether a signature is right, and made later than the mail came."""
        return any(
            one.fault is SignatureFault.FROM_THE_FUTURE and one.outcome is Outcome.UNCHECKED for one in self.signatures
        )

    @property
    def keys(self) -> dict[DomainName, str]:
        """The key records that were used, by name; given to ``authenticate`` they are not asked for again."""
        return {signature.key_name: signature.key for signature in self.signatures if signature.key}
