"""Whether reports may be sent to a destination outside the organisation (RFC 9990 section 4, RFC 9991 section 5).

A destination in the same organizational domain needs no consent. Any other host H consents by a record at
``<policy domain>._report._dmarc.H``; without it reporters throw the destination away, silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.dmarc.record import Record, parse_record, text_of
from mailguard.dmarc.uri import ReportUri
from mailguard.dmarc.walk import Node, read_walk, take_nodes, walk_names
from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask_all, both, not_asked
from mailguard.names import DomainName

MAX_OUTSIDE_HOSTS: Final = 5
"""Hosts that we ask about; up to four questions each as a rule. RFC 7489 section 6.2 promised two destinations only."""


class DestinationStatus(StrEnum):
    """Whether reporters may use a destination."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class Reason(StrEnum):
    """Why a destination has its status."""

    INSIDE = "inside"  # same organizational domain as the policy domain: no consent needed
    CONFIRMED = "confirmed"  # the host published its consent
    UNCONFIRMED = "unconfirmed"  # the host was asked and has published none
    OTHER_HOST = "other-host"  # the consent names another destination at another host: neither may be used
    NAME_TOO_LONG = "name-too-long"  # the name of the consent does not fit into DNS
    NO_ADDRESS = "no-address"  # no usable mailto; nobody has to know other schemes
    NO_ANSWER = "no-answer"  # a question that decides it was not answered


_STATUS: Final = {
    Reason.INSIDE: DestinationStatus.ACCEPTED,
    Reason.CONFIRMED: DestinationStatus.ACCEPTED,
    Reason.NO_ANSWER: DestinationStatus.UNANSWERED,
}


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination of ``rua`` or ``ruf`` and whether reporters may use it.

    ``consent`` is the answer from the host, where it had to be asked; ``replaced_by`` are the URIs that the consent
    puts in the place of this one.
    """

    uri: ReportUri
    kind: str  # "rua" or "ruf"
    reason: Reason
    consent: Answer | None = None
    replaced_by: tuple[str, ...] = ()

    @property
    def status(self) -> DestinationStatus:
        """Accepted, refused or unanswered."""
        return _STATUS.get(self.reason, DestinationStatus.REFUSED)


def consent_question(policy_domain: DomainName, host: DomainName) -> Question:
    """Where ``host`` consents to receive the reports about ``policy_domain``: the concrete name, never the wildcard."""
    return Question(host.child(*policy_domain.labels, "_report", "_dmarc"), RRType.TXT)


def check_destinations(
    record: Record, policy_domain: DomainName, nodes: Mapping[DomainName, Node]
) -> Inquiry[tuple[Destination, ...]]:
    """Check every destination of a record in one round of questions; at most 5 hosts outside are asked.

    ``nodes`` are the names of the policy domain's own walk; they are not asked for again.
    """
    uris = [("rua", uri) for uri in record.rua] + [("ruf", uri) for uri in record.ruf]
    hosts = tuple(dict.fromkeys(uri.host for _, uri in uris if uri.host and uri.host != policy_domain))
    asked = [consent_question(policy_domain, host) for host in hosts[:MAX_OUTSIDE_HOSTS]]
    known, consents = yield from _ask(hosts[:MAX_OUTSIDE_HOSTS], [q for q in asked if q.name.is_askable], nodes)
    return tuple(_judge(kind, uri, policy_domain, known, consents) for kind, uri in uris)


def _ask(
    hosts: Sequence[DomainName], questions: Sequence[Question], nodes: Mapping[DomainName, Node]
) -> Inquiry[tuple[dict[DomainName, Node], dict[Question, Answer]]]:
    missing = [at for host in hosts for at in walk_names(host) if at not in nodes]
    if not hosts:
        return dict(nodes), {}
    more, answers = yield from both(take_nodes(missing), ask_all(questions))
    return {**nodes, **more}, dict(zip(questions, answers, strict=True))


def _judge(
    kind: str,
    uri: ReportUri,
    policy_domain: DomainName,
    nodes: Mapping[DomainName, Node],
    consents: Mapping[Question, Answer],
) -> Destination:
    if uri.host is None:
        return Destination(uri, kind, Reason.NO_ADDRESS)
    inside = _is_inside(uri.host, policy_domain, nodes)
    if inside:
        return Destination(uri, kind, Reason.INSIDE)
    question = consent_question(policy_domain, uri.host)
    if not question.name.is_askable:
        return Destination(uri, kind, Reason.NO_ANSWER if inside is None else Reason.NAME_TOO_LONG)
    answer = consents.get(question) or not_asked(question, "budget")
    verdict = _judge_consent(kind, uri, answer)
    # A host whose organizational domain is unknown may need no consent: its lack then says nothing.
    if inside is None and verdict.status is DestinationStatus.REFUSED:
        return Destination(uri, kind, Reason.NO_ANSWER, answer)
    return verdict


def _is_inside(host: DomainName, policy_domain: DomainName, nodes: Mapping[DomainName, Node]) -> bool | None:
    if host == policy_domain:
        return True
    if any(at not in nodes for at in walk_names(host)):
        return None
    ours = read_walk(policy_domain, nodes).organizational_domain
    theirs = read_walk(host, nodes).organizational_domain
    return None if ours is None or theirs is None else ours == theirs


def _judge_consent(kind: str, uri: ReportUri, answer: Answer) -> Destination:
    if answer.unanswered:
        return Destination(uri, kind, Reason.NO_ANSWER, answer)
    records = [record for record in map(parse_record, map(text_of, answer.texts)) if record]
    # RFC 9990 section 4 step 5: more than one is fine, other TXT records are discarded.
    if not records:
        return Destination(uri, kind, Reason.UNCONFIRMED, answer)
    replacements = [other for record in records for other in (record.rua if kind == "rua" else record.ruf)]
    if any(other.host != uri.host for other in replacements):
        return Destination(uri, kind, Reason.OTHER_HOST, answer, tuple(other.text for other in replacements))
    return Destination(uri, kind, Reason.CONFIRMED, answer, tuple(other.text for other in replacements))
