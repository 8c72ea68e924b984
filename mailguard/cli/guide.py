"""``mailguard guide``: the document that makes somebody act. Without a word of its own it makes guides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import click

from mailguard.cli.default_group import DefaultGroup
from mailguard.cli.exits import Outcome
from mailguard.cli.guideoptions import ASKING, JUDGING, case_options, parts_option, readers_option, refuse_beside_audits
from mailguard.cli.speaking import SpokenCommand, language, say

FORMATS: Final = ("html", "pdf", "markdown", "text", "json", "mail", "docx", "xlsx")

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
@readers_option
@parts_option
@click.option("--clinic", default="", metavar="NAME", help="Name of the clinic, for letters.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Day for the first step; 30 days on.")
@click.pass_context
def make(ctx: click.Context, /, **options: Any) -> None:
    """Make guides for domains: for the director, for IT, for the vendors, for the staff.

    One guide goes to standard output or to -o FILE; several guides or forms go into the folder -o DIR.

    Exit codes: 0 made, 2 wrong use, 3 made, but a deciding question was not answered, 4 our own failure.
    """
    from mailguard.cli.guiding import Guiding, make_guides

    refuse_beside_audits(ctx, JUDGING | ASKING)
    if options["parts"] and "all" not in options["readers"]:
        raise click.UsageError(say("Use either --for or --part, not both."))
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

    refuse_beside_audits(ctx, JUDGING | ASKING)
    if options["hide_names"] and options["pages"]:
        raise click.UsageError(say("--pages names the clinics; leave it out with --hide-names."))
    options = {**options, "readers": ("all",), "clinic": "", "due": None}
    _carry_out(ctx, lambda outcome: make_portfolio_report(Guiding.prepare(options, language(), outcome, books=1)))


def _carry_out(ctx: click.Context, work: Callable[[Outcome], Any]) -> None:
    outcome = Outcome()
    asyncio.run(work(outcome))
    ctx.exit(outcome.code)
