"""Clinics as they are found in Japan: pages of ``clinics/*.toml``, each a list of ``[[clinic]]`` tables.

Keys of a table: ``story`` (what it is), ``zone`` (as in tests/zones.py; the zones of providers are added), and what
must be said about it. ``domain`` is ``clinic.example.jp`` unless given; ``selectors``, ``mailing_lists``, ``sends`` and
``receives`` are what the user says.

* ``serious``: the rules that fire with medium weight or more under the hospital policy, no others;
* ``told``: rules that fire as well, with whatever weight; ``silent``: rules that must not;
* ``spoofable``: the verdicts for the domain, a subdomain, an invented one;
* ``spf``, ``dmarc``, ``dkim``, ``mx``, ``parked``: statuses of the document;
* ``fixes``: every fix, as ``<p or d> <name> <type>: <records>``; p is paste as is, d needs a decision.

``<RSA2048>`` and the like in a zone stand for key data.
"""

from __future__ import annotations

import base64
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from mailguard.audit import Audit, Plan, replay_audit
from mailguard.dossier import Expectation, MailingLists
from mailguard.evidence import Evidence
from mailguard.inquiry import Answer, Question, Source, run
from mailguard.names import DomainName, name
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.survey import take_survey
from tests.dkim.keys import spki
from tests.zones import Zone

PAGES = Path(__file__).parent / "clinics"
PROBE = "mailguard-probe-0001"
AS_OF = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MAX_STRING = 250


@dataclass(frozen=True)
class Clinic:
    """One page entry."""

    page: str
    story: str
    domain: DomainName
    zone: str
    selectors: tuple[str, ...] = ()
    said: Expectation = field(default_factory=Expectation)
    expected: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page}: {self.story}"

    @property
    def plan(self) -> Plan:
        return Plan(
            policy=load_policy("hospital"), knowledge=load_providers(), selectors=self.selectors, said=self.said
        )

    def dns(self) -> Zone:
        return Zone.parse(self.zone + (PAGES / "providers.zone").read_text("utf-8"))


def _with_keys(zone: str) -> str:
    def key(match: re.Match[str]) -> str:
        data = base64.b64encode(spki(int(match[1]))).decode()
        return '" "'.join(data[at : at + MAX_STRING] for at in range(0, len(data), MAX_STRING))

    return re.sub(r"<RSA(\d+)>", key, zone)


def _clinic(page: str, table: dict[str, Any]) -> Clinic:
    said = Expectation(
        MailingLists(table.pop("mailing_lists", "unset")), table.pop("sends", None), table.pop("receives", None)
    )
    return Clinic(
        page,
        table.pop("story"),
        name(table.pop("domain", "clinic.example.jp")),
        _with_keys(table.pop("zone")),
        tuple(table.pop("selectors", ())),
        said,
        table,
    )


@cache
def clinics() -> tuple[Clinic, ...]:
    """All of them, page by page."""
    return tuple(
        _clinic(page.stem, table)
        for page in sorted(PAGES.glob("*.toml"))
        for table in tomllib.loads(page.read_text("utf-8"))["clinic"]
    )


def record(clinic: Clinic, source: Source) -> Evidence:
    """What an audit of the clinic asks of ``source``, and is answered."""
    answers: dict[Question, Answer] = {}

    def remember(question: Question) -> Answer:
        return answers.setdefault(question, source(question))

    survey = take_survey(clinic.domain, selectors=clinic.selectors, probe_label=PROBE, knowledge=load_providers())
    run(survey, remember)
    return Evidence(clinic.domain, AS_OF, PROBE, clinic.selectors, {}, tuple(answers.values()))


def audit(clinic: Clinic, source: Source) -> Audit:
    """The audit of the clinic, with its fixes."""
    return replay_audit(record(clinic, source), clinic.plan)
