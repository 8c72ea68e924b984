"""Many PDFs: made in processes of their own, which are replaced before what they remember grows.

The engine keeps fonts and pictures for as long as its process lives, some 200 MB after a long portfolio. Whoever makes
a thousand guides must not hold that, nor die with an engine that does.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import Final

from mailguard.errors import OperationError
from mailguard.guidebook.blocks import Book
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.render.book.pdf import render_pdf

_BOOKS_A_PROCESS: Final = 50


class PdfPool:
    """Processes that make PDFs. Use as a context manager; leaving it waits for what was begun.

    ``processes`` is how many work side by side; each takes 100 to 300 MB.
    """

    def __init__(self, processes: int = 1) -> None:
        # Not forked: a copy of a process with threads may stand still for ever.
        fresh = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(processes, fresh, max_tasks_per_child=_BOOKS_A_PROCESS)

    def __enter__(self) -> PdfPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._executor.shutdown(cancel_futures=error is not None)

    def begin(self, book: Book, brand: Brand = PLAIN, *, font: str | None = None) -> Future[bytes]:
        """Begin one; its result raises what ``render_pdf`` raises. Hand over no more than are soon collected."""
        return self._executor.submit(render_pdf, book, brand, font=font)

    def render(self, book: Book, brand: Brand = PLAIN, *, font: str | None = None) -> bytes:
        """One PDF. Raises what ``render_pdf`` raises, and OperationError when its process was ended."""
        from concurrent.futures.process import BrokenProcessPool

        try:
            return self.begin(book, brand, font=font).result()
        except BrokenProcessPool as error:
            told = (
                "The process that makes PDFs was ended from outside, perhaps for want of memory; try again with less."
            )
            raise OperationError(told) from error
