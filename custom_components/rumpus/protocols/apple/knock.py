"""Knocking: what wakes a device whose sleep proxy listens for it (part A, section 1.5)."""

import asyncio
from collections.abc import Sequence
import errno
from typing import Final

KNOCK_PORTS: Final = (3689, 7000, 49152, 32498)
"""The ports of DMAP, AirPlay, Companion and of a device that is not set up yet."""
KNOCK_TIMEOUT: Final = 4.8
"""Seconds for a port to open."""
HOLD: Final = 0.1
"""Seconds that a connection is kept open."""

_NOBODY: Final = frozenset({errno.EHOSTDOWN, errno.EHOSTUNREACH})


async def knock(
    address: str,
    *,
    timeout: float = KNOCK_TIMEOUT,
    ports: Sequence[int] = KNOCK_PORTS,
) -> bool:
    """Connect to all ports at once and close again; tell whether any of them was open.

    Never raises an OSError: a device that sleeps deeply may answer nowhere.
    """
    tasks = [asyncio.ensure_future(_knock(address, port, timeout)) for port in ports]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        return any(task.exception() is None and task.result() for task in done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _knock(address: str, port: int, timeout: float) -> bool:
    """Knock at one port. Raises OSError only when there is no such host at all."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            transport, _ = await loop.create_connection(asyncio.Protocol, address, port)
    except TimeoutError:
        return False
    except OSError as err:
        if err.errno in _NOBODY:
            raise
        return False
    try:
        await asyncio.sleep(HOLD)
    finally:
        transport.abort()
    return True
