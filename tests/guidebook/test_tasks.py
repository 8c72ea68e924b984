"""Findings become tasks: each in one, in an order that stops no mail."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from time import process_time

import pytest

from mailguard.dossier import Expectation, MailingLists
from mailguard.guidebook.actors import Actor, companies
from mailguard.guidebook.letters import make_letters
from mailguard.guidebook.tasks import Plan, Stage, Task, Work, make_plan
from mailguard.guidebook.telling import plan_of
from mailguard.guidebook.works import NEXT_TIME
from mailguard.render.document import Document
from mailguard.rules.catalogue import RULES
from tests.guidebook.cases import case_of
from tests.render.documents import all_documents, document_of

START, FIRST_DUE = date(2026, 11, 22), date(2026, 12, 22)

NO_DMARC = """
clinic.example  MX   10 mail.clinic.example
clinic.example  TXT  "v=spf1 ip4:192.0.2.10 -all"
mail.clinic.example  A  192.0.2.10
"""

WATCHING = NO_DMARC + '_dmarc.clinic.example TXT "v=DMARC1; p=none; rua=mailto:dmarc@clinic.example"'


def plan(document: Document) -> Plan:
    return make_plan(document, START, FIRST_DUE)


def task(document: Document, work: Work) -> Task:
    return next(one for one in plan(document).tasks if one.work is work)


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_every_finding_and_every_fix_lies_in_exactly_one_task(story: str) -> None:
    document = all_documents()[story]
    tasks = plan(document).tasks
    assert sorted(index for one in tasks for index in one.findings) == list(range(len(document["findings"])))
    fixes = [repr(fix) for one in tasks for fix in one.fixes]
    assert sorted(fixes) == sorted({repr(one["fix"]) for one in document["findings"] if one["fix"]})


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_what_a_task_waits_for_stands_before_it_and_is_due_before_it(story: str) -> None:
    tasks = plan(all_documents()[story]).tasks
    dues = {one.number: one.due for one in tasks}
    assert [one.number for one in tasks] == list(range(1, len(tasks) + 1))
    for one in tasks:
        assert all(number < one.number and dues[number] <= one.due for number in one.after)
        assert one.minutes[0] <= one.minutes[1]


def test_every_rule_has_a_kind_of_work() -> None:
    for rule in RULES:
        finding: Document = {
            "rule": rule,
            "severity": "high",
            "fix": None,
            "waived": None,
            "at": "x",
            "facts": {},
            "seen_in": [],
        }
        document = {**document_of(NO_DMARC, "clinic.example"), "findings": [finding]}
        assert plan(document).task_of(0)


def test_a_domain_without_dmarc_gets_a_mailbox_then_a_record_then_a_month_of_reports() -> None:
    document = document_of(NO_DMARC, "clinic.example")
    mailbox, start, read = (task(document, work) for work in (Work.MAKE_MAILBOX, Work.START_DMARC, Work.READ_REPORTS))
    assert mailbox.number in start.after
    assert start.number in read.after
    assert read.due - start.due >= timedelta(days=31)
    assert not plan(document).has(Work.TIGHTEN), "not before reports were seen"


def way(document: Document) -> list[Work]:
    """The tasks from the reading of reports on, each of which waits for the one before it."""
    tasks = [one for one in plan(document).tasks if one.stage in (Stage.OBSERVE, Stage.TIGHTEN)]
    for before, after in pairwise(tasks):
        assert before.number in after.after
        assert after.due > before.due
        assert after.minutes[0] > 0
    return [one.work for one in tasks]


READ, ANEW, READ_ON = Work.READ_REPORTS, Work.AUDIT_ANEW, Work.READ_ON


@pytest.mark.parametrize(
    ("dmarc", "works"),
    [
        ("", [READ, ANEW, Work.QUARANTINE, READ_ON, Work.REJECT]),
        ("v=DMARC1; p=none", [READ, ANEW, Work.QUARANTINE, READ_ON, Work.REJECT]),
        ("v=DMARC1; p=none; rua=mailto:dmarc@clinic.example", [READ, ANEW, Work.TIGHTEN, READ_ON, Work.REJECT]),
        ("v=DMARC2; p=none", [READ, ANEW, Work.QUARANTINE, READ_ON, Work.REJECT]),
        ("v=DMARC1; p=quarantine", [READ, ANEW, Work.REJECT]),
        ("v=DMARC1; p=reject", [READ, ANEW]),
        ("v=DMARC1; p=reject; rua=mailto:dmarc@clinic.example", []),
    ],
)
def test_watching_is_not_the_end_of_the_way(dmarc: str, works: list[Work]) -> None:
    record = f'_dmarc.clinic.example TXT "{dmarc}"' if dmarc else ""
    assert way(document_of(f"{NO_DMARC}\n{record}", "clinic.example")) == works


def test_where_people_post_to_mailing_lists_the_way_ends_at_quarantine() -> None:
    document = document_of(NO_DMARC, "clinic.example", said=Expectation(MailingLists.YES))
    assert way(document) == [READ, ANEW, Work.QUARANTINE]


def test_a_domain_that_sends_nothing_goes_no_such_way() -> None:
    assert way(document_of(NO_DMARC, "clinic.example", said=Expectation(sends=False))) == []


def test_what_comes_with_the_next_guide_is_asked_for_in_no_letter() -> None:
    case = case_of(document_of(NO_DMARC, "clinic.example"))
    asked = {request.task.work for letter in make_letters(case, plan_of(case)) for request in letter.requests}
    assert Work.START_DMARC in asked
    assert not asked & NEXT_TIME


def test_tightening_comes_after_all_repairs_and_the_reading_of_reports() -> None:
    document = document_of(WATCHING + '\nclinic.example TXT "v=spf1 -all"', "clinic.example")
    tighten = task(document, Work.TIGHTEN)
    assert [finding["rule"] for finding in document["findings"] if finding["rule"] == "SPF002"]
    before = [one for one in plan(document).tasks if one.stage in (Stage.REPAIR, Stage.MONITOR, Stage.OBSERVE)]
    assert all(one.number < tighten.number and one.due <= tighten.due for one in before)
    again = task(document, Work.AUDIT_ANEW)
    assert again.number in tighten.after
    assert task(document, Work.READ_REPORTS).number in again.after


def test_a_record_that_would_tighten_while_nobody_gets_reports_waits_for_a_start_with_reports() -> None:
    document = document_of(NO_DMARC + '_dmarc.clinic.example TXT "v=DMARC1; p=reject; sp=rejct"', "clinic.example")
    assert document["dmarc"]["destinations"] == []
    assert plan(document).has(Work.TIGHTEN)
    assert task(document, Work.START_DMARC).number < task(document, Work.TIGHTEN).number


def test_requests_go_out_two_weeks_before_the_first_work_is_due_and_never_before_the_guide() -> None:
    document = document_of(NO_DMARC, "clinic.example")
    assert task(document, Work.SEND_REQUESTS).due == FIRST_DUE - timedelta(days=14)
    hurried = make_plan(document, START, START + timedelta(days=3))
    assert all(one.due >= START for one in hurried.tasks)


def test_a_domain_without_mail_is_asked_about_before_it_is_declared_unused() -> None:
    document = document_of('clinic.example TXT "hello"', "clinic.example", said=Expectation(sends=False))
    parked = task(document, Work.PUBLISH_PARKED)
    assert task(document, Work.CONFIRM_UNUSED).number in parked.after
    assert not plan(document).has(Work.START_DMARC, Work.PUBLISH_SPF, Work.KEEP_WATCHING)
    assert plan(document).has(Work.KEEP_UNUSED)


def test_silence_asks_for_another_look_and_for_nothing_else() -> None:
    document = all_documents()["everything !timeout"]
    assert [one.work for one in plan(document).tasks] == [Work.AUDIT_AGAIN, Work.KEEP_WATCHING]


def test_where_all_is_well_only_watching_is_left() -> None:
    document = {**document_of(WATCHING, "clinic.example"), "findings": [], "unanswered": []}
    assert plan(document).is_only_watching
    assert plan(document).minutes(*Actor) == (0, 0)


def test_what_was_put_off_is_due_when_that_ends() -> None:
    document = document_of(WATCHING, "clinic.example")
    finding = {**document["findings"][0], "waived": {"reason": "moving", "until": "2027-03-31", "expired": False}}
    review = plan({**document, "findings": [finding]}).task_of(0)
    assert (review.work, review.due) == (Work.REVIEW_WAIVERS, date(2027, 3, 31))


def test_nobody_is_asked_to_publish_in_a_domain_of_a_provider() -> None:
    document = next(doc for story, doc in all_documents().items() if story.startswith("ADDR001 fires"))
    assert {one.actor for one in plan(document).tasks} == {Actor.HOSPITAL}


def test_companies_are_those_that_were_seen_in_the_actors_place() -> None:
    zone = NO_DMARC + "clinic.example NS ns1.dns.ne.jp"
    case = case_of(document_of(zone, "clinic.example"))
    assert [one.id for one in companies(case, Actor.DNS)] == ["sakura"]
    assert companies(case, Actor.WEB) == companies(case, Actor.HOSPITAL) == ()


def test_whose_record_it_is_is_asked_before_it_is_asked_to_be_stricter() -> None:
    document = document_of(
        """
        hospital.example         A    192.0.2.10
        _dmarc.hospital.example  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@hospital.example"
        clinic.hospital.example  MX   10 mail.hospital.example
        clinic.hospital.example  TXT  "v=spf1 ip4:192.0.2.10 -all"
        mail.hospital.example    A    192.0.2.10
        """,
        "clinic.hospital.example",
    )
    above, tighten = task(document, Work.ASK_PARENT), task(document, Work.TIGHTEN)
    assert above.stage is Stage.MONITOR
    assert above.number < tighten.number
    assert above.due < tighten.due


def test_very_many_findings_take_no_long_time() -> None:
    """Once through the findings and not once for each of them; 10,000 took minutes."""
    document = document_of(NO_DMARC, "clinic.example")
    many = [{**finding, "at": f"{number}.example"} for number in range(2_000) for finding in document["findings"]]
    begun = process_time()
    found = plan({**document, "findings": many})
    assert process_time() - begun < 1
    assert sorted(index for one in found.tasks for index in one.findings) == list(range(len(many)))
