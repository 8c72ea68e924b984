"""``mailguard audit``: look at domains, say what was seen, and what to publish."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from mailguard.cli.exits import Outcome
from mailguard.cli.options import lang_option, resolver_options
from mailguard.cli.speaking import SpokenCommand, language, say

FORMATS = ("terminal", "json", "ndjson", "csv", "sarif", "markdown")
FAIL_ON = ("critical", "high", "medium", "low", "info", "never")


@click.command(cls=SpokenCommand)
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help="List of domains, - for standard input.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="terminal", show_default=True, help="Form of the output."
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE; finished audits survive an interruption.")
@lang_option
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME|FILE",
    help="What should hold: a policy of `mailguard policy list`, or a file. May be repeated.",
)
@click.option("--selector", "selectors", multiple=True, metavar="NAME", help="DKIM selector in use. May be repeated.")
@resolver_options
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="high",
    show_default=True,
    help="Exit with 1 when a finding is at least this grave.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=32, show_default=True, help="Domains at the same time.")
@click.option("--replay", metavar="FILE", help="Judge saved evidence again, without asking the network.")
@click.option("--save-evidence", metavar="FILE", help="Keep every question and answer in FILE.")
@click.option("--second-opinion", is_flag=True, help="Add the verdict of checkdmarc on the same evidence.")
@click.option(
    "--mailing-lists", type=click.Choice(["yes", "no"]), help="Whether people of this domain post to mailing lists."
)
@click.option("--sends/--no-sends", default=None, help="Whether this domain sends mail at all.")
@click.option("--receives/--no-receives", default=None, help="Whether this domain receives mail at all.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run of the same -o FILE.")
@click.pass_context
def audit(ctx: click.Context, /, **options: Any) -> None:
    """Audit domains: can a stranger send in their name, how do we know, and what to publish.

    DOMAIN may also be a mail address or the address of a web page.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong use, 3 a deciding question was not answered,
    4 our own failure, 130 interrupted, 141 nobody reads on.
    """
    from mailguard.cli.running import Run, run_audits
    from mailguard.errors import OperationError

    outcome = Outcome()
    try:
        run = Run.prepare(options, language(), outcome)
        asyncio.run(run_audits(run))
    except OperationError as error:
        click.echo(f"mailguard: {error.told(say)}", err=True)
        outcome.our_failure = True
    except KeyboardInterrupt:
        outcome.interrupted = True
        click.echo(f"mailguard: {_how_to_go_on(options['output'])}", err=True)
    ctx.exit(outcome.code)


def _how_to_go_on(output: str | None) -> str:
    if output is None:
        return say("Interrupted. What was done is above; with -o FILE a run can be resumed.")
    told = say("Interrupted. What was done is in {file}. To go on: {command}")
    return told.format(file=output, command=_this_command("--resume"))


def _this_command(more: str) -> str:
    """What was typed, with ``more``, to be pasted into a shell."""
    program = Path(sys.argv[0])
    called = [sys.executable, "-m", "mailguard"] if program.name == "__main__.py" else [program.name]
    return shlex.join([*called, *(argument for argument in sys.argv[1:] if argument != more), more])
