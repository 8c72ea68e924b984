"""DKIM: what counts, what does not, and what could not be checked."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.feedback.envelope import ReceivedMail
from mailguard.inquiry import run
from mailguard.names import DomainName
from mailguard.trust.authenticate import authenticate
from mailguard.trust.proof import Outcome, SignatureFault, SignatureRemark
from tests.dkim.keys import rsa_text, spki
from tests.trust.mails import (
    BODY,
    HEAD,
    MAIL,
    NOW,
    by_smtp,
    check,
    ed25519_pair,
    key_zone,
    only,
    received,
    rsa_pair,
    sign,
    sign_with,
)
from tests.zones import Zone

PASS, FAIL, UNCHECKED = Outcome.PASS, Outcome.FAIL, Outcome.UNCHECKED


@pytest.mark.parametrize("header", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", [b"simple", b"relaxed"])
def test_a_good_signature_of_the_author_passes(header: bytes, body: bytes) -> None:
    proof = check(sign(canonicalize=(header, body)))
    assert (only(proof).outcome, only(proof).fault, proof.dmarc, proof.aligned) == (PASS, None, PASS, ("dkim",))
    assert proof.proved == ("reporter.example",)


def test_ed25519_passes() -> None:
    proof = check(sign(algorithm="ed25519-sha256"), key_zone(record=ed25519_pair()[1]))
    assert only(proof).outcome is PASS


def test_line_ends_of_unix_are_read_as_the_mail_was_sent() -> None:
    assert only(check(sign().replace(b"\r\n", b"\n"))).outcome is PASS


def test_a_first_line_of_an_mbox_is_passed_over() -> None:
    assert only(check(b"From sender Tue Sep 22 14:33:20 2026\r\n" + sign())).outcome is PASS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"\r\n" * 9,
        b"text",
        b"text\r\n\r\n\r\n",
        b"a\r\r\n\r\n",
        b" \t \r\n x \t y\t\r\n",
        b"\r\r\r",
        b"a\r",
    ],
)
@pytest.mark.parametrize("way", [b"simple", b"relaxed"])
def test_bodies_of_every_shape_hash_as_dkimpy_hashes_them(body: bytes, way: bytes) -> None:
    assert only(check(sign(HEAD + b"\r\n" + body, canonicalize=(b"relaxed", way)))).outcome is PASS


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"x", b"\n", b"  ", b"=20"]), max_size=25))
def test_our_tidying_never_changes_what_is_hashed(pieces: list[bytes]) -> None:
    mail = HEAD + b"\r\n" + b"".join(pieces)
    for way in (b"simple", b"relaxed"):
        pair, zone = ed25519_pair(), key_zone(record=ed25519_pair()[1])
        signed = sign(mail, algorithm="ed25519-sha256", pair=pair, canonicalize=(b"relaxed", way))
        assert only(check(signed, zone)).outcome is PASS


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(BODY) - 3), bit=st.integers(0, 7))
def test_flipping_any_bit_of_the_body_breaks_it(at: int, bit: int) -> None:
    signed = bytearray(sign(canonicalize=(b"relaxed", b"simple")))
    signed[len(signed) - len(BODY) + at] ^= 1 << bit
    assert only(check(bytes(signed))).fault is SignatureFault.BODY


def test_every_byte_of_the_body_counts() -> None:
    pair, zone = ed25519_pair(), key_zone(record=ed25519_pair()[1])
    signed = sign(algorithm="ed25519-sha256", pair=pair, canonicalize=(b"relaxed", b"simple"))
    for at in range(len(signed) - len(BODY), len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        assert only(check(changed, zone)).outcome is FAIL


def test_a_changed_field_breaks_it() -> None:
    assert only(check(sign().replace(b"Submitter: rep", b"Submitter: bad"))).fault is SignatureFault.MISMATCH


def test_an_oversigned_field_cannot_be_added() -> None:
    signed = sign(include_headers=[b"from", b"to", b"to", b"subject", b"content-type"])
    assert only(check(signed)).outcome is PASS
    assert only(check(b"To: other@clinic.example.jp\r\n" + signed)).fault is SignatureFault.MISMATCH


def test_expiry_is_judged_when_the_mail_came_not_now() -> None:
    signed = sign_with(MAIL, {"x": str(NOW + 60)})
    assert only(check(by_smtp(signed, received_at=NOW + 60 + 3600))).outcome is PASS
    late = by_smtp(signed, received_at=NOW + 60 + 3600 + 1)
    assert (only(check(late)).outcome, only(check(late)).fault) == (FAIL, SignatureFault.EXPIRED)


def test_what_expired_while_it_lay_in_a_mailbox_counts_with_a_remark() -> None:
    signature = only(check(received(sign_with(MAIL, {"x": str(NOW + 60)}), received_at=NOW + 10**6)))
    assert (signature.outcome, signature.remarks) == (PASS, (SignatureRemark.EXPIRED_SINCE,))


def test_a_signature_from_the_future_does_not_count() -> None:
    assert only(check(sign(at=NOW + 3601))).fault is SignatureFault.FROM_THE_FUTURE
    assert check(sign(at=NOW + 3601)).proved == ()
    assert only(check(sign(at=NOW + 3599))).outcome is PASS


def test_a_signature_from_the_future_is_open_only_where_it_is_right_otherwise() -> None:
    early = sign(at=NOW + 3601)
    proof = check(early)
    assert (only(proof).outcome, proof.dmarc, proof.unchecked, proof.early) == (UNCHECKED, UNCHECKED, True, True)
    assert proof.keys  # so it can be judged again when the key has left DNS
    forged = check(early.replace(b"A report", b"A REPORT"))
    assert (only(forged).fault, forged.dmarc, forged.early) == (SignatureFault.BODY, FAIL, False)
    without_key = check(early, Zone())
    assert (only(without_key).fault, without_key.dmarc) == (SignatureFault.NO_KEY, FAIL)


@pytest.mark.parametrize("way", [by_smtp, received])
def test_time_heals_a_signature_from_the_future(way: Callable[[bytes], ReceivedMail]) -> None:
    mail = way(sign(at=NOW + 86_400))
    for now, outcome in ((0, UNCHECKED), (NOW + 3600, UNCHECKED), (NOW + 86_400 - 3600, PASS), (NOW + 10**9, PASS)):
        proof = check(mail, now=now)
        assert (only(proof).outcome, proof.dmarc) == (outcome, outcome)
    assert only(proof).fault is None


def test_looking_again_lets_no_signature_expire() -> None:
    assert only(check(by_smtp(sign_with(MAIL, {"x": str(NOW + 60)})), now=NOW + 10**6)).outcome is PASS


def test_a_length_that_covers_all_passes_with_a_remark() -> None:
    signature = only(check(sign(length=True)))
    assert signature.outcome is PASS
    assert SignatureRemark.LENGTH in signature.remarks


def test_text_after_a_signed_length_is_not_believed() -> None:
    assert only(check(sign(length=True) + b"appended\r\n")).fault is SignatureFault.BODY


def test_an_unsigned_content_type_is_remarked() -> None:
    signature = only(check(sign(include_headers=[b"from", b"subject"])))
    assert (signature.outcome, signature.remarks) == (PASS, (SignatureRemark.CONTENT_TYPE_UNSIGNED,))


KEYS = {
    "missing": ("", SignatureFault.NO_KEY),
    "no text": ("s1._domainkey.reporter.example A 192.0.2.1", SignatureFault.NO_KEY),
    "another text": ('s1._domainkey.reporter.example TXT "v=spf1 -all"', SignatureFault.NO_KEY),
    "revoked": ('s1._domainkey.reporter.example TXT "v=DKIM1; p="', SignatureFault.REVOKED),
    "broken": ('s1._domainkey.reporter.example TXT "v=DKIM1; p=MIIB"', SignatureFault.UNUSABLE_KEY),
    "not for mail": (f's1._domainkey.reporter.example TXT "{rsa_text(2048)}; s=other"', SignatureFault.UNUSABLE_KEY),
    "for reports": (f's1._domainkey.reporter.example TXT "{rsa_text(2048)}; s=tlsrpt"', SignatureFault.MISMATCH),
    "sha1 only": (f's1._domainkey.reporter.example TXT "{rsa_text(2048)}; h=sha1"', SignatureFault.UNUSABLE_KEY),
    "512 bits": (f's1._domainkey.reporter.example TXT "{rsa_text(512)}"', SignatureFault.SHORT_KEY),
    "1023 bits": (f's1._domainkey.reporter.example TXT "{rsa_text(1023)}"', SignatureFault.SHORT_KEY),
    "4097 bits": (f's1._domainkey.reporter.example TXT "{rsa_text(4097)}"', SignatureFault.LONG_KEY),
    "ed25519": (f's1._domainkey.reporter.example TXT "{ed25519_pair()[1].decode()}"', SignatureFault.ALGORITHM),
    "other key": (f's1._domainkey.reporter.example TXT "{rsa_text(2048)}"', SignatureFault.MISMATCH),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_does_not_serve_proves_nothing(case: str) -> None:
    text, fault = KEYS[case]
    proof = check(sign(), Zone.parse(text))
    assert (only(proof).outcome, only(proof).fault, proof.dmarc) == (FAIL, fault, FAIL)


def test_a_huge_exponent_is_refused_before_it_costs_time() -> None:
    record = b"v=DKIM1; p=" + b64encode(spki(4096, (1 << 4000) + 1))
    started = time.process_time()
    assert only(check(sign(), key_zone(record=record))).fault is SignatureFault.LONG_KEY
    assert time.process_time() - started < 0.5


def test_a_key_with_exponent_one_is_everybodys() -> None:
    record = b"v=DKIM1; p=" + b64encode(spki(2048, 1))
    assert only(check(sign(), key_zone(record=record))).fault is SignatureFault.KEY_OF_ALL


def test_two_keys_are_no_key() -> None:
    zone = key_zone(more=f's1._domainkey.reporter.example TXT "{rsa_text(2048)}"')
    assert only(check(sign(), zone)).fault is SignatureFault.SEVERAL_KEYS


@pytest.mark.parametrize("failure", ["!timeout", "!servfail", "!refused", "!error"])
def test_a_key_that_nobody_answers_for_is_neither_good_nor_bad(failure: str) -> None:
    proof = check(sign(), f"s1._domainkey.reporter.example TXT {failure}")
    assert (only(proof).outcome, proof.dmarc, proof.unchecked) == (UNCHECKED, UNCHECKED, True)
    assert proof.proved == ()


def test_an_unanswered_key_of_a_stranger_leaves_nothing_open() -> None:
    proof = check(sign(domain="stranger.example"), "s1._domainkey.stranger.example TXT !timeout")
    assert (only(proof).outcome, proof.dmarc, proof.unchecked) == (UNCHECKED, FAIL, False)


def test_a_testing_key_counts_with_a_remark() -> None:
    signature = only(check(sign(), key_zone(record=rsa_pair()[1] + b"; t=y")))
    assert (signature.outcome, signature.remarks) == (PASS, (SignatureRemark.TESTING,))


def test_blanks_and_lists_in_the_key_record_are_understood() -> None:
    record = rsa_pair()[1].replace(b"p=MIIB", b"s=other:email; h=sha1:sha256; p=MII B")
    assert only(check(sign(), key_zone(record=record))).outcome is PASS


def test_strict_identity_wants_the_domain_itself() -> None:
    zone = key_zone(record=rsa_pair()[1] + b"; t=s")
    assert only(check(sign(identity=b"@reporter.example"), zone)).outcome is PASS
    assert only(check(sign(identity=b"@sub.reporter.example"), zone)).fault is SignatureFault.IDENTITY
    assert only(check(sign(identity=b"@sub.reporter.example"))).outcome is PASS


def test_rsa_sha1_does_not_count() -> None:
    proof = check(sign(algorithm="rsa-sha1"))
    assert (only(proof).outcome, only(proof).fault) == (FAIL, SignatureFault.SHA1)


def test_from_has_to_be_signed() -> None:
    signed = sign_with(MAIL, {"h": "subject : to"})
    assert only(check(signed)).fault is SignatureFault.FROM_NOT_SIGNED


WEIRD = {
    "no tags": b"",
    "no equals": b"v=1; a",
    "twice": b"v=1; a=rsa-sha256; d=reporter.example; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "version": b"v=2; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "no base64": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=A; b=AAAA",
    "empty b": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=AAAA; b=",
    "single label": b"v=1; a=rsa-sha256; d=example; s=s1; h=from; bh=AAAA; b=AAAA",
    "selector": b"v=1; a=rsa-sha256; d=reporter.example; s=a b/; h=from; bh=AAAA; b=AAAA",
    "long selector": b"v=1; a=rsa-sha256; d=reporter.example; s=" + b"s" * 64 + b"; h=from; bh=AAAA; b=AAAA",
    "canonicalization": b"v=1; a=rsa-sha256; c=nofws; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "query": b"v=1; a=rsa-sha256; q=http; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "time": b"v=1; a=rsa-sha256; t=soon; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "expires before": b"v=1; a=rsa-sha256; t=9; x=8; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "length": b"v=1; a=rsa-sha256; l=-1; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA",
    "not ascii": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA; z=\xff",
    "many fields": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; bh=AAAA; b=AAAA; h=from" + b":x" * 200,
    "long": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=AAAA; b=AAAA; z=" + b"x" * 17_000,
    "blanks": b"v=1; a=rsa-sha256; d=reporter.example; s=s1; h=from; bh=AAAA; b=" + b" \t" * 60 + b"AAAA",
}


@pytest.mark.parametrize("case", WEIRD)
def test_a_signature_that_cannot_be_read_is_not_asked_about(case: str) -> None:
    zone = key_zone()
    proof = check(b"DKIM-Signature: " + WEIRD[case] + b"\r\n" + MAIL, zone)
    assert (only(proof).outcome, only(proof).fault) == (FAIL, SignatureFault.SYNTAX)
    assert not any("_domainkey" in question.name for question in zone.asked)


def test_an_unknown_algorithm() -> None:
    signed = sign().replace(b"a=rsa-sha256", b"a=rsa-sha999")
    assert only(check(signed)).fault is SignatureFault.ALGORITHM


def test_an_identity_outside_the_domain() -> None:
    signed = sign().replace(b"i=@reporter.example", b"i=@evil.example")
    assert only(check(signed)).fault is SignatureFault.IDENTITY


def test_five_signatures_are_verified_and_the_authors_is_among_them() -> None:
    signed = sign()
    for number in range(8):
        signed = sign(signed, domain=f"list{number}.example")
    zone = key_zone()
    proof = check(signed, zone)
    assert (len(proof.signatures), proof.omitted, proof.dmarc) == (5, 4, PASS)
    assert proof.signatures[0].domain == "reporter.example"
    assert sum("_domainkey" in question.name for question in zone.asked) == 5


def test_ten_thousand_signatures_cost_nothing() -> None:
    field = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"
    started = time.process_time()
    proof = check(field * 10_000 + sign())
    assert (proof.signatures, proof.dmarc, proof.fault) == ((), FAIL, "header-too-large")
    assert time.process_time() - started < 0.2


HOSTILE_BODIES = {
    "blanks": b" " * 3_000_000 + b"x\r\n",
    "tabs": b"\t" * 3_000_000,
    "empty lines": b"\r\n" * 1_500_000,
    "empty lines and a word": b"\r\n" * 1_500_000 + b"x",
    "carriage returns": b"\r" * 3_000_000,
    "blank lines": b" \r\n" * 1_000_000,
}


@pytest.mark.parametrize("case", HOSTILE_BODIES)
def test_hostile_bodies_take_linear_time(case: str) -> None:
    signed = sign_with(MAIL, {}, canonicalize=(b"relaxed", b"relaxed"))
    hostile = signed.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + HOSTILE_BODIES[case]
    started = time.process_time()
    assert only(check(hostile)).outcome is FAIL
    assert time.process_time() - started < 1.5


def test_the_keys_are_kept_and_the_check_can_be_made_again_without_them_in_dns() -> None:
    signed = sign()
    first = check(signed)
    assert first.keys == {DomainName("s1._domainkey.reporter.example"): rsa_pair()[1].decode()}
    nothing = Zone()
    again = run(authenticate(received(signed), keys=first.keys), nothing)
    assert again == first
    assert not any("_domainkey" in question.name for question in nothing.asked)


def test_the_check_does_not_ask_the_clock_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = sign_with(MAIL, {"x": str(NOW + 60)})
    monkeypatch.setattr("time.time", lambda: pytest.fail("asked"))
    assert only(check(signed)).outcome is PASS


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["v", "a", "c", "d", "h", "i", "l", "q", "s", "t", "x", "b", "bh", "z"]),
        st.text(alphabet="=:;@./ \t019azAZ+-\x00é", max_size=20),
    )
)
def test_weird_tags_never_raise_and_never_pass(tags: dict[str, str]) -> None:
    base = {"v": "1", "a": "rsa-sha256", "d": "reporter.example", "s": "s1", "h": "from", "bh": "AAAA", "b": "AAAA"}
    field = "; ".join(f"{key}={value}" for key, value in (base | tags).items()).encode()
    proof = check(b"DKIM-Signature: " + field + b"\r\n" + MAIL)
    assert all(signature.outcome is FAIL for signature in proof.signatures)
    assert proof.dmarc is FAIL


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(raw: bytes) -> None:
    assert check(received(raw)).proved == ()
    assert check(received(b"DKIM-Signature: " + raw)).proved == ()


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 3000))
def test_a_mail_cut_short_never_passes(cut: int) -> None:
    signed = sign()
    if cut < len(signed) - 2:  # the last line end is not part of what is hashed
        assert check(received(signed[:cut])).dmarc is FAIL


def test_a_key_for_tls_reports_only_proves_nothing_about_mail() -> None:
    proof = check(sign(), key_zone(record=rsa_pair()[1] + b"; s=tlsrpt"))
    assert (only(proof).outcome, only(proof).fault) == (FAIL, SignatureFault.KEY_FOR_TLS_REPORTS)
    assert (proof.dmarc, proof.proved) == (FAIL, ())


@pytest.mark.parametrize("services", ["email", "*", "tlsrpt : email"])
def test_a_key_that_is_for_mail_too_proves_it(services: str) -> None:
    proof = check(sign(), key_zone(record=rsa_pair()[1] + b"; s=" + services.encode()))
    assert only(proof).outcome is Outcome.PASS


def test_a_revoked_key_for_tls_reports_is_revoked() -> None:
    proof = check(sign(), key_zone(record=b"v=DKIM1; s=tlsrpt; p="))
    assert only(proof).fault is SignatureFault.REVOKED
