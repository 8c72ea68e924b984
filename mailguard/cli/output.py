"""Where results go: standard output as they come, or a file that is whole at every moment.

With ``-o FILE`` every finished audit is first added to a journal beside it (``FILE.progress``, one JSON document a
line, flushed). At the end, or when the run is interrupted, FILE is written anew from the journal and put in place in
one step. After an interruption the journal stays, so ``--resume`` knows what is done; after a whole run it goes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from mailguard.errors import OperationError, UsageError

Document = dict[str, Any]


class Renderer(Protocol):
    """What every form of output offers."""

    def begin(self) -> str:
        """What stands before the first audit."""

    def item(self, document: Document) -> str:
        """One audit."""

    def end(self) -> str:
        """What stands after the last audit."""


class StandardOutput:
    """Results go to standard output at once. Characters that the console cannot show become ``?``, never an error."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.done: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self._write(self._renderer.begin())
        return self

    def add(self, document: Document) -> None:
        """Show one audit."""
        self._write(self._renderer.item(document))

    def _write(self, text: str) -> None:
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, OSError):
            self._write(self._renderer.end())


class FileOutput:
    """Results go to a file by way of its journal. ``done`` names the domains that the journal already holds."""

    def __init__(self, renderer: Renderer, path: Path, *, resume: bool) -> None:
        self._renderer = renderer
        self._path = path
        self._journal = path.with_name(path.name + ".progress")
        self._resume = resume
        self.done: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        if self._resume and not self._journal.exists():
            raise UsageError(f"{self._journal} does not exist, so there is nothing to resume; run without --resume.")
        try:
            if self._resume:
                self.done = frozenset(document["domain"] for document in self._documents(mend=True))
            self._file = self._journal.open("a" if self._resume else "w", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{self._journal} cannot be written: {error.strerror}.") from error
        return self

    def add(self, document: Document) -> None:
        """Put one audit on record."""
        try:
            self._file.write(json.dumps(document, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OperationError(f"{self._journal} cannot be written: {error.strerror}.") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._publish()
        if kind is None:
            self._journal.unlink()

    def _publish(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(self._renderer.begin())
            for document in self._documents():
                file.write(self._renderer.item(document))
            file.write(self._renderer.end())
        os.replace(fresh, self._path)

    def _documents(self, *, mend: bool = False) -> Iterator[Document]:
        """Documents on record. With ``mend`` a last line that a crash cut short is cut off."""
        whole = 0
        with self._journal.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield json.loads(line)
        if mend:
            os.truncate(self._journal, whole)
