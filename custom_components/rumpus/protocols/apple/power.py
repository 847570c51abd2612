"""Switching a device on and off, and who is believed about it (part B, section 6.8)."""

# The capabilities are abstract, and asked for by their class.
# mypy: disable-error-code="type-abstract"

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..errors import PeerTimeoutError, RumpusError
from .capabilities import Powering
from .enums import PowerState
from .routing import Router
from .timing import Timing

type Knock = Callable[[], Awaitable[None]]
"""Knocks at the device's door, so that who answers for it wakes it."""


def witness(router: Router) -> PowerState:
    """Return what the first one says that knows: attention first, then MRP."""
    for session in router.sessions(Powering, power=True):
        if session.power is not PowerState.UNKNOWN:
            return session.power
    return PowerState.UNKNOWN


class Power:
    """Switches one device; one wish at a time."""

    def __init__(self, router: Router, timing: Timing, knock: Knock) -> None:
        """Take what finds the sessions, and what knocks."""
        self._router = router
        self._timing = timing
        self._knock = knock
        self._lock = asyncio.Lock()

    async def turn_on(self) -> None:
        """Wake the device, wait for a link before that, and for its word after that.

        Raises what `Router.serving` raises, PeerTimeoutError when the device does not
        wake up, and the errors of the client.
        """
        async with self._lock:
            session = self._router.first(Powering, power=True)
            if session is None:
                session = await self._reach()
            await session.turn_on()
            await self._wait_for(PowerState.ON)

    async def turn_off(self) -> None:
        """Have the device sleep, and wait until it says so where it says anything.

        By the way that works on every system: MRP only has a menu to go through, and
        that is used where there is no link that is better, be it up or not.
        """
        async with self._lock:
            session = await self._router.serving(
                Powering, self._timing.command, power=True, strict=True
            )
            await session.turn_off()
            await self._wait_for(PowerState.OFF)

    async def _reach(self) -> Powering:
        """Knock until there is a link, as long as that may take."""
        knocking = asyncio.ensure_future(self._knock_on())
        try:
            return await self._router.serving(
                Powering, self._timing.wake, power=True, patient=True
            )
        finally:
            knocking.cancel()
            await asyncio.wait({knocking})

    async def _knock_on(self) -> None:
        """Knock again and again: the first one may be what wakes only the network."""
        while True:
            with suppress(RumpusError, OSError):  # nobody is at home yet
                await self._knock()
            await asyncio.sleep(self._timing.knock_interval)

    async def _wait_for(self, wanted: PowerState) -> None:
        """Wait until no witness says anything else.

        A device that goes off may end its links before it says so, and one that comes
        on is believed by the link that is made for it.
        """
        if witness(self._router) is PowerState.UNKNOWN:
            return

        def look() -> bool | None:
            state = witness(self._router)
            if state is PowerState.UNKNOWN and wanted is PowerState.OFF:
                return True
            return True if state is wanted else None

        try:
            await self._router.until(look, self._timing.power)
        except PeerTimeoutError:
            raise PeerTimeoutError(f"The device did not go {wanted}") from None
