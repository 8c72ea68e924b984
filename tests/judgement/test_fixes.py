"""Every fix for every clinic and specification page: true, proved, marked for what it does, and never invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from mailguard.dmarc.edit import tightens
from mailguard.dmarc.record import is_dmarc_record, parse_record
from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import Mx, Question, Rdata, RRType, Source, Txt, run
from mailguard.names import DomainName
from mailguard.policy.shelf import load_providers
from mailguard.remedy.find import find_fixes
from mailguard.remedy.fix import Fix, FixRecord, Readiness, Reason, split_strings
from mailguard.remedy.prove import View, overlay, view
from mailguard.rules.catalogue import find
from mailguard.spf import record as spf_record
from mailguard.spf.terms import Qualifier
from mailguard.survey import take_survey
from tests.judgement.clinics import AS_OF, PROBE, clinics
from tests.test_specs import CASES, dossier_of
from tests.zones import Zone

MILD_TO_STRICT = (Qualifier.PASS, Qualifier.NEUTRAL, Qualifier.SOFTFAIL, Qualifier.FAIL)


@dataclass(frozen=True)
class Situation:
    """A domain in its DNS, and what its owner said."""

    label: str
    domain: DomainName
    selectors: tuple[str, ...]
    said: Expectation
    zone: Zone

    def look(self, source: Source) -> Dossier:
        inquiry = take_survey(self.domain, selectors=self.selectors, probe_label=PROBE, knowledge=load_providers())
        return Dossier(self.said, run(inquiry, source), AS_OF)

    def see(self, *fixes: Fix) -> View:
        source: Source = self.zone
        for record in (record for fix in fixes for record in fix.records):
            source = overlay(source, record)
        return view(source, self.look, find)


def situations() -> Iterator[Situation]:
    for clinic in clinics():
        yield Situation(str(clinic), clinic.domain, clinic.selectors, clinic.said, clinic.dns())
    for case in CASES:
        dossier = dossier_of(case)
        selectors = tuple(case.settings.get("selectors", ()))
        label = f"{case.rule_id} {case.kind} {case.title}"
        yield Situation(label, dossier.survey.domain, selectors, dossier.expectation, Zone.parse(case.zone))


@cache
def advised() -> tuple[tuple[Situation, View, tuple[Fix, ...]], ...]:
    """Every situation that has fixes, with them."""
    seen = ((each, each.see()) for each in situations())
    found = ((each, now, find_fixes(now, each.look, find)) for each, now in seen)
    return tuple(entry for entry in found if entry[2])


def texts(records: tuple[Rdata, ...]) -> set[str]:
    def text(rdata: Rdata) -> str:
        if isinstance(rdata, Txt):
            return rdata.joined.decode("utf-8", "backslashreplace")
        return f"{rdata.preference} {rdata.exchange or '.'}" if isinstance(rdata, Mx) else str(rdata)

    return {text(record) for record in records}


def every_record() -> Iterator[tuple[Situation, View, Fix, FixRecord]]:
    for situation, now, fixes in advised():
        yield from ((situation, now, fix, record) for fix in fixes for record in fix.records)


def test_there_are_enough_of_them() -> None:
    assert sum(len(fixes) for _, _, fixes in advised()) > 300


def test_before_is_what_is_published() -> None:
    for situation, _, fix, record in every_record():
        published = situation.zone(Question(record.name, record.rrtype))
        known = texts(published.records) | {str(alias) for alias in published.aliases[:1]}
        assert set(record.before) <= known, (situation.label, fix)
        assert record.before != record.after, (situation.label, fix)


def test_a_record_stands_beside_no_alias() -> None:
    for situation, _, fix, record in every_record():
        aliases = situation.zone(Question(record.name, RRType.TXT)).aliases
        removed = any(other.name == record.name and other.rrtype is RRType.CNAME for other in fix.records)
        assert not aliases or removed or record.name.startswith("*."), (situation.label, fix)


def test_values_can_be_read_and_split() -> None:
    for situation, _, fix, record in every_record():
        for value in record.after if record.rrtype is RRType.TXT else ():
            parts = split_strings(value)
            assert "".join(parts) == value
            assert all(len(part.encode()) <= 255 for part in parts)
            readable = parse_record(value) or value.startswith("v=DKIM1;")
            assert readable or not spf_record.parse_record(value.encode()).faults, (situation.label, fix)


def test_each_fix_makes_its_findings_go_away() -> None:
    for situation, _, fixes in advised():
        pasted = [fix for fix in fixes if fix.readiness is Readiness.PASTE]
        left = {finding.rule.id for finding in situation.see(*pasted).findings}
        assert not left & {rule for fix in pasted for rule in fix.rules}, situation.label
        for fix in fixes:
            if fix.readiness is Readiness.DECIDE:
                others = [other for other in pasted if not places(other) & places(fix)]
                left = {finding.rule.id for finding in situation.see(*others, fix).findings}
                assert not left & set(fix.rules), (situation.label, fix)


def places(fix: Fix) -> set[Question]:
    """A decision about a name has in it what may be pasted there."""
    return {Question(record.name, record.rrtype) for record in fix.records}


def test_a_decision_has_a_reason_and_pasting_has_none() -> None:
    for situation, _, fixes in advised():
        for fix in fixes:
            assert (fix.readiness is Readiness.DECIDE) == bool(fix.reasons), (situation.label, fix)


def test_a_stricter_or_milder_policy_is_marked() -> None:
    for situation, now, fix, record in every_record():
        counting = now.survey.dmarc.record.text if now.survey.dmarc.record else None
        for value in filter(is_dmarc_record, record.after):
            if tightens(counting, value):
                assert Reason.TIGHTENS_POLICY in fix.reasons, (situation.label, fix)
            if counting and tightens(value, counting):
                assert Reason.LOOSENS_POLICY in fix.reasons, (situation.label, fix)


def test_a_stricter_or_milder_all_is_marked() -> None:
    for situation, _, fix, record in every_record():
        old, new = strictest_all(record.before), strictest_all(record.after)
        if old is None or new is None:
            continue
        assert new <= old or fix.readiness is Readiness.DECIDE, (situation.label, fix)
        assert new >= old or Reason.LOOSENS_SPF in fix.reasons, (situation.label, fix)


def strictest_all(values: tuple[str, ...]) -> int | None:
    records = [spf_record.parse_record(value.encode()) for value in values if spf_record.is_spf(value.encode())]
    return max((MILD_TO_STRICT.index(each.all.qualifier) for each in records if each.all), default=None)


def test_no_address_is_invented_unmarked() -> None:
    for situation, now, fix, record in every_record():
        published = [node.records + node.others for node in now.survey.dmarc.nodes.values()]
        published.append(tuple(misplaced.text for misplaced in now.survey.dmarc.misplaced))
        known = " ".join(text for place in published for text in place).replace("!", "%21")
        for read in filter(None, map(parse_record, record.after)):
            fresh = [uri.text for uri in (*read.rua, *read.ruf) if uri.text.removeprefix("mailto:") not in known]
            assert not fresh or Reason.REPORT_ADDRESS in fix.reasons, (situation.label, fix)


def test_a_record_above_the_domain_is_not_pasted() -> None:
    for situation, _, fix, record in every_record():
        if not record.name.is_within(situation.domain):
            assert Reason.RECORD_OF_OTHERS in fix.reasons, (situation.label, fix)


@pytest.mark.parametrize("tag", ["p", "np", "rua", "ruf", "t", "adkim", "aspf", "fo", "pct"])
def test_two_decisions_for_one_name_do_not_contradict_each_other(tag: str) -> None:
    for situation, _, fixes in advised():
        wanted: dict[tuple[str, str | None], set[str | None]] = {}
        for record in (record for fix in fixes for record in fix.records if Reason.ASSUMES_NO_MAIL not in fix.reasons):
            old = [parse_record(text) for text in record.before if is_dmarc_record(text)]
            new = [parse_record(text) for text in record.after if is_dmarc_record(text)]
            if old and new and old[0] and new[0] and new[0].value(tag) != old[0].value(tag):
                wanted.setdefault((record.name, old[0].value(tag)), set()).add(new[0].value(tag))
        assert all(len(values) == 1 for values in wanted.values()), (situation.label, wanted)
