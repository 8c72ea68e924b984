"""What only matters on a terminal: width, colour, and the progress bar of a long run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

import click

from mailguard.cli.speaking import say
from mailguard.render.safe import json_text
from mailguard.render.terminal import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_LONG_RUN: Final = 5
"""From so many domains on a progress bar is worth its line."""


def speaks_unicode() -> bool:
    """Whether standard output can show every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")


def echo_json(value: object) -> None:
    """Print a value as JSON that every console takes."""
    click.echo(json_text(value, ascii_only=not speaks_unicode(), indent=2))


def terminal(language: str, *, to_file: bool, asks: bool) -> Terminal:
    """The terminal renderer, with colour only on a terminal and unless NO_COLOR is set (no-color.org)."""
    colour = not to_file and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = 100 if to_file else min(shutil.get_terminal_size((100, 24)).columns, 120)
    return Terminal(language, colour=colour, width=width, asks=asks)


class Progress:
    """A progress bar on standard error, on a terminal and for long runs only; otherwise nothing at all."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._bar: RichProgress | None = None
        self._task: TaskID

    def __enter__(self) -> Self:
        if self._total >= _LONG_RUN and sys.stderr.isatty():
            # Imported here: only long runs on a terminal pay for it.
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(say("Auditing"), total=self._total)
        return self

    def advance(self) -> None:
        """One more is done."""
        if self._bar is not None:
            self._bar.advance(self._task)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something is written to standard output, the bar steps aside where both share the terminal."""
        if self._bar is None or not sys.stdout.isatty():
            yield
            return
        self._bar.stop()
        yield
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
