"""``mailguard inspect``: what a mail or report file is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from mailguard.cli.exits import FINDINGS, OK
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, language, say


@click.command(cls=SpokenCommand)
@click.argument("file", metavar="FILE")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option(
    "--failure-reports",
    is_flag=True,
    help="Also read failure reports: which check failed, and nothing of the mail in them.",
)
@lang_option
@click.pass_context
def inspect(ctx: click.Context, /, file: str, form: str, failure_reports: bool) -> None:
    """Say what a mail or report is, what is in it and what is wrong with it. Nothing is stored.

    FILE is a mail, a report (XML, JSON, gzip, zip), or - for standard input.

    Exit codes: 0 something was read, 1 nothing in it could be read, 2 wrong use or a file that cannot be opened.
    """
    from mailguard.feedback.mail import MailKind, read_file
    from mailguard.render.inspection import in_words, inspection

    data = _read(file)
    contents = read_file(Path(file).name, data, failure_reports=failure_reports)
    document = inspection(file, len(data), contents)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    click.echo(json.dumps(document, ensure_ascii=False, indent=2) if form == "json" else in_words(document, language()))
    ctx.exit(FINDINGS if contents.kind is MailKind.NONE else OK)


def _read(file: str) -> bytes:
    """The bytes of the file, and one more than any file that is read has, for a larger one."""
    from mailguard.feedback.limits import DEFAULT_LIMITS

    most = DEFAULT_LIMITS.inflated_bytes + 1
    try:
        if file == "-":
            return sys.stdin.buffer.read(most)
        with Path(file).open("rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = say("{path} cannot be read: {reason}.").format(path=file, reason=reason)
        raise click.UsageError(message) from error
