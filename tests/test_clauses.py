"""The clause table has no gaps: every statement of the digests has its rule or its reason, every rule its clause."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mailguard.rules.catalogue import RULES
from tools.make_docs import clauses_page, read_clauses

CLAUSES = read_clauses()
DIGESTS = Path(__file__).parents[1] / "../shared/reference/standards"

# Rules that rest on our own experience rather than on a clause of the digests, each with the reason.
OWN_REASON: dict[str, str] = {}


def test_there_are_clauses() -> None:
    assert CLAUSES


@pytest.mark.parametrize("line", CLAUSES, ids=lambda line: line.id)
def test_a_clause_has_rules_or_a_reason_and_not_both(line) -> None:
    assert bool(line.rules) != bool(line.no_rule.strip())
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
    for digest in ("01", "04", "05", "08"):
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
