"""``authenticate``: which domains are proved to have sent a mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from mailguard.dmarc.alignment import Alignment
from mailguard.dmarc.discovery import discover
from mailguard.dmarc.record import Mode
from mailguard.dmarc.walk import Node, read_walk, take_nodes, walk_names
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.limits import DEFAULT_LIMITS, Limits
from mailguard.inquiry import Answer, Inquiry, Question, RRType, Status, Txt, ask_all, both
from mailguard.names import ROOT, DomainName
from mailguard.spf.check_host import Mailbox, check_host
from mailguard.trust.head import Head, HeadFault, address_of, author_of, read_head, subject_of
from mailguard.trust.proof import Attested, Authentication, Outcome, Signature, SpfCheck
from mailguard.trust.results import attested
from mailguard.trust.signature import (
    MAX_SIGNATURES,
    Arrival,
    Draft,
    is_relaxed,
    key_name,
    read_signatures,
    tidy_body,
    verify,
    weigh_key,
)


def authenticate(
    mail: ReceivedMail,
    *,
    trusted_hosts: Collection[str] = (),
    keys: Mapping[DomainName, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    now: int = 0,
) -> Inquiry[Authentication]:
    """Find out which domains are proved to have sent a mail, and whether it passes DMARC (RFC 9989 section 5.3).

    SPF needs the SMTP dialogue, so it is checked for ``Way.SMTP`` only. Authentication-Results are read for the other
    ways only, and only those of ``trusted_hosts`` (authserv-ids). Times in signatures are compared with
    ``mail.received_at``; only for ``Way.SMTP`` is that the delivery, after which an expired signature does not count.

    Args:
        keys: DKIM key records of an earlier ``Authentication.keys``; they are not asked for again.
        now: for a mail that is checked again: what was the future when it came (``t=``) is judged by this time, since
            the clock may have been wrong then. Otherwise it is judged by when the mail came.
        limits: of these the bounds on the header apply, and ``mail_bytes``: a larger mail proves nothing.

    Returns:
        Never raises, whatever the mail holds. An answer that is missing, or a signature from the future, makes the
        outcome ``UNCHECKED`` where it could have made the mail pass.
    """
    head = read_head(mail.raw, limits) if len(mail.raw) <= limits.mail_bytes else HeadFault.TOO_LARGE
    if isinstance(head, HeadFault):
        spf = yield from _check_spf(mail)
        return Authentication(fault=head.value, spf=spf)
    author = author_of(head)
    if isinstance(author, HeadFault):
        spf = yield from _check_spf(mail)
        return Authentication(fault=author.value, spf=spf, subject=subject_of(head))
    drafts = read_signatures(head, author, Arrival(mail.received_at, mail.way is Way.SMTP, now))
    asked = both(_ask_keys(drafts, keys or {}), take_nodes(walk_names(author)))
    spf, (answers, nodes) = yield from both(_check_spf(mail), asked)
    signatures = _verify_all(mail.raw, head, drafts, answers)
    claims = attested(head, trusted_hosts) if mail.way is not Way.SMTP else ()
    identifiers = tuple(_identifiers(spf, signatures, claims))
    more = yield from take_nodes(_other_names(author, identifiers, nodes))
    dmarc, aligned = _evaluate(author, identifiers, nodes | more)
    return Authentication(
        author=author,
        organization=_organization(author, nodes),
        spf=spf,
        signatures=signatures,
        omitted=max(0, len(head.values(b"dkim-signature")) - MAX_SIGNATURES),
        attested=claims,
        dmarc=dmarc,
        aligned=aligned,
        subject=subject_of(head),
        author_address=address_of(head),
    )


def _check_spf(mail: ReceivedMail) -> Inquiry[SpfCheck | None]:
    """SPF of MAIL FROM; ``None`` where the client or its claim is not known."""
    if mail.way is not Way.SMTP:
        return None
    try:
        client = ip_address(mail.peer)
    except ValueError:
        return None
    # RFC 7208 2.4: the null path stands for postmaster at the HELO name, and is the MAIL FROM identity all the same.
    sender = Mailbox.parse(mail.mail_from, mail.helo)
    verdict = yield from check_host(client, sender.domain, sender, helo=mail.helo, time_s=mail.received_at)
    return SpfCheck(verdict.domain, "mailfrom" if mail.mail_from else "helo", verdict.result)


def _ask_keys(drafts: list[Draft], known: Mapping[DomainName, str]) -> Inquiry[dict[DomainName, Answer]]:
    names = dict.fromkeys(name for draft in drafts if (name := key_name(draft)))
    answers = yield from ask_all([Question(name, RRType.TXT) for name in names if name not in known])
    kept = (_kept(name, known[name]) for name in names if name in known)
    return {answer.question.name: answer for answer in (*answers, *kept)}


def _kept(name: DomainName, text: str) -> Answer:
    return Answer(Question(name, RRType.TXT), Status.DATA, (Txt((text.encode("utf-8", "replace"),)),), note="kept")


def _verify_all(
    mail: bytes, head: Head, drafts: list[Draft], answers: Mapping[DomainName, Answer]
) -> tuple[Signature, ...]:
    bodies: dict[bool, bytes] = {}
    done = []
    for draft in drafts:
        name = key_name(draft)
        weighed, key = weigh_key(draft, answers[name]) if name else (draft, None)
        if key is None:
            done.append(weighed.signature)
            continue
        relaxed = is_relaxed(weighed)
        if relaxed not in bodies:
            bodies[relaxed] = tidy_body(mail, head, relaxed=relaxed)
        done.append(verify(weighed, key, head, bodies[relaxed]))
    return tuple(done)


@dataclass(frozen=True, slots=True)
class _Identifier:
    """A domain that passed a check, or may pass it when asked again."""

    domain: DomainName
    method: str
    outcome: Outcome
    by_host: bool = False  # a trusted host says so

    @property
    def is_verdict(self) -> bool:
        """Whether the host has compared with the author domain itself."""
        return self.by_host and self.method == "dmarc"


def _identifiers(
    spf: SpfCheck | None, signatures: Iterable[Signature], claims: Iterable[Attested]
) -> Iterable[_Identifier]:
    for signature in signatures:
        if signature.outcome is not Outcome.FAIL:
            yield _Identifier(signature.domain, "dkim", signature.outcome)
    if spf and spf.domain and spf.outcome is not Outcome.FAIL:
        yield _Identifier(spf.domain, "spf", spf.outcome)
    for claim in claims:
        yield _Identifier(claim.domain, claim.method, Outcome.PASS, by_host=True)


def _other_names(
    author: DomainName, identifiers: Iterable[_Identifier], nodes: Mapping[DomainName, Node]
) -> list[DomainName]:
    """Names of the walks that are still to be asked; none for a mail whose domains are all the author's."""
    others = (found.domain for found in identifiers if found.domain != author and not found.is_verdict)
    return [name for domain in others for name in walk_names(domain) if name not in nodes]


