"""Is a domain used for mail, and what should it publish if not?"""

from __future__ import annotations

import pytest

from mailguard.dossier import Expectation
from mailguard.inquiry import RRType, run
from mailguard.names import name
from mailguard.survey import Survey, take_survey
from mailguard.zone.edit import parked_records, propose
from mailguard.zone.parked import ParkedStatus, Parking, Piece, looks_unused, may_pass, parked_state
from tests.zones import Zone

DOMAIN = name("clinic.example.jp")

NEVER = 'clinic.example.jp TXT "v=spf1 -all"'
NULL = "clinic.example.jp MX 0 ."
HOST = "clinic.example.jp MX 10 m.example.net\nm.example.net A 192.0.2.1"
WEB = "clinic.example.jp A 192.0.2.80"
REJECT = '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=mailto:r@example.net"'
PERFECT = f"{NEVER}\n{NULL}\n{REJECT}"


def survey(*lines: str) -> Survey:
    return run(take_survey(DOMAIN, probe_label="mailguard-probe-0001"), Zone.parse("\n".join(lines)))


def parked(*lines: str, sends: bool | None = None, receives: bool | None = None) -> Parking:
    return parked_state(survey(*lines), Expectation(sends=sends, receives=receives))


def test_the_four_combinations() -> None:
    sending = 'clinic.example.jp TXT "v=spf1 mx -all"'
    assert parked(sending, HOST).status is ParkedStatus.NOT_PARKED
    assert parked(NEVER, HOST).status is ParkedStatus.NOT_PARKED  # receives only
    assert parked(sending, NULL).status is ParkedStatus.NOT_PARKED  # sends only
    assert parked(NEVER, NULL, REJECT) == Parking(False, False, ParkedStatus.PERFECT)


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ((NEVER, NULL), {Piece.DMARC, Piece.RUA}),
        ((NEVER, NULL, '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"'), {Piece.RUA}),
        ((NEVER, NULL, REJECT.replace("p=reject", "p=quarantine")), {Piece.DMARC}),
        ((NEVER, NULL, REJECT.replace("p=reject", "p=reject; sp=none")), {Piece.DMARC}),
        ((NEVER, NULL, REJECT.replace("p=reject", "p=reject; np=none")), {Piece.DMARC}),
        ((NEVER, NULL, REJECT.replace("p=reject", "p=reject; t=y")), {Piece.DMARC}),
    ],
)
def test_each_missing_piece_is_named(lines: tuple[str, ...], missing: set[Piece]) -> None:
    state = parked(*lines)
    assert (state.status, set(state.missing)) == (ParkedStatus.IMPERFECT, missing)


def test_no_mx_and_no_address_receives_nothing_either() -> None:
    assert parked(NEVER, REJECT).status is ParkedStatus.PERFECT


def test_a_web_site_without_mx_still_receives() -> None:
    assert parked(NEVER, WEB, REJECT) == Parking(False, True, ParkedStatus.NOT_PARKED)


def test_a_missing_spf_record_is_no_word_about_sending() -> None:
    assert parked(NULL, REJECT).status is ParkedStatus.NOT_PARKED


@pytest.mark.parametrize(
    "text", ["v=spf1 ~all", "v=spf1 -all exp=x.example.net", "v=spf1 mx -all", "v=spf1 -all -all", "v=spf1"]
)
def test_only_minus_all_and_nothing_else_says_never(text: str) -> None:
    assert parked(f'clinic.example.jp TXT "{text}"', NULL).status is ParkedStatus.NOT_PARKED


def test_the_owners_word_goes_before_what_is_published() -> None:
    assert parked(PERFECT, sends=True).status is ParkedStatus.NOT_PARKED
    assert parked(HOST, REJECT, sends=False, receives=False).missing == (Piece.SPF, Piece.MX)


