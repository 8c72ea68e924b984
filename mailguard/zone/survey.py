"""What else DNS says about a domain that mail depends on: MX, addresses, name servers, wildcards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Final

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask_all, not_asked
from mailguard.names import ROOT, DomainName

MAX_MX_HOSTS: Final = 10
"""So many MX hosts, the most preferred first, are asked for their addresses."""

MAX_NS_NAMES: Final = 3
"""The domain and so many of its parents, less one, are asked for NS records."""

# A hosting tenant that has not been given a mail route yet: Microsoft 365 publishes such a name to prove ownership.
_PLACEHOLDER = re.compile(r"ms[0-9]+\.msv1\.invalid")

# Spelled out, since ipaddress.is_private counts the documentation networks too.
_UNROUTED: Final = tuple(
    map(
        ip_network,
        ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
         "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
    )
)  # fmt: skip


class MxStatus(StrEnum):
    """Where mail to the domain goes."""

    HOSTS = "hosts"  # to at least one MX host that can exist
    IMPLICIT = "implicit"  # no MX: to the domain's own address (RFC 5321 section 5.1)
    NULL = "null"  # nowhere, and the domain says so (RFC 7505)
    NONE = "none"  # nowhere: neither MX nor address
    INVALID = "invalid"  # MX records that contradict each other, or of which none can work
    UNANSWERED = "unanswered"


class SubdomainsExist(StrEnum):
    """What DNS says about a subdomain that nobody published, which decides whether ``np`` applies."""

    DENIED = "denied"  # it does not exist (NXDOMAIN)
    WILDCARD = "wildcard"  # it exists, since a wildcard covers every name
    COMPACT_DENIAL = "compact_denial"  # "no data", as if it existed (RFC 9824, or a wildcard of a type not asked for)
    UNANSWERED = "unanswered"


class MxFault(StrEnum):
    """Why mail cannot be delivered to an MX host."""

    ADDRESS_AS_NAME = "address-as-name"  # an IP address where a host name belongs
    PLACEHOLDER = "placeholder"  # ms<digits>.msv1.invalid
    LOCALHOST = "localhost"
    NO_SUCH_HOST = "no-such-host"  # the name does not exist
    NO_ADDRESS = "no-address"  # the name exists without A and AAAA
    PRIVATE = "private"  # every address is of a kind that the internet does not route


@dataclass(frozen=True)  # without slots, for cached properties
class MxHost:
    """One exchange of an MX record, with its addresses."""

    exchange: DomainName
    a: Answer
    aaaa: Answer

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses seen."""
        return self.a.addresses + self.aaaa.addresses

    @property
    def is_alias(self) -> bool:
        """The exchange is a CNAME, which RFC 2181 section 10.3 forbids."""
        return bool(self.a.aliases or self.aaaa.aliases)

    @cached_property
    def fault(self) -> MxFault | None:
        """Why it cannot receive mail; ``None`` when it can, or when its addresses were not answered."""
        named = _fault_of_name(self.exchange)
        if named:
            return named
        if self.addresses:
            return MxFault.PRIVATE if all(map(_is_unrouted, self.addresses)) else None
        if self.a.absent and self.aaaa.absent:
            missing = self.a.denies_name or self.aaaa.denies_name
            return MxFault.NO_SUCH_HOST if missing else MxFault.NO_ADDRESS
        return None


def _fault_of_name(exchange: DomainName) -> MxFault | None:
    if _is_address(exchange):
        return MxFault.ADDRESS_AS_NAME
    if _PLACEHOLDER.fullmatch(exchange):
        return MxFault.PLACEHOLDER
    if exchange == "localhost" or exchange.endswith((".localhost", ".localdomain")):  # RFC 6761 section 6.3
        return MxFault.LOCALHOST
    return None


def _is_address(exchange: DomainName) -> bool:
    try:
        ip_address(exchange.strip("[]"))
    except ValueError:
        return False
    return True


