"""Policy files are read strictly, and every problem is told with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dossier import Expectation, MailingLists
from mailguard.errors import PolicyError
from mailguard.names import name
from mailguard.policy.expectation import expectation_for
from mailguard.policy.files import Policy, combine, find_problems, parse_policy
from mailguard.policy.shelf import check_policy, list_policies, load_policy, policy_names
from mailguard.requirement import Kind, Standing
from mailguard.rules.base import Severity
from mailguard.rules.catalogue import RULES

HEAD = 'format = 1\ntitle = { ja = "題", en = "Title" }\n'
SOURCE = '[sources.s]\ntitle = "S"\nread_on = 2026-01-01\nevidence = "T"\n'
REQUIREMENT = (
    '[[requirement]]\nid = "r"\nkind = "D"\ncheck = "spf-published"\nstrength = "required"\nsource = "s"\n'
    'clause = "1"\nshort = "SPF"\ntitle = { ja = "題", en = "Title" }\n'
)


def nobody(wanted: str) -> Policy:
    raise PolicyError(f"There is no policy {wanted!r}.")


def parse(text: str) -> Policy:
    return parse_policy(HEAD + text, "my.toml", "my", nobody)


def test_the_shipped_policies_are_sound() -> None:
    assert {name: check_policy(name, RULES) for name in policy_names()} == dict.fromkeys(policy_names(), ())


def test_the_default_stands_first_and_weighs_no_programme() -> None:
    default = list_policies()[0]
    assert default.id == "hospital"
    assert expectation_for(default, name("clinic.example.jp")) == Expectation()


def test_what_others_ask_is_told_with_its_standing() -> None:
    """Second-hand knowledge never passes for the programme's own words."""
    carriers = ("docomo", "kddi", "softbank", "biglobe")
    for policy in list_policies():
        for requirement in (one for programme in policy.programmes for one in programme.requirements):
            assert requirement.source.standing is not Standing.UNVERIFIED
            if policy.id in carriers:
                assert requirement.source.standing is Standing.SECOND_HAND
            assert bool(requirement.check) is (requirement.kind is Kind.DNS)
            assert requirement.source.read_on < date(2027, 1, 1)


def test_bulk_programmes_hold_the_requirements_for_all_senders_too() -> None:
    assert [one.id for one in load_policy("gmail-bulk").programmes] == ["gmail", "gmail-bulk"]


def test_programmes_reach_the_expectation_only_when_named() -> None:
    expectation = expectation_for(load_policy("yahoo"), name("clinic.example.jp"))
    assert [one.name for one in expectation.programmes] == ["Yahoo!"]


def test_wishes_for_a_domain_go_before_the_general_ones_and_the_users_word_before_both() -> None:
    policy = parse(
        '[expect]\nmailing_lists = "no"\nsends = true\n'
        '[domain."example.jp"]\nmailing_lists = "yes"\n'
        '[domain."news.example.jp"]\nreceives = false\n'
    )
    assert expectation_for(policy, name("other.example")).mailing_lists is MailingLists.NO
    found = expectation_for(policy, name("news.example.jp"))
    assert (found.mailing_lists, found.sends, found.receives) == (MailingLists.YES, True, False)
    said = Expectation(mailing_lists=MailingLists.NO, receives=True)
    found = expectation_for(policy, name("news.example.jp"), said)
    assert (found.mailing_lists, found.sends, found.receives) == (MailingLists.NO, True, True)


