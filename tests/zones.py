"""A DNS zone as a few lines of text, for tests: ``run(inquiry, Zone.parse(text))``.

::

    clinic.example.jp            TXT  "v=spf1 mx -all"
    _dmarc.clinic.example.jp     TXT  "v=DMARC1; " "p=reject"      ; two character-strings
    clinic.example.jp            MX   10 mail.clinic.example.jp
    mail.clinic.example.jp       A    192.0.2.1
    www.clinic.example.jp        CNAME web.example.net
    *.clinic.example.jp          TXT  "v=spf1 -all"
    slow.example.net             TXT  !timeout                     ; also !servfail !refused !error
    _domainkey.clinic.example.jp TXT  !nxdomain                    ; a server that wrongly denies an existing name
    slow.example.net             *    !servfail                    ; every type

Names that nobody mentions are NXDOMAIN, unless a mentioned name lies below them (empty non-terminal: no data).
``;`` starts a comment outside quotes. ``\\DDD`` and ``\\"`` escapes work inside quotes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import DomainName, name

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(;.*)|(\S+)')
_FAILURES = {
    "!timeout": Status.TIMEOUT,
    "!servfail": Status.SERVFAIL,
    "!refused": Status.REFUSED,
    "!error": Status.ERROR,
    "!nxdomain": Status.NXDOMAIN,
}
_RCODES = {
    Status.DATA: 0,
    Status.NO_DATA: 0,
    Status.NXDOMAIN: 3,
    Status.SERVFAIL: 2,
    Status.REFUSED: 5,
}
_NAME_TYPES = (RRType.CNAME, RRType.NS, RRType.PTR)


def _unescape(text: str) -> bytes:
    out = re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if m[1].isdigit() else m[1], text)
    try:
        return out.encode("latin-1")
    except UnicodeEncodeError:
        return out.encode("utf-8")


@dataclass
class Zone:
    """All of DNS, as far as one test is concerned. Calling it answers a question; ``asked`` counts them."""

    records: dict[tuple[DomainName, str], list[Rdata]] = field(default_factory=dict)
    failures: dict[tuple[DomainName, str], Status] = field(default_factory=dict)
    asked: Counter[Question] = field(default_factory=Counter)
    ttl_s: int = 3600

    @classmethod
    def parse(cls, text: str) -> Zone:
        zone = cls()
        for line in text.splitlines():
            tokens = [
                (match[1], True) if match[1] is not None else (match[3], False)
                for match in _TOKEN.finditer(line)
                if match[2] is None
            ]
            if tokens:
                zone._add([text for text, _ in tokens], quoted=[q for _, q in tokens])
        return zone

    def _add(self, tokens: list[str], quoted: list[bool]) -> None:
        owner, rrtype, *rest = tokens
        owner_name = name(owner)
        if rest[0] in _FAILURES and not quoted[2]:
            self.failures[owner_name, rrtype] = _FAILURES[rest[0]]
            return
        rdata: Rdata
        if rrtype in ("TXT", "SPF"):
            rdata = Txt(tuple(_unescape(string) for string in rest))
        elif rrtype == "MX":
            rdata = Mx(int(rest[0]), name(rest[1]))
        elif rrtype in _NAME_TYPES:
            rdata = name(rest[0])
        else:
            rdata = " ".join(rest)
        self.records.setdefault((owner_name, rrtype), []).append(rdata)

    def __call__(self, question: Question) -> Answer:
        self.asked[question] += 1
        return self._answer(question, question.name, ())

    def _answer(self, question: Question, at: DomainName, aliases: tuple[DomainName, ...]) -> Answer:
        failure = self.failures.get((at, question.rrtype)) or self.failures.get((at, "*"))
        if failure:
            return self._say(question, failure, (), aliases)
        source = self._source_of(at)
        if source is None:
            return self._say(question, Status.NXDOMAIN, (), aliases)
        target = self.records.get((source, "CNAME"))
        if target and question.rrtype is not RRType.CNAME and len(aliases) < 16:
            alias = target[0]
            assert isinstance(alias, DomainName)
            return self._answer(question, alias, (*aliases, alias))
        records = tuple(self.records.get((source, question.rrtype), ()))
        status = Status.DATA if records else Status.NO_DATA
        return self._say(question, status, records, aliases)

    def _source_of(self, at: DomainName) -> DomainName | None:
        owners = {owner for owner, _ in (*self.records, *self.failures)}
        if any(owner.is_within(at) for owner in owners):
            return at
        for ancestor in at.ancestors():
            if ancestor.child("*") in owners:
                return ancestor.child("*")
            if any(owner.is_within(ancestor) for owner in owners):
                return None  # RFC 4592: the closest encloser has no wildcard
        return None

    def _say(
        self,
        question: Question,
        status: Status,
        records: tuple[Rdata, ...],
        aliases: tuple[DomainName, ...],
    ) -> Answer:
        return Answer(
            question,
            status,
            records,
            aliases,
            ttl_s=self.ttl_s if status in (Status.DATA, Status.NO_DATA, Status.NXDOMAIN) else None,
            rcode=_RCODES.get(status),
            server="test",
        )
