"""Who sent a mail, and how far the reports in it are believed: as a document, and in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from mailguard.errors import Sentence
from mailguard.render.safe import visible
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.head import HeadFault
from mailguard.trust.judge import Reason
from mailguard.trust.proof import Authentication, Outcome, Signature, SignatureFault
from mailguard.words import Translator

Document = dict[str, Any]


class Looked(StrEnum):
    """How far anybody looked for the sender."""

    CHECKED = "checked"
    NOT_CHECKED = "not-checked"  # nobody was asked, because the user wished so
    NO_MAIL = "no-mail"  # a report without the mail that carried it


UNCHECKED: Final = "could-not-be-checked"
"""What is said instead of ``unverified`` while an answer is missing that could prove more."""


_IMPOSSIBLE: Final = frozenset(
    {
        *(Reason.FOREIGN_DOMAIN, Reason.OTHER_ADDRESS, Reason.COUNT_TOO_LARGE),
        *(Reason.ENDS_IN_FUTURE, Reason.BEGINS_AFTER_END, Reason.SPAN_TOO_LONG),
    }
)
_NOTHING_PROVED: Final = frozenset({Reason.NOT_AUTHENTICATED, Reason.NOT_SIGNED})

_GRADES: Final[Mapping[str, Sentence]] = {
    Grade.VERIFIED: Sentence("sender proved"),
    Grade.AUTHENTICATED: Sentence("sender known, not proved to be the reporter"),
    Grade.UNVERIFIED: Sentence("sender not proved"),
    UNCHECKED: Sentence("sender could not be checked yet"),
    Looked.NOT_CHECKED: Sentence("sender not checked"),
}
_REASONS: Final[Mapping[str, Sentence]] = {
    Reason.NOT_AUTHENTICATED: Sentence("nothing proves who sent the mail"),
    Reason.NOT_SIGNED: Sentence("the mail bears no DKIM signature that counts, as TLS reports must"),
    Reason.NOT_ALIGNED: Sentence("the proved domain is not that of the visible sender (From)"),
    Reason.COULD_NOT_BE_CHECKED: Sentence(
        "nothing can be said yet (no answer of DNS, or a wrong clock); try again later"
    ),
    Reason.NO_REPORTER: Sentence("the report names no domain to compare the sender with"),
    Reason.REPORTER_ELSEWHERE: Sentence("the report names another organization than the one that sent it"),
    Reason.IMPERSONATION: Sentence("another domain uses the name of a known reporter"),
    Reason.NOT_ATTACHED: Sentence("the report is no attachment, but stands in the text or in a mail inside the mail"),
    Reason.SHARED_DOMAIN: Sentence("strangers can write from this domain, and its reports come from another address"),
    Reason.FOREIGN_DOMAIN: Sentence("it is not about a domain of ours"),
    Reason.OTHER_ADDRESS: Sentence("it came to the address of another domain than the one that it is about"),
    Reason.ENDS_IN_FUTURE: Sentence("its period ends in the future"),
    Reason.BEGINS_AFTER_END: Sentence("its period begins after its end"),
    Reason.SPAN_TOO_LONG: Sentence("its period is longer than 31 days"),
    Reason.COUNT_TOO_LARGE: Sentence("a record counts more messages than there can be"),
    Reason.PENDING_DOMAIN: Sentence("its domain is not confirmed as ours yet"),
    Reason.SPAN_UNUSUAL: Sentence("its period is longer than two days (one is usual)"),
    Reason.REPORT_ID_DIFFERS: Sentence("the subject names another report ID"),
    Reason.FILE_NAME_DIFFERS: Sentence("the file name tells another domain or period"),
    Reason.SUBJECT_DOMAIN_DIFFERS: Sentence("the subject names another domain"),
    Reason.SUBMITTER_DIFFERS: Sentence("the Submitter in the subject is not the sender"),
    Reason.FIRST_SEEN: Sentence("the first report under this name from this domain"),
    Reason.OTHER_DOMAIN: Sentence("this name is known from another domain"),
    Reason.TOLD_BY_HOST: Sentence("a mail server that you trust says so; it was not checked here"),
    Reason.SIGNED_LENGTH: Sentence("the signature has a length (l=)"),
    Reason.CONTENT_TYPE_UNSIGNED: Sentence("how the body is to be read (Content-Type) is not signed"),
    Reason.TESTING_KEY: Sentence("the sender calls the key a test (t=y)"),
    Reason.EXPIRED_SINCE: Sentence("the signature has expired by now; whether it had on arrival is not known"),
    Reason.KEY_NOT_FOR_REPORTS: Sentence("the key is for mail only, not for TLS reports"),
    Looked.NO_MAIL: Sentence("the file is a report without the mail that carried it, so nothing proves who sent it"),
}
_FAULTS: Final[Mapping[str, Sentence]] = {
    SignatureFault.SYNTAX: Sentence("it is not written as the standard wants it"),
    SignatureFault.FROM_NOT_SIGNED: Sentence("it leaves out the visible sender (From)"),
    SignatureFault.ALGORITHM: Sentence("its algorithm is unknown, or not that of the key"),
    SignatureFault.SHA1: Sentence("it uses SHA-1, which no longer counts"),
    SignatureFault.EXPIRED: Sentence("it had expired when the mail came"),
    SignatureFault.FROM_THE_FUTURE: Sentence("it was made later than the mail came"),
    SignatureFault.NO_KEY: Sentence("its key is not in DNS; keys of older mail are taken away in time"),
    SignatureFault.SEVERAL_KEYS: Sentence("there are several keys in one place in DNS"),
    SignatureFault.REVOKED: Sentence("the key was withdrawn"),
    SignatureFault.UNUSABLE_KEY: Sentence("the key in DNS cannot be used"),
    SignatureFault.SHORT_KEY: Sentence("the key is shorter than 1024 bits"),
    SignatureFault.LONG_KEY: Sentence("the key is longer than 4096 bits"),
    SignatureFault.KEY_OF_ALL: Sentence("anybody can sign with this key"),
    SignatureFault.KEY_FOR_TLS_REPORTS: Sentence("the key is for TLS reports only"),
    SignatureFault.IDENTITY: Sentence("it names somebody outside its domain"),
    SignatureFault.BODY: Sentence("the body was changed after it was signed"),
    SignatureFault.MISMATCH: Sentence("it does not fit the header and the key"),
}
_HEADS: Final[Mapping[str, Sentence]] = {
    HeadFault.TOO_LARGE: Sentence("the mail or its header is too large"),
    HeadFault.MALFORMED: Sentence("its header can be read in two ways"),
    HeadFault.NO_FROM: Sentence("it has no visible sender (From)"),
    HeadFault.SEVERAL_FROM: Sentence("it has several visible senders (From)"),
    HeadFault.UNREADABLE_FROM: Sentence("its visible sender (From) is no mail address"),
    HeadFault.REPEATED_FIELD: Sentence("a header field that may be there once is there twice"),
}
_METHODS: Final = {"dkim": "DKIM", "spf": "SPF", "host": "Authentication-Results"}


def trust_document(trust: Trust, looked: Looked) -> Document:
    """How far a report is believed; says ``could-not-be-checked`` and ``not-checked`` where that is all we know.

    For ``Looked.NOT_CHECKED`` and ``NO_MAIL`` the trust is that of a mail of which nothing is proved.
    """
    reasons, grade = list(trust.reasons), str(trust.grade)
    impossible = not _IMPOSSIBLE.isdisjoint(reasons)
    if looked is not Looked.CHECKED:
        reasons = [reason for reason in reasons if reason not in _NOTHING_PROVED]
    if looked is Looked.NO_MAIL:
        reasons.insert(0, str(Looked.NO_MAIL))
    elif looked is Looked.NOT_CHECKED and not impossible:
        grade = str(looked)
    elif trust.grade is Grade.UNVERIFIED and Reason.COULD_NOT_BE_CHECKED in reasons and not impossible:
        grade = UNCHECKED
    return {"grade": grade, "domain": trust.domain, "reasons": reasons}


def grade_in_words(trust: Document, say: Translator) -> str:
    """The grade of a document, for people."""
    grade = str(trust["grade"])
    if grade == Grade.UNVERIFIED and _IMPOSSIBLE.isdisjoint(trust["reasons"]):
        grade = next((word for word in (UNCHECKED, Looked.NOT_CHECKED) if word in trust["reasons"]), grade)
    return _GRADES[grade].told(say)


def reasons_in_words(trust: Document, say: Translator) -> Iterator[str]:
    """The reasons of a document, for people; an id that is not known as it is."""
    for reason in trust["reasons"]:
        yield _REASONS[reason].told(say) if reason in _REASONS else visible(reason)


def sender_document(looked: Looked, proof: Authentication | None) -> Document:
    """What was found out about the sender of a mail."""
    found = proof or Authentication()
    return {
        "status": str(looked),
        "author": str(found.author),
        "fault": found.fault or None,
        "dmarc": str(found.dmarc) if proof else None,
        "aligned": list(found.aligned),
        "proved": [str(domain) for domain in found.proved],
        "dkim": [_signature(signature) for signature in found.signatures],
        "dkim_omitted": found.omitted,
        "spf": found.spf
        and {"domain": str(found.spf.domain), "identity": found.spf.identity, "result": str(found.spf.result)},
        "attested": [
            {"host": claim.host, "method": claim.method, "domain": str(claim.domain)} for claim in found.attested
        ],
    }


def _signature(signature: Signature) -> Document:
    return {
        "domain": str(signature.domain),
        "selector": signature.selector,
        "outcome": str(signature.outcome),
        "fault": signature.fault and str(signature.fault),
        "remarks": [str(remark) for remark in signature.remarks],
    }


def sender_in_words(sender: Document, say: Translator) -> Iterator[str]:
    """First who sent the mail, then what each check said."""
    yield say("sender of the mail: {told}").format(told=_who(sender, say))
    if sender["status"] != Looked.CHECKED or sender["fault"]:
        return
    for signature in sender["dkim"]:
        yield "  DKIM: " + _told(signature, say)
    if not sender["dkim"]:
        yield "  DKIM: " + say("the mail is not signed")
    if sender["dkim_omitted"]:
        yield "  DKIM: " + say("more signatures that were not looked at: {count}").format(count=sender["dkim_omitted"])
    yield "  SPF: " + _spf(sender["spf"], say)
    for claim in sender["attested"]:
        told = say("{host}, which you trust, wrote: {method} passed for {domain}")
        yield "  Authentication-Results: " + told.format(
            host=visible(claim["host"]), method=claim["method"].upper(), domain=visible(claim["domain"])
        )


def _who(sender: Document, say: Translator) -> str:
    if sender["status"] == Looked.NOT_CHECKED:
        return say("not checked, as you wished (--no-trust)")
    if sender["status"] == Looked.NO_MAIL:
        return say("not known; this file is a report without the mail that carried it")
    if sender["fault"]:
        why = _HEADS[sender["fault"]].told(say)
        return say("not proved, because the mail proves nothing: {why}").format(why=why)
    author = visible(sender["author"])
    if sender["dmarc"] == Outcome.PASS:
        methods = ", ".join(_METHODS[method] for method in sender["aligned"])
        return say("{domain}, proved by {methods}").format(domain=author, methods=methods)
    if sender["dmarc"] == Outcome.UNCHECKED and any(map(_is_early, sender["dkim"])):
        told = say("{domain}, it says; it was signed later than it came, so this cannot be said yet")
        return told.format(domain=author)
    if sender["dmarc"] == Outcome.UNCHECKED:
        return say("{domain}, it says; DNS did not answer, so this could not be checked").format(domain=author)
    if sender["proved"]:
        told = say("{domain}, it says; proved is only that {proved} sent it")
        return told.format(domain=author, proved=", ".join(map(visible, sender["proved"])))
    return say("{domain}, it says; nothing proves it").format(domain=author)


def _told(signature: Document, say: Translator) -> str:
    if signature["outcome"] == Outcome.PASS:
        told = say("signature of {domain} (selector {selector}) is right")
    elif _is_early(signature):
        told = say("signature of {domain} (selector {selector}) is right, but does not count yet: {why}")
    elif signature["outcome"] == Outcome.UNCHECKED:
        told = say("signature of {domain} (selector {selector}) could not be checked: DNS did not answer for the key")
    else:
        told = say("signature of {domain} (selector {selector}) does not count: {why}")
    why = _FAULTS[signature["fault"]].told(say) if signature["fault"] in _FAULTS else ""
    return told.format(
        domain=visible(signature["domain"]) or "-", selector=visible(signature["selector"]) or "-", why=why
    )


def _is_early(signature: Document) -> bool:
    return bool(signature["fault"] == SignatureFault.FROM_THE_FUTURE and signature["outcome"] == Outcome.UNCHECKED)


def _spf(spf: Document | None, say: Translator) -> str:
    if spf is None:
        return say("cannot be checked afterwards; a file does not tell which server sent the mail")
    told = say("could not be checked for {domain}: DNS did not answer")
    if spf["result"] != "temperror":
        told = say("{result} for {domain}")
    return told.format(result=spf["result"], domain=visible(spf["domain"]) or "-")
