"""The include tree: what it costs, where it leads, and how many questions it may take."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import Answer, Mx, Question, RRType, Status, Txt, run
from mailguard.names import name
from mailguard.rules.spf import CHECKS
from mailguard.spf.expansion import MAX_QUESTIONS, BranchStatus
from mailguard.spf.survey import SpfStatus, SpfSurvey, Strangers, survey_spf
from mailguard.spf.terms import Qualifier
from mailguard.survey import take_survey
from tests.zones import Zone

CLINIC = name("clinic.example.jp")


def survey(zone: Zone | str) -> SpfSurvey:
    return run(survey_spf(CLINIC), Zone.parse(zone) if isinstance(zone, str) else zone)


SAKURA = """
    clinic.example.jp     TXT  "v=spf1 a:www1234.example.net mx ~all"
    clinic.example.jp     MX   10 clinic.example.jp
    clinic.example.jp     A    192.0.2.1
    www1234.example.net   A    198.51.100.7
"""


def test_a_clinic_at_a_shared_server() -> None:
    spf = survey(SAKURA)
    assert spf.status is SpfStatus.VALID
    assert (spf.lookups, spf.void_lookups, spf.all) == (2, 0, Qualifier.SOFTFAIL)
    assert [str(net) for net in spf.reach4.passes.networks()] == ["192.0.2.1/32", "198.51.100.7/32"]
    assert spf.strangers_can_pass is Strangers.NO


def test_cost_of_each_branch_even_past_the_limit() -> None:
    inner = " ".join(f"a:h{i}.example.net" for i in range(9))
    spf = survey(f"""
        clinic.example.jp  TXT  "v=spf1 mx include:a.example.net include:b.example.net ip4:192.0.2.1 -all"
        a.example.net      TXT  "v=spf1 {inner} -all"
        b.example.net      TXT  "v=spf1 include:a.example.net -all"
    """)
    assert [branch.lookups for branch in spf.tree.branches] == [1, 10, 11, 0, 0]
    assert spf.lookups == 22
    assert spf.reach4.stopped_at is not None


def test_only_what_evaluation_can_reach_is_counted() -> None:
    spf = survey("""
        clinic.example.jp  TXT  "v=spf1 a:x.example.net -all include:a.example.net redirect=b.example.net"
        x.example.net      A    198.51.100.1
    """)
    assert spf.lookups == 1


def test_the_p_macro_costs_one_more() -> None:
    assert survey('clinic.example.jp TXT "v=spf1 exists:%{p}.example.net -all"').lookups == 2


def test_each_question_is_asked_once_and_a_level_at_a_time() -> None:
    zone = Zone.parse("""
        clinic.example.jp  TXT  "v=spf1 include:a.example.net include:b.example.net -all"
        a.example.net      TXT  "v=spf1 include:c.example.net -all"
        b.example.net      TXT  "v=spf1 include:c.example.net -all"
        c.example.net      TXT  "v=spf1 ip4:198.51.100.1 -all"
    """)
    rounds = []
    inquiry = survey_spf(CLINIC)
    step = next(inquiry)
    while step:
        rounds.append({question.name for question in step})
        try:
            step = inquiry.send(tuple(map(zone, step)))
        except StopIteration:
            step = ()
    assert rounds == [{CLINIC}, {"a.example.net", "b.example.net"}, {"c.example.net"}]
    assert max(zone.asked.values()) == 1


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('a.example.net TXT "v=spf1 -all"', BranchStatus.OK),
        ('a.example.net TXT "hello"', BranchStatus.EMPTY),
        ("", BranchStatus.NXDOMAIN),
        ('a.example.net TXT "v=spf1"\na.example.net TXT "v=spf1 -all"', BranchStatus.MULTIPLE),
        ('a.example.net TXT "v=spf1 ip:1"', BranchStatus.SYNTAX),
        ('a.example.net TXT "v=spf1 include:clinic.example.jp"', BranchStatus.OK),
        ("a.example.net TXT !timeout", BranchStatus.UNANSWERED),
        ("a.example.net CNAME gone.example.com", BranchStatus.EMPTY),
    ],
)
def test_where_an_include_leads(line: str, status: BranchStatus) -> None:
    spf = survey(f'clinic.example.jp TXT "v=spf1 include:a.example.net ~all"\n{line}')
    assert spf.tree.branches[0].status is status


def test_a_name_that_depends_on_the_message_is_dynamic_unless_it_only_names_the_domain() -> None:
    spf = survey("""
        clinic.example.jp           TXT  "v=spf1 include:%{d}._spf.example.net include:%{i}._spf.example.net -all"
        clinic.example.jp._spf.example.net  TXT  "v=spf1 ip4:198.51.100.1 -all"
    """)
    assert [branch.status for branch in spf.tree.branches[:2]] == [BranchStatus.OK, BranchStatus.DYNAMIC]
    assert not spf.lookups_exact


def test_an_include_of_a_single_label_is_no_domain_to_check() -> None:
    spf = survey('clinic.example.jp TXT "v=spf1 include:%{d1} -all"')
    assert spf.tree.branches[0].status is BranchStatus.UNUSABLE_NAME


def test_void_lookups_are_what_a_receiver_would_see_empty() -> None:
    spf = survey("""
        clinic.example.jp  TXT   "v=spf1 a:four.example.net a:six.example.net a:none.example.net ~all"
        four.example.net   A     198.51.100.1
        six.example.net    AAAA  2001:db8::1
    """)
    assert (spf.tree.void4, spf.tree.void6) == (2, 2)


@pytest.mark.parametrize(
    ("zone", "strangers"),
    [
        ("", Strangers.NO),
        ('clinic.example.jp TXT "v=spf1 +all"', Strangers.YES),
        ('clinic.example.jp TXT "v=spf1 +all"\nclinic.example.jp TXT "v=spf1 -all"', Strangers.NO),
        ("clinic.example.jp TXT !timeout", Strangers.UNKNOWN),
        ('clinic.example.jp TXT "v=spf1 include:a.example.net -all"\na.example.net TXT !timeout', Strangers.UNKNOWN),
        ('clinic.example.jp TXT "v=spf1 a:a.example.net -all"\na.example.net * !timeout', Strangers.NO),
        ('clinic.example.jp TXT "v=spf1 include:a.example.net +all"', Strangers.NO),
        ('clinic.example.jp TXT "v=spf1 exists:%{i}.x.example.net -all"', Strangers.NO),
        ('clinic.example.jp TXT "v=spf1 exists:%{i}.x.example.net +all"', Strangers.YES),
        (
            'clinic.example.jp TXT "v=spf1 exists:%{i}.x.example.net -all"\n*.x.example.net A 198.51.100.1',
            Strangers.YES,
        ),
        (
            'clinic.example.jp TXT "v=spf1 exists:%{i}.x.example.net -all"\n203.0.113.77.x.example.net A !timeout',
            Strangers.UNKNOWN,
        ),
    ],
)
def test_whether_strangers_pass(zone: str, strangers: Strangers) -> None:
    assert survey(zone).strangers_can_pass is strangers


@pytest.mark.parametrize(
    ("text", "strangers"),
    [
        (b"v=spf1 -all", Strangers.NO),
        (b"v=spf1 +all", Strangers.YES),
        (b"v=spf1 include:unseen.example.net -all", Strangers.UNKNOWN),
        (b"v=spf1 a mx -all", Strangers.NO),
    ],
)
def test_whether_strangers_pass_below_a_wildcard(text: bytes, strangers: Strangers) -> None:
    assert survey(SAKURA).wildcard_strangers([text]) is strangers


def hostile(question: Question) -> str | None:
    """255 includes in every record."""
    return "v=spf1 " + " ".join(f"include:{i}.{question.name[-20:]}" for i in range(255)) + " ~all"


def chain(question: Question) -> str | None:
    return f"v=spf1 include:x.{question.name} ~all"


def doubling(question: Question) -> str | None:
    label = question.name.partition(".")[0]
    following = int(label[1:]) + 1 if label[1:].isdigit() else 0
    return f"v=spf1 include:n{following}.example.net include:n{following}.example.net ~all"


def huge(question: Question) -> str | None:
    return "v=spf1" + " mx:x.example.net" * 3800


def many_hosts(question: Question) -> str | None:
    return "v=spf1 " + " ".join(f"mx:m{i}.example.net" for i in range(60))


def many_dynamic(question: Question) -> str | None:
    return "v=spf1 " + " ".join(f"include:%{{i}}.{i}.example.net" for i in range(9))


@pytest.mark.parametrize("record", [hostile, chain, doubling, huge, many_hosts, many_dynamic])
def test_a_hostile_zone_ends_within_the_bound(record) -> None:
    asked: set[Question] = set()

    def source(question: Question) -> Answer:
        assert question not in asked
        asked.add(question)
        if question.rrtype is RRType.TXT:
            return Answer(question, Status.DATA, (Txt((record(question).encode(),)),))
        if question.rrtype is RRType.MX:
            return Answer(question, Status.DATA, tuple(Mx(i, name(f"h{i}.{question.name}")) for i in range(10)))
        return Answer(question, Status.NXDOMAIN)

    spf = run(survey_spf(CLINIC), source)
    assert len(asked) <= MAX_QUESTIONS + 2 + 12
    assert spf.status is SpfStatus.VALID
    assert sum(1 for _ in spf.tree.walk()) < 20_000
    if record is not huge and record is not many_dynamic:
        assert spf.truncated


def test_rules_hold_out_against_a_hostile_record() -> None:
    strings = tuple(b"a:x.example.net include:".ljust(255, b"y") for _ in range(250))

    def source(question: Question) -> Answer:
        if question == Question(CLINIC, RRType.TXT):
            return Answer(question, Status.DATA, (Txt((b"v=spf1 ", *strings)),))
        return Answer(question, Status.NXDOMAIN)

    survey = run(take_survey(CLINIC, probe_label="mailguard-probe-0001"), source)
    dossier = Dossier(Expectation(), survey, datetime(2026, 11, 22, tzinfo=UTC))
    for check in CHECKS.values():
        for finding in check(dossier):
            assert sum(len(str(fact)) for fact in finding.facts.values()) < 20_000


def test_a_tree_that_was_cut_short_says_so() -> None:
    spf = survey('clinic.example.jp TXT "v=spf1 ' + " ".join(f"include:s{i}.example.net" for i in range(60)) + '"')
    assert spf.truncated
    assert not spf.lookups_exact
    assert spf.lookups == 60
