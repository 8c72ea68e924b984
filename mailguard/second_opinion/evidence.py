"""Our answers in the shape in which checkdmarc asks for them.

checkdmarc takes any object with ``.lifetime`` and ``.resolve(name, type, lifetime=)``. It forgets that object for the
TXT record behind ``exp=``; there it is given a name server that is really this same evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import DomainName, name

MAX_TEXT_OCTETS: Final = 8192
"""Longest TXT record handed over, in octets: its patterns backtrack, and a pattern at work cannot be interrupted."""


class NotInEvidence(dns.resolver.NoNameservers):
    """Nobody asked this question. Derived from "no name server answered", so that it never reads as "absent"."""

    msg = "The evidence does not hold this question."


class TextData(NamedTuple):
    """A TXT record as checkdmarc reads it."""

    strings: tuple[bytes, ...]

    def to_text(self) -> str:
        """Presentation form; asked for type 99 only, where it goes into a warning."""
        return " ".join(f'"{string.decode("ascii", "backslashreplace")}"' for string in self.strings)


class NameData(NamedTuple):
    """A name or an address as checkdmarc reads it."""

    text: str

    def to_text(self) -> str:
        return self.text


class MxData(NamedTuple):
    """An MX record as checkdmarc reads it: the null MX is exactly ``.``."""

    preference: int
    exchange: NameData


class EvidenceResolver:
    """Serves what was answered, raises what was not, and remembers both kinds of gap.

    ``missing`` are questions without an answer in the evidence, ``failed`` those that nobody answered, in the order
    in which they were met.
    """

    lifetime = 0.0

    def __init__(self, answers: Mapping[Question, Answer]) -> None:
        self._answers = {**_implied(answers), **answers}
        self._denied = {question.name for question, answer in answers.items() if answer.denies_name}
        self.missing: dict[Question, None] = {}
        self.failed: dict[Question, None] = {}

    def resolve(self, qname: str, rdtype: str, lifetime: float | None = None) -> list[Any]:
        """Records for one question, or dnspython's exception for what became of it. ``lifetime`` means nothing here."""
        question = Question(_canonical(qname), RRType(rdtype))
        answer = self.find(question)
        match answer.status if answer else Status.NOT_ASKED:
            case Status.DATA:
                return self._records(question, answer)
            case Status.NXDOMAIN:
                raise dns.resolver.NXDOMAIN
            case Status.NO_DATA:
                raise dns.resolver.NoAnswer
            case Status.NOT_ASKED:
                self.missing[question] = None
                raise NotInEvidence
            case Status.TIMEOUT:
                self.failed[question] = None
                # checkdmarc rounds this argument without looking whether it is there.
                raise dns.resolver.LifetimeTimeout(timeout=0.0, errors=[])  # type: ignore[no-untyped-call]
        self.failed[question] = None
        raise dns.resolver.NoNameservers

    def find(self, question: Question) -> Answer | None:
        """The answer to ``question``, where the evidence holds one or implies it."""
        answer = self._answers.get(question)
        if (answer is None or answer.status is Status.NOT_ASKED) and question.name in self._denied:
            # RFC 8020 section 2: a name that does not exist has no records of any type.
            return Answer(question, Status.NXDOMAIN)
        return answer

    def _records(self, question: Question, answer: Answer | None) -> list[Any]:
        records = [_translate(record) for record in answer.records] if answer else []
        if any(isinstance(record, TextData) and sum(map(len, record.strings)) > MAX_TEXT_OCTETS for record in records):
            self.missing[question] = None
            raise NotInEvidence
        return records


class EvidenceNameserver(dns.nameserver.Nameserver):
    """The evidence behind dnspython's own resolver, for the one question that checkdmarc asks past ours."""

    def __init__(self, resolver: EvidenceResolver) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._resolver = resolver

    def __str__(self) -> str:
        return "evidence"

    def kind(self) -> str:
        return "evidence"

    def is_always_max_size(self) -> bool:
        return True

    def answer_nameserver(self) -> str:
        return "evidence"

    def answer_port(self) -> int:
        return 0

    def query(self, request: dns.message.QueryMessage, *_: Any, **__: Any) -> dns.message.Message:
        """The response to ``request``: REFUSED for what is missing or unanswered."""
        asked = request.question[0]
        response = dns.message.make_response(request)
        try:
            records = self._resolver.resolve(asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype))
        except dns.resolver.NXDOMAIN:
            response.set_rcode(dns.rcode.NXDOMAIN)
        except dns.resolver.NoAnswer:
            pass
        except (dns.exception.DNSException, ValueError):
            response.set_rcode(dns.rcode.REFUSED)
        else:
            rrset = response.find_rrset(response.answer, asked.name, asked.rdclass, asked.rdtype, create=True)
            for record in records:
                wire = b"".join(bytes([len(string)]) + string for string in record.strings)
                rrset.add(dns.rdata.from_wire(asked.rdclass, asked.rdtype, wire, 0, len(wire)))
        return response


def _canonical(qname: str) -> DomainName:
    """Our form of a name as checkdmarc writes it; raises dnspython's exception for one that fits into no question."""
    canonical = name(qname)
    if canonical.is_askable and canonical.isascii():
        return canonical
    return name(dns.name.from_text(qname).to_text())


def _translate(record: Rdata) -> TextData | MxData | NameData:
    match record:
        case Txt():
            return TextData(record.strings or (b"",))
        case Mx():
            return MxData(record.preference, NameData(f"{record.exchange}."))
        case DomainName():
            return NameData(f"{record}.")
    return NameData(record)


def _implied(answers: Mapping[Question, Answer]) -> dict[Question, Answer]:
    """What the answers say beyond their own question: the CNAMEs on the way and the records at each of them."""
    return {implied.question: implied for answer in answers.values() for implied in _implications(answer)}


def _implications(answer: Answer) -> Iterator[Answer]:
    if answer.unanswered or answer.question.rrtype is RRType.CNAME:
        return
    owner, rrtype = answer.question
    for position, target in enumerate(answer.aliases, start=1):
        yield Answer(Question(owner, RRType.CNAME), Status.DATA, (target,))
        owner = target
        yield Answer(Question(owner, rrtype), answer.status, answer.records, answer.aliases[position:])
    # RFC 1034 section 3.6.2: where the chain ends there is no CNAME, or the server would have followed it.
    end = Status.NO_DATA if answer.present else answer.status
    yield Answer(Question(owner, RRType.CNAME), end)
