"""An event loop whose clock leaps to the next timer, so that tests of pauses take none."""

import asyncio
from collections.abc import Coroutine
import selectors
from typing import override


class _LeapingSelector(selectors.DefaultSelector):
    """Never waits: it adds up what it was asked to wait for."""

    now = 1000.0

    @override
    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise AssertionError("Nothing will ever happen any more")
            self.now += max(timeout, 0)
        return events


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    @override
    def time(self) -> float:
        return self._leaping.now


def run[T](scenario: Coroutine[object, None, T]) -> T:
    """Run a coroutine without waiting for any of its timers."""
    loop = _VirtualTimeLoop()
    try:
        return loop.run_until_complete(scenario)
    finally:
        leftover = asyncio.all_tasks(loop)
        loop.close()
        assert not leftover
