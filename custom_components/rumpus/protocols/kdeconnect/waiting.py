"""Waiting for the link of a device that is expected to call us."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .device import RemoteDevice


class LinkWaiters:
    """Those who wait for a device to get a link."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waiters: dict[
            asyncio.Future[RemoteDevice], Callable[[RemoteDevice], bool]
        ] = {}

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiters)

    async def wait(
        self, matches: Callable[[RemoteDevice], bool], seconds: float
    ) -> RemoteDevice | None:
        """Return the next device that gets a link and matches; None when time is up."""
        waiter: asyncio.Future[RemoteDevice] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiters[waiter] = matches
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except TimeoutError:
            return None
        finally:
            del self._waiters[waiter]

    def linked(self, device: RemoteDevice) -> None:
        """Tell those who wait for this device."""
        for waiter, matches in self._waiters.items():
            if not waiter.done() and matches(device):
                waiter.set_result(device)
