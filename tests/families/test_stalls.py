"""What the tests of hostile devices measure with."""

import asyncio
import time

from .stalls import watched_loop


def compute(seconds: float) -> None:
    """Keep the processor, and the loop, busy."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_longest_turn() -> None:
    """The longest turn counts, not several of them together."""
    async with watched_loop() as stalls:
        for _ in range(3):
            compute(0.02)
            await asyncio.sleep(0)
    assert 0.02 <= stalls.work < 0.04


async def test_work_of_one_turn_adds_up() -> None:
    """What several do in one turn keeps the others waiting together."""
    async with watched_loop() as stalls:
        for _ in range(3):
            asyncio.get_running_loop().call_soon(compute, 0.02)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert 0.06 <= stalls.work < 0.1
