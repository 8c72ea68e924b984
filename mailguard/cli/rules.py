"""``mailguard rules``: what mailguard looks for, and what it says about it."""

from __future__ import annotations

import click

from mailguard.cli.console import echo_json
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, language, say


@click.group(cls=SpokenGroup)
def rules() -> None:
    """List the rules, or show one with its guide page."""


@rules.command("list", cls=SpokenCommand)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@lang_option
def list_rules(form: str) -> None:
    """List every rule: id, severity, name and title."""
    from mailguard.guides import load_guide
    from mailguard.rules.catalogue import RULES

    spoken = language()
    rows = [(kind.rule, load_guide(rule_id, spoken).title) for rule_id, kind in sorted(RULES.items())]
    if form == "json":
        fields = [
            {
                "rule": rule.id,
                "name": rule.name,
                "severity": rule.severity,
                "confidence": rule.confidence,
                "cites": rule.cites,
                "since": rule.since,
                "title": title,
            }
            for rule, title in rows
        ]
        echo_json(fields)
        return
    for rule, title in rows:
        click.echo(f"{rule.id:9} {rule.severity:9} {title}  ({rule.name})")


@rules.command("show", cls=SpokenCommand)
@click.argument("rule_id", metavar="RULE")
@lang_option
def show_rule(rule_id: str) -> None:
    """Show one rule (for example SPF001 or its name) with its guide page."""
    from mailguard.guides import load_guide
    from mailguard.rules.catalogue import RULES

    wanted = rule_id.strip()
    by_name = {kind.rule.name: kind for kind in RULES.values()}
    kind = RULES.get(wanted.upper()) or by_name.get(wanted.lower())
    if kind is None:
        raise click.UsageError(
            say("There is no rule {name}; `mailguard rules list` shows all of them.").format(name=wanted)
        )
    rule, guide = kind.rule, load_guide(kind.rule.id, language())
    click.echo(f"# {rule.id} {guide.title}\n")
    click.echo(f"{rule.name} / {rule.severity} / {rule.confidence} / {', '.join(rule.cites)}\n")
    click.echo(guide.summary)
    for heading, body in guide.sections:
        click.echo(f"\n## {heading}\n\n{body}")
