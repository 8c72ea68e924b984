"""Running checkdmarc on evidence.

Only its functions for SPF, DMARC and the MX record set are called: they are the ones that take a resolver. Its DNSSEC,
TLSA, SMTP and HTTPS parts open sockets of their own and stay untouched.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final, TypeVar

from mailguard.inquiry import Answer, Question, RRType
from mailguard.names import DomainName
from mailguard.second_opinion.evidence import EvidenceNameserver, EvidenceResolver
from mailguard.second_opinion.opinion import Opinion, PeerDmarc, PeerMx, PeerSpf, PeerVerdict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import checkdmarc.dmarc
    import checkdmarc.spf
    import checkdmarc.utils

logging.getLogger("checkdmarc").setLevel(logging.CRITICAL + 1)

# Its caches are process-wide and their keys ignore the resolver: one run at a time, each beginning with empty caches.
_LOCK: Final = threading.Lock()

Verdict = TypeVar("Verdict", bound=PeerVerdict)


def consult(domain: DomainName, answers: Mapping[Question, Answer]) -> Opinion:
    """What checkdmarc says about ``domain`` when it can see ``answers`` and nothing else. Never raises."""
    with _LOCK:
        checkdmarc.utils.DNS_CACHE.clear()
        missing: dict[Question, None] = {}
        spf = _part(_spf, PeerSpf, domain, answers, missing)
        dmarc = _part(_dmarc, PeerDmarc, domain, answers, missing)
        mx = _part(_mx, PeerMx, domain, answers, missing)
        checkdmarc.utils.DNS_CACHE.clear()
    return Opinion(version("checkdmarc"), spf, dmarc, mx, tuple(missing))


def _part(
    check: Callable[[DomainName, EvidenceResolver, dict[str, Any]], Verdict],
    verdict: type[Verdict],
    domain: DomainName,
    answers: Mapping[Question, Answer],
    missing: dict[Question, None],
) -> Verdict:
    """Run one check with a resolver of its own, and whatever comes out of it, have a verdict."""
    # The cache would answer before the resolver could note what this part asked.
    checkdmarc.utils.DNS_CACHE.clear()
    resolver = EvidenceResolver(answers)
    arguments = {"resolver": resolver, "nameservers": [EvidenceNameserver(resolver)], "timeout": 1.0, "retries": 0}
    try:
        said = check(domain, resolver, arguments)
    except Exception as error:  # what a peer does with hostile data is its affair; an audit goes on
        said = verdict(valid=None, kind=type(error).__name__, error=f"checkdmarc failed: {error}")
    missing.update(resolver.missing)
    return said


def _spf(domain: DomainName, resolver: EvidenceResolver, arguments: dict[str, Any]) -> PeerSpf:
    """``check_spf`` taken apart, because it turns its exceptions into prose (a test holds the two together)."""
    record = None
    said: list[str] = []
    try:
        query = checkdmarc.spf.query_spf_record(domain, **arguments)
        record, said = query["record"], list(query["warnings"])
        parsed: Any = checkdmarc.spf.parse_spf_record(record, domain, ignore_too_many_lookups=True, **arguments)
    except checkdmarc.spf.SPFError as error:
        return PeerSpf(
            valid=_judged(resolver, _decides_spf, False),
            kind=type(error).__name__,
            record=record,
            error=str(error),
            warnings=(*said, *error.warnings),
            failed=tuple(resolver.failed),
        )
    overflow = parsed.get("error", "")
    return PeerSpf(
        valid=_judged(resolver, _decides_spf, not overflow),
        kind="SPFTooManyDNSLookups" if overflow else "",
        record=record,
        error=overflow,
        warnings=(*said, *parsed["warnings"]),
        failed=tuple(resolver.failed),
        lookups=parsed["dns_lookups"],
        void_lookups=parsed["void_dns_lookups"],
    )


def _dmarc(domain: DomainName, resolver: EvidenceResolver, arguments: dict[str, Any]) -> PeerDmarc:
    record = location = None
    said: list[str] = []
    try:
        query = checkdmarc.dmarc.query_dmarc_record(domain, **arguments)
        record, location, said = query["record"], query["location"], list(query["warnings"])
        parsed: Any = checkdmarc.dmarc.parse_dmarc_record(record, location, **arguments)
    except checkdmarc.dmarc.DMARCError as error:
        return PeerDmarc(
            valid=_judged(resolver, _decides_dmarc, False),
            kind=type(error).__name__,
            record=record,
            location=location,
            error=str(error),
            warnings=tuple(said),
            failed=tuple(resolver.failed),
        )
    tags = parsed["tags"]
    return PeerDmarc(
        valid=_judged(resolver, _decides_dmarc, True),
        record=record,
        location=location,
        warnings=(*said, *parsed["warnings"]),
        failed=tuple(resolver.failed),
        policy=tags["p"]["value"],
        subdomain_policy=tags["sp"]["value"],
        nonexistent_subdomain_policy=tags["np"]["value"],
        testing=tags["t"]["value"] == "y",
    )


def _mx(domain: DomainName, resolver: EvidenceResolver, arguments: dict[str, Any]) -> PeerMx:
    try:
        found = checkdmarc.utils.get_mx_record_set(domain, **arguments)
    except checkdmarc.utils.DNSException as error:
        return PeerMx(
            valid=_judged(resolver, _always, False),
            kind=type(error).__name__,
            error=str(error),
            failed=tuple(resolver.failed),
        )
    return PeerMx(
        valid=_judged(resolver, _always, True),
        warnings=tuple(found["warnings"]),
        hosts=tuple(host["hostname"] for host in found["hosts"]),
        null=found["null_mx"],
    )


def _judged(resolver: EvidenceResolver, decides: Callable[[Question], bool], valid: bool) -> bool | None:
    """``valid``, unless a question that decides it was never asked: that is nobody's verdict."""
    return None if any(map(decides, resolver.missing)) else valid


def _always(question: Question) -> bool:
    return True


def _decides_spf(question: Question) -> bool:
    """Type 99 and the CNAME probes only ever lead to a warning."""
    return question.rrtype in (RRType.TXT, RRType.A, RRType.AAAA, RRType.MX)


def _decides_dmarc(question: Question) -> bool:
    """Whether a report address accepts reports, or has an MX, only ever leads to a warning."""
    return question.rrtype is RRType.TXT and "_report" not in question.name.labels
