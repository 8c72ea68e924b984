"""Every code that an audit can hold has its words in the guide, and states that look alike stay apart."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from mailguard.guidebook.parts import findings
from mailguard.guidebook.texts import Texts
from mailguard.guides import load_guide
from mailguard.remedy.fix import Readiness, Reason
from mailguard.rules.base import Confidence, Severity
from mailguard.verdict import Verdict
from tests.guidebook.cases import case_of, lines
from tests.render.documents import document_of

CODES: dict[str, Iterable[str]] = {
    "findings.weight": Severity,
    "findings.confidence": Confidence,
    "findings.readiness": Readiness,
    "findings.reason": Reason,
    "difference.verdict": Verdict,
}
ZONE = """
clinic.example.jp        MX   10 mx.clinic.example.jp
mx.clinic.example.jp     A    192.0.2.1
clinic.example.jp        TXT  v=spf1 mx ~all
_dmarc.clinic.example.jp TXT  v=DMARC1;p=none;rua=dmarc@clinic.example.jp
"""


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("table", "code"), [(table, code) for table, codes in CODES.items() for code in codes])
def test_every_code_has_its_words(table: str, code: str, language: str) -> None:
    assert Texts(language).raw(f"{table}.{code}")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_finding_tells_all_that_its_rules_page_tells(language: str) -> None:
    document = document_of(ZONE)
    text = "\n".join(lines(findings.make(case_of(document), Texts(language))))
    rules = {finding["rule"] for finding in document["findings"]}
    assert rules
    for rule in rules:
        page = load_guide(rule, language)
        assert page.title in text
        assert all(f"### {heading}" in text for heading, _ in page.sections)
    fix = next(finding["fix"] for finding in document["findings"] if finding["fix"])
    assert all(f"    {value}" in text for record in fix["records"] for value in (*record["before"], *record["after"]))
    assert Texts(language).plain(f"findings.readiness.{fix['readiness']}") in text


def test_a_decision_that_has_run_out_is_no_decision() -> None:
    document, words = document_of(ZONE), Texts("en")
    waiver = {"reason": "moving in spring", "until": "2026-10-31", "expired": True}
    put_off, run_out = (
        {**document, "findings": [{**one, "waived": {**waiver, "expired": expired}} for one in document["findings"]]}
        for expired in (False, True)
    )
    table, text = (_table_of(one, words) for one in (put_off, run_out))
    assert words.plain("findings.waived") in table
    assert words.plain("findings.waived") not in text


def _table_of(document: dict[str, object], words: Texts) -> str:
    """The list at the head of the findings."""
    told = "\n".join(lines(findings.make(case_of(document), words)))
    return told.partition("\n[")[0]
