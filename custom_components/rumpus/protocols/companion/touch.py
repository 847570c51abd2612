"""The touch pad (the Apple TV reference, part A, section 4.7)."""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass
import math
import time
from typing import Final

from ..apple.enums import InputAction, TouchPhase
from ..errors import RumpusError, UnsupportedError
from .buttons import Buttons
from .enums import HidButton
from .errors import CommandFailedError
from .link import Link
from .timing import Timing

SIZE: Final = 1000
"""Width and height of the pad."""
EDGE: Final = 10
"""So near the edge a finger that still moves is lifted and put down again: the pointer of
the device turns round otherwise."""
MAX_DURATION: Final = 60_000
"""Milliseconds of one swipe."""


@dataclass(frozen=True, slots=True)
class TouchPoint:
    """Where the finger is, so many milliseconds after the swipe began."""

    at: float
    x: int
    y: int
    phase: TouchPhase


def swipe_points(
    start: tuple[float, float],
    end: tuple[float, float],
    duration: float,
    interval: float,
) -> Iterator[TouchPoint]:
    """Give the points of a straight swipe; duration and interval in milliseconds."""
    yield TouchPoint(0, *_clamp(start), TouchPhase.PRESS)
    was_lifted = False
    for step in range(1, math.ceil(duration / interval)):
        at = step * interval
        part = at / duration
        x = start[0] + (end[0] - start[0]) * part
        y = start[1] + (end[1] - start[1]) * part
        if not was_lifted and (_nears_edge(start[0], x) or _nears_edge(start[1], y)):
            was_lifted = True
            yield TouchPoint(at, *_clamp((x, y)), TouchPhase.RELEASE)
            yield TouchPoint(at, *_clamp((x, y)), TouchPhase.PRESS)
        else:
            yield TouchPoint(at, *_clamp((x, y)), TouchPhase.HOLD)
    yield TouchPoint(duration, *_clamp(end), TouchPhase.RELEASE)


def _nears_edge(start: float, now: float) -> bool:
    """Tell whether one coordinate moves towards an edge and is nearly there."""
    return (now > start and now > SIZE - EDGE) or (now < start and now < EDGE)


def _clamp(point: tuple[float, float]) -> tuple[int, int]:
    x, y = (min(max(round(value), 0), SIZE) for value in point)
    return x, y


class TouchPad:
    """A pad of 1000 by 1000, from the upper left corner."""

    def __init__(
        self,
        link: Link,
        buttons: Buttons,
        timing: Timing,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Touch that of the device behind the link; the clock tells nanoseconds."""
        self._link = link
        self._buttons = buttons
        self._timing = timing
        self._clock = clock
        self._started: int | None = None
        self._lock = asyncio.Lock()

    @property
    def is_available(self) -> bool:
        """Whether the device lets us touch anything."""
        return self._started is not None

    async def start(self) -> None:
        """Begin, which sets the clock of the device to zero.

        A device that refuses has no use for it; all else raises what a request does.
        """
        with contextlib.suppress(CommandFailedError):
            await self._link.request(
                "_touchStart",
                {"_height": float(SIZE), "_width": float(SIZE), "_tFl": 0},
                seen=lambda _: self._start_clock(),
            )

    def _start_clock(self) -> None:
        self._started = self._clock()

    def touch(self, x: float, y: float, phase: TouchPhase) -> None:
        """Send one point; what is beyond the pad is taken for its edge.

        Raises UnsupportedError, DisconnectedError.
        """
        if self._started is None:
            raise UnsupportedError("The device has no touch pad")
        x, y = _clamp((x, y))
        self._link.send_event(
            "_hidT",
            {
                "_ns": max(self._clock() - self._started, 0),
                "_tFg": 1,
                "_cx": x,
                "_tPh": int(phase),
                "_cy": y,
            },
        )

    async def swipe(
        self, x0: float, y0: float, x1: float, y1: float, duration_ms: float
    ) -> None:
        """Move a finger in a straight line; it leaves the pad whatever happens.

        Raises UnsupportedError, DisconnectedError, ValueError for a duration that is
        negative or more than MAX_DURATION.
        """
        if not 0 <= duration_ms <= MAX_DURATION:
            raise ValueError(f"A swipe takes 0 to {MAX_DURATION} ms")
        interval = self._timing.touch * 1000
        async with self._lock:
            loop = asyncio.get_running_loop()
            began = loop.time()
            x, y = x0, y0
            try:
                for point in swipe_points((x0, y0), (x1, y1), duration_ms, interval):
                    # When we are held up the points in between are of no use any more.
                    late = loop.time() - began - point.at / 1000
                    if late > 2 * self._timing.touch and point.phase == TouchPhase.HOLD:
                        continue
                    await asyncio.sleep(max(-late, 0))
                    x, y = point.x, point.y
                    self.touch(x, y, point.phase)
            except asyncio.CancelledError:
                with contextlib.suppress(RumpusError):
                    self.touch(x, y, TouchPhase.RELEASE)
                raise

    async def click(self, action: InputAction) -> None:
        """Press the pad itself. Raises UnsupportedError and what a request does."""
        if self._started is None:
            raise UnsupportedError("The device has no touch pad")
        seconds = (
            self._timing.hold if action is InputAction.HOLD else self._timing.click
        )
        for _ in range(2 if action is InputAction.DOUBLE else 1):
            await self._buttons.hold(HidButton.SELECT, seconds)
            self.touch(SIZE, SIZE, TouchPhase.CLICK)
