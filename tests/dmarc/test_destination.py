"""External report destinations (RFC 9990 section 4)."""

from __future__ import annotations

from mailguard.dmarc.destination import Destination, DestinationStatus, Reason, consent_question
from mailguard.dmarc.survey import survey_dmarc
from mailguard.inquiry import RRType, run
from mailguard.names import name
from tests.zones import Zone


def destinations(rua: str, *lines: str, domain: str = "clinic.example.jp", kind: str = "rua") -> list[Destination]:
    record = f'_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; {kind}={rua}"'
    survey = run(survey_dmarc(name(domain)), Zone.parse("\n".join((record, *lines))))
    return list(survey.destinations)


def reason(rua: str, *lines: str) -> Reason:
    (destination,) = destinations(rua, *lines)
    return destination.reason


CONSENT = "clinic.example.jp._report._dmarc.report.example.net TXT"
OUTSIDE = "mailto:a@report.example.net"


def test_inside_needs_no_consent() -> None:
    assert reason("mailto:a@clinic.example.jp") is Reason.INSIDE
    assert reason("mailto:a@mail.clinic.example.jp") is Reason.INSIDE


def test_inside_is_decided_by_the_tree_walk() -> None:
    assert reason("mailto:a@example.jp", '_dmarc.example.jp TXT "v=DMARC1; p=none"') is Reason.INSIDE
    assert reason("mailto:a@example.jp") is Reason.UNCONFIRMED, "without a record above they are two organisations"


def test_consent() -> None:
    assert reason(OUTSIDE, f'{CONSENT} "v=DMARC1"') is Reason.CONFIRMED
    assert reason(OUTSIDE, f'{CONSENT} "v=DMARC1;"') is Reason.CONFIRMED
    assert reason(OUTSIDE, '*._report._dmarc.report.example.net TXT "v=DMARC1;"') is Reason.CONFIRMED
    assert reason(OUTSIDE) is Reason.UNCONFIRMED
    assert reason(OUTSIDE, f'{CONSENT} "hello"') is Reason.UNCONFIRMED
    assert reason(OUTSIDE, f'{CONSENT} "v=dmarc1"') is Reason.UNCONFIRMED


def test_several_consents_and_other_texts_are_fine() -> None:
    lines = [f'{CONSENT} "v=DMARC1"', f'{CONSENT} "v=DMARC1; p=none"', f'{CONSENT} "hello"']
    assert reason(OUTSIDE, *lines) is Reason.CONFIRMED


def test_the_concrete_name_is_asked_never_the_wildcard() -> None:
    zone = Zone.parse(f'_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua={OUTSIDE}"')
    run(survey_dmarc(name("clinic.example.jp")), zone)
    asked = {str(question.name) for question in zone.asked if question.rrtype is RRType.TXT}
    assert "clinic.example.jp._report._dmarc.report.example.net" in asked
    assert not any("*" in at for at in asked)


def test_the_name_of_the_consent_holds_the_policy_domain() -> None:
    (destination,) = destinations(OUTSIDE, f'{CONSENT} "v=DMARC1"', domain="www.clinic.example.jp")
    assert destination.status is DestinationStatus.ACCEPTED


def test_a_replacement_must_keep_the_host() -> None:
    same = f'{CONSENT} "v=DMARC1; rua=mailto:b@report.example.net"'
    (destination,) = destinations(OUTSIDE, same)
    assert (destination.reason, destination.replaced_by) == (Reason.CONFIRMED, ("mailto:b@report.example.net",))
    other = f'{CONSENT} "v=DMARC1; rua=mailto:b@other.example.net"'
    assert reason(OUTSIDE, other) is Reason.OTHER_HOST


def test_a_replacement_counts_for_its_own_kind() -> None:
    other = f'{CONSENT} "v=DMARC1; ruf=mailto:b@other.example.net"'
    assert reason(OUTSIDE, other) is Reason.CONFIRMED
    (destination,) = destinations(OUTSIDE, other, kind="ruf")
    assert (destination.kind, destination.reason) == ("ruf", Reason.OTHER_HOST)


def test_a_name_that_does_not_fit_cannot_consent() -> None:
    host = ".".join(["x" * 60] * 4)  # with the policy domain in front it is longer than 253 octets
    assert reason(f"mailto:a@{host}") is Reason.NAME_TOO_LONG


def test_unanswered_is_not_refused() -> None:
    assert reason(OUTSIDE, f"{CONSENT} !timeout") is Reason.NO_ANSWER
    # Whether it is outside at all is unknown, so missing consent says nothing.
    assert reason(OUTSIDE, "_dmarc.example.net TXT !servfail") is Reason.NO_ANSWER
    (destination,) = destinations(OUTSIDE, "_dmarc.example.net TXT !servfail", f'{CONSENT} "v=DMARC1"')
    assert destination.status is DestinationStatus.ACCEPTED


def test_no_address() -> None:
    assert reason("https://report.example.net/") is Reason.NO_ADDRESS
    assert reason("a@report.example.net") is Reason.NO_ADDRESS


def test_the_number_of_questions_is_bounded() -> None:
    rua = ",".join(f"mailto:a@r{number}.example.net" for number in range(40))
    zone = Zone.parse(f'_dmarc.clinic.example.jp TXT "v=DMARC1; p=none; rua={rua}"')
    survey = run(survey_dmarc(name("clinic.example.jp")), zone)
    assert len(zone.asked) <= 57
    assert survey.destinations[0].status is DestinationStatus.REFUSED
    assert survey.destinations[39].status is DestinationStatus.UNANSWERED


def test_consent_question() -> None:
    question = consent_question(name("clinic.example.jp"), name("report.example.net"))
    assert question.name == "clinic.example.jp._report._dmarc.report.example.net"
