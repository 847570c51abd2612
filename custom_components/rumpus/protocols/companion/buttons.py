"""Buttons (the Apple TV reference, part A, section 4.6)."""

import asyncio
from collections import defaultdict
import contextlib
from typing import Final

from ..apple.enums import InputAction
from ..errors import RumpusError
from ..opack import OpackDict
from .enums import HidButton
from .link import Link
from .timing import Timing

MAX_HOLD: Final = 60.0
"""Seconds that a button may be held: it must not stay down for ever."""

_DOWN: Final = 1
_UP: Final = 2


class Buttons:
    """Presses buttons; each one is let go again, whatever happens meanwhile."""

    def __init__(self, link: Link, timing: Timing) -> None:
        """Press those of the device behind the link."""
        self._link = link
        self._timing = timing
        # A device takes it amiss when a button comes up twice.
        self._locks: defaultdict[HidButton, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def press(self, button: HidButton, action: InputAction) -> None:
        """Press a button once, twice or for a while."""
        async with self._locks[button]:
            if action is InputAction.HOLD:
                await self._press(button, self._timing.hold)
                return
            for _ in range(2 if action is InputAction.DOUBLE else 1):
                await self._press(button)

    async def hold(self, button: HidButton, seconds: float) -> None:
        """Press a button for so many seconds; ValueError for more than MAX_HOLD."""
        if not 0 <= seconds <= MAX_HOLD:
            raise ValueError(f"A button can be held for 0 to {MAX_HOLD:.0f} s")
        async with self._locks[button]:
            await self._press(button, seconds)

    async def release(self, button: HidButton) -> None:
        """Send the end of a press alone, which sleep and wake consist of."""
        await self._link.request("_hidC", _content(button, _UP))

    async def _press(self, button: HidButton, seconds: float = 0) -> None:
        try:
            await self._link.request("_hidC", _content(button, _DOWN))
            if seconds:
                await asyncio.sleep(seconds)
        except BaseException:
            with contextlib.suppress(RumpusError):
                self._link.ask("_hidC", _content(button, _UP))
            raise
        await self.release(button)


def _content(button: HidButton, state: int) -> OpackDict:
    return {"_hBtS": state, "_hidC": int(button)}
