"""The clause table has no gaps: every statement of the digests has its rule, its test or its reason, every rule
its clause."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mailguard.rules.catalogue import RULES
from tests.feedback.suite import mail_cases, tls_cases, xml_cases
from tools.make_docs import clauses_page, read_clauses

CLAUSES = read_clauses()
ROOT = Path(__file__).parents[1]
DIGESTS = ROOT / "../shared/reference/standards"
CASES = {case.name for part in (xml_cases, mail_cases, tls_cases) for case in part.cases()}

# Rules that rest on our own experience rather than on a clause of the digests, each with the reason.
OWN_REASON: dict[str, str] = {}


def test_there_are_clauses() -> None:
    assert CLAUSES


@pytest.mark.parametrize("line", CLAUSES, ids=lambda line: line.id)
def test_a_clause_has_rules_or_tests_or_a_reason(line) -> None:
    assert [bool(line.rules), bool(line.tests), bool(line.no_rule.strip())].count(True) == 1
    assert line.clause.strip()
    assert line.says.strip()


def test_ids_are_unique() -> None:
    assert [id for id, count in Counter(line.id for line in CLAUSES).items() if count > 1] == []


@pytest.mark.parametrize("line", CLAUSES, ids=lambda line: line.id)
def test_an_id_names_its_digest(line) -> None:
    assert re.fullmatch(r"\d\d-[0-9A-Za-z.]+(-\d+)?", line.id)


def test_the_table_is_numbered_without_gaps() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", clauses_page(), re.MULTILINE)]
    assert numbers == list(range(1, len(CLAUSES) + 1))


def test_every_rule_named_exists() -> None:
    assert {rule for line in CLAUSES for rule in line.rules} - RULES.keys() == set()


def exists(test: str) -> bool:
    """Whether there is a test ``path::function``, or a case of the suite of odd reports."""
    path, _, function = test.partition("::")
    if not function:
        return test in CASES
    file = ROOT / path
    return file.is_file() and bool(re.search(rf"^(async )?def {function}\(", file.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("line", [line for line in CLAUSES if line.tests], ids=lambda line: line.id)
def test_every_test_named_exists(line) -> None:
    assert [test for test in line.tests if not exists(test)] == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not exists("tests/test_clauses.py::test_nothing_of_the_kind")
    assert not exists("tests/test_nothing.py::test_of_the_kind")
    assert not exists("xml: no such case")


def test_every_file_in_a_reason_exists() -> None:
    named = {path for line in CLAUSES for path in re.findall(r"\b(?:mailguard|tests)/[\w/.]+\w", line.no_rule)}
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_rule_rests_on_a_clause_or_on_a_reason_of_our_own() -> None:
    named = {rule for line in CLAUSES for rule in line.rules}
    assert RULES.keys() - named - OWN_REASON.keys() == set()
    assert OWN_REASON.keys() <= RULES.keys() - named


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_every_rule_cites_its_clause(rule_id: str) -> None:
    assert RULES[rule_id].rule.cites or rule_id in OWN_REASON


def digest_sections() -> list[tuple[str, str]]:
    """(digest, section number) of every numbered heading; a digest without numbers counts as one section."""
    sections = []
    for digest in ("01", "02", "03", "04", "05", "08"):
        for path in DIGESTS.glob(f"{digest}-*.md"):
            text = path.read_text("utf-8")
            numbers = re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE)
            sections += [(digest, number) for number in numbers] or [(digest, "")]
    return sections


@pytest.mark.skipif(not DIGESTS.is_dir(), reason="the digests of the standards are not beside this checkout")
def test_every_section_of_the_digests_has_its_lines() -> None:
    ids = [line.id for line in CLAUSES]
    missing = [f"{digest}-{number}" for digest, number in digest_sections() if not has_line(ids, digest, number)]
    assert missing == []


def has_line(ids: list[str], digest: str, number: str) -> bool:
    start = f"{digest}-{number}"
    return any(id == start or (id.startswith(start) and not id[len(start)].isdigit()) or not number for id in ids)
