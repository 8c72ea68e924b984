"""check_host: the receiver's side of SPF for one client (RFC 7208 section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask, ask_all, not_asked
from mailguard.names import ROOT, DomainName, name
from mailguard.spf.explanation import explanation_template
from mailguard.spf.limits import RFC_BUDGET, LookupBudget, lookup_cost
from mailguard.spf.macro import MacroString, expand, target_name
from mailguard.spf.record import Record, parse_record, select_records
from mailguard.spf.terms import Directive, Kind, Modifier, Qualifier
from mailguard.spf.verdict import Mailbox, Problem, Result, SpfVerdict, TraceStep

__all__ = ["IPAddress", "LookupBudget", "Mailbox", "Problem", "Result", "SpfVerdict", "TraceStep", "check_host"]

IPAddress = IPv4Address | IPv6Address


class _Stopped(Exception):
    """Evaluation ends here, whatever the terms around it (section 4.6)."""

    def __init__(self, result: Result, problem: Problem, at: DomainName) -> None:
        super().__init__(result, problem, at)
        self.result, self.problem, self.at = result, problem, at


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one record ended. ``record`` is where the deciding directive stands: its exp counts."""

    result: Result
    domain: DomainName = ROOT
    term: Directive | None = None
    record: Record | None = None


_RESULTS: Final = {
    Qualifier.PASS: Result.PASS,
    Qualifier.FAIL: Result.FAIL,
    Qualifier.SOFTFAIL: Result.SOFTFAIL,
    Qualifier.NEUTRAL: Result.NEUTRAL,
}


def check_host(
    ip: IPAddress,
    domain: str,
    sender: Mailbox,
    *,
    helo: str = "unknown",
    receiver: str = "unknown",
    time_s: int = 0,
    budget: LookupBudget = RFC_BUDGET,
) -> Inquiry[SpfVerdict]:
    """Decide whether ``ip`` may send mail as ``domain`` (RFC 7208 section 4).

    The driver owns sockets and time, and should allow at least 20 s (section 4.6.4).

    Args:
        domain: the domain of MAIL FROM or HELO, as text; it may be malformed.
        helo: for the macro ``%{h}``.
        receiver: the receiving host's name, for ``%{r}`` in explanations.
        time_s: POSIX time, for ``%{t}`` in explanations.
        budget: what may be spent, in terms that cause look-ups (10) and void ones (2); not packets.

    Returns:
        The verdict and the directive that gave it. What a domain publishes never raises: broken records are
        permerror (section 4.6), unanswered questions temperror (section 4.4).
    """
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    # Section 5: an IPv4-mapped IPv6 address is an IPv4 address.
    check = _Check(mapped or ip, sender, helo, receiver, time_s, budget)
    verdict = yield from check.verdict(_initial_domain(domain))
    return verdict


def _initial_domain(text: str) -> DomainName:
    """Section 4.3: A-labels are checked; a malformed domain or one with a single label gives none (the root here)."""
    if not text.isascii():
        import idna

        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ROOT
    domain = target_name(text) if len(text) < 255 else ROOT
    literal = text.startswith("[")
    return domain if domain.is_askable and len(domain.labels) > 1 and not literal else ROOT


