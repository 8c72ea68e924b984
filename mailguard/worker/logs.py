"""The daemon's log: one line for each event on standard error, where systemd and containers look for it."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Final

from mailguard.render.safe import visible

_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
_MAX_CHARS: Final = 2_000

_LINES: Final = 20
_MINUTE_S: Final = 60.0


class OneLine(logging.Formatter):
    """Everything on one line; control characters are written out, whoever they come from.

    For the journal each line begins with its priority (sd-daemon(3)), else with the time.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._journal = "JOURNAL_STREAM" in environ

    def format(self, record: logging.LogRecord) -> str:
        """The line, at most 2,000 characters of it."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f" [{_in_short(record.exc_info[1])}]"
        return self._prefix(record) + visible(text)[:_MAX_CHARS]

    def _prefix(self, record: logging.LogRecord) -> str:
        if self._journal:
            return f"<{next(number for level, number in _PRIORITIES if record.levelno >= level)}>"
        return f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S%z')} {record.levelname.lower()}: "


class Sparing(logging.Filter):
    """Warnings that strangers or a broken disk can cause by the thousand do not fill the log.

    Bound: 20 lines a minute from one place in the code. How many more there were stands in the next line from there.
    Of what is told only because somebody asked for it, nothing is left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[tuple[str, int], tuple[float, int]] = {}  # when the minute began, and how many lines since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it. May add to what the line says."""
        if record.levelno < logging.WARNING:
            return True
        place = record.pathname, record.lineno
        began, count = self._lines.get(place, (record.created, 0))
        if not 0 <= record.created - began < _MINUTE_S:
            if count > _LINES:
                record.msg, record.args = f"{record.getMessage()} (before this: {count - _LINES} lines more)", ()
            began, count = record.created, 0
        self._lines[place] = began, count + 1
        return count < _LINES


def set_up_log(*, verbose: bool) -> None:
    """Log to standard error: what needs attention, and with ``verbose`` also what was stored."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mailguard").setLevel(logging.INFO if verbose else logging.WARNING)


def _in_short(error: BaseException) -> str:
    """The kind of exception, its text, and where it came from, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}: {error}; {where}"
