"""``mailguard serve``: the daemon that receives reports."""

from __future__ import annotations

import click

from mailguard.cli.exits import OUR_FAILURE
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, say


@click.command(cls=SpokenCommand)
@click.option("--config", metavar="FILE", default="mailguard.toml", show_default=True, help="The settings file.")
@click.option("--check", is_flag=True, help="Look whether everything is in place, and end.")
@click.option("--verbose", is_flag=True, help="Also log every mail that is stored.")
@lang_option
@click.pass_context
def serve(ctx: click.Context, config: str, check: bool, verbose: bool) -> None:
    """Receive reports day and night: by SMTP, from mailboxes, or both.

    Ends on SIGTERM or Ctrl-C within 10 seconds; SIGHUP takes new certificates.

    Exit codes: 0 ended as asked, or --check found nothing wrong, 2 wrong settings, 4 our own failure.
    """
    from mailguard.errors import OperationError, UsageError
    from mailguard.settings import load_settings
    from mailguard.worker.logs import set_up_log
    from mailguard.worker.service import check_settings, run_service

    settings = load_settings(config)
    try:
        remarks = check_settings(settings) if check else []
        if settings.listener is None and not settings.mailboxes:
            told = "{file}: neither [listener] nor [[mailbox]] is set, so no report would come in."
            raise UsageError(told, file=config)
        if check:
            for remark in remarks:
                click.echo(f"mailguard: {remark.told(say)}", err=True)
            click.echo(say("{file} is in order.").format(file=config))
            return
        set_up_log(verbose=verbose)
        run_service(settings)
    except OperationError as error:
        click.echo(f"mailguard: {error.told(say)}", err=True)
        ctx.exit(OUR_FAILURE)
