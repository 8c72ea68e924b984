"""The whole survey: what its parts tell each other, and what it costs."""

from __future__ import annotations

from mailguard.dkim.survey import SelectorOrigin
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.survey import Survey, take_survey
from tests.zones import Zone

CLINIC = name("clinic.example.jp")
KEY = "v=DKIM1; k=ed25519; p=0aYTxpt6qSF6f7yb1qnJHnXYvhyYb7iIxrqkIX7vqiM="


def survey(zone: str, **options: object) -> tuple[Survey, Zone]:
    world = Zone.parse(zone)
    return run(take_survey(CLINIC, probe_label="probe", **options), world), world  # type: ignore[arg-type]


def test_selectors_of_reports_are_asked_for_and_keep_their_origin() -> None:
    found, _ = survey(f'rs20260401._domainkey.clinic.example.jp TXT "{KEY}"\n', reported=("rs20260401", "gone2025"))
    told = {facts.selector: (facts.origin, facts.status.value) for facts in found.dkim.told}
    assert told["rs20260401"][0] is SelectorOrigin.REPORT
    assert told["rs20260401"][1] == "ok"
    assert told["gone2025"] == (SelectorOrigin.REPORT, "absent")


def test_a_user_named_selector_stays_the_users() -> None:
    found, _ = survey("clinic.example.jp A 192.0.2.1\n", selectors=("s9",), reported=("s9",))
    assert [facts.origin for facts in found.dkim.told if facts.selector == "s9"] == [SelectorOrigin.USER]
