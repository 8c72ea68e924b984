"""Invented clinics, the same ones for the same seed.

Each publishes SPF with three to eight includes, mostly of providers that many share, two MX hosts, mostly shared too,
DMARC with reports sent to a vendor that agrees to receive them, DKIM keys at some selectors, and TLS-RPT.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Final

from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import DomainName, name

SHARED_SENDERS: Final = 40
SHARED_MAIL_HOSTS: Final = 30
REPORT_VENDORS: Final = 5
SELECTORS: Final = ("google", "selector1", "selector2", "default", "s1", "k1", "mail", "dkim")
TTL_S: Final = 3600

# The public half of a 2048-bit RSA key whose private half was thrown away.
DKIM_KEY: Final = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArAlTCIqvkT8yPJB5ust5eyeQPjHSm/eIu7vSHPA/Z9Ixi404XzDE"
    "aIYjCK5wdQgBZbMv3r/Qf3MtRGHo55RCt5VxpMFeSzf7/AE8aJJV5cDHoTmIA11shWXfPVVBNfUX1tG1ytyjTwI7g52bdm+l"
    "GSNn+o8o+7qUtAYfI8eNi8ImZ7OXixti49fUcsTNr8azXN3zP71bVV/ipeHC+fQFBPURZyjx4dY2On46b3rbBMYF2ae3cnrA"
    "AJG7uSD9srX3iRUVREWWgwIjYxZjjSf4hyCVWTNtiro2Y/yNg+wU3nYz3zgyHvkXk8vyIhQiQ2sY1l3tF1UA6WW82Hn6Rd0j"
    "YwIDAQAB"
)


class Clinics:
    """The DNS of ``count`` clinics and of everybody they depend on. Calling it answers a question at once."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.domains = tuple(name(f"clinic{number:05d}.example.jp") for number in range(count))
        self.records: dict[tuple[DomainName, RRType], list[Rdata]] = defaultdict(list)
        self._random = random.Random(seed)
        self._publish_providers()
        for number, domain in enumerate(self.domains):
            self._publish_clinic(number, domain)
        self.names = {parent for owner, _ in self.records for parent in (owner, *owner.ancestors())}

    def __call__(self, question: Question) -> Answer:
        records = self.records.get((question.name, question.rrtype))
        if records:
            return Answer(question, Status.DATA, tuple(records), ttl_s=TTL_S, rcode=0)
        status = Status.NO_DATA if question.name in self.names else Status.NXDOMAIN
        return Answer(question, status, ttl_s=TTL_S, rcode=3 if status is Status.NXDOMAIN else 0)

    def _add(self, owner: str, rrtype: RRType, *records: Rdata) -> None:
        self.records[name(owner), rrtype].extend(records)

    def _add_text(self, owner: str, text: str) -> None:
        octets = text.encode()
        strings = tuple(octets[start : start + 255] for start in range(0, len(octets), 255))
        self._add(owner, RRType.TXT, Txt(strings))

    def _publish_providers(self) -> None:
        for number in range(SHARED_SENDERS):
            nested = f"include:spf2.sender{number:02d}.example.net " if number % 7 == 0 else ""
            self._add_text(f"spf.sender{number:02d}.example.net", f"v=spf1 {nested}{self._networks(6)} ~all")
            if nested:
                self._add_text(f"spf2.sender{number:02d}.example.net", f"v=spf1 {self._networks(4)} ~all")
        for number in range(SHARED_MAIL_HOSTS):
            for host in (f"mx1.host{number:02d}.example.net", f"mx2.host{number:02d}.example.net"):
                self._publish_host(host)
        for number in range(REPORT_VENDORS):
            vendor = f"dmarc{number}.example.com"
            self._add(vendor, RRType.MX, Mx(10, name(f"mx.{vendor}")))
            self._publish_host(f"mx.{vendor}")
        for server in ("ns1.example.net", "ns2.example.net"):
            self._publish_host(server)

    def _publish_host(self, host: str) -> None:
        octets = [192, 0, 2, self._random.randrange(1, 255)]
        octets[:3] = self._random.choice(([192, 0, 2], [198, 51, 100], [203, 0, 113]))
        self._add(host, RRType.A, ".".join(map(str, octets)))
        reverse = ".".join(map(str, reversed(octets))) + ".in-addr.arpa"
        if (name(reverse), RRType.PTR) not in self.records:
            self._add(reverse, RRType.PTR, name(host))
        if self._random.random() < 0.3:
            self._add(host, RRType.AAAA, f"2001:db8::{self._random.randrange(1, 0xFFFF):x}")

    def _networks(self, count: int) -> str:
        chosen = (f"{self._random.choice(('192.0.2', '198.51.100', '203.0.113'))}" for _ in range(count))
        return " ".join(f"ip4:{network}.{self._random.randrange(0, 16) * 16}/28" for network in chosen)

    def _publish_clinic(self, number: int, domain: DomainName) -> None:
        self._publish_zone(number, domain)
        self._publish_spf(domain)
        self._publish_mx(number, domain)
        vendor = f"dmarc{number % REPORT_VENDORS}.example.com"
        policy = ("none", "quarantine", "reject")[number % 3]
        self._add_text(f"_dmarc.{domain}", f"v=DMARC1; p={policy}; rua=mailto:clinic{number}@{vendor}")
        self._add_text(f"{domain}._report._dmarc.{vendor}", "v=DMARC1")
        self._add_text(f"_smtp._tls.{domain}", f"v=TLSRPTv1; rua=mailto:tls{number}@{vendor}")
        for selector in self._random.sample(SELECTORS, self._random.randint(1, 3)):
            self._add_text(f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={DKIM_KEY}")

    def _publish_zone(self, number: int, domain: DomainName) -> None:
        self._add(domain, RRType.NS, name("ns1.example.net"), name("ns2.example.net"))
        self._add(domain, RRType.SOA, "ns1.example.net. hostmaster.example.net. 1 3600 600 86400 3600")
        self._add(domain, RRType.A, f"192.0.2.{number % 250 + 1}")
        self._add_text(domain, f"site-verification={number:032x}")

    def _publish_spf(self, domain: DomainName) -> None:
        chosen = self._random.sample(range(SHARED_SENDERS), self._random.randint(3, 8))
        includes = [f"spf.sender{sender:02d}.example.net" for sender in chosen]
        if self._random.random() < 0.2:
            includes[-1] = f"_spf.{domain}"
            self._add_text(includes[-1], f"v=spf1 {self._networks(2)} -all")
        nested = sum((name(f"spf2.{include[4:]}"), RRType.TXT) in self.records for include in includes)
        terms = " ".join(
            f"include:{include}" for include in includes[: len(includes) - max(0, len(includes) + nested - 10)]
        )
        self._add_text(domain, f"v=spf1 ip4:192.0.2.0/28 {terms} {self._random.choice(('~all', '-all'))}")

    def _publish_mx(self, number: int, domain: DomainName) -> None:
        shared = self._random.randrange(SHARED_MAIL_HOSTS)
        hosts = [f"mx1.host{shared:02d}.example.net", f"mx2.host{shared:02d}.example.net"]
        if number % 5 == 0:
            hosts[0] = f"mail.{domain}"
            self._publish_host(hosts[0])
        self._add(domain, RRType.MX, *(Mx(10 * rank, name(host)) for rank, host in enumerate(hosts, start=1)))
