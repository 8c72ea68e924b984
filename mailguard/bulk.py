"""Many audits side by side, streamed as they finish; memory does not grow with their number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failed(Generic[Item]):
    """Work on one item ended with an exception of ours; the others are not touched by it."""

    item: Item
    error: Exception


async def stream(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], jobs: int
) -> AsyncIterator[Result | Failed[Item]]:
    """Do ``work`` on each item, ``jobs`` at a time, and yield results in the order in which they are done.

    At most ``jobs`` results wait to be fetched. When the consumer stops, or is cancelled, the rest is cancelled.
    """
    pending = iter(items)
    done: asyncio.Queue[Result | Failed[Item] | None] = asyncio.Queue(maxsize=jobs)

    async def worker() -> None:
        for item in pending:  # shared: each worker takes the next one
            try:
                result: Result | Failed[Item] = await work(item)
            except Exception as error:
                result = Failed(item, error)
            await done.put(result)
        await done.put(None)

    workers = [asyncio.create_task(worker()) for _ in range(jobs)]
    try:
        running = len(workers)
        while running:
            result = await done.get()
            if result is None:
                running -= 1
            else:
                yield result
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
