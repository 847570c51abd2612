"""Work that a peer causes, a little of it in each turn of the event loop."""

import asyncio
from collections.abc import Callable
import time
from typing import Final

MAX_TURN: Final = 0.01
"""Seconds of work in one turn: a peer that floods us must not hold up the others."""


class Portions:
    """Does what there is to do step by step, and reads nothing more before it is done."""

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

    def run(self) -> None:
        """Do the steps that there are: now, or those beyond a turn in the next ones."""
        if self._next is not None:
            return
        due = time.perf_counter() + MAX_TURN
        while self._step():
            if time.perf_counter() >= due:
                self._next = asyncio.get_running_loop().call_soon(self._go_on)
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
