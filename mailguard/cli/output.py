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

from mailguard.cli.speaking import give_up_output
from mailguard.errors import OperationError, Sentence, UsageError, is_of_the_path, system_reason

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
    """Results go to standard output at once."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.done: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        self._write(self._renderer.begin())
        return self

    def earlier(self) -> Iterator[Document]:
        """Nothing: nothing is kept to go on from."""
        return iter(())

    def add(self, document: Document) -> None:
        """Show one audit."""
        self._write(self._renderer.item(document))

    def _write(self, text: str) -> None:
        """Nobody who reads on (EPIPE) is no failure of ours; click ends quietly then."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            give_up_output()
            raise OperationError("The output cannot be written: {reason}.", reason=system_reason(error)) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, OSError | OperationError):
            self._write(self._renderer.end())


class FileOutput:
    """Results go to a file by way of its journal. ``done`` names the domains that the journal already holds."""

    def __init__(self, renderer: Renderer, path: Path, *, resume: bool) -> None:
        self._renderer = renderer
        self._path = path
        self._journal = Path(f"{path}.progress")
        self._resume = resume
        self.done: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        # At the end FILE is replaced by another one: what is no ordinary file, such as /dev/null, must never be.
        if self._path.exists() and not self._path.is_file():
            raise UsageError("{file} is no ordinary file; name another one.", file=self._path)
        if self._resume and not self._journal.exists():
            told = "{file} does not exist, so there is nothing to resume; run without --resume."
            raise UsageError(told, file=self._journal)
        try:
            if self._resume:
                cut_to_whole_lines(self._journal)
                self.done = frozenset(document["domain"] for document in self._documents())
            self._file = self._journal.open("a" if self._resume else "w", encoding="utf-8")
        except OSError as error:
            raise not_opened(self._path, error) from error
        return self

    def earlier(self) -> Iterator[Document]:
        """What the interrupted run has left."""
        return self._documents() if self._resume else iter(())

    def add(self, document: Document) -> None:
        """Put one audit on record."""
        try:
            self._file.write(json.dumps(document) + "\n")
            self._file.flush()
        except OSError as error:
            raise OperationError(unwritable(self._journal, error)) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            self._publish()
        except OSError as failure:
            raise OperationError(unwritable(self._path, failure)) from failure
        if kind is None:
            self._journal.unlink()

    def _publish(self) -> None:
        fresh = Path(f"{self._path}.new")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(self._renderer.begin())
            for document in self._documents():
                file.write(self._renderer.item(document))
            file.write(self._renderer.end())
        os.replace(fresh, self._path)

    def _documents(self) -> Iterator[Document]:
        """Documents on record."""
        with self._journal.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield self._read(number, line)

    def _read(self, number: int, line: bytes) -> Document:
        try:
            document: Document = json.loads(line)
            document["domain"]
        except (ValueError, LookupError, TypeError) as error:
            told = "Line {number} of {file} is damaged; run without --resume."
            raise UsageError(told, number=number, file=self._journal) from error
        return document


def cut_to_whole_lines(path: Path) -> None:
    """Cut off a last line that a crash left unfinished."""
    with path.open("rb+") as file:
        whole = sum(len(line) for line in file if line.endswith(b"\n"))
        file.truncate(whole)


def not_opened(path: Path, error: OSError) -> UsageError | OperationError:
    """That a file that was named could not be begun: wrong use where another name would help, else our failure."""
    return (UsageError if is_of_the_path(error) else OperationError)(unwritable(path, error))


def unwritable(path: Path, error: OSError) -> Sentence:
    """That a file cannot be written, and why."""
    told = "{file} cannot be written ({reason}); check the path."
    return Sentence(told, file=path, reason=system_reason(error))
