"""What is said about clinics as they are, and what is not said."""

from __future__ import annotations

from functools import cache

import pytest

from mailguard.audit import Audit
from mailguard.remedy.fix import Fix, Readiness
from mailguard.render.document import to_document
from mailguard.rules.base import Severity
from tests.judgement.clinics import Clinic, audit, clinics

EXPECTED = {
    *("serious", "told", "silent", "spoofable", "fixes"),
    *("spf", "dmarc", "dkim", "mx", "parked"),
}


@cache
def audited(clinic_number: int) -> Audit:
    clinic = clinics()[clinic_number]
    return audit(clinic, clinic.dns())


def shown(fix: Fix) -> list[str]:
    letter = "p" if fix.readiness is Readiness.PASTE else "d"
    return [f"{letter} {record.name} {record.rrtype}: {' | '.join(record.after)}" for record in fix.records]


@pytest.mark.parametrize("number", range(len(clinics())), ids=lambda number: str(clinics()[number]))
def test_clinic(number: int) -> None:
    clinic, seen = clinics()[number], audited(number)
    expected, document = clinic.expected, to_document(seen)
    assert set(expected) <= EXPECTED
    serious = {one.finding.rule.id for one in seen.findings if one.severity.rank <= Severity.MEDIUM.rank}
    told = {one.finding.rule.id for one in seen.findings}
    assert serious == set(expected["serious"])
    assert set(expected.get("told", ())) <= told
    assert not set(expected.get("silent", ())) & told
    if "spoofable" in expected:
        verdict = seen.spoofable
        assert [verdict.domain, verdict.subdomain, verdict.nonexistent_subdomain] == expected["spoofable"]
    for key in ("spf", "dmarc", "dkim", "mx", "parked"):
        if key in expected:
            assert document[key]["status"] == expected[key], key
    if "fixes" in expected:
        assert [line for fix in seen.fixes for line in shown(fix)] == expected["fixes"]


def test_there_are_forty_of_them() -> None:
    assert len(clinics()) >= 40
    assert len({str(clinic) for clinic in clinics()}) == len(clinics())


def describe(clinic: Clinic) -> str:
    return f"{clinic}\n{clinic.zone}"
