"""Watching the event loop and the memory while somebody does his worst."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import gc
from pathlib import Path
import time

TICK = 0.002
_SCHEDULED = Path("/proc/thread-self/schedstat")


@dataclass
class Stalls:
    """How long the event loop was kept from its other work, in seconds.

    `work` is the longest that this thread computed between two ticks: that is ours, however
    busy the machine is.  `waits` are the pauses between ticks by the clock on the wall,
    without what other programs had the processor for.  `grown` is how much memory the
    process has taken meanwhile, in bytes; it is there at the end.
    """

    work: float = 0.0
    waits: list[float] = field(default_factory=list)
    grown: int = 0

    @property
    def usual_wait(self) -> float:
        """Return the pause that 99.9 % of all pauses stay below."""
        waits = sorted(self.waits) or [0.0]
        return waits[int(len(waits) * 0.999)]


@asynccontextmanager
async def watched_loop() -> AsyncIterator[Stalls]:
    """Watch everything that happens in here, as in a Home Assistant that has started."""
    stalls = Stalls()
    gc.collect()
    gc.freeze()
    # Of use in tests only, and slow.
    asyncio.get_running_loop().set_debug(False)
    before = _memory()
    watch = asyncio.create_task(_watch(stalls))
    try:
        yield stalls
    finally:
        watch.cancel()
        gc.unfreeze()
        stalls.grown = _memory() - before


async def _watch(stalls: Stalls) -> None:
    wall, work, starved = time.monotonic(), time.thread_time(), _starved()
    while True:
        await asyncio.sleep(TICK)
        now, worked, starving = time.monotonic(), time.thread_time(), _starved()
        stalls.waits.append(now - wall - TICK - (starving - starved))
        stalls.work = max(stalls.work, worked - work)
        wall, work, starved = now, worked, starving


def _starved() -> float:
    """Return how long this thread was ready and had no processor, where it is known (s)."""
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def _memory() -> int:
    """Return the memory of this process in bytes, as the system counts it."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * 4096
    import resource  # noqa: PLC0415 - where there is no /proc

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
