"""Questions as octets, and octets as what they say.

Queries are built by hand: a fixed head, the question, a fixed tail. Responses are hostile input. dnspython reads
every name and every record (its readers bound compression pointers and never look past a record's end); what is ours
is the walk over the sections. ``dns.message.from_wire`` would do that too, at more than three times the cost, because
it sorts all sections into sets that nobody here looks at.

Pure: no socket, no clock. Whatever arrives, ``read_response`` returns a ``Reading`` and does not raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire

from mailguard.inquiry import Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import DomainName, escape_label

MAX_ALIASES: Final = 16
"""Longest CNAME chain followed; resolvers in use give up after 8 to 16."""

MAX_RECORDS: Final = 500
"""Most records that a response may claim to hold in answer and authority; the largest honest ones have some dozens."""

UDP_PAYLOAD: Final = 1232
"""EDNS payload size that no path fragments (the "DNS flag day 2020" value)."""

_TYPE_CODES: Final = {rrtype: int(dns.rdatatype.from_text(rrtype)) for rrtype in RRType}
_NS: Final = _TYPE_CODES[RRType.NS]
_SOA: Final = _TYPE_CODES[RRType.SOA]
_CNAME: Final = _TYPE_CODES[RRType.CNAME]
_OPT: Final = 41
_IN: Final = b"\x00\x01"

# RD, and AD: "I understand AD, tell me" (RFC 6840 section 5.7). Not DO: it would have the signatures sent along, which
# nobody here checks, and push many answers over the UDP limit.
_HEAD: Final = b"\x01\x20\x00\x01\x00\x00\x00\x00"
_PLAIN_TAIL: Final = b"\x00\x00"  # no additional record; the count stands before the question
_EDNS_COUNT: Final = b"\x00\x01"
_OPT_RECORD: Final = b"\x00\x00\x29" + UDP_PAYLOAD.to_bytes(2, "big") + b"\x00\x00\x00\x00\x00\x00"

_POINTER_TO_QUESTION: Final = b"\xc0\x0c"

_FORMERR, _SERVFAIL, _NXDOMAIN, _NOTIMP, _REFUSED, _BADVERS = 1, 2, 3, 4, 5, 16

_PLAIN_NAME = re.compile(rb"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")
_LABEL_PARTS = re.compile(r"\\([0-9]{3})|\\([^0-9])|([^\\.])|(\.)")


class Reading(NamedTuple):
    """What one response says about one question."""

    status: Status
    rcode: int | None = None
    records: tuple[Rdata, ...] = ()
    aliases: tuple[DomainName, ...] = ()
    ttl_s: int | None = None
    authenticated: bool = False
    unfinished: bool = False  # the response stops at the last alias: its target has to be asked for
    note: str = ""

    @property
    def wants_plain(self) -> bool:
        """Whether the server may have stumbled over EDNS (RFC 6891 section 7)."""
        return self.rcode in (_FORMERR, _NOTIMP, _BADVERS)


MALFORMED: Final = Reading(Status.ERROR, note="malformed")


def encode_question(question: Question) -> bytes | None:
    """Name, type and class in wire form; ``None`` for a name that does not fit into a question."""
    if not question.name.is_askable:
        return None
    labels = _encode_labels(question.name)
    if labels is None or len(labels) > 254:
        return None
    return labels + b"\x00" + _TYPE_CODES[question.rrtype].to_bytes(2, "big") + _IN


def _encode_labels(name: DomainName) -> bytes | None:
    if "\\" not in name:
        if not name.isascii():
            return None
        return b"".join(bytes((len(label),)) + label.encode("ascii") for label in name.split("."))
    labels = [bytearray()]
    end = 0
    for match in _LABEL_PARTS.finditer(name):
        code, escaped, plain, dot = match.groups()
        if match.start() != end or (code and int(code) > 255) or not match[0].isascii():
            return None
        end = match.end()
        if dot:
            labels.append(bytearray())
        else:
            labels[-1].append(int(code) if code else ord(escaped or plain))
    if end != len(name) or any(not 0 < len(label) < 64 for label in labels):
        return None
    return b"".join(bytes((len(label),)) + label for label in labels)


def build_query(query_id: int, question_octets: bytes, *, edns: bool) -> bytes:
    """A query with recursion desired; with ``edns`` it offers to take 1232 octets."""
    count, tail = (_EDNS_COUNT, _OPT_RECORD) if edns else (_PLAIN_TAIL, b"")
    return query_id.to_bytes(2, "big") + _HEAD + count + question_octets + tail


def answers_question(octets: bytes, question_octets: bytes) -> bool:
    """Whether this is a response (not a query) to exactly this question; the caller has compared id and source."""
    # QR set, opcode QUERY.
    if len(octets) < 12 or octets[2] & 0xF8 != 0x80:
        return False
    if octets[4:6] == b"\x00\x00":
        # Servers that could not read or will not handle a query may leave the question out. Nothing but a failure
        # can be said in this way.
        return octets[3] & 0x0F in (_FORMERR, _SERVFAIL, _NOTIMP, _REFUSED)
    echo = octets[12 : 12 + len(question_octets)]
    return (
        octets[4:6] == b"\x00\x01" and echo[-4:] == question_octets[-4:] and echo[:-4].lower() == question_octets[:-4]
    )


def is_truncated(octets: bytes) -> bool:
    """TC: there is more, ask over TCP."""
    return bool(octets[2] & 0x02)


class _Record(NamedTuple):
    owner: DomainName
    code: int
    ttl_s: int
    rdata: dns.rdata.Rdata


class _Response(NamedTuple):
    asked: DomainName  # in canonical form, whatever escapes the question came with
    answer: list[_Record]
    authority: list[_Record]
    rcode: int
    authoritative: bool
    recursive: bool
    authenticated: bool


def read_response(question: Question, octets: bytes) -> Reading:
    """What the response says, CNAME chain followed as far as the response goes. Never raises.

    Bounds: 500 records, 16 aliases; the octets themselves are bounded by UDP and TCP (65,535).
    """
    rcode = octets[3] & 0x0F
    if rcode not in (0, _NXDOMAIN):
        return _failure(rcode)
    try:
        response = _read_sections(octets)
        if response.rcode not in (0, _NXDOMAIN):
            return _failure(response.rcode)
        return _interpret(question, response)
    except (dns.exception.DNSException, ValueError, LookupError, AttributeError, ArithmeticError, TypeError):
        # Hostile octets in somebody else's reader: whatever it trips over, the response cannot be read.
        return MALFORMED


def _failure(rcode: int) -> Reading:
    if rcode == _SERVFAIL:
        return Reading(Status.SERVFAIL, rcode)
    if rcode == _REFUSED:
        return Reading(Status.REFUSED, rcode)
    return Reading(Status.ERROR, rcode)


def _read_sections(octets: bytes) -> _Response:
    questions, answers, authorities, additionals = (int.from_bytes(octets[at : at + 2], "big") for at in (4, 6, 8, 10))
    if questions != 1 or answers + authorities > MAX_RECORDS:
        raise ValueError("more than any honest response holds")
    parser = dns.wire.Parser(octets, 12)
    asked = _read_name(parser)
    parser.get_struct("!HH")
    answer = list(_read_records(parser, answers, asked))
    # The authority section matters where there may be nothing in the answer, and only then.
    needs_more = not answer or answer[-1].code == _CNAME
    authority = list(_read_records(parser, authorities, asked)) if needs_more else []
    rcode = octets[3] & 0x0F
    if not answer:
        rcode |= _extended_rcode(parser, min(additionals, MAX_RECORDS))
    authoritative, recursive, authenticated = octets[2] & 0x04, octets[3] & 0x80, octets[3] & 0x20
    return _Response(asked, answer, authority, rcode, bool(authoritative), bool(recursive), bool(authenticated))


def _read_records(parser: dns.wire.Parser, count: int, asked: DomainName) -> Iterator[_Record]:
    """Records of class IN and of the types that we know; others are stepped over."""
    for _ in range(count):
        if parser.wire[parser.current : parser.current + 2] == _POINTER_TO_QUESTION:
            parser.get_bytes(2)
            owner = asked  # nearly always so, and a name is dear to read
        else:
            owner = _read_name(parser)
        code, rdclass, ttl_s, length = parser.get_struct("!HHIH")
        with parser.restrict_to(length):
            if rdclass != 1 or code not in _READABLE:
                parser.get_remaining()
                continue
            rdata = dns.rdata.from_wire_parser(dns.rdataclass.IN, code, parser)
        # RFC 2181 section 8: a TTL with the top bit set counts as 0.
        yield _Record(owner, code, ttl_s if ttl_s < 0x8000_0000 else 0, rdata)


def _extended_rcode(parser: dns.wire.Parser, count: int) -> int:
    """The upper bits of the response code, from the OPT record (RFC 6891 section 6.1.3)."""
    for _ in range(count):
        _skip_name(parser)
        code, _, ttl_s, length = parser.get_struct("!HHIH")
        parser.get_bytes(length)
        if code == _OPT:
            return int(ttl_s >> 24) << 4
    return 0


def _skip_name(parser: dns.wire.Parser) -> None:
    while length := parser.get_uint8():
        if length >= 0xC0:
            parser.get_uint8()
            return
        parser.get_bytes(length)


def _read_name(parser: dns.wire.Parser) -> DomainName:
    return domain_name(parser.get_name(decompress=True).labels)


@lru_cache(maxsize=8192)
def domain_name(labels: tuple[bytes, ...]) -> DomainName:
    """The canonical form of an absolute name's labels, the root's empty one included."""
    dotted = b".".join(labels[:-1]).lower()
    if _PLAIN_NAME.match(dotted):
        plain = DomainName(dotted.decode("ascii"))
        if dotted.count(b".") == len(labels) - 2:  # a dot inside a label needs its escape
            return plain
    return DomainName(".".join(escape_label(label) for label in labels[:-1]))


def _interpret(question: Question, response: _Response) -> Reading:
    owner, aliases, ttl_s = response.asked, list[DomainName](), 2**31
    wanted = _TYPE_CODES[question.rrtype]
    while True:
        found = [record for record in response.answer if record.owner == owner and record.code == wanted]
        if found:
            ttl_s = min(ttl_s, *(record.ttl_s for record in found))
            records = tuple(dict.fromkeys(_READABLE[wanted](record.rdata) for record in found))
            return Reading(Status.DATA, 0, records, tuple(aliases), ttl_s, response.authenticated)
        alias = next((r for r in response.answer if r.owner == owner and r.code == _CNAME), None)
        if alias is None:
            return _nothing(owner, tuple(aliases), ttl_s, response)
        ttl_s = min(ttl_s, alias.ttl_s)
        owner = _target(alias.rdata)
        if owner in aliases or owner == response.asked:
            return Reading(Status.ERROR, response.rcode, aliases=tuple(aliases), note="cname-loop")
        aliases.append(owner)
        if len(aliases) > MAX_ALIASES:
            return Reading(Status.ERROR, response.rcode, aliases=tuple(aliases), note="cname-chain")


def _nothing(owner: DomainName, aliases: tuple[DomainName, ...], ttl_s: int, response: _Response) -> Reading:
    """What it means that the response has no record of the type asked for at the end of its chain.

    Absence is believed where a server vouches for it. RFC 2308 section 2.2: a SOA in the authority section makes a
    denial. Without one, an authoritative server denies too, and so does a recursive one that says nothing else
    (forwarders in home routers drop the authority section). But name servers of somebody else, without SOA and without
    authority (a referral), or a server that neither has the zone nor looks it up (lame), only say "not here": that is a
    failure, and must not pass for "there is no such record".
    """
    soa = next((record for record in response.authority if record.code == _SOA), None)
    if soa is not None:
        # RFC 2308 section 5: the smaller of the SOA's own TTL and its MINIMUM field.
        negative_ttl_s: int | None = min(ttl_s, soa.ttl_s, soa.rdata.minimum)  # type: ignore[attr-defined]
    else:
        negative_ttl_s = ttl_s if aliases else None
    if response.rcode == _NXDOMAIN:
        # RFC 6604: the code is about the last name of the chain.
        return Reading(Status.NXDOMAIN, _NXDOMAIN, (), aliases, negative_ttl_s, response.authenticated)
    vouched = soa is not None and owner.is_within(soa.owner)
    if aliases and not vouched:
        return Reading(Status.NO_DATA, 0, (), aliases, ttl_s, response.authenticated, unfinished=True)
    referral = any(record.code == _NS for record in response.authority)
    if soa is not None or response.authoritative or (response.recursive and not referral):
        return Reading(Status.NO_DATA, 0, (), aliases, negative_ttl_s, response.authenticated)
    return Reading(Status.ERROR, 0, note="lame")


def _target(rdata: dns.rdata.Rdata) -> DomainName:
    return domain_name(rdata.target.labels)  # type: ignore[attr-defined]


def _address(rdata: dns.rdata.Rdata) -> str:
    return str(rdata.address)  # type: ignore[attr-defined]


def _mx(rdata: dns.rdata.Rdata) -> Mx:
    return Mx(rdata.preference, domain_name(rdata.exchange.labels))  # type: ignore[attr-defined]


def _txt(rdata: dns.rdata.Rdata) -> Txt:
    return Txt(tuple(rdata.strings))  # type: ignore[attr-defined]


def _text(rdata: dns.rdata.Rdata) -> str:
    return rdata.to_text()


_READERS: Final[dict[RRType, Callable[[dns.rdata.Rdata], Rdata]]] = {
    RRType.A: _address,
    RRType.AAAA: _address,
    RRType.CNAME: _target,
    RRType.MX: _mx,
    RRType.NS: _target,
    RRType.PTR: _target,
    RRType.SPF: _txt,
    RRType.TXT: _txt,
}
_READABLE: Final = {code: _READERS.get(rrtype, _text) for rrtype, code in _TYPE_CODES.items()}
