"""``mailguard guide send``: one guide to each clinic, through the sender's own mail server."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from mailguard.cli.exits import OUR_FAILURE
from mailguard.cli.guideoptions import (
    JUDGING,
    audits_option,
    brand_option,
    database_option,
    days_option,
    font_option,
    furigana_option,
    policy_option,
    readers_option,
    refuse_beside_audits,
    since_option,
)
from mailguard.cli.options import lang_option, resolver_options
from mailguard.cli.speaking import SpokenCommand, language, say


@click.command(cls=SpokenCommand)
@click.option("--sender", default="send.toml", show_default=True, metavar="FILE", help="Settings for sending.")
@click.option("--recipients", metavar="FILE", help="List of recipients: CSV with the columns domain and email.")
@click.option("--preview", metavar="DIR", help="Make the mails, put them there to be looked at, and send nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; send nothing and change nothing.")
@click.option(
    "--test-address", metavar="ADDRESS", help="Send the first mail that would go out to this address instead."
)
@click.option("--yes", is_flag=True, help="Make the mails and send them without a preview.")
@click.option("--limit", type=click.IntRange(1), metavar="COUNT", help="Send at most so many mails in this run.")
@audits_option
@click.option("--sender-audit", metavar="FILE", help="Saved audit of the sender's domain, at most a day old.")
@brand_option
@font_option
@readers_option
@furigana_option
@since_option
@policy_option
@database_option
@days_option
@click.option("--law", is_flag=True, help="Print help on the law about mail that advertises, and exit.")
@resolver_options
@lang_option
@click.pass_context
def send(ctx: click.Context, /, **options: Any) -> None:
    """Send each clinic its guide, once.

    First --preview DIR makes the mails and sends nothing. Then the same command without it sends what was looked at.
    The sender's own domain has to pass the audit.

    Exit codes: 0 done, 1 done, but some mails did not go out, 2 wrong use, 4 our own failure or the mail server's.
    """
    from mailguard.cli.sending import Sending, print_law
    from mailguard.errors import OperationError

    if options["law"]:
        print_law(language())
        return
    refuse_beside_audits(ctx, JUDGING)
    try:
        code = asyncio.run(Sending.prepare(options).run())
    except OperationError as error:
        click.echo(f"mailguard: {error.told(say)}", err=True)
        code = OUR_FAILURE
    except KeyboardInterrupt:
        click.echo(f"mailguard: {say('Stopped. What was not sent waits in the outbox for the next run.')}", err=True)
        code = 130
    ctx.exit(code)