@dataclass(slots=True)
class _Check:
    """One check: its constants, what is left of the budget, and the trace."""

    ip: IPAddress
    sender: Mailbox
    helo: str
    receiver: str
    time_s: int
    budget: LookupBudget
    lookups: int = 0
    voids: int = 0
    trace: list[TraceStep] = field(default_factory=list)
    validated: tuple[DomainName, ...] | None = None  # PTR names of the client that point back to it
    is_nameless: bool = False  # a server said that the client's address has no PTR name

    @property
    def address_type(self) -> RRType:
        return RRType.A if self.ip.version == 4 else RRType.AAAA

    def verdict(self, domain: DomainName) -> Inquiry[SpfVerdict]:
        if not domain:
            return SpfVerdict(Result.NONE, domain)
        try:
            outcome = yield from self.evaluate(domain, 0)
        except _Stopped as stop:
            return SpfVerdict(
                stop.result,
                domain,
                problem=stop.problem,
                problem_at=stop.at,
                lookups=self.lookups,
                void_lookups=self.voids,
                trace=tuple(self.trace),
            )
        explanation = ""
        if outcome.result is Result.FAIL and outcome.record:
            explanation = yield from self.explain(outcome.record, outcome.domain)
        return SpfVerdict(
            outcome.result,
            domain,
            outcome.term.text if outcome.term else "",
            outcome.domain,
            explanation=explanation,
            lookups=self.lookups,
            void_lookups=self.voids,
            trace=tuple(self.trace),
        )

    def evaluate(self, domain: DomainName, depth: int) -> Inquiry[_Outcome]:
        """One record, its includes and its redirect. Depth is bounded by the look-ups in the budget."""
        record = yield from self.fetch(domain)
        if record is None:
            return _Outcome(Result.NONE)
        for directive in record.directives:
            matched = yield from self.matches(directive, domain, depth)
            if matched:
                return _Outcome(_RESULTS[directive.qualifier], domain, directive, record)
        if record.redirect is None:
            return _Outcome(Result.NEUTRAL)  # section 4.7
        outcome = yield from self.follow(record.redirect, domain, depth)
        return outcome

    def fetch(self, domain: DomainName) -> Inquiry[Record | None]:
        """The record to use (sections 4.4 and 4.5); ``None`` where there is none."""
        if not domain.is_askable or len(domain.labels) < 2:
            return None
        answer = yield from ask(Question(domain, RRType.TXT))
        self.require(answer)
        chosen = select_records(answer.txts)
        if len(chosen) > 1:
            raise _Stopped(Result.PERMERROR, Problem.MULTIPLE_RECORDS, domain)
        if not chosen:
            return None
        record = parse_record(chosen[0].joined)
        # Section 4.6: a fault anywhere in the record, before anything of it is used.
        if record.faults:
            raise _Stopped(Result.PERMERROR, Problem.SYNTAX, domain)
        return record

    def require(self, answer: Answer) -> Answer:
        """The answer, unless it is none: temperror (section 5, and 4.4 for the record itself)."""
        if answer.unanswered:
            raise _Stopped(Result.TEMPERROR, Problem.UNANSWERED, answer.question.name)
        return answer

    def charge(self, term: Directive | Modifier, domain: DomainName) -> None:
        self.lookups += lookup_cost(term)
        if self.lookups > self.budget.lookups:
            raise _Stopped(Result.PERMERROR, Problem.TOO_MANY_LOOKUPS, domain)

    def charge_void(self, domain: DomainName) -> None:
        self.voids += 1
        if self.voids > self.budget.void_lookups:
            raise _Stopped(Result.PERMERROR, Problem.TOO_MANY_VOID_LOOKUPS, domain)

    def note(self, depth: int, domain: DomainName, term: str, matched: bool, note: str = "") -> bool:
        self.trace.append(TraceStep(depth, domain, term, matched, note))
        return matched

    def matches(self, term: Directive, domain: DomainName, depth: int) -> Inquiry[bool]:
        """Whether the client matches a mechanism (section 5)."""
        if term.kind is Kind.ALL:
            return self.note(depth, domain, term.text, True)
        if term.network is not None:
            return self.note(depth, domain, term.text, self.ip in term.network)
        self.charge(term, domain)
        if term.target is None:
            target = domain
        else:
            target = yield from self.target(term.target, domain)
        if term.kind is Kind.INCLUDE:
            matched = yield from self.include(term, domain, target, depth)
            return matched
        if not target.is_askable:
            return self.note(depth, domain, term.text, False, "unusable name")
        addresses = yield from self.candidates(term, target)
        matched = addresses is True if isinstance(addresses, bool) else self.is_among(addresses, term)
        shown = "" if isinstance(addresses, bool) else " ".join(addresses)
        return self.note(depth, domain, term.text, matched, shown)

    def candidates(self, term: Directive, target: DomainName) -> Inquiry[tuple[str, ...] | bool]:
        """The addresses to compare with (a, mx), or whether the mechanism matches (exists, ptr)."""
        if term.kind is Kind.MX:
            addresses = yield from self.mx_addresses(target, term)
            return addresses
        if term.kind is Kind.PTR:
            names = yield from self.validated_names()
            if self.is_nameless:
                self.charge_void(target)
            return any(validated.is_within(target) for validated in names)
        # Section 5.7: exists asks for A even when the client is IPv6.
        rrtype = RRType.A if term.kind is Kind.EXISTS else self.address_type
        answer = self.require((yield from ask(Question(target, rrtype))))
        if answer.absent:
            self.charge_void(target)
        return answer.present if term.kind is Kind.EXISTS else answer.addresses

    def mx_addresses(self, target: DomainName, term: Directive) -> Inquiry[tuple[str, ...]]:
        """Section 5.4: addresses of MX hosts only; there is no implicit MX."""
        mx = self.require((yield from ask(Question(target, RRType.MX))))
        if len(mx.exchanges) > self.budget.mx_hosts:
            raise _Stopped(Result.PERMERROR, Problem.TOO_MANY_MX_HOSTS, target)
        hosts = dict.fromkeys(record.exchange for record in mx.exchanges if record.exchange.is_askable)
        answers = yield from ask_all([Question(host, self.address_type) for host in hosts])
        if mx.absent or (answers and all(answer.absent for answer in answers)):
            self.charge_void(target)
        addresses = tuple(address for answer in answers for address in answer.addresses)
        # A host that does not answer is temperror, unless another one matches anyway.
        if not self.is_among(addresses, term):
            for answer in answers:
                self.require(answer)
        return addresses

    def is_among(self, addresses: tuple[str, ...], term: Directive) -> bool:
        bits = term.prefix4 if self.ip.version == 4 else term.prefix6
        suffix = "" if bits is None else f"/{bits}"
        return any(_is_in(self.ip, f"{address}{suffix}") for address in addresses)

    def include(self, term: Directive, domain: DomainName, target: DomainName, depth: int) -> Inquiry[bool]:
        """Section 5.2: only a pass of the target matches; its fail, softfail and neutral do not."""
        at = len(self.trace)
        outcome = yield from self.evaluate(target, depth + 1)
        matched = outcome.result is Result.PASS
        self.trace.insert(at, TraceStep(depth, domain, term.text, matched, outcome.result))
        # Section 5.2: "none" from an include is permerror, not a non-match.
        if outcome.result is Result.NONE:
            raise _Stopped(Result.PERMERROR, Problem.INCLUDE_NONE, target)
        return matched

    def follow(self, redirect: Modifier, domain: DomainName, depth: int) -> Inquiry[_Outcome]:
        """Section 6.1: the target's result is the result; its exp counts and ours does not."""
        self.charge(redirect, domain)
        target = yield from self.target(redirect.value, domain)
        at = len(self.trace)
        outcome = yield from self.evaluate(target, depth + 1)
        self.trace.insert(at, TraceStep(depth, domain, redirect.text, False, outcome.result))
        if outcome.result is Result.NONE:
            raise _Stopped(Result.PERMERROR, Problem.REDIRECT_NONE, target)
        return outcome

    def target(self, spec: MacroString, domain: DomainName) -> Inquiry[DomainName]:
        values = yield from self.values(spec, domain)
        return target_name(expand(spec, values))

    def values(self, spec: MacroString, domain: DomainName) -> Inquiry[Mapping[str, str]]:
        """What the macro letters stand for (section 7.2); the PTR question is only asked for ``%{p}``."""
        validated = "unknown"
        if "p" in spec.letters:
            names = yield from self.validated_names()
            validated = _best_name(names, domain)
        return {
            "s": str(self.sender),
            "l": self.sender.local,
            "o": self.sender.domain,
            "d": domain,
            "i": _dotted(self.ip),
            "p": validated,
            "v": "in-addr" if self.ip.version == 4 else "ip6",
            "h": self.helo,
            "c": str(self.ip),
            "r": self.receiver,
            "t": str(self.time_s),
        }

    def validated_names(self) -> Inquiry[tuple[DomainName, ...]]:
        """Section 5.5: names of the client that lead back to it. Errors mean no name; asked once per check."""
        if self.validated is None:
            pointers = yield from ask(Question(name(self.ip.reverse_pointer), RRType.PTR))
            self.is_nameless = pointers.absent
            names = [pointer for pointer in pointers.names if pointer.is_askable][: self.budget.ptr_names]
            answers = yield from ask_all([Question(pointer, self.address_type) for pointer in names])
            self.validated = tuple(
                answer.question.name
                for answer in answers
                if any(_is_in(self.ip, address) for address in answer.addresses)
            )
        return self.validated

    def explain(self, record: Record, domain: DomainName) -> Inquiry[str]:
        """Section 6.2: the text at exp's target; any trouble on the way means no explanation. Costs no look-ups."""
        exp = record.modifier("exp")
        if exp is None:
            return ""
        target = yield from self.target(exp.value, domain)
        question = Question(target, RRType.TXT)
        answer = (yield from ask(question)) if target.is_askable else not_asked(question, "unaskable")
        text = explanation_template(answer.texts)
        if text is None:
            return ""
        values = yield from self.values(text, domain)
        return expand(text, values)


def _is_in(ip: IPAddress, network: str) -> bool:
    try:
        return ip in ip_network(network, strict=False)
    except ValueError:  # no address at all: evidence may come from anywhere
        return False


def _dotted(ip: IPAddress) -> str:
    """Section 7.3: dotted quad, or all 32 nibbles of an IPv6 address (upper case, as the public test suite wants)."""
    return str(ip) if ip.version == 4 else ".".join(f"{int(ip):032X}")


def _best_name(names: tuple[DomainName, ...], domain: DomainName) -> str:
    """Section 7.3 for ``%{p}``: the domain itself, else a name below it, else any, else "unknown"."""
    below = next((candidate for candidate in names if candidate.is_within(domain)), None)
    return domain if domain in names else below or (names[0] if names else "unknown")
