"""The command line: thin commands that collect what the user wants, call the library, and say what came out.

Nothing heavy is imported before a command runs, so that ``--help`` and completion answer at once. Help texts are
English in the code and translated when they are shown (``speaking.py``).
"""

from __future__ import annotations

import click

from mailguard import __version__
from mailguard.cli.speaking import LazyGroup

_COMMANDS = {
    "audit": "mailguard.cli.audit:audit",
    "check-host": "mailguard.cli.check_host:check_host",
    "rules": "mailguard.cli.rules:rules",
    "policy": "mailguard.cli.policy:policy",
    "inspect": "mailguard.cli.inspect:inspect",
    "ingest": "mailguard.cli.ingest:ingest",
    "serve": "mailguard.cli.serve:serve",
    "quarantine": "mailguard.cli.quarantine:quarantine",
    "reports": "mailguard.cli.reports:reports",
    "db": "mailguard.cli.db:db",
    "client": "mailguard.cli.client:client",
    "guide": "mailguard.cli.guide:guide",
    "demo": "mailguard.cli.demo:demo",
    "completion": "mailguard.cli.completion:completion",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailguard", help="Show the version and exit.")
def main() -> None:
    """Can a stranger send mail in your hospital's name?

    mailguard audits SPF, DKIM and DMARC of your domains, shows the evidence, and says exactly what to publish.
    Start with: mailguard audit YOUR-DOMAIN
    """
