"""``mailguard demo``: the whole loop once, offline, on fictional hospitals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, language


@click.command(cls=SpokenCommand)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Folder for what the demonstration writes.",
)
@lang_option
def demo(output: Path) -> None:
    """Show the whole loop on fictional hospitals, without the internet.

    Name server, audits, report mails into a database, and a guide in Japanese, all on this machine.
    """
    from mailguard.demo.run import run_demo

    asyncio.run(run_demo(output, language(), click.echo))
