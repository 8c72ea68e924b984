"""What was not looked at again is not solved."""

from __future__ import annotations

import os
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest

from mailguard.guidebook.difference import RecordChange, compare
from mailguard.guidebook.parts import difference
from mailguard.guidebook.texts import Texts
from mailguard.render.document import Document
from tests.guidebook.cases import lines
from tests.guidebook.whole import watched
from tests.render.documents import all_documents, document_of

BASE = """
clinic.example  MX   10 mail.clinic.example
clinic.example  TXT  "v=spf1 ip4:192.0.2.10 ~all"
mail.clinic.example  A  192.0.2.10
"""
WATCHED = '_dmarc.clinic.example TXT "v=DMARC1; p=none; rua=mailto:dmarc@clinic.example"'


def audited(more: str = "", **options: object) -> Document:
    return document_of(BASE + more, "clinic.example", **options)  # type: ignore[arg-type]


def rules(findings: tuple[Document, ...]) -> list[str]:
    return [finding["rule"] for finding in findings]


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_an_audit_does_not_differ_from_itself(story: str) -> None:
    document = all_documents()[story]
    seen = compare(document, deepcopy(document))
    assert seen.is_nothing
    assert len(seen.unchanged) == len(document["findings"])


def test_every_finding_of_either_audit_is_told_once() -> None:
    documents = list(all_documents().values())
    for before, now in pairwise(documents):
        seen = compare(before, now)
        pairs = (*seen.unchanged, *seen.worse, *seen.better)
        assert len(pairs) + len(seen.solved) + len(seen.unseen) == len(before["findings"])
        assert len(pairs) + len(seen.new) == len(now["findings"])


def test_a_record_that_was_published_solves_and_is_shown() -> None:
    seen = compare(audited(), audited(WATCHED))
    assert "DMARC001" in rules(seen.solved)
    assert "DMARC020" in rules(seen.new)
    record = "v=DMARC1; p=none; rua=mailto:dmarc@clinic.example"
    assert seen.records == (RecordChange("_dmarc.clinic.example", None, record, "none", "valid"),)


def test_silence_solves_nothing() -> None:
    seen = compare(audited(), audited("_dmarc.clinic.example TXT !timeout"))
    assert "DMARC001" in rules(seen.unseen)
    assert "DMARC001" not in rules(seen.solved)
    assert seen.records == ()
    assert [change.is_better for change in seen.verdicts] == [None, None, None]


def test_a_selector_that_was_not_asked_for_again_is_not_solved() -> None:
    before = audited(selectors=("s1",))
    assert "DKIM006" in rules(tuple(before["findings"]))
    assert rules(compare(before, audited()).unseen) == ["DKIM006"]


def test_a_programme_that_was_not_asked_for_again_is_not_met() -> None:
    zone = "clinic.example MX 10 mail.clinic.example"
    before, now = (
        document_of(zone, "clinic.example", policies=asked) for asked in (("hospital", "yahoo"), ("hospital",))
    )
    missing = [rule for rule in rules(tuple(before["findings"])) if rule.startswith("PROG")]
    assert missing
    assert rules(compare(before, now).unseen) == missing


def test_another_broken_include_is_another_finding() -> None:
    before, now = (
        document_of(f'clinic.example TXT "v=spf1 include:{target} -all"', "clinic.example")
        for target in ("old.example.net", "new.example.net")
    )
    seen = compare(before, now)
    assert ("SPF015" in rules(seen.solved), "SPF015" in rules(seen.new)) == (True, True)


def test_weight_tells_worse_from_better() -> None:
    before = audited()
    now = deepcopy(before)
    now["findings"][0]["severity"] = "low"
    assert len(compare(before, now).better) == len(compare(now, before).worse) == 1


def test_a_greater_count_is_worse() -> None:
    before = audited()
    before["findings"] = [{**before["findings"][0], "facts": {"count": 11}}]
    now = {**before, "findings": [{**before["findings"][0], "facts": {"count": 14}}]}
    assert len(compare(before, now).worse) == len(compare(now, before).better) == 1


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_told_of_a_difference_is_what_was_reviewed(language: str) -> None:
    """Solved, new, unchanged and worse, and which records changed."""
    part = difference.make(watched(), Texts(language))
    assert part is not None
    told = "\n".join(lines(part)) + "\n"
    path = Path(__file__).parent / "golden" / f"difference.{language}.txt"
    if os.environ.get("RENEW_GOLDEN"):
        path.write_text(told, "utf-8")
    assert told == path.read_text("utf-8"), "if this is meant: RENEW_GOLDEN=1, and read the difference as prose"
