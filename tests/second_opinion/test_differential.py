"""Two implementations, the same answers: every difference between them is one that we can name and justify."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.zones import Clinics
from mailguard.dmarc.survey import DmarcStatus
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.second_opinion import (
    UNEXPLAINED,
    Aspect,
    Disagreement,
    Opinion,
    compare,
    explain,
    load_categories,
    second_opinion_inquiry,
)
from mailguard.spf.survey import SpfStatus
from mailguard.survey import Survey, take_survey
from tests.second_opinion.generator import CLINIC, zones
from tests.zones import Zone

ROOT = Path(__file__).parents[2]
SEED = 20261122
ZONES = zones(480, SEED)
BATCH = 60

CLEAN = """
    clinic.example.jp         A   192.0.2.1
    clinic.example.jp         MX  10 mail.clinic.example.jp
    mail.clinic.example.jp    A   192.0.2.2
"""

EXAMPLES = {
    "spf-no-answer-read-as-absence": "clinic.example.jp TXT !timeout",
    "spf-no-answer-read-as-permerror": """
        clinic.example.jp TXT "v=spf1 include:slow.example.net -all"
        slow.example.net  TXT !servfail
    """,
    "spf-no-answer-counted-void": """
        clinic.example.jp TXT "v=spf1 a:x.example.net a:y.example.net include:slow.example.net -all"
        slow.example.net  TXT !timeout
    """,
    "spf-no-answer-passed-over": """
        clinic.example.jp TXT "v=spf1 a:slow.example.net -all"
        slow.example.net  *   !timeout
    """,
    "spf-version-in-capitals": 'clinic.example.jp TXT "V=SPF1 mx -all"',
    "spf-modifier-ending-in-all": 'clinic.example.jp TXT "v=spf1 mx note=-all -all"',
    "spf-ptr-counted-void": 'clinic.example.jp TXT "v=spf1 a:x.example.net a:y.example.net ptr:z.example.net -all"',
    "spf-null-mx-counted-void": """
        clinic.example.jp TXT "v=spf1 a:x.example.net a:y.example.net mx:null.example.net -all"
        null.example.net  MX 0 .
    """,
    "spf-text-after-all": 'clinic.example.jp TXT "v=spf1 mx -all ip:192.0.2.1"',
    "spf-unknown-modifier-value": 'clinic.example.jp TXT "v=spf1 mx note=%{x} -all"',
    "spf-explanation-name": 'clinic.example.jp TXT "v=spf1 mx exp=why -all"',
    "spf-blank-other-than-space": 'clinic.example.jp TXT "v=spf1 ip4:192.0.2.1\\009ip4:192.0.2.2 -all"',
    "spf-name-without-top-label": 'clinic.example.jp TXT "v=spf1 mx a:mail -all"',
    "spf-macro-not-expanded": 'clinic.example.jp TXT "v=spf1 mx include:%{d}.none.example.net -all"',
    "spf-exists-never-asked": """
        clinic.example.jp TXT "v=spf1 exists:x.example.net exists:y.example.net exists:z.example.net -all"
    """,
    "spf-mx-hosts-not-counted-void": """
        clinic.example.jp TXT "v=spf1 a:x.example.net a:y.example.net mx:z.example.net -all"
        z.example.net     MX  10 gone.example.net
    """,
    "spf-void-by-family": """
        clinic.example.jp TXT "v=spf1 a:x.example.net a:y.example.net a:z.example.net -all"
        z.example.net     AAAA 2001:db8::1
    """,
    "spf-count-lost-past-the-limit": """
        clinic.example.jp TXT "v=spf1 include:many.example.net -all"
        many.example.net  TXT "v=spf1 a mx a mx a mx a mx a mx a mx -all"
        many.example.net  A   192.0.2.3
        many.example.net  MX  10 many.example.net
    """,
    "spf-p-macro-counted": 'clinic.example.jp TXT "v=spf1 mx exists:%{p}.example.net -all"',
    "dmarc-no-answer-read-as-fault": "_dmarc.clinic.example.jp TXT !timeout",
    "dmarc-leading-blank": """
        _dmarc.clinic.example.jp TXT " v=DMARC1; p=reject"
        _dmarc.example.jp        TXT "v=DMARC1; p=reject"
    """,
    "dmarc-unrelated-text": """
        _dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"
        _dmarc.clinic.example.jp TXT "hello"
    """,
    "dmarc-octets-outside-utf8": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; x=\\255"',
    "dmarc-unrelated-text-at-the-destination": """
        _dmarc.clinic.example.jp         TXT "v=DMARC1; p=reject; rua=mailto:a@rua.example.net"
        *._report._dmarc.rua.example.net TXT "hello"
    """,
    "dmarc-several-records": """
        _dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"
        _dmarc.clinic.example.jp TXT "v=DMARC1; p=none"
        _dmarc.example.jp        TXT "v=DMARC1; p=reject"
    """,
    "dmarc-record-at-the-apex": """
        clinic.example.jp        TXT "v=DMARC1; p=reject"
        x._dmarc.clinic.example.jp A 192.0.2.1
        _dmarc.example.jp        TXT "v=DMARC1; p=reject"
    """,
    "dmarc-tag-syntax": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject;; sp=none"',
    "dmarc-duplicate-tag": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; p=reject"',
    "dmarc-optional-tag-value": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; t=yes"',
    "dmarc-report-address": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=a@clinic.example.jp"',
    "dmarc-no-policy": '_dmarc.clinic.example.jp TXT "v=DMARC1"',
    "dmarc-inherited-policy": '_dmarc.example.jp TXT "v=DMARC1; p=reject; sp=none"',
    "dmarc-test-mode": '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; t=y"',
    "mx-no-answer-read-as-fault": "clinic.example.jp MX !timeout",
    "mx-null-beside-others": "clinic.example.jp MX 0 .",
}

ALONE = {
    "dmarc-name-that-does-not-exist": '_dmarc.example.jp TXT "v=DMARC1; p=reject"',
    "mx-null-with-a-preference": "clinic.example.jp MX 10 .",
}


def both_sides(text: str, domain: str = CLINIC) -> tuple[Survey, Opinion]:
    """Our survey, and the opinion as in a live audit: on our answers, and on those to what checkdmarc asks besides."""
    zone = Zone.parse(text)
    survey = run(take_survey(name(domain), probe_label="mailguard-probe"), zone)
    answers = {question: zone(question) for question in [*zone.asked]}
    return survey, run(second_opinion_inquiry(name(domain), answers), zone)


def disagreements(text: str, domain: str = CLINIC) -> tuple[Disagreement, ...]:
    survey, opinion = both_sides(text, domain)
    assert None not in (opinion.spf.valid, opinion.dmarc.valid, opinion.mx.valid), "no opinion, so nothing was compared"
    return compare(survey, opinion)


@pytest.mark.parametrize("start", range(0, len(ZONES), BATCH))
def test_every_difference_on_generated_zones_is_known(start: int) -> None:
    for text in ZONES[start : start + BATCH]:
        unknown = [found for found in disagreements(text) if found.category == UNEXPLAINED]
        assert not unknown, text


def spec_zones() -> list[tuple[str, str, str]]:
    found = []
    for page in sorted((ROOT / "tests/specs").glob("[A-Z]*.md")):
        if page.stem == "README":
            continue
        for case in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            zone = re.search(r"^```zone\n(.*?)^```$", case, re.MULTILINE | re.DOTALL)
            domain = re.search(r'^domain = "(.+)"$', case, re.MULTILINE)
            if zone:
                found.append((f"{page.stem}-{case.splitlines()[0]}", domain[1] if domain else CLINIC, zone[1]))
    return found


@pytest.mark.parametrize(("title", "domain", "zone"), spec_zones(), ids=lambda value: value[:60])
def test_every_difference_on_the_zones_of_the_rules_is_known(title: str, domain: str, zone: str) -> None:
    assert not [found for found in disagreements(zone, domain) if found.category == UNEXPLAINED]


@pytest.mark.parametrize("category", EXAMPLES)
def test_each_category_has_a_zone_that_shows_it(category: str) -> None:
    assert category in [found.category for found in disagreements(CLEAN + EXAMPLES[category])]


@pytest.mark.parametrize("category", ALONE)
def test_each_category_of_a_bare_domain_has_a_zone_that_shows_it(category: str) -> None:
    assert category in [found.category for found in disagreements(ALONE[category])]


def test_the_categories_are_those_of_the_examples() -> None:
    assert set(load_categories()) == {*EXAMPLES, *ALONE}


def test_on_a_sound_domain_the_two_agree() -> None:
    sound = (
        CLEAN
        + """
        clinic.example.jp        TXT "v=spf1 mx include:_spf.example.net -all"
        _spf.example.net         TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=mailto:a@clinic.example.jp"
    """
    )
    assert disagreements(sound) == ()


def test_on_the_clinics_of_the_benchmark_the_two_agree() -> None:
    """Else the rates of bench/ would compare different work."""
    clinics = Clinics(25)
    for domain in clinics.domains:
        survey = run(take_survey(domain, probe_label="mailguard-probe"), clinics)
        assert compare(survey, run(second_opinion_inquiry(domain, {}), clinics)) == ()
        assert (survey.spf.status, survey.dmarc.status) == (SpfStatus.VALID, DmarcStatus.VALID)


def test_a_difference_that_nobody_foresaw_is_called_so() -> None:
    """Were the two to differ on a sound domain, no category must take the blame."""
    survey, opinion = both_sides(
        CLEAN + 'clinic.example.jp TXT "v=spf1 mx -all"\n_dmarc.clinic.example.jp TXT "v=DMARC1; p=none"'
    )
    wrong = replace(
        opinion,
        spf=replace(opinion.spf, valid=False, kind="SPFSyntaxError", lookups=None),
        dmarc=replace(opinion.dmarc, valid=False, kind="DMARCSyntaxError"),
        mx=replace(opinion.mx, hosts=()),
    )
    found = compare(survey, wrong)
    assert {difference.category for difference in found} == {UNEXPLAINED}
    assert [difference.aspect for difference in found] == [Aspect.SPF_STATUS, Aspect.DMARC_STATUS, Aspect.MX_STATUS]


def test_generated_zones_are_varied() -> None:
    found = {difference.category for text in ZONES[:240] for difference in disagreements(text)}
    assert len(found) >= 20


def test_taking_check_spf_apart_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """peer.py calls the two halves of check_spf and check_dmarc, to keep the class of the exception."""
    import checkdmarc.dmarc
    import checkdmarc.spf
    import checkdmarc.utils

    from mailguard.second_opinion.evidence import EvidenceNameserver, EvidenceResolver

    for text in ZONES[:120]:
        zone = Zone.parse(text)
        _, opinion = both_sides(text)
        resolver = EvidenceResolver({})
        monkeypatch.setattr(resolver, "find", zone)
        checkdmarc.utils.DNS_CACHE.clear()
        arguments = {"resolver": resolver, "nameservers": [EvidenceNameserver(resolver)], "retries": 0}
        spf = checkdmarc.spf.check_spf(CLINIC, **arguments)
        dmarc = checkdmarc.dmarc.check_dmarc(CLINIC, **arguments)
        assert (spf["valid"], spf["record"], spf.get("error", "")) == (
            opinion.spf.valid,
            opinion.spf.record,
            opinion.spf.error,
        )
        assert (dmarc["valid"], dmarc["record"], dmarc.get("error", "")) == (
            opinion.dmarc.valid,
            opinion.dmarc.record,
            opinion.dmarc.error,
        )


def test_the_page_lists_every_category_as_it_is() -> None:
    page = (ROOT / "docs/second-opinion.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    wanted = [(each.id, each.clause, each.right.value, each.words["en"]) for each in load_categories().values()]
    assert rows == wanted


def test_every_category_is_told_in_both_languages() -> None:
    for category in (*load_categories(), UNEXPLAINED):
        assert explain(category, "ja").endswith("。")
        assert explain(category, "en").endswith(".")
