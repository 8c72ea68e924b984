"""``mailguard policy``: what should hold, as files that can be read, copied and changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mailguard.cli.console import echo_json
from mailguard.cli.exits import WRONG_USE
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, language, say

if TYPE_CHECKING:
    from mailguard.policy.files import Policy
    from mailguard.requirement import Requirement

_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)


@click.group(cls=SpokenGroup)
def policy() -> None:
    """List the policies, show one, or check a file of your own."""


@policy.command("list", cls=SpokenCommand)
@_FORM
@lang_option
def list_policies(form: str) -> None:
    """List the policies that come with mailguard."""
    from mailguard.policy.shelf import list_policies as load_all

    policies = load_all()
    if form == "json":
        echo_json([_head(one) for one in policies])
        return
    for one in policies:
        click.echo(f"{one.id:18} {getattr(one.title, language())}")


@policy.command("show", cls=SpokenCommand)
@click.argument("name", metavar="NAME|FILE")
@_FORM
@lang_option
def show_policy(name: str, form: str) -> None:
    """Show one policy: what it expects, and every requirement with its source."""
    from mailguard.policy.shelf import load_policy

    one = load_policy(name)
    if form == "json":
        echo_json(_whole(one))
    else:
        click.echo(_text(one, language()))


@policy.command("check", cls=SpokenCommand)
@click.argument("name", metavar="FILE")
@click.pass_context
def check_policy(ctx: click.Context, name: str) -> None:
    """Check a policy file; every problem is told, and the exit code is 2 if there is one."""
    from mailguard.policy.shelf import check_policy as check
    from mailguard.rules.catalogue import RULES

    problems = check(name, RULES)
    for problem in problems:
        click.echo(f"mailguard: {problem.told(say)}", err=True)
    if problems:
        ctx.exit(WRONG_USE)
    click.echo(say("{file} is in order.").format(file=name))


def _head(one: Policy) -> dict[str, Any]:
    return {"id": one.id, "title": one.title._asdict(), "about": one.about._asdict()}


def _whole(one: Policy) -> dict[str, Any]:
    return {
        **_head(one),
        "expect": {
            "mailing_lists": one.expect.mailing_lists,
            "sends": one.expect.sends,
            "receives": one.expect.receives,
        },
        "severities": dict(one.severities),
        "waivers": [
            {"rule": waiver.rule, "domain": waiver.domain, "reason": waiver.reason, "until": waiver.until.isoformat()}
            for waiver in one.waivers
        ],
        "requirements": [
            {"programme": programme.id, **_requirement(requirement)}
            for programme in one.programmes
            for requirement in programme.requirements
        ],
    }


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "id": requirement.id,
        "kind": requirement.kind,
        "strength": requirement.strength,
        "clause": requirement.clause,
        "title": requirement.title._asdict(),
        "consequence": requirement.consequence._asdict() if requirement.consequence else None,
        "source": requirement.source.title,
        "read_on": requirement.source.read_on.isoformat(),
        "evidence": requirement.source.standing,
    }


def _text(one: Policy, lang: str) -> str:
    lines = [f"{one.id}: {getattr(one.title, lang)}", getattr(one.about, lang), ""]
    if one.expect.mailing_lists:
        lines.append(say("Do people post to mailing lists? {answer}").format(answer=one.expect.mailing_lists))
    for rule, severity in one.severities.items():
        lines.append(f"{rule}: {severity}")
    for waiver in one.waivers:
        text = say("Waived until {until}: {rule} ({reason})")
        lines.append(text.format(until=waiver.until, rule=waiver.rule, reason=waiver.reason))
    for programme in one.programmes:
        for requirement in programme.requirements:
            lines += _requirement_lines(requirement, lang)
    lines += ["", say("D: seen in DNS. M: seen in messages or reports only. N: cannot be seen from outside.")]
    return "\n".join(lines)


def _requirement_lines(requirement: Requirement, lang: str) -> Iterator[str]:
    from mailguard.render.phrases import Phrases

    phrases, source = Phrases(lang), requirement.source
    standing = phrases.standing(source.standing)
    yield f"[{requirement.kind}] {getattr(requirement.title, lang)} ({phrases.strength(requirement.strength)})"
    yield f"      {source.title} {requirement.clause} ({source.read_on}){standing}"
    if requirement.consequence:
        text = phrases.say("Otherwise: {consequence}")
        yield "      " + text.format(consequence=getattr(requirement.consequence, lang))
