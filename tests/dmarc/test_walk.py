"""The DNS Tree Walk, the organizational domain and policy discovery, with the published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.alignment import Alignment, check_alignment
from mailguard.dmarc.discovery import Discovery, Outcome, Place, discover, outcome
from mailguard.dmarc.record import Mode
from mailguard.dmarc.walk import Walk, record_question, take_nodes, take_walk, walk_names
from mailguard.inquiry import run
from mailguard.names import DomainName, name
from tests.dmarc import receiver
from tests.zones import Zone


def zone_of(*records: str) -> Zone:
    """One record a line: the domain, then its tags after the version."""
    lines = []
    for line in records:
        domain, _, tags = line.partition(" ")
        lines.append(f'_dmarc.{domain} TXT "v=DMARC1; {tags}"')
    return Zone.parse("\n".join(lines))


def walk(start: str, zone: Zone) -> Walk:
    return run(take_walk(name(start)), zone)


def organizational(start: str, zone: Zone) -> str | None:
    return walk(start, zone).organizational_domain


def discovery(author: str, zone: Zone) -> Discovery:
    nodes = run(take_nodes(walk_names(name(author))), zone)
    return discover(name(author), nodes)


def test_vector_organizational_domain_has_the_fewest_labels() -> None:
    zone = zone_of("example.com p=none; sp=reject", "mail.example.com p=quarantine")
    assert organizational("a.mail.example.com", zone) == "example.com"
    found = discovery("a.mail.example.com", zone)
    assert found.policy_domain == "example.com"
    assert outcome(found, Place.SUBDOMAIN) is Outcome.REJECT


def test_vector_psd_n_stops() -> None:
    zone = zone_of("mail.example.com p=reject; sp=quarantine; psd=n", "example.com p=none")
    assert organizational("a.mail.example.com", zone) == "mail.example.com"
    assert discovery("a.mail.example.com", zone).policy_domain == "mail.example.com"
    assert [node.domain for node in walk("a.mail.example.com", zone).nodes] == [
        "a.mail.example.com",
        "mail.example.com",
    ]


def test_vector_public_suffix_record_applies_where_there_is_no_other() -> None:
    zone = zone_of("com p=none; sp=quarantine; np=reject; psd=y")
    assert organizational("a.mail.example.com", zone) == "example.com"
    found = discovery("a.mail.example.com", zone)
    assert found.policy_domain == "com"
    assert outcome(found, Place.SUBDOMAIN) is Outcome.QUARANTINE
    assert outcome(found, Place.NONEXISTENT) is Outcome.REJECT


def test_vector_public_suffix_in_the_middle() -> None:
    zone = zone_of("giant.bank.example p=reject", "bank.example p=none; psd=y")
    assert organizational("mail.mega.bank.example", zone) == "mega.bank.example"
    assert organizational("mail.giant.bank.example", zone) == "giant.bank.example"
    giant = name("giant.bank.example")
    not_ours = run(check_alignment(giant, name("mail.mega.bank.example"), Mode.RELAXED), zone)
    ours = run(check_alignment(giant, name("mail.giant.bank.example"), Mode.RELAXED), zone)
    assert (not_ours, ours) == (Alignment.UNALIGNED, Alignment.ALIGNED)


def test_vector_organizational_domain_without_record_below_a_public_suffix() -> None:
    zone = zone_of("b.c.bank.example p=reject", "bank.example p=quarantine; psd=y")
    assert organizational("a.b.c.bank.example", zone) == "c.bank.example"
    # RFC 9989 4.10.1: the record in between is not used.
    assert discovery("a.b.c.bank.example", zone).policy_domain == "bank.example"


def test_vector_deep_names_skip_to_seven_labels() -> None:
    zone = zone_of("example.com p=reject")
    start = "a.b.c.d.e.f.g.h.i.j.k.example.com"
    assert walk(start, zone).organizational_domain == "example.com"
    assert list(walk_names(name(start))) == [
        start,
        "g.h.i.j.k.example.com",
        "h.i.j.k.example.com",
        "i.j.k.example.com",
        "j.k.example.com",
        "k.example.com",
        "example.com",
        "com",
    ]
    assert set(zone.asked) == {record_question(at) for at in walk_names(name(start))}


def test_vector_two_records_are_none() -> None:
    zone = zone_of("example.com p=reject", "example.com p=none")
    assert discovery("example.com", zone) == Discovery(None, None)
    assert discovery("sub.example.com", zone) == Discovery(None, None)
    with_suffix = zone_of("example.com p=reject", "example.com p=none", "com p=quarantine; psd=y")
    assert discovery("example.com", with_suffix).policy_domain == "com"


def test_two_records_fall_through_to_the_organizational_domain() -> None:
    zone = zone_of("a.example.com p=none", "a.example.com p=none", "example.com p=none; sp=reject")
    found = discovery("a.example.com", zone)
    assert (found.policy_domain, outcome(found, Place.SUBDOMAIN)) == ("example.com", Outcome.REJECT)


def test_psd_y_on_the_start_itself_is_no_rule() -> None:
    zone = zone_of("example.com p=reject; psd=y", "com p=none")
    assert organizational("example.com", zone) == "example.com"
    assert walk("example.com", zone).suffix is None
    assert organizational("a.example.com", zone) == "a.example.com"


def test_a_record_between_is_not_used() -> None:
    zone = zone_of("b.example.com p=reject", "example.com p=none")
    assert discovery("a.b.example.com", zone).policy_domain == "example.com"


def test_the_single_label_is_asked() -> None:
    zone = zone_of("jp p=none; psd=y", "clinic.jp p=reject")
    assert organizational("mail.clinic.jp", zone) == "clinic.jp"
    assert zone.asked[record_question(name("jp"))] == 1


def test_unanswered_is_never_none() -> None:
    zone = Zone.parse('_dmarc.example.jp TXT "v=DMARC1; p=reject"\n_dmarc.clinic.example.jp TXT !timeout')
    found = discovery("clinic.example.jp", zone)
    assert found.unanswered
    assert outcome(found, Place.SUBDOMAIN) is Outcome.UNANSWERED
    assert organizational("clinic.example.jp", zone) is None


def test_an_unanswered_ancestor_leaves_the_own_policy_known() -> None:
    zone = Zone.parse('_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"\n_dmarc.example.jp TXT !servfail')
    assert outcome(discovery("clinic.example.jp", zone), Place.DOMAIN) is Outcome.REJECT
    assert organizational("clinic.example.jp", zone) is None
    assert discovery("www.clinic.example.jp", zone).unanswered


def test_what_lies_behind_the_stop_does_not_matter() -> None:
    zone = Zone.parse('_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; psd=n"\n_dmarc.example.jp TXT !servfail')
    assert organizational("clinic.example.jp", zone) == "clinic.example.jp"
    assert discovery("www.clinic.example.jp", zone).policy_domain == "clinic.example.jp"


@pytest.mark.parametrize(
    ("published", "domain", "expected"),
    [
        # Names below Japanese public suffixes: the walk goes by records, not by the suffix list.
        ("hosp.kaizuka.osaka.jp", "mail.hosp.kaizuka.osaka.jp", "hosp.kaizuka.osaka.jp"),
        ("x.karasuyama.tochigi.jp", "x.karasuyama.tochigi.jp", "x.karasuyama.tochigi.jp"),
        ("city.kawasaki.jp", "www.byoin.city.kawasaki.jp", "city.kawasaki.jp"),
        ("pref.kochi.jp", "byouin.pref.kochi.jp", "pref.kochi.jp"),
        ("yokohama.lg.jp", "hosp.city.yokohama.lg.jp", "yokohama.lg.jp"),
        ("city.yokohama.lg.jp", "hosp.city.yokohama.lg.jp", "city.yokohama.lg.jp"),
        ("example.ac.jp", "a.example.ac.jp", "example.ac.jp"),
        ("foo.sakura.ne.jp", "foo.sakura.ne.jp", "foo.sakura.ne.jp"),
        ("abc.xsrv.jp", "abc.xsrv.jp", "abc.xsrv.jp"),
    ],
)
def test_japanese_names(published: str, domain: str, expected: str) -> None:
    assert organizational(domain, zone_of(f"{published} p=none")) == expected


def test_alignment() -> None:
    zone = zone_of("example.com p=none")
    author, other = name("example.com"), name("mail.example.com")
    assert run(check_alignment(author, author, Mode.STRICT), zone) is Alignment.ALIGNED
    assert run(check_alignment(author, other, Mode.STRICT), zone) is Alignment.UNALIGNED
    assert not zone.asked, "equal names and strict mode need no question"
    assert run(check_alignment(author, other, Mode.RELAXED), zone) is Alignment.ALIGNED
    broken = Zone.parse('_dmarc.example.com TXT "v=DMARC1; p=none"\n_dmarc.mail.example.com TXT !timeout')
    assert run(check_alignment(author, other, Mode.RELAXED), broken) is Alignment.UNANSWERED


_POLICY = st.sampled_from(["none", "quarantine", "reject"])
_RECORD = st.fixed_dictionaries(
    {"p": _POLICY},
    optional={
        "sp": _POLICY,
        "np": _POLICY,
        "psd": st.sampled_from(["y", "n", "u"]),
        "t": st.sampled_from(["y", "n"]),
    },
)


@st.composite
def trees(draw: st.DrawFn) -> tuple[str, receiver.Records]:
    depth = draw(st.integers(1, 12))
    author = ".".join("abcdefghijkl"[:depth])
    names = [author.split(".", cut)[cut] for cut in range(depth)]
    records = draw(st.dictionaries(st.sampled_from(names), st.lists(_RECORD, min_size=1, max_size=2), max_size=6))
    return author, records


@given(trees(), st.booleans())
def test_discovery_agrees_with_a_slow_receiver(tree: tuple[str, receiver.Records], exists: bool) -> None:
    author, records = tree
    zone = zone_of(
        *(f"{at} " + "; ".join("=".join(tag) for tag in tags.items()) for at, here in records.items() for tags in here)
    )
    _, queried = receiver.walk(author, records)
    names = walk_names(name(author))
    assert list(names)[: len(queried)] == queried
    assert organizational(author, zone) == receiver.organizational_domain(author, records)
    found = discovery(author, zone)
    place = Place.SUBDOMAIN if exists else Place.NONEXISTENT
    place = Place.DOMAIN if found.policy_domain == author else place
    assert (found.policy_domain, outcome(found, place)) == receiver.policy(author, exists, records)


@given(st.lists(st.sampled_from(["a", "bb", "xn--q"]), max_size=60))
def test_never_more_than_eight_questions(labels: list[str]) -> None:
    names = walk_names(DomainName(".".join(labels)))
    assert len(names) <= 8
    assert len(set(names)) == len(names)
    assert not names or len(names[-1].labels) == 1
