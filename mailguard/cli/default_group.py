"""A group with a command that is meant when none is named: ``guide example.jp`` is ``guide make example.jp``."""

from __future__ import annotations

from typing import Any

import click

from mailguard.cli.speaking import LazyGroup


class DefaultGroup(LazyGroup):
    """``default`` names the command. ``--help`` alone is still the group's own."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of what is neither a command nor a call for help, behind any ``--lang``."""
        language = 0
        while args[language:] and args[language].partition("=")[0] == "--lang":
            language += 1 if "=" in args[language] else 2
        ours, rest = args[:language], args[language:]
        if rest and rest[0] not in {*self.list_commands(ctx), *ctx.help_option_names}:
            rest = [self.default, *rest]
        return super().parse_args(ctx, [*ours, *rest])
