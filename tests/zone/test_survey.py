"""Where mail goes, and whether names that nobody published exist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.inquiry import Answer, Mx, Question, RRType, Status, Txt, run
from mailguard.names import name
from mailguard.zone.survey import MxFault, MxStatus, SubdomainsExist, ZoneSurvey, survey_zone
from tests.zones import Zone

DOMAIN = name("clinic.example.jp")
PROBE = "mailguard-probe-0001"


def survey(text: str) -> ZoneSurvey:
    return run(survey_zone(DOMAIN, PROBE), Zone.parse(text))


@pytest.mark.parametrize(
    ("zone", "status"),
    [
        ("clinic.example.jp MX 10 m.example.jp\nm.example.jp A 192.0.2.1", MxStatus.HOSTS),
        ("clinic.example.jp MX 10 m.example.jp\nm.example.jp A !timeout", MxStatus.HOSTS),
        ("clinic.example.jp MX 10 m.example.jp", MxStatus.INVALID),
        ("clinic.example.jp MX 10 192.0.2.1", MxStatus.INVALID),
        ("clinic.example.jp MX 0 .", MxStatus.NULL),
        ("clinic.example.jp MX 0 .\nclinic.example.jp MX 10 m.example.jp", MxStatus.INVALID),
        ("clinic.example.jp A 192.0.2.1", MxStatus.IMPLICIT),
        ("clinic.example.jp AAAA 2001:db8::1", MxStatus.IMPLICIT),
        ("clinic.example.jp TXT x", MxStatus.NONE),
        ("", MxStatus.NONE),
        ("clinic.example.jp MX !timeout", MxStatus.UNANSWERED),
        ("clinic.example.jp A !servfail", MxStatus.UNANSWERED),
        ("clinic.example.jp A 192.0.2.1\nclinic.example.jp AAAA !servfail", MxStatus.IMPLICIT),
    ],
)
def test_where_mail_goes(zone: str, status: MxStatus) -> None:
    assert survey(zone).mx_status is status


@pytest.mark.parametrize(
    ("exchange", "more", "fault"),
    [
        ("m.example.jp", "m.example.jp A 192.0.2.1", None),
        ("m.example.jp", "m.example.jp AAAA 2001:db8::1", None),
        ("m.example.jp", "m.example.jp A 10.0.0.1\nm.example.jp A 192.0.2.1", None),
        ("m.example.jp", "m.example.jp * !timeout", None),
        ("m.example.jp", "m.example.jp A !timeout", None),
        ("m.example.jp", "", MxFault.NO_SUCH_HOST),
        ("m.example.jp", "m.example.jp TXT x", MxFault.NO_ADDRESS),
        ("m.example.jp", "m.example.jp CNAME gone.example.net", MxFault.NO_ADDRESS),
        ("m.example.jp", "m.example.jp A 10.0.0.1", MxFault.PRIVATE),
        ("m.example.jp", "m.example.jp AAAA fe80::1", MxFault.PRIVATE),
        ("192.0.2.1", "", MxFault.ADDRESS_AS_NAME),
        ("localhost", "", MxFault.LOCALHOST),
        ("ms12345678.msv1.invalid", "", MxFault.PLACEHOLDER),
    ],
)
def test_why_an_mx_host_cannot_receive(exchange: str, more: str, fault: MxFault | None) -> None:
    (host,) = survey(f"clinic.example.jp MX 10 {exchange}\n{more}").hosts
    assert host.fault is fault


def test_an_address_in_place_of_a_name_is_not_asked() -> None:
    zone = Zone.parse("clinic.example.jp MX 10 192.0.2.1")
    run(survey_zone(DOMAIN, PROBE), zone)
    assert Question(name("192.0.2.1"), RRType.A) not in zone.asked


@pytest.mark.parametrize(
    ("zone", "exist"),
    [
        ("clinic.example.jp A 192.0.2.1", SubdomainsExist.DENIED),
        ('*.clinic.example.jp TXT "v=spf1 -all"', SubdomainsExist.WILDCARD),
        ("*.clinic.example.jp A 192.0.2.1", SubdomainsExist.WILDCARD),
        ("*.clinic.example.jp CNAME gone.example.net", SubdomainsExist.WILDCARD),
        (f"{PROBE}.clinic.example.jp AAAA 2001:db8::1", SubdomainsExist.COMPACT_DENIAL),
        (f"{PROBE}.clinic.example.jp * !timeout", SubdomainsExist.UNANSWERED),
        (f"{PROBE}.clinic.example.jp TXT !timeout", SubdomainsExist.UNANSWERED),
    ],
)
def test_what_an_invented_subdomain_looks_like(zone: str, exist: SubdomainsExist) -> None:
    assert survey(zone).subdomains_exist is exist


def test_the_nearest_name_servers_count() -> None:
    taken = survey("example.jp NS ns1.example.net\nclinic.example.jp A 192.0.2.1")
    assert taken.name_servers == ("ns1.example.net",)
    assert [str(answer.question.name) for answer in taken.ns] == ["clinic.example.jp", "example.jp"]


def test_a_domain_that_does_not_exist() -> None:
    assert survey("other.example.jp A 192.0.2.1").is_missing
    assert not survey("clinic.example.jp * !timeout").is_missing
    assert not survey("clinic.example.jp CNAME gone.example.net").is_missing


def test_never_more_than_thirty_questions() -> None:
    lines = [f"clinic.example.jp MX {n} m{n}.example.jp\nm{n}.example.jp A 192.0.2.{n}" for n in range(1, 60)]
    zone = Zone.parse("\n".join(lines))
    taken = run(survey_zone(DOMAIN, PROBE), zone)
    assert zone.asked.total() == 29
    assert len(taken.hosts) == 10
    assert len(taken.mx_hosts) == 59
    assert taken.mx_status is MxStatus.HOSTS


@given(st.randoms(use_true_random=False), st.text(max_size=80))
def test_a_hostile_server_never_makes_it_raise(random: object, text: str) -> None:
    mx = (Mx(0, name("")), Mx(70000, name(text)), Mx(1, name("[192.0.2.1]")), Mx(1, name("x" * 300)))

    def source(question: Question) -> Answer:
        status = random.choice(list(Status))  # type: ignore[attr-defined]
        records = random.choice([(), mx, (text, "fe80::1%eth0"), (Txt(()),), (name(text),)])  # type: ignore[attr-defined]
        return Answer(question, status, records)

    taken = run(survey_zone(DOMAIN, PROBE), source)
    assert taken.mx_status in MxStatus
    assert taken.subdomains_exist in SubdomainsExist
    assert all(host.fault is None or host.fault in MxFault for host in taken.hosts)
    assert name("") not in taken.mx_hosts