def _evaluate(
    author: DomainName, identifiers: Iterable[_Identifier], nodes: Mapping[DomainName, Node]
) -> tuple[Outcome, tuple[str, ...]]:
    """Whether one identifier is aligned and passed, and which methods it was that did."""
    open_questions = False
    passed: list[str] = []
    for found in identifiers:
        aligned = _alignment(author, found, nodes)
        if aligned is Alignment.ALIGNED and found.outcome is Outcome.PASS:
            passed.append("host" if found.by_host else found.method)
        # An unanswered key of a domain that could never be aligned leaves nothing open.
        open_questions |= aligned is not Alignment.UNALIGNED
    if passed:
        return Outcome.PASS, tuple(dict.fromkeys(passed))
    return (Outcome.UNCHECKED if open_questions else Outcome.FAIL), ()


def _alignment(author: DomainName, found: _Identifier, nodes: Mapping[DomainName, Node]) -> Alignment:
    """RFC 9989 4.4 over answers that are at hand; without a record the mode is relaxed, which is the default."""
    if found.domain == author:
        return Alignment.ALIGNED
    if found.is_verdict:
        return Alignment.UNALIGNED
    discovery = discover(author, nodes)
    if discovery.unanswered:
        return Alignment.UNANSWERED
    record = discovery.record
    mode = Mode.RELAXED if record is None else record.aspf if found.method == "spf" else record.adkim
    if mode is Mode.STRICT:
        return Alignment.UNALIGNED
    ours, theirs = _organization(author, nodes), _organization(found.domain, nodes)
    if not (ours and theirs):
        return Alignment.UNANSWERED
    return Alignment.ALIGNED if ours == theirs else Alignment.UNALIGNED


def _organization(domain: DomainName, nodes: Mapping[DomainName, Node]) -> DomainName:
    """The organizational domain; the root where it is not known.

    Stricter than RFC 9989 4.10.2 in one point: a top-level domain that publishes a record without ``psd=y`` does not
    make one organization of all names below it.
    """
    found = read_walk(domain, nodes).organizational_domain
    if found is None:
        return ROOT
    return found if len(found.labels) > 1 else domain