def test_a_file_extends_ours_and_later_words_win(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(HEAD + '[severity]\nSPF004 = "low"\nSPF001 = "info"\n', "utf-8")
    (tmp_path / "mine.toml").write_text(
        HEAD + 'extends = ["hospital", "gmail", "base.toml"]\n[severity]\nSPF004 = "critical"\n', "utf-8"
    )
    policy = load_policy(str(tmp_path / "mine.toml"))
    assert policy.severities["SPF004"] is Severity.CRITICAL
    assert policy.severities["SPF001"] is Severity.INFO
    assert policy.severities.items() >= load_policy("hospital").severities.items()
    assert [one.id for one in policy.programmes] == ["hospital", "gmail"]


def test_several_policies_become_one() -> None:
    both = combine([load_policy("hospital"), load_policy("apple"), load_policy("apple")])
    assert both.id == "hospital+apple"
    assert [one.id for one in both.programmes] == ["hospital", "apple"]


def test_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + 'extends = ["./b.toml"]\n', "utf-8")
    (tmp_path / "b.toml").write_text(HEAD + 'extends = ["./a.toml"]\n', "utf-8")
    with pytest.raises(PolicyError, match="circle"):
        load_policy(str(tmp_path / "a.toml"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 1", "colour: is no known key"),
        ("[expect]\nsends = 'no'", "expect, sends: is wanted as true or false"),
        ("[expect]\nmailing_lists = 'perhaps'", "one of yes, no, unset"),
        ("[severity]\nSPF004 = 'awful'", "severity, SPF004: is wanted as one of critical"),
        ("[severity]\nspf4 = 'low'", "severity, spf4: is no rule id"),
        ("extends = 'hospital'", "extends: is wanted as a list"),
        ("extends = ['nowhere']", "There is no policy 'nowhere'"),
        ("[domain.'a b']\nsends = true", "has spaces in it"),
        ("[[waive]]\nrule = 'SPF004'\nuntil = 2027-01-01", "waive 1, reason: is wanted as a text"),
        ("[[waive]]\nrule = 'SPF004'\nreason = ' '\nuntil = 2027-01-01", "waive 1, reason: is wanted as a text"),
        ("[[waive]]\nrule = 'SPF004'\nreason = 'x'\nuntil = '2027-01-01'", "until: is wanted as a day without quotes"),
        ("[[waive]]\nrule = 'SPF004'\nreason = 'x'", "until: is wanted as a day"),
        ("[waive]\nrule = 'SPF004'", "waive: is wanted as tables"),
        ("[programme]\nname = ''", "programme, name: is wanted as a text"),
        (REQUIREMENT, "requirement 1, source: names no table"),
        (SOURCE.replace('"T"', '"V"') + REQUIREMENT, "sources.s, evidence: is wanted as one of T, S, M"),
        (SOURCE + REQUIREMENT.replace("spf-published", "spf-perfect"), "requirement 1, check: is wanted for kind D"),
        (SOURCE + REQUIREMENT.replace('"D"', '"N"'), "check: is only for kind D"),
        (SOURCE + REQUIREMENT + REQUIREMENT, "requirement 2, id: 'r' stands there twice"),
        (SOURCE + REQUIREMENT.replace(', en = "Title"', ""), "title: is wanted in both languages"),
    ],
)
def test_a_problem_is_told_with_file_and_key(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert str(caught.value).startswith(("my.toml: ", "There is no policy"))
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["= 1", "format = 2\ntitle = { ja = 'a', en = 'b' }", "format = 1"])
def test_a_file_that_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text, "my.toml", "my", nobody)


def test_a_check_tells_every_problem_at_once() -> None:
    text = (
        HEAD
        + "colour = 1\n[severity]\nSPF004 = 'awful'\n[[waive]]\nrule = 'XYZ999'\nreason = 'x'\nuntil = 2027-01-01\n"
    )
    problems = find_problems(text, "my.toml", "my", nobody, {"SPF004"})
    assert len(problems) == 3
    assert "there is no rule 'XYZ999'" in problems[2]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(str(tmp_path / "none.toml"))
    (tmp_path / "sjis.toml").write_bytes("題".encode("cp932"))
    assert "not UTF-8" in check_policy(str(tmp_path / "sjis.toml"), ())[0]
    (tmp_path / "huge.toml").write_bytes(b"#" * 1_000_001)
    assert "larger than" in check_policy(str(tmp_path / "huge.toml"), ())[0]


@given(st.text(max_size=200))
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    find_problems(HEAD + text, "my.toml", "my", nobody, ())


_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.dates()),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["ja", "rule", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from(["extends", "programme", "expect", "domain", "severity", "waive", "sources", "requirement"]),
        _VALUES,
    )
)
def test_no_value_of_a_wrong_type_makes_it_raise(values: dict[str, object]) -> None:
    lines = [f"{key} = {_toml(value)}\n" for key, value in values.items()]
    find_problems(HEAD + "".join(lines), "my.toml", "my", nobody, ())


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int | date) else "'x'"
