"""The resolver against real servers: nsd (authoritative) and unbound (recursive, validating)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from mailguard.evidence import Evidence, source_of
from mailguard.evidence.codec import format_evidence, parse_evidence
from mailguard.inquiry import Answer, Inquiry, Mx, Question, RRType, Status, ask_all, run, together
from mailguard.names import name
from mailguard.resolver import NameServer, Resolver, ResolverSettings, Session, drive
from tests.integration.dns_servers import find_program, running_nsd, running_unbound, sign

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (find_program("nsd") and find_program("unbound")), reason="needs the programs nsd and unbound"
    ),
]

HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 7200 900 1209600 60\n@ IN NS ns\nns IN A 127.0.0.1\n"

CLINIC = f"""{HEAD}
@          IN TXT   "v=spf1 mx " "include:spf.example.net. -all"
@          IN TXT   "\\230\\255"
@          IN MX    10 mail
@          IN MX    20 backup.example.net.
mail       IN A     192.0.2.1
mail       IN AAAA  2001:db8::1
_dmarc     IN TXT   "v=DMARC1; p=reject"
a.deep     IN A     192.0.2.9
inside     IN CNAME mail
one        IN CNAME two
two        IN CNAME mail
outside    IN CNAME web.example.net.
dangling   IN CNAME nowhere.example.net.
loop       IN CNAME pool
pool       IN CNAME loop
*.wild     IN TXT   "anything"
big        IN TXT   {" ".join(['"' + "x" * 250 + '"'] * 40)}
sub        IN NS    ns.sub
ns.sub     IN A     127.0.0.1
"""

OTHER = f'{HEAD}\nweb IN A 192.0.2.80\nspf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n'
SIGNED = f'{HEAD}\n@ IN TXT "v=spf1 -all"\nmail IN A 192.0.2.3\n'
BROKEN = SIGNED


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NameServer, NameServer]]:
    """nsd and unbound."""
    signed, broken = sign("signed.example.", SIGNED), sign("broken.example.", BROKEN)
    tampered = broken.text.replace("v=spf1 -all", "v=spf1 +all")
    assert tampered != broken.text
    zones = {
        "clinic.example.": CLINIC,
        "example.net.": OTHER,
        "signed.example.": signed.text,
        "broken.example.": tampered,
    }
    with running_nsd(tmp_path_factory.mktemp("nsd"), zones) as authority:
        anchors = [signed.anchor, broken.anchor]
        with running_unbound(
            tmp_path_factory.mktemp("unbound"), authority, [*zones, "lame.example."], anchors
        ) as recursive:
            yield authority, recursive


@pytest_asyncio.fixture
async def nsd(servers: tuple[NameServer, NameServer]) -> AsyncIterator[Resolver]:
    async with Resolver(ResolverSettings(nameservers=servers[:1])) as resolver:
        yield resolver


@pytest_asyncio.fixture
async def unbound(servers: tuple[NameServer, NameServer]) -> AsyncIterator[Resolver]:
    async with Resolver(ResolverSettings(nameservers=servers[1:])) as resolver:
        yield resolver


@pytest.fixture(params=["nsd", "unbound"])
def either(request: pytest.FixtureRequest) -> str:
    """The name of the fixture to ask."""
    return str(request.param)


def q(owner: str, rrtype: RRType = RRType.TXT) -> Question:
    return Question(name(owner), rrtype)


class TestBoth:
    """What an authoritative and a recursive server must be understood to say alike."""

    @pytest_asyncio.fixture
    async def resolver(self, either: str, servers: tuple[NameServer, NameServer]) -> AsyncIterator[Resolver]:
        server = servers[either == "unbound"]
        async with Resolver(ResolverSettings(nameservers=(server,))) as resolver:
            yield resolver

    async def test_records_of_each_type(self, resolver: Resolver) -> None:
        spf = await resolver.resolve(q("clinic.example"))
        assert set(spf.texts) == {b"v=spf1 mx include:spf.example.net. -all", b"\xe6\xff"}
        mx = await resolver.resolve(q("clinic.example", RRType.MX))
        assert mx.exchanges == (Mx(10, name("mail.clinic.example")), Mx(20, name("backup.example.net")))
        assert (await resolver.resolve(q("mail.clinic.example", RRType.A))).addresses == ("192.0.2.1",)
        assert (await resolver.resolve(q("mail.clinic.example", RRType.AAAA))).addresses == ("2001:db8::1",)
        assert (await resolver.resolve(q("clinic.example", RRType.NS))).names == ("ns.clinic.example",)

    async def test_denials(self, resolver: Resolver) -> None:
        missing = await resolver.resolve(q("missing.clinic.example"))
        assert (missing.status, missing.denies_name, missing.rcode) == (Status.NXDOMAIN, True, 3)
        assert missing.ttl_s == 60
        assert (await resolver.resolve(q("mail.clinic.example"))).status is Status.NO_DATA
        # An empty non-terminal exists (RFC 8020 section 2).
        assert (await resolver.resolve(q("deep.clinic.example"))).status is Status.NO_DATA

    async def test_wildcards(self, resolver: Resolver) -> None:
        assert (await resolver.resolve(q("x7.wild.clinic.example"))).texts == (b"anything",)
        assert (await resolver.resolve(q("a.b.wild.clinic.example"))).texts == (b"anything",)
        assert (await resolver.resolve(q("x7.wild.clinic.example", RRType.MX))).status is Status.NO_DATA

    async def test_aliases(self, resolver: Resolver) -> None:
        inside = await resolver.resolve(q("one.clinic.example", RRType.A))
        assert (inside.addresses, inside.aliases) == (("192.0.2.1",), ("two.clinic.example", "mail.clinic.example"))
        outside = await resolver.resolve(q("outside.clinic.example", RRType.A))
        assert (outside.addresses, outside.aliases) == (("192.0.2.80",), ("web.example.net",))
        dangling = await resolver.resolve(q("dangling.clinic.example", RRType.A))
        assert (dangling.status, dangling.denies_name) == (Status.NXDOMAIN, False)
        assert (await resolver.resolve(q("outside.clinic.example", RRType.CNAME))).names == ("web.example.net",)

    async def test_a_loop_is_unanswered(self, resolver: Resolver) -> None:
        assert (await resolver.resolve(q("loop.clinic.example", RRType.A))).unanswered

    async def test_a_big_answer_comes_over_tcp(self, resolver: Resolver) -> None:
        big = await resolver.resolve(q("big.clinic.example"))
        assert [len(text) for text in big.texts] == [10_000]
        assert resolver.statistics.by_tcp == 1

    async def test_many_at_once(self, resolver: Resolver) -> None:
        def inquiry() -> Inquiry[tuple[Answer, ...]]:
            return (yield from ask_all([q(f"n{n}.wild.clinic.example") for n in range(600)]))

        with Session(resolver, max_questions=1000) as session:
            answers = await drive(inquiry(), session)
        assert {answer.texts for answer in answers} == {(b"anything",)}


class TestAuthority:
    async def test_a_referral_is_no_denial(self, nsd: Resolver) -> None:
        answer = await nsd.resolve(q("host.sub.clinic.example"))
        assert (answer.status, answer.note) == (Status.ERROR, "lame")

    async def test_a_zone_that_it_does_not_serve_is_refused(self, nsd: Resolver) -> None:
        assert (await nsd.resolve(q("elsewhere.example"))).status is Status.REFUSED

    async def test_nothing_is_authenticated(self, nsd: Resolver) -> None:
        assert not (await nsd.resolve(q("signed.example"))).authenticated


class TestValidation:
    async def test_a_signed_answer_is_authenticated(self, unbound: Resolver) -> None:
        answer = await unbound.resolve(q("signed.example"))
        assert (answer.texts, answer.authenticated) == ((b"v=spf1 -all",), True)

    async def test_a_signed_denial_is_authenticated(self, unbound: Resolver) -> None:
        missing = await unbound.resolve(q("missing.signed.example"))
        assert (missing.status, missing.authenticated) == (Status.NXDOMAIN, True)
        nothing = await unbound.resolve(q("mail.signed.example"))
        assert (nothing.status, nothing.authenticated) == (Status.NO_DATA, True)

    async def test_an_unsigned_answer_is_not(self, unbound: Resolver) -> None:
        assert not (await unbound.resolve(q("_dmarc.clinic.example"))).authenticated

    async def test_a_broken_signature_is_servfail_and_not_absence(self, unbound: Resolver) -> None:
        answer = await unbound.resolve(q("broken.example"))
        assert (answer.status, answer.absent) == (Status.SERVFAIL, False)

    async def test_a_zone_whose_server_does_not_have_it_is_servfail(self, unbound: Resolver) -> None:
        assert (await unbound.resolve(q("lame.example"))).status is Status.SERVFAIL


async def test_an_audit_replayed_from_its_evidence_finds_the_same(unbound: Resolver) -> None:
    owners = ["clinic.example", "missing.clinic.example", "broken.example", "signed.example", "outside.clinic.example"]

    def inquiry() -> Inquiry[tuple[tuple[Answer, ...], ...]]:
        types = (RRType.TXT, RRType.A)
        return (yield from together(*(ask_all([q(owner, rrtype) for rrtype in types]) for owner in (*owners, "a..b"))))

    with Session(unbound, max_questions=8) as session:
        findings = await drive(inquiry(), session)
        evidence = Evidence(name("clinic.example"), datetime.now(UTC), "x", answers=session.answers)
    assert {answer.status for pair in findings for answer in pair} >= {
        Status.DATA, Status.NXDOMAIN, Status.SERVFAIL, Status.NOT_ASKED,
    }  # fmt: skip
    assert run(inquiry(), source_of(parse_evidence(format_evidence(evidence)))) == findings
