"""Switching a console on (the SmartGlass reference, section 13.1)."""

import asyncio
from typing import Final

from .discovery import Address, DiscoveredConsole, Discoverer
from .errors import WakeTimeoutError

WAKE_DEADLINE: Final = 30.0
"""Seconds for a console to wake up; from standby they take up to 20."""
WAKE_INTERVAL: Final = 0.6
"""Seconds between two packets: a sleeping console misses most of them."""


async def wake(
    discoverer: Discoverer,
    live_id: str,
    *,
    address: Address | None = None,
    deadline: float = WAKE_DEADLINE,
    interval: float = WAKE_INTERVAL,
) -> DiscoveredConsole:
    """Send packets that switch a console on until it answers, and return its answer.

    They go to everybody and to the address where it was last. It may need a few seconds
    more until it lets us connect. Raises WakeTimeoutError after `deadline` seconds: a
    console that saves energy cannot be woken, nor one that was without mains.
    """
    answer: asyncio.Future[DiscoveredConsole] = (
        asyncio.get_running_loop().create_future()
    )

    def heard(console: DiscoveredConsole) -> None:
        if console.live_id == live_id and console.is_ready and not answer.done():
            answer.set_result(console)

    addresses = () if address is None else (address,)
    unsubscribe = discoverer.subscribe(heard)
    try:
        async with asyncio.timeout(deadline):
            while not answer.done():
                discoverer.wake(live_id, addresses)
                discoverer.announce()
                discoverer.probe(addresses)
                await asyncio.wait({answer}, timeout=interval)
            return answer.result()
    except TimeoutError:
        pass
    finally:
        unsubscribe()
    raise WakeTimeoutError("The console did not wake up")
