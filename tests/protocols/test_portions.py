"""A flood is worked off in portions, and the event loop gets round between them."""

import asyncio
from collections import deque
import time

import pytest

from custom_components.rumpus.protocols import portions
from custom_components.rumpus.protocols.portions import MAX_TURN, Portions


class Worker:
    """Works for a while at each step."""

    def __init__(self, steps: int, seconds: float) -> None:
        self.left = deque(range(steps))
        self.done: list[int] = []
        self.heard: list[str] = []
        self._seconds = seconds
        self.portions = Portions(
            self._step,
            lambda: self.heard.append("pause"),
            lambda: self.heard.append("resume"),
        )

    def _step(self) -> bool:
        if not self.left:
            return False
        self.done.append(self.left.popleft())
        due = time.perf_counter() + self._seconds
        while time.perf_counter() < due:
            pass
        return True


async def test_little_is_done_at_once() -> None:
    """What takes no time is done before the call returns; reading goes on all the time."""
    worker = Worker(10, 0)
    worker.portions.run()
    assert worker.done == list(range(10))
    assert worker.heard == []


async def test_much_is_done_turn_by_turn() -> None:
    """Others get their turns in between; the order stays, and reading waits."""
    worker = Worker(8, MAX_TURN / 2)
    worker.portions.run()
    assert 0 < len(worker.done) < 8
    assert worker.heard == ["pause"]
    worker.left.append(8)
    worker.portions.run()  # as with more that comes meanwhile: it has to wait
    assert len(worker.done) < 8
    await asyncio.sleep(0)
    assert "resume" not in worker.heard
    for _ in range(9):
        await asyncio.sleep(0)
    assert worker.done == list(range(9))
    assert worker.heard == ["pause", "resume"]


async def test_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one flood there may be another one."""
    monkeypatch.setattr(portions, "MAX_TURN", 0.0)
    worker = Worker(2, 0)
    for _ in range(2):
        worker.portions.run()
        for _turn in range(4):
            await asyncio.sleep(0)
        worker.left.append(9)
    assert worker.done == [0, 1, 9]
    assert worker.heard == ["pause", "resume"] * 2


async def test_peers_share_a_turn() -> None:
    """A dozen peers at once take no longer than one; each gets on a little."""
    workers = [Worker(8, MAX_TURN / 4) for _ in range(12)]
    for worker in workers:
        worker.portions.run()
    assert len(workers[0].done) > 1
    assert [len(worker.done) for worker in workers[1:]] == [1] * 11
    for _ in range(100):
        await asyncio.sleep(0)
    assert all(worker.done == list(range(8)) for worker in workers)
    assert all(worker.heard == ["pause", "resume"] for worker in workers)
