"""A short run of every target, always with the same inputs; and every input that ever made trouble."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import CASES, Campaign, Finding, Target
from tests.fuzz.targets import TARGETS

BY_NAME = {target.name: target for target in TARGETS}
ROUNDS = 600


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_nobody_would_write(target: Target) -> None:
    with target.open() as check:
        campaign = Campaign(target, check, seed=20261122)
        assert campaign.run(rounds=ROUNDS) is None
    assert campaign.noticed > 1, "the inputs get somewhere"


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_what_once_made_trouble(name: str) -> None:
    with BY_NAME[name.partition("-")[0]].open() as check:
        check((CASES / name).read_bytes())


def test_a_fault_is_found_made_short_and_told() -> None:
    """The machinery itself, with a reader that cannot stand a brace after a quote."""

    def check(data: bytes) -> set[str]:
        if b'"' in data and b"}" in data[data.index(b'"') :]:
            raise ValueError("broken")
        return {str(b'"' in data)}

    target = Target("broken", lambda: [b"the quick brown fox" * 20], lambda: None, (b'"', b"}"))  # type: ignore[arg-type, return-value]
    finding = Campaign(target, check, seed=1).run(rounds=5_000)
    assert isinstance(finding, Finding)
    assert finding.data == b'"}'
    assert finding.where == f"ValueError in test_fuzz.py:{check.__code__.co_firstlineno + 2}"
    again = Campaign(target, check, seed=1).run(rounds=5_000)
    assert again == finding, "the same seed finds the same"
