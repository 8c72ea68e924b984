"""``mailguard guide``: the document that makes somebody act. Without a word of its own it makes guides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from mailguard.cli.default_group import DefaultGroup
from mailguard.cli.exits import OUR_FAILURE, Outcome
from mailguard.cli.options import lang_option, resolver_options
from mailguard.cli.speaking import SpokenCommand, language, say

FORMATS: Final = ("html", "pdf", "markdown", "text", "json", "mail", "docx", "xlsx")
READERS: Final = ("director", "it", "vendor", "staff", "all")

F = TypeVar("F", bound=Callable[..., Any])

_COMMANDS: Final = {
    "make": "mailguard.cli.guide:make",
    "portfolio": "mailguard.cli.guide:portfolio",
    "send": "mailguard.cli.guide_send:send",
    "outbox": "mailguard.cli.outbox:outbox",
    "bounces": "mailguard.cli.outbox:bounces",
}


@click.group(cls=DefaultGroup, commands_at=_COMMANDS, default="make")
def guide() -> None:
    """Make and send guides: what a director, an IT person and a DNS company each need.

    `mailguard guide DOMAIN...` is short for `mailguard guide make DOMAIN...`.
    """


def case_options(command: F) -> F:
    """Everything that says which domains a guide is about, and where what is known of them comes from."""
    options = (
        click.argument("domains", nargs=-1, metavar="[DOMAIN]..."),
        click.option(
            *("-f", "--file", "files"), multiple=True, metavar="FILE", help="List of domains, - for standard input."
        ),
        lang_option,
        click.option("--furigana", is_flag=True, help="Show how Chinese characters are read (Japanese guides)."),
        click.option("--brand", metavar="DIR", help="Folder with your own logo, colours, imprint and templates."),
        click.option("--font", metavar="NAME", help="Font of the PDF; without it, the first Japanese font found."),
        click.option(
            "--since",
            metavar="DATE|last|FILE",
            help="Show what changed since the audit kept then, or in that JSON file.",
        ),
        click.option(
            "--audits", metavar="FILE", help="Use saved audits (JSON or NDJSON) instead of asking the network."
        ),
        click.option("--replay", metavar="FILE", help="Judge saved evidence again, without asking the network."),
        click.option(
            "--database", metavar="URL|PATH", help="Where reports are, and where audits are kept for --since."
        ),
        click.option("--config", metavar="FILE", help="Take the database from this settings file."),
        click.option(
            "--days",
            type=click.IntRange(1, 366),
            default=30,
            show_default=True,
            help="Days of reports to look back on.",
        ),
        click.option(
            "--policy", "policies", multiple=True, metavar="NAME|FILE", help="What should hold. May be repeated."
        ),
        click.option(
            "--selector", "selectors", multiple=True, metavar="NAME", help="DKIM selector in use. May be repeated."
        ),
        click.option(
            "--mailing-lists",
            type=click.Choice(["yes", "no"]),
            help="Whether people of this domain post to mailing lists.",
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
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=SpokenCommand)
@case_options
@click.option(
    "--format",
    "forms",
    type=click.Choice(FORMATS),
    multiple=True,
    default=("html",),
    show_default=True,
    help="Form of the guide; docx are the letters, xlsx is the check sheet. May be repeated.",
)
@click.option("-o", "--output", metavar="PATH", help="The file of one guide, or a folder for several guides or forms.")
@click.option(
    "--for",
    "readers",
    type=click.Choice(READERS),
    multiple=True,
    default=("all",),
    show_default=True,
    help="Only the parts for these readers. May be repeated.",
)
@click.option("--clinic", default="", metavar="NAME", help="Name of the clinic, for letters.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Day for the first step; 30 days on.")
@click.pass_context
def make(ctx: click.Context, /, **options: Any) -> None:
    """Make guides for domains: for the director, for IT, for the vendors, for the staff.

    One guide goes to standard output or to -o FILE; several guides or forms go into the folder -o DIR.

    Exit codes: 0 made, 2 wrong use, 3 made, but a deciding question was not answered, 4 our own failure.
    """
    from mailguard.cli.guiding import Guiding, make_guides

    _carry_out(ctx, lambda outcome: make_guides(Guiding.prepare(options, language(), outcome)))


@click.command(cls=SpokenCommand)
@case_options
@click.option(
    "--format",
    "forms",
    type=click.Choice(["html", "pdf", "markdown", "text", "json"]),
    multiple=True,
    default=("html",),
    show_default=True,
    help="Form of the report. May be repeated.",
)
@click.option("-o", "--output", metavar="PATH", help="The file of the report, or a folder for several forms.")
@click.option("--hide-names", is_flag=True, help="Number the clinics instead of naming them.")
@click.option("--pages", is_flag=True, help="Add the director's page of every clinic.")
@click.pass_context
def portfolio(ctx: click.Context, /, **options: Any) -> None:
    """Report on many clinics at once: next steps, shared vendors, progress. Nobody is ranked.

    Exit codes: 0 made, 2 wrong use, 3 made, but a deciding question was not answered, 4 our own failure.
    """
    from mailguard.cli.guiding import Guiding, make_portfolio_report

    if options["hide_names"] and options["pages"]:
        raise click.UsageError(say("--pages names the clinics; leave it out with --hide-names."))
    options = {**options, "readers": ("all",), "clinic": "", "due": None}
    _carry_out(ctx, lambda outcome: make_portfolio_report(Guiding.prepare(options, language(), outcome, books=1)))


def _carry_out(ctx: click.Context, work: Callable[[Outcome], Any]) -> None:
    from mailguard.errors import OperationError

    outcome = Outcome()
    try:
        asyncio.run(work(outcome))
    except OperationError as error:
        click.echo(f"mailguard: {error.told(say)}", err=True)
        ctx.exit(OUR_FAILURE)
    except KeyboardInterrupt:
        outcome.interrupted = True
    ctx.exit(outcome.code)