@pytest.mark.parametrize("name", ["clinic.example.jp TXT", "clinic.example.jp MX", "_dmarc.clinic.example.jp TXT"])
def test_nothing_is_said_without_the_deciding_answer(name: str) -> None:
    lines = [line for line in PERFECT.splitlines() if not line.startswith(name)]
    assert parked(*lines, f"{name} !timeout").status is ParkedStatus.UNANSWERED


def test_a_domain_that_looks_unused() -> None:
    assert looks_unused(survey('clinic.example.jp TXT "verification"'))
    assert not looks_unused(survey(NEVER))
    assert not looks_unused(survey(WEB))
    assert not looks_unused(survey("clinic.example.jp MX !timeout"))


@pytest.mark.parametrize(
    ("record", "passes"),
    [
        (b"v=spf1 -all", False),
        (b"v=spf1 ~all", False),
        (b"v=spf1 -mx ?a -all", False),
        (b"v=spf1 exp=why.example.net -all", False),
        (b"v=spf1 unknown.modifier=x -all", False),
        (b"v=spf1 mx -all", True),
        (b"v=spf1 +a/24 -all", True),
        (b"v=spf1 -ip4:192.0.2.1 ip6:2001:db8::/32 -all", True),
        (b"v=spf1 +all", True),
        (b"v=spf1 redirect=spf.example.net", True),
        (b"v=spf1", False),
    ],
)
def test_which_records_may_give_a_pass(record: bytes, passes: bool) -> None:
    assert may_pass(record) is passes


def values(*lines: str) -> dict[str, str]:
    return {f"{record.name} {record.rrtype}": record.after[0] for record in parked_records(survey(*lines))}


def test_a_domain_without_mail_gets_the_whole_set() -> None:
    assert values(WEB) == {
        "clinic.example.jp TXT": "v=spf1 -all",
        "*.clinic.example.jp TXT": "v=spf1 -all",
        "*._domainkey.clinic.example.jp TXT": "v=DKIM1; p=",
        "_dmarc.clinic.example.jp TXT": "v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s",
        "clinic.example.jp MX": "0 .",
    }


def test_without_an_address_no_null_mx_is_needed() -> None:
    assert "clinic.example.jp MX" not in values('clinic.example.jp TXT "x"')


def test_what_is_there_is_not_proposed_again_and_reports_are_kept() -> None:
    lines = (NEVER, NULL, REJECT.replace("p=reject", "p=none"))
    wild = ('*.clinic.example.jp TXT "v=spf1 -all"', '*._domainkey.clinic.example.jp TXT "v=DKIM1; p="')
    assert values(*lines, *wild) == {
        "_dmarc.clinic.example.jp TXT": (
            "v=DMARC1; p=reject; sp=reject; np=reject; adkim=s; aspf=s; rua=mailto:r@example.net"
        )
    }


def test_nothing_is_put_beside_an_alias() -> None:
    assert "*.clinic.example.jp TXT" not in values(WEB, "*.clinic.example.jp CNAME web.example.net")


def test_other_texts_at_the_domain_are_left_alone() -> None:
    (record, *_) = parked_records(survey('clinic.example.jp TXT "verification=1"', 'clinic.example.jp TXT "v=spf1 a"'))
    assert (record.before, record.after) == (("v=spf1 a",), ("v=spf1 -all",))


def test_publishing_the_set_makes_the_domain_perfect_but_for_reports() -> None:
    proposed = parked_records(survey(WEB))
    lines = [
        f'{record.name} {record.rrtype} "{record.after[0]}"'
        if record.rrtype is RRType.TXT
        else f"{record.name} {record.rrtype} {record.after[0]}"
        for record in proposed
    ]
    assert parked(WEB, *lines).missing == (Piece.RUA,)


def test_proposals_are_made_for_the_rules_that_have_one() -> None:
    taken = survey("clinic.example.jp MX 10 .")
    assert [record.after for record in propose("ZONE020", taken)] == [("0 .",)]
    assert propose("ZONE005", taken) == ()
    assert propose("ZONE014", taken) == propose("ZONE015", taken) == parked_records(taken)