def _is_unrouted(address: str) -> bool:
    """Loopback, private, shared or link-local: nobody outside can connect."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in _UNROUTED if network.version == known.version)


@dataclass(frozen=True)  # without slots, for cached properties
class ZoneSurvey:
    """MX, addresses, name servers and wildcard facts of a domain."""

    domain: DomainName
    mx: Answer
    a: Answer
    aaaa: Answer
    txt: Answer
    ns: tuple[Answer, ...]  # NS at the domain and at its parents, nearest first
    probe_txt: Answer  # the same three types at an invented name: what a name that nobody published looks like
    probe_mx: Answer
    probe_a: Answer
    hosts: tuple[MxHost, ...] = ()  # the first MAX_MX_HOSTS exchanges, most preferred first

    @cached_property
    def mx_status(self) -> MxStatus:
        """Where mail to the domain goes."""
        if self.mx.unanswered:
            return MxStatus.UNANSWERED
        if self.mx.absent:
            return self._without_mx()
        exchanges = [record.exchange for record in self.mx.exchanges]
        if ROOT in exchanges:
            # RFC 7505 section 3: a null MX must be the only one.
            return MxStatus.NULL if set(exchanges) == {ROOT} else MxStatus.INVALID
        complete = len(set(exchanges)) == len(self.hosts)
        return MxStatus.INVALID if complete and all(host.fault for host in self.hosts) else MxStatus.HOSTS

    def _without_mx(self) -> MxStatus:
        if self.a.present or self.aaaa.present:
            return MxStatus.IMPLICIT
        return MxStatus.NONE if self.a.absent and self.aaaa.absent else MxStatus.UNANSWERED

    @cached_property
    def mx_hosts(self) -> tuple[DomainName, ...]:
        """Exchanges as published, most preferred first, without a null MX."""
        exchanges = (record.exchange for record in self.mx.exchanges)
        return tuple(dict.fromkeys(exchange for exchange in exchanges if exchange))

    @property
    def is_missing(self) -> bool:
        """The domain itself does not exist (NXDOMAIN)."""
        answers = (self.mx, self.txt, self.a, self.aaaa)
        known = [answer for answer in answers if not answer.unanswered]
        # A server that denies the name for one type and not for another is wrong about the name, not the other way.
        return any(answer.denies_name for answer in (self.mx, self.txt)) and all(answer.denies_name for answer in known)

    @property
    def name_servers(self) -> tuple[DomainName, ...]:
        """Name servers of the nearest name that has any: whose panel the records are edited in."""
        return next((answer.names for answer in self.ns if answer.present), ())

    @property
    def _probes(self) -> tuple[Answer, ...]:
        return (self.probe_txt, self.probe_mx, self.probe_a)

    @cached_property
    def subdomains_exist(self) -> SubdomainsExist:
        """What a receiver that asks for an invented subdomain is told."""
        if any(answer.present or answer.aliases for answer in self._probes):
            return SubdomainsExist.WILDCARD
        if any(answer.denies_name for answer in self._probes):
            return SubdomainsExist.DENIED
        # Only "no data" for all three types shows that it is no wildcard of one of them.
        if all(answer.absent for answer in self._probes):
            return SubdomainsExist.COMPACT_DENIAL
        return SubdomainsExist.UNANSWERED

    @property
    def wildcard_types(self) -> tuple[str, ...]:
        """The record types that an invented subdomain was seen to have."""
        return tuple(str(answer.question.rrtype) for answer in self._probes if answer.present)

    @property
    def wildcard_texts(self) -> tuple[bytes, ...]:
        """TXT records of a wildcard that covers every invented subdomain, and everything below those."""
        return self.probe_txt.texts


def survey_zone(domain: DomainName, probe_label: str) -> Inquiry[ZoneSurvey]:
    """Collect them: at most 30 questions (10, then A and AAAA of the MX hosts) in two rounds.

    ``probe_label`` is a label that nobody publishes, for control questions; the caller draws it.
    """
    probe = domain.child(probe_label)
    zone_cuts = [each for each in (domain, *domain.ancestors()) if each == domain or len(each.labels) > 1]
    mx, a, aaaa, txt, probe_txt, probe_mx, probe_a, *ns = yield from _ask(
        (
            Question(domain, RRType.MX),
            Question(domain, RRType.A),
            Question(domain, RRType.AAAA),
            Question(domain, RRType.TXT),
            Question(probe, RRType.TXT),
            Question(probe, RRType.MX),
            Question(probe, RRType.A),
            *(Question(each, RRType.NS) for each in zone_cuts[:MAX_NS_NAMES]),
        )
    )
    hosts = yield from _survey_hosts(mx)
    return ZoneSurvey(domain, mx, a, aaaa, txt, tuple(ns), probe_txt, probe_mx, probe_a, hosts)


def _survey_hosts(mx: Answer) -> Inquiry[tuple[MxHost, ...]]:
    exchanges = [each for each in dict.fromkeys(record.exchange for record in mx.exchanges) if each][:MAX_MX_HOSTS]
    questions = [Question(each, rrtype) for each in exchanges for rrtype in (RRType.A, RRType.AAAA)]
    answers = yield from _ask(questions)
    return tuple(MxHost(each, answers[2 * i], answers[2 * i + 1]) for i, each in enumerate(exchanges))


def _ask(questions: Sequence[Question]) -> Inquiry[tuple[Answer, ...]]:
    """Ask those questions that DNS can carry and that make sense; an address in place of a host name is not asked."""
    askable = [question for question in questions if _is_askable(question)]
    answers = yield from ask_all(askable)
    found = dict(zip(askable, answers, strict=True))
    return tuple(found.get(question) or not_asked(question, "unaskable") for question in questions)


def _is_askable(question: Question) -> bool:
    return question.name.is_askable and not _is_address(question.name)
