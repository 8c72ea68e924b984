"""``mailguard completion``: the script that makes a shell complete mailguard's commands and options."""

from __future__ import annotations

import click

from mailguard.cli.speaking import SpokenCommand


@click.command(cls=SpokenCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for your shell.

    For bash, add this line to ~/.bashrc: eval "$(mailguard completion bash)"
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    assert maker is not None
    root = ctx.find_root()
    click.echo(maker(root.command, {}, "mailguard", "_MAILGUARD_COMPLETE").source())
