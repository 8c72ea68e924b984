"""Policy files: what one may contain, read strictly.

::

    format = 1
    title = { ja = "...", en = "..." }
    about = { ja = "...", en = "..." }
    extends = ["hospital", "gmail"]       # names of policies whose contents come first

    [programme]                           # only where these are somebody else's requirements
    name = "Gmail"

    [expect]                              # mailing_lists = "yes" | "no" | "unset", sends, receives = true | false
    [domain."clinic.example.jp"]          # the same keys for one domain and what lies below it

    [severity]
    SPF004 = "medium"                     # critical, high, medium, low, info

    [[waive]]                             # reason and until (the last day) are wanted; domain narrows it
    rule = "DMARC003"
    domain = "clinic.example.jp"
    reason = "the mail company moves us in March"
    until = 2027-03-31

    [sources.guidelines]                  # title, read_on (a day), evidence = "T" | "S" | "M"
    [[requirement]]                       # id, kind, strength, source, clause, short, title; check for kind D

An unknown key, a wrong type or a missing value is a problem; ``parse_policy`` raises the first, ``find_problems``
tells all. Nothing here touches a disk: ``shelf`` brings the texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from mailguard.dossier import MailingLists
from mailguard.errors import DomainError, PolicyError, Sentence, toml_reason
from mailguard.names import DomainName
from mailguard.policy.programme import CHECKS
from mailguard.policy.table import Table, is_rule_id
from mailguard.providers import Text
from mailguard.requirement import Kind, Programme, Requirement, Source, Standing, Strength
from mailguard.rules.base import Severity
from mailguard.targets import parse_target


@dataclass(frozen=True, slots=True)
class Wish:
    """What a policy says about one domain, or about all; ``None`` where it says nothing."""

    mailing_lists: MailingLists | None = None
    sends: bool | None = None
    receives: bool | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that the owner has decided to live with, until the end of a day.

    ``domain`` narrows it to a domain and what lies below it; the root covers every domain.
    """

    rule: str
    reason: str
    until: date
    domain: DomainName


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy with everything it extends already in it."""

    id: str
    title: Text
    about: Text
    expect: Wish = field(default_factory=Wish)
    domains: Mapping[DomainName, Wish] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    programmes: tuple[Programme, ...] = ()

    @property
    def own(self) -> Programme | None:
        """The requirements that stand in this very file."""
        return next((one for one in self.programmes if one.id == self.id), None)


Loader = Callable[[str], Policy]
"""From the name of a policy to the policy; raises PolicyError for a name that nobody knows."""

_TOP: Final = frozenset(
    (
        *("format", "title", "about", "extends", "programme", "expect"),
        *("domain", "severity", "waive", "sources", "requirement"),
    )
)


def parse_policy(text: str, file: str, policy_id: str, load: Loader) -> Policy:
    """Read a policy. Raises PolicyError: one sentence with the file and the key."""
    problems: list[Sentence] = []
    policy = _read(text, file, policy_id, load, problems)
    if problems:
        raise PolicyError(problems[0])
    return policy


def find_problems(
    text: str, file: str, policy_id: str, load: Loader, known_rules: Iterable[str]
) -> tuple[Sentence, ...]:
    """Everything wrong with a policy, one sentence each; ``known_rules`` are the ids that severities may name."""
    problems: list[Sentence] = []
    policy = _read(text, file, policy_id, load, problems)
    known = frozenset(known_rules)
    named = [*policy.severities, *(waiver.rule for waiver in policy.waivers)]
    unknown = (rule for rule in named if rule not in known)
    told = "{file}: there is no rule {rule!r}; see `mailguard rules list`."
    problems += [Sentence(told, file=file, rule=rule) for rule in unknown]
    return tuple(dict.fromkeys(problems))


def combine(policies: Iterable[Policy]) -> Policy:
    """One policy out of several, later ones winning; the id names them all."""
    policies = tuple(policies)
    first, *others = policies
    if not others:
        return first
    return Policy(
        id="+".join(dict.fromkeys(policy.id for policy in policies)),
        title=Text(*(" + ".join(policy.title[language] for policy in policies) for language in (0, 1))),
        about=policies[-1].about,
        **_merged(policies),
    )


def _merged(policies: Iterable[Policy]) -> dict[str, Any]:
    """Later wishes and severities win; waivers and programmes add up, each programme once."""
    wish = Wish()
    merged: dict[str, Any] = {"domains": {}, "severities": {}, "waivers": (), "programmes": ()}
    for policy in policies:
        wish = over(wish, policy.expect)
        for domain, said in policy.domains.items():
            merged["domains"][domain] = over(merged["domains"].get(domain, Wish()), said)
        merged["severities"] |= policy.severities
        merged["waivers"] += tuple(one for one in policy.waivers if one not in merged["waivers"])
        merged["programmes"] += tuple(one for one in policy.programmes if one not in merged["programmes"])
    return {"expect": wish, **merged}


def over(below: Wish, above: Wish) -> Wish:
    """``above`` where it says something, else ``below``."""
    return Wish(
        below.mailing_lists if above.mailing_lists is None else above.mailing_lists,
        below.sends if above.sends is None else above.sends,
        below.receives if above.receives is None else above.receives,
    )


def _read(text: str, file: str, policy_id: str, load: Loader, problems: list[Sentence]) -> Policy:
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        told = "{file}: is no TOML ({error}); correct that line."
        problems.append(Sentence(told, file=file, error=toml_reason(error)))
        return Policy(policy_id, Text("", ""), Text("", ""))
    top = Table(data, file, "", problems)
    top.only(_TOP)
    if data.get("format") != 1:
        top.problem("format", "is wanted as 'format = 1'")
    own = Policy(
        id=policy_id,
        title=top.text("title"),
        about=top.text("about", optional=True),
        expect=_wish(top.table("expect")),
        domains=_domains(top.table("domain")),
        severities=_severities(top.table("severity")),
        waivers=tuple(_waivers(top)),
        programmes=_programmes(top, policy_id),
    )
    return _extended(own, top, load)


def _extended(own: Policy, top: Table, load: Loader) -> Policy:
    bases = []
    for name in top.strings("extends"):
        try:
            bases.append(load(name))
        except PolicyError as error:
            top.problems.append(error.sentence)
    return Policy(own.id, own.title, own.about, **_merged((*bases, own)))


def _wish(table: Table) -> Wish:
    table.only({"mailing_lists", "sends", "receives"})
    lists = table.choice("mailing_lists", MailingLists, optional=True)
    return Wish(lists, table.boolean("sends"), table.boolean("receives"))


def _domains(table: Table) -> dict[DomainName, Wish]:
    wishes = {}
    for text in table.data:
        domain = _domain(table, text)
        if domain is not None:
            wishes[domain] = _wish(table.table(text))
    return wishes


def _domain(table: Table, text: str) -> DomainName | None:
    try:
        return parse_target(text).domain
    except DomainError as error:
        table.problems.append(Sentence("{file}: {problem}", file=table.file, problem=error.sentence))
        return None


def _severities(table: Table) -> dict[str, Severity]:
    severities = {}
    for rule in table.data:
        if not is_rule_id(rule):
            table.problem(rule, "is no rule id such as SPF004")
        severity = table.choice(rule, Severity)
        if severity is not None:
            severities[rule] = severity
    return severities


def _waivers(top: Table) -> Iterable[Waiver]:
    for entry in top.tables("waive"):
        entry.only({"rule", "domain", "reason", "until"})
        rule, reason, until = entry.string("rule"), entry.string("reason"), entry.day("until")
        if rule and not is_rule_id(rule):
            entry.problem("rule", "is no rule id such as SPF004")
        narrow = entry.string("domain", optional=True)
        domain = _domain(entry, narrow) if narrow else DomainName("")
        if rule and reason and until and domain is not None:
            yield Waiver(rule, reason, until, domain)


def _programmes(top: Table, policy_id: str) -> tuple[Programme, ...]:
    sources = {name: _source(top.table("sources").table(name)) for name in top.table("sources").data}
    requirements = tuple(_requirements(top, sources))
    programme = top.table("programme")
    programme.only({"name"})
    name = programme.string("name") if "programme" in top.data else ""
    if not requirements:
        return ()
    return (Programme(policy_id, name, top.text("title"), top.text("about", optional=True), requirements),)


def _source(table: Table) -> Source:
    table.only({"title", "read_on", "evidence"})
    standing = table.choice("evidence", Standing)
    return Source(table.string("title"), table.day("read_on") or date.min, standing or Standing.UNVERIFIED)


_REQUIREMENT: Final = frozenset(
    ("id", "kind", "check", "strength", "source", "clause", "short", "title", "consequence")
)


def _requirements(top: Table, sources: Mapping[str, Source]) -> Iterable[Requirement]:
    ids: set[str] = set()
    for entry in top.tables("requirement"):
        entry.only(_REQUIREMENT)
        requirement = _requirement(entry, sources)
        if requirement is None:
            continue
        if requirement.id in ids:
            entry.problem("id", "{id!r} stands there twice", id=requirement.id)
        ids.add(requirement.id)
        yield requirement


def _requirement(entry: Table, sources: Mapping[str, Source]) -> Requirement | None:
    kind, strength = entry.choice("kind", Kind), entry.choice("strength", Strength)
    check = entry.string("check", optional=True)
    if kind is Kind.DNS and check not in CHECKS:
        entry.problem("check", "is wanted for kind D, one of {choices}", choices=", ".join(sorted(CHECKS)))
    if kind is not Kind.DNS and check:
        entry.problem("check", "is only for kind D: what DNS cannot show is not checked")
    source = sources.get(entry.string("source"))
    if source is None:
        entry.problem("source", "names no table under [sources]")
    title = entry.text("title")
    consequence = entry.text("consequence") if "consequence" in entry.data else None
    words = (entry.string("id"), entry.string("clause"), entry.string("short"))
    if kind is None or strength is None or source is None:
        return None
    return Requirement(words[0], kind, strength, words[1], source, words[2], title, check, consequence)
