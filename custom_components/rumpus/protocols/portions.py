"""Work that a peer causes, a little of it in each turn of the event loop."""

import asyncio
from collections.abc import Callable
import time
from typing import Final
from weakref import WeakKeyDictionary

MAX_TURN: Final = 0.005
"""Seconds of work in one turn: peers that flood us must not hold up everything else."""


class _Turn:
    """When the time is up in this turn of a loop, for all peers together."""

    def __init__(self) -> None:
        self._due: float | None = None

    def due(self, loop: asyncio.AbstractEventLoop) -> float:
        if self._due is None:
            self._due = time.perf_counter() + MAX_TURN
            loop.call_soon(self._end)
        return self._due

    def _end(self) -> None:
        self._due = None


_TURNS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn]] = WeakKeyDictionary()


class Portions:
    """Does what there is to do step by step, and reads nothing more before it is done.

    Each peer gets one step in a turn at least, and what is left of it whoever is first.
    """

    def __init__(
        self,
        step: Callable[[], bool],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        """Take what does a step and tells whether there was one to do.

        `pause` is called when there is more to do than one turn is for, and `resume` when
        it is done.
        """
        self._step = step
        self._pause = pause
        self._resume = resume
        self._next: asyncio.Handle | None = None
        self._is_paused = False

    @property
    def is_busy(self) -> bool:
        """Whether there is work left for the next turn."""
        return self._next is not None

    def run(self) -> None:
        """Do the steps that there are: now, or those beyond a turn in the next ones."""
        if self._next is not None:
            return
        loop = asyncio.get_running_loop()
        due: float | None = None
        while self._step():
            if due is None:
                due = _TURNS.setdefault(loop, _Turn()).due(loop)
            if time.perf_counter() >= due:
                self._next = loop.call_soon(self._go_on)
                if not self._is_paused:
                    self._is_paused = True
                    self._pause()
                return
        if self._is_paused:
            self._is_paused = False
            self._resume()

    def _go_on(self) -> None:
        self._next = None
        self.run()
