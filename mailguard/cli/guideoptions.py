"""Options that make one guide or many, shared by the commands that make guides and the one that sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from mailguard.cli.options import lang_option, resolver_options
from mailguard.cli.speaking import say

F = TypeVar("F", bound=Callable[..., Any])

READERS: Final = ("director", "it", "vendor", "staff", "all")

furigana_option = click.option(
    "--furigana", is_flag=True, help="Show how Chinese characters are read (Japanese guides)."
)
brand_option = click.option("--brand", metavar="DIR", help="Folder with your own logo, colours, imprint and templates.")
font_option = click.option("--font", metavar="NAME", help="Font of the PDF; without it, the first Japanese font found.")
since_option = click.option(
    "--since", metavar="DATE|last|FILE", help="Show what changed since the audit kept then, or in that JSON file."
)
audits_option = click.option(
    "--audits", metavar="FILE", help="Use saved audits (JSON or NDJSON) instead of asking the network."
)
days_option = click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Days of reports to look back on."
)
database_option = click.option(
    "--database", metavar="URL|PATH", help="Where reports are, and where audits are kept for --since."
)
policy_option = click.option(
    "--policy", "policies", multiple=True, metavar="NAME|FILE", help="What should hold. May be repeated."
)
PARTS: Final = (
    *("director", "todo", "findings", "letters", "questionnaire", "checksheet", "clauses", "difference"),
    *("monitoring", "evidence", "incident", "training", "booklet", "glossary"),
)
"""Those of ``guidebook.book.PARTS``, which is not imported to show a help text (a test holds one against the other)."""

parts_option = click.option(
    "--part",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    metavar="NAME",
    help="Only these parts, whoever they are for; `director` alone is the one page. May be repeated.",
)
readers_option = click.option(
    "--for",
    "readers",
    type=click.Choice(READERS),
    multiple=True,
    default=("all",),
    show_default=True,
    help="Only the parts for these readers. May be repeated.",
)

_CASE: Final = (
    click.argument("domains", nargs=-1, metavar="[DOMAIN]..."),
    click.option(
        *("-f", "--file", "files"), multiple=True, metavar="FILE", help="List of domains, - for standard input."
    ),
    lang_option,
    furigana_option,
    brand_option,
    font_option,
    since_option,
    audits_option,
    click.option("--replay", metavar="FILE", help="Judge saved evidence again, without asking the network."),
    database_option,
    click.option("--config", metavar="FILE", help="Take the database from this settings file."),
    days_option,
    policy_option,
    click.option(
        "--selector", "selectors", multiple=True, metavar="NAME", help="DKIM selector in use. May be repeated."
    ),
    click.option(
        "--mailing-lists", type=click.Choice(["yes", "no"]), help="Whether people of this domain post to mailing lists."
    ),
    click.option("--sends/--no-sends", default=None, help="Whether this domain sends mail at all."),
    click.option("--receives/--no-receives", default=None, help="Whether this domain receives mail at all."),
    click.option(
        "--second-opinion/--no-second-opinion", default=True, help="Add the verdict of checkdmarc (the default)."
    ),
    resolver_options,
    click.option(
        "--jobs", type=click.IntRange(1, 256), default=32, show_default=True, help="Domains at the same time."
    ),
)


def case_options(command: F) -> F:
    """Everything that says which domains a guide is about, and where what is known of them comes from."""
    return all_of(_CASE)(command)


def all_of(options: tuple[Callable[[Any], Any], ...]) -> Callable[[F], F]:
    """Several options as one, which stand in the help in this order."""

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


JUDGING: Final = frozenset({"policies", "selectors", "mailing_lists", "sends", "receives", "second_opinion"})
"""Options that say how an audit judges."""

ASKING: Final = frozenset({"nameservers", "timeout", "jobs"})
"""Options that say how an audit asks."""


def refuse_beside_audits(ctx: click.Context, names: frozenset[str]) -> None:
    """Raises click.UsageError where one of these options was given though the audits are saved ones.

    They are taken as they are, so the option would change nothing, and nobody would be told.
    """
    if not ctx.params["audits"]:
        return
    for parameter in ctx.command.params:
        if parameter.name in names and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            told = say("{option} changes nothing in saved audits; leave it out, or audit again without --audits.")
            raise click.UsageError(told.format(option=_given(ctx, parameter)))


def _given(ctx: click.Context, parameter: click.Parameter) -> str:
    """How the option was called: one of two, where it has a yes and a no."""
    is_no = parameter.secondary_opts and ctx.params[parameter.name or ""] is False
    return (parameter.secondary_opts if is_no else parameter.opts)[0]
