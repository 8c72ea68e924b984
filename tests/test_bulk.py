"""Many pieces of work side by side."""

from __future__ import annotations

import asyncio

import pytest

from mailguard.bulk import Failed, stream


async def test_results_come_as_they_are_done() -> None:
    gates = {number: asyncio.Event() for number in range(3)}

    async def work(number: int) -> int:
        await gates[number].wait()
        return number

    results = stream(range(3), work, jobs=3)
    order = []
    for number in (2, 0, 1):
        gates[number].set()
        order.append(await anext(results))
    assert order == [2, 0, 1]


async def test_one_failure_costs_that_item_only() -> None:
    async def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = [result async for result in stream(range(6), work, jobs=2)]
    failed = [result for result in results if isinstance(result, Failed)]
    assert [(one.item, str(one.error)) for one in failed] == [(3, "three")]
    assert sorted(result for result in results if not isinstance(result, Failed)) == [0, 1, 2, 4, 5]


async def test_no_more_than_jobs_run_at_once_and_items_are_taken_late() -> None:
    running = peak = taken = 0

    def items() -> object:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    async def work(number: int) -> int:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    results = stream(items(), work, jobs=4)  # type: ignore[arg-type]
    assert isinstance(await anext(results), int)
    assert taken < 20
    assert len([result async for result in results]) == 99
    assert peak == 4


async def test_stopping_early_cancels_the_rest() -> None:
    cancelled = []

    async def work(number: int) -> int:
        if number == 0:
            return number
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    results = stream(range(3), work, jobs=3)
    assert await anext(results) == 0
    await asyncio.sleep(0)
    await results.aclose()  # type: ignore[attr-defined]
    assert sorted(cancelled) == [1, 2]
    with pytest.raises(StopAsyncIteration):
        await anext(results)
