"""``mailguard inspect``: what a mail or report file is, and who sent it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from mailguard.cli.exits import FINDINGS, OK
from mailguard.cli.options import chosen_trust, lang_option, resolver_options, trust_options
from mailguard.cli.speaking import SpokenCommand, language
from mailguard.errors import UsageError, system_reason


@click.command(cls=SpokenCommand)
@click.argument("file", metavar="FILE")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@click.option(
    "--failure-reports",
    is_flag=True,
    help="Also read failure reports: which check failed, and nothing of the mail in them.",
)
@click.option("--config", metavar="FILE", help="Take domains, trusted hosts and DNS servers from this settings file.")
@trust_options
@resolver_options
@lang_option
@click.pass_context
def inspect(ctx: click.Context, /, file: str, form: str, failure_reports: bool, **options: Any) -> None:
    """Say what a mail or report is, what is in it, what is wrong with it, and who sent it. Nothing is stored.

    FILE is a mail, a report (XML, JSON, gzip, zip), an mbox, a file of the spool, or - for standard input.

    DNS is asked for the keys that the mail was signed with.

    Exit codes: 0 something was read, 1 nothing in it could be read, 2 wrong use or a file that cannot be opened.
    """
    from mailguard.feedback.mail import MailKind
    from mailguard.render.inspection import in_words, inspection
    from mailguard.worker.looking import ask_about, items_in

    trust, now = chosen_trust(options), int(time.time())
    items = list(items_in(file, Path(file).name, _read(file), now=now, failure_reports=failure_reports))
    asking = ask_about(items, trust.resolver, hosts=trust.hosts, owned=trust.owned, now=now, known=trust.known)
    senders = asyncio.run(asking)
    documents = [
        inspection(item.origin, item.size, item.contents, sender.looked, sender.proof, sender.trusts)
        for item, sender in zip(items, senders, strict=True)
    ]
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if form == "json":
        shown = documents[0] if len(documents) == 1 else documents
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join(in_words(document, language()) for document in documents))
    ctx.exit(FINDINGS if all(item.contents.kind is MailKind.NONE for item in items) else OK)


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
        told = "{file} cannot be read ({reason}); check the path."
        raise UsageError(told, file=file, reason=system_reason(error)) from error
