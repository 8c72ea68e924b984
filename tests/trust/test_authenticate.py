"""What is proved about the sender of a mail: SPF, alignment, trusted hosts, and mails that prove nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.feedback.envelope import Way
from mailguard.names import DomainName
from mailguard.spf.verdict import Result
from mailguard.trust.proof import Outcome
from tests.trust.mails import BODY, HEAD, MAIL, PEER, by_smtp, check, key_zone, only, received, rsa_pair, sign
from tests.zones import Zone

PASS, FAIL, UNCHECKED = Outcome.PASS, Outcome.FAIL, Outcome.UNCHECKED

SPF_PASS = f'reporter.example TXT "v=spf1 ip4:{PEER} -all"'
STRICT = '_dmarc.reporter.example TXT "v=DMARC1; p=reject; adkim=s; aspf=s"'
RELAXED = '_dmarc.reporter.example TXT "v=DMARC1; p=reject"'


def test_spf_of_the_author_passes() -> None:
    proof = check(by_smtp(), SPF_PASS)
    assert proof.spf is not None
    assert (proof.spf.result, proof.spf.identity, proof.dmarc, proof.aligned) == (
        Result.PASS,
        "mailfrom",
        PASS,
        ("spf",),
    )


def test_the_null_path_stands_for_the_helo_name() -> None:
    zone = f'mx.reporter.example TXT "v=spf1 ip4:{PEER} -all"\n{RELAXED}'
    proof = check(by_smtp(mail_from=""), zone)
    assert proof.spf is not None
    assert (proof.spf.domain, proof.spf.identity, proof.dmarc) == ("mx.reporter.example", "helo", PASS)


@pytest.mark.parametrize("record", ["v=spf1 -all", "v=spf1 ~all", "v=spf1 ?all", "v=spf1 +all oops", "v=none"])
def test_no_other_result_than_pass_proves_anything(record: str) -> None:
    proof = check(by_smtp(), f'reporter.example TXT "{record}"')
    assert (proof.proved, proof.dmarc) == ((), FAIL)


def test_spf_without_an_answer_leaves_it_open() -> None:
    proof = check(by_smtp(), "reporter.example TXT !timeout")
    assert (proof.proved, proof.dmarc, proof.unchecked) == ((), UNCHECKED, True)


@pytest.mark.parametrize("way", [Way.MAILBOX, Way.FILE])
def test_spf_is_not_guessed_for_mail_that_we_did_not_receive(way: Way) -> None:
    mail = received(MAIL, way, peer=PEER, mail_from="bounce@reporter.example")
    assert check(mail, SPF_PASS).spf is None


@pytest.mark.parametrize("peer", ["", "unknown", "192.0.2.999", "[192.0.2.25]"])
def test_a_peer_that_is_no_address_proves_nothing(peer: str) -> None:
    assert check(by_smtp(peer=peer), SPF_PASS).spf is None


# author domain | envelope domain | signing domain | DMARC records | outcome, and by what
OWN, SUB, OTHER = "reporter.example", "bounce.reporter.example", "esp.example.net"
PSD = '_dmarc.example TXT "v=DMARC1; p=reject; psd=y"'
SUB_APART = '_dmarc.bounce.reporter.example TXT "v=DMARC1; p=none; psd=n"'
TABLE = [
    (OWN, OWN, OWN, "", PASS, ("dkim", "spf")),
    (OWN, OWN, None, "", PASS, ("spf",)),
    (OWN, None, OWN, "", PASS, ("dkim",)),
    (OWN, None, None, "", FAIL, ()),
    (OWN, OTHER, None, "", FAIL, ()),
    (OWN, OTHER, OWN, "", PASS, ("dkim",)),
    (OWN, OWN, OTHER, "", PASS, ("spf",)),
    (OWN, OTHER, OTHER, RELAXED, FAIL, ()),
    (OWN, SUB, None, RELAXED, PASS, ("spf",)),
    (OWN, None, SUB, RELAXED, PASS, ("dkim",)),
    (SUB, OWN, None, RELAXED, PASS, ("spf",)),
    (OWN, SUB, None, STRICT, FAIL, ()),
    (OWN, None, SUB, STRICT, FAIL, ()),
    (OWN, OWN, OWN, STRICT, PASS, ("dkim", "spf")),
    (OWN, SUB, SUB, STRICT.replace("adkim=s", "adkim=r"), PASS, ("dkim",)),
    (OWN, SUB, SUB, STRICT.replace("aspf=s", "aspf=r"), PASS, ("spf",)),
    (OWN, SUB, None, "", FAIL, ()),  # no record anywhere: each name is its own organization
    (OWN, SUB, None, f"{RELAXED}\n{SUB_APART}", FAIL, ()),  # psd=n parts the subdomain
    (OWN, "other.example", None, PSD, FAIL, ()),
    (OWN, SUB, None, PSD, PASS, ("spf",)),
    (OWN, "other.example", None, '_dmarc.example TXT "v=DMARC1; p=reject"', FAIL, ()),  # a careless registry
    (OWN, SUB, None, "_dmarc.reporter.example TXT !timeout", UNCHECKED, ()),
    (OWN, OWN, None, "_dmarc.reporter.example TXT !timeout", PASS, ("spf",)),  # equal names need no answer
    (OWN, OTHER, None, "_dmarc.example.net TXT !servfail", UNCHECKED, ()),
]


@pytest.mark.parametrize(("author", "envelope", "signer", "records", "outcome", "aligned"), TABLE)
def test_alignment_as_worked_out_by_hand(
    author: str, envelope: str | None, signer: str | None, records: str, outcome: Outcome, aligned: tuple[str, ...]
) -> None:
    raw = MAIL.replace(b"dmarc@reporter.example", f"dmarc@{author}".encode(), 1)
    lines = [records]
    if envelope:
        lines.append(f'{envelope} TXT "v=spf1 ip4:{PEER} -all"')
    if signer:
        raw = sign(raw, domain=signer)
    zone = key_zone(domain=signer or "nobody.example", more="\n".join(lines))
    proof = check(by_smtp(raw, mail_from=f"bounce@{envelope or 'nospf.example'}"), zone)
    assert (proof.author, proof.dmarc, proof.aligned) == (author, outcome, aligned)


def test_forwarded_mail_keeps_its_signature_and_loses_spf() -> None:
    zone = key_zone(more=f'{RELAXED}\nreporter.example TXT "v=spf1 -all"\nforwarder.example TXT "v=spf1 +all"')
    proof = check(by_smtp(b"Received: by forwarder.example\r\n" + sign(), mail_from="srs@forwarder.example"), zone)
    assert (proof.dmarc, proof.aligned) == (PASS, ("dkim",))
    assert proof.proved == ("reporter.example", "forwarder.example")


def test_a_mailing_list_breaks_the_signature_and_proves_itself_only() -> None:
    through_list = sign(
        sign().replace(b"Subject: ", b"Subject: [list] ") + b"-- \r\nunsubscribe\r\n", domain="list.example.net"
    )
    zone = key_zone(domain="list.example.net", more=RELAXED)
    proof = check(through_list, zone)
    assert (proof.dmarc, proof.proved) == (FAIL, ("list.example.net",))


FROM = {
    "a@reporter.example": "reporter.example",
    "<a@reporter.example>": "reporter.example",
    '"Reports, daily" <a@reporter.example>': "reporter.example",
    "Reports (a@evil.example, <b@evil.example>) <a@reporter.example>": "reporter.example",
    "\r\n Reports\r\n <a@reporter.example>": "reporter.example",
    "noreply@shown.example <a@reporter.example>": "reporter.example",
    '"a@b"@reporter.example': "reporter.example",
    "a@REPORTER.Example.": "reporter.example",
    "a@例え.jp": "xn--r8jz45g.jp",
    "a@reporter.example (c(omm)ent)": "reporter.example",
    "a@reporter.example, b@evil.example": "several-from",
    "Group: a@reporter.example;": "several-from",
    "<a@reporter.example> <b@evil.example>": "unreadable-from",
    "<a@reporter.example> b@evil.example": "unreadable-from",
    "a@b@reporter.example": "unreadable-from",
    "a@[192.0.2.1]": "unreadable-from",
    "a@example": "unreadable-from",
    "a@-.example": "unreadable-from",
    "(unclosed a@reporter.example": "unreadable-from",
    '"unclosed <a@reporter.example>': "unreadable-from",
    "a@reporter.example)": "unreadable-from",
    "": "unreadable-from",
    "<>": "unreadable-from",
    "x" * 3000 + "@reporter.example": "unreadable-from",
    "=?utf-8?q?a=40evil.example?= <a@reporter.example>": "reporter.example",
}


@pytest.mark.parametrize("text", FROM)
def test_the_author_is_the_one_address_of_the_one_from_field(text: str) -> None:
    proof = check(f"From: {text}\r\nSubject: x\r\n\r\n".encode())
    assert FROM[text] == (proof.author or proof.fault)


BAD_HEADS = {
    "no From": (b"Subject: x\r\n\r\nFrom: a@reporter.example\r\n", "no-from"),
    "no header": (b"", "header-malformed"),
    "two From": (b"From: a@reporter.example\r\n" + HEAD + b"\r\n", "several-from"),
    "two Subject": (b"Subject: x\r\n" + HEAD + b"\r\n", "repeated-field"),
    "two Content-Type": (b"CONTENT-type: text/plain\r\n" + HEAD + b"\r\n", "repeated-field"),
    "bare CR": (b"X: a\rFrom: evil@evil.example\r\n" + HEAD + b"\r\n", "header-malformed"),
    "NUL": (b"X: a\0b\r\n" + HEAD + b"\r\n", "header-malformed"),
    "no field": (b"not a field\r\n" + HEAD + b"\r\n", "header-malformed"),
    "blank before colon": (b"X : a\r\n" + HEAD + b"\r\n", "header-malformed"),
    "begins with a fold": (b" x\r\n" + HEAD + b"\r\n", "header-malformed"),
    "begins with an empty line": (b"\r\n" + HEAD + b"\r\n", "header-malformed"),
    "201 fields": (b"X: 1\r\n" * 200 + HEAD + b"\r\n", "header-too-large"),
    "1 MB": (b"X: " + b"x" * 1_000_000 + b"\r\n" + HEAD + b"\r\n", "header-too-large"),
    "1 MB without end": (b"X" * 1_000_000, "header-too-large"),
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_a_header_that_can_be_read_in_two_ways_has_no_author(case: str) -> None:
    head, fault = BAD_HEADS[case]
    proof = check(by_smtp(head + BODY), SPF_PASS)
    assert (proof.author, proof.fault, proof.dmarc) == ("", fault, FAIL)
    assert proof.proved == ("reporter.example",)  # the envelope was proved all the same


@pytest.mark.parametrize("case", ["two From", "two Content-Type", "bare CR", "no field"])
def test_a_good_signature_does_not_help_such_a_header(case: str) -> None:
    first_line = BAD_HEADS[case][0].partition(b"\r\n")[0] + b"\r\n"
    assert check(first_line + sign()).dmarc is FAIL


def test_a_mail_over_the_bound_is_not_looked_at() -> None:
    from mailguard.feedback.limits import Limits

    assert check(sign(), limits=Limits(mail_bytes=100)).fault == "header-too-large"


RESULTS = {
    "mx.clinic.example.jp; dmarc=pass header.from=reporter.example": True,
    "MX.Clinic.Example.JP 1; dmarc=pass header.from=REPORTER.example": True,
    'mx.clinic.example.jp; dmarc=pass (p=reject dis="none") header.from=reporter.example': True,
    '"mx.clinic.example.jp" (by (us)) ; spf=fail smtp.mailfrom=x; dmarc=pass header.from="reporter.example"': True,
    "mx.clinic.example.jp;\r\n\tdkim=pass header.i=@reporter.example header.s=s header.b=abc=": True,
    "mx.clinic.example.jp; dkim=pass header.d=reporter.example": True,
    "mx.clinic.example.jp; spf=pass smtp.mailfrom=a@reporter.example": True,
    "mx.clinic.example.jp; spf = pass smtp.mailfrom = reporter.example": True,
    "mx.clinic.example.jp; dmarc=pass header.from=other.example": False,
    "mx.clinic.example.jp; dmarc=fail header.from=reporter.example": False,
    "mx.clinic.example.jp; dmarc=bestguesspass header.from=reporter.example": False,
    "mx.clinic.example.jp; dkim=pass header.d=other.example": False,
    "mx.clinic.example.jp; x=y reason=dmarc=pass header.from=reporter.example": False,
    'mx.clinic.example.jp; spf=none reason="; dmarc=pass header.from=reporter.example"': False,
    "mx.clinic.example.jp; spf=none (; dmarc=pass header.from=reporter.example)": False,
    "mx.clinic.example.jp; dmarc=pass header.from=other.example header.from=reporter.example": False,
    "mx.clinic.example.jp; dmarc=pass header.from=reporter.example header.from=other.example": False,
    "mx.clinic.example.jp; none": False,
    "mx.clinic.example.jp": False,
    "mx.clinic.example.jp 2; dmarc=pass header.from=reporter.example": False,
    "evil.example; dmarc=pass header.from=reporter.example": False,
    "mx.clinic.example.jp evil; dmarc=pass header.from=reporter.example": False,
    "mx.clinic.example.jp; dmarc=pass header.from=reporter.example (": False,
    'mx.clinic.example.jp; dmarc=pass header.from="reporter.example': False,
    "; dmarc=pass header.from=reporter.example": False,
    "": False,
    "mx.clinic.example.jp" + "; spf=none" * 60 + "; dmarc=pass header.from=reporter.example": False,
}
TRUSTED = ("mx.clinic.example.jp",)


@pytest.mark.parametrize("value", RESULTS)
def test_results_of_a_trusted_host(value: str) -> None:
    mail = received(f"Authentication-Results: {value}\r\n".encode() + MAIL, Way.MAILBOX)
    proof = check(mail, Zone(), trusted_hosts=TRUSTED)
    assert (proof.dmarc is PASS, proof.aligned) == (RESULTS[value], ("host",) if RESULTS[value] else ())
    assert check(mail, Zone()).proved == ()  # nobody is trusted unless named


def test_only_the_topmost_results_count() -> None:
    good = b"Authentication-Results: mx.clinic.example.jp; dmarc=pass header.from=reporter.example\r\n"
    other = b"Authentication-Results: evil.example; dmarc=pass header.from=reporter.example\r\n"
    bad = b"Authentication-Results: mx.clinic.example.jp; dmarc=fail header.from=reporter.example\r\n"
    for top in (other, bad):
        assert check(received(top + good + MAIL, Way.MAILBOX), Zone(), trusted_hosts=TRUSTED).dmarc is FAIL
    assert check(received(good + other + MAIL, Way.MAILBOX), Zone(), trusted_hosts=TRUSTED).dmarc is PASS


def test_results_in_mail_from_the_listener_are_the_senders_own_words() -> None:
    good = b"Authentication-Results: mx.clinic.example.jp; dmarc=pass header.from=reporter.example\r\n"
    assert check(by_smtp(good + MAIL), Zone(), trusted_hosts=TRUSTED).dmarc is FAIL


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='abc;="\\().@ \t1é', max_size=80))
def test_results_never_raise(value: str) -> None:
    field = f"Authentication-Results: mx.clinic.example.jp;{value}\r\n".encode()
    assert check(received(field + MAIL, Way.MAILBOX), Zone(), trusted_hosts=TRUSTED).dmarc is FAIL


@pytest.mark.parametrize("mark", ["(", ")", '"', "\\", ";", "=", "a=b "])
def test_hostile_results_and_authors_take_linear_time(mark: str) -> None:
    many = (mark * 15_000)[:15_000].encode()
    started = time.process_time()
    check(
        received(b"Authentication-Results: mx.clinic.example.jp" + many + b"\r\n" + MAIL, Way.MAILBOX),
        Zone(),
        trusted_hosts=TRUSTED,
    )
    check(received(b"From: " + many[:1990] + b"\r\nSubject: " + many + b"\r\n\r\n"), Zone())
    assert time.process_time() - started < 0.3


def test_few_questions_are_asked_for_an_ordinary_mail() -> None:
    zone = key_zone(more=f"{SPF_PASS}\n{RELAXED}")
    check(by_smtp(sign()), zone)
    assert sorted(str(question) for question in zone.asked) == [
        "_dmarc.example TXT",
        "_dmarc.reporter.example TXT",
        "reporter.example TXT",
        "s1._domainkey.reporter.example TXT",
    ]
    assert set(zone.asked.values()) == {1}


@settings(max_examples=150, deadline=None)
@given(
    mail_from=st.text(max_size=60),
    helo=st.text(max_size=40),
    peer=st.sampled_from([PEER, "2001:db8::1", "::ffff:192.0.2.25", "x", ""]),
)
def test_no_envelope_raises(mail_from: str, helo: str, peer: str) -> None:
    assert check(by_smtp(MAIL, mail_from, helo=helo, peer=peer), Zone()).proved == ()


@settings(max_examples=100, deadline=None)
@given(
    spf=st.sampled_from(["+", "-", "~", "?"]),
    key_is_right=st.booleans(),
    body_is_right=st.booleans(),
    envelope=st.sampled_from([OWN, SUB, OTHER]),
    signer=st.sampled_from([OWN, SUB, OTHER]),
)
def test_dmarc_passes_only_on_a_pass_that_was_seen(
    spf: str, key_is_right: bool, body_is_right: bool, envelope: str, signer: str
) -> None:
    raw = sign(domain=signer) + (b"" if body_is_right else b"more\r\n")
    record = rsa_pair()[1] if key_is_right else rsa_pair(1024)[1]
    zone = key_zone(domain=signer, record=record, more=f'{RELAXED}\n{envelope} TXT "v=spf1 {spf}ip4:{PEER} ?all"')
    proof = check(by_smtp(raw, f"a@{envelope}"), zone)
    spf_counts = spf == "+" and envelope != OTHER
    dkim_counts = key_is_right and body_is_right and signer != OTHER
    assert (proof.dmarc is PASS) == (spf_counts or dkim_counts)
    assert (only(proof).outcome is PASS) == (key_is_right and body_is_right)
    assert set(proof.proved) <= {OWN, envelope, signer}


def test_the_organization_is_that_of_the_author() -> None:
    raw = MAIL.replace(b"dmarc@reporter.example", b"dmarc@mail.reporter.example", 1)
    assert check(raw, RELAXED).organization == DomainName("reporter.example")
    assert check(raw, Zone()).organization == DomainName("mail.reporter.example")
    assert check(raw, "_dmarc.mail.reporter.example TXT !timeout").organization == ""
