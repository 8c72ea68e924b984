"""Whatever a name server says, the rules about DKIM and the zone stand it, and their facts can be written down."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt, run
from mailguard.names import name
from mailguard.rules.dkim import CHECKS as DKIM_CHECKS
from mailguard.rules.zone import CHECKS as ZONE_CHECKS
from mailguard.survey import take_survey
from mailguard.zone.edit import parked_records
from mailguard.zone.parked import parked_state
from tests.dkim.keys import record, rsa_public_key, spki

TEXTS = (
    record(spki(512)),
    record(spki(1024), "t=y; v=DKIM1; g="),
    record(spki(2048, exponent=1 << 50000)),
    record(rsa_public_key(4104, exponent=2)),
    record(spki(2048))[:255],
    b"v=DKIM1; p=",
    b"v=DKIM1; k=ed25519; p=" + b"A" * 60000,
    b"v=spf1 -all",
    b"v=spf1 include:x.example redirect=y.example",
    b"v=DMARC1; p=reject; sp=none; np=reject",
    b"\xff\x00\xfe",
    b"",
)
EXCHANGES = ("", "localhost", "192.0.2.1", "ms1.msv1.invalid", "x" * 300, "m.example.net", "\\000.example")
rdata = st.one_of(
    st.sampled_from(TEXTS).map(lambda text: Txt((text[:255], text[255:]))),
    st.binary(max_size=40).map(lambda text: Txt((text,))),
    st.builds(Mx, st.integers(0, 65535), st.sampled_from(EXCHANGES).map(name)),
    st.sampled_from(("192.0.2.1", "10.0.0.1", "fe80::1%eth0", "nonsense", "2001:db8::1")),
)
answers = st.tuples(
    st.sampled_from(Status),
    st.lists(rdata, max_size=4).map(tuple),
    st.sampled_from(((), (name("gone.example.net"),))),
)
KINDS = {RRType.TXT: Txt, RRType.MX: Mx, RRType.A: str, RRType.AAAA: str}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(answers, min_size=1, max_size=12), st.sampled_from((None, True, False)))
def test_no_answer_makes_a_rule_raise(script: list[tuple[Status, tuple[Rdata, ...], tuple]], word: bool | None) -> None:
    def source(question: Question) -> Answer:
        status, records, aliases = script[hash(question) % len(script)]
        kept = tuple(each for each in records if type(each) is KINDS.get(question.rrtype))
        if status is Status.DATA and not kept:
            status = Status.NO_DATA
        return Answer(question, status, kept if status is Status.DATA else (), aliases)

    survey = run(take_survey(name("clinic.example.jp"), selectors=("mine",), probe_label="probe-0001"), source)
    dossier = Dossier(Expectation(sends=word, receives=word), survey, datetime(2026, 11, 22, tzinfo=UTC))
    for check in (*DKIM_CHECKS.values(), *ZONE_CHECKS.values()):
        for finding in check(dossier):
            json.dumps(dict(finding.facts))
            assert finding.seen_in
    assert parked_state(survey, dossier.expectation)
    assert all(len(each.after) == 1 for each in parked_records(survey))
