"""How far the transfers of files with a device are."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

PROGRESS_INTERVAL: Final = 0.5
"""Seconds between two states of the progress at least."""


class TransferMeter:
    """Shows all transfers of a device, in both directions, as one number of percent."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start with nothing under way."""
        self._coordinator = coordinator
        self._loop = asyncio.get_running_loop()
        # The bytes that have been moved and those there are, by what is moved.
        self._running: dict[object, tuple[int, int]] = {}
        self._published = 0.0

    @callback
    def update(self, key: object, done: int, total: int) -> None:
        """Say how many bytes of how many are done; a total of 0 is an unknown one."""
        is_new = key not in self._running
        self._running[key] = (done, max(done, total)) if total else (0, 0)
        now = self._loop.time()
        if is_new or now - self._published >= PROGRESS_INTERVAL:
            self._published = now
            self._publish()

    @callback
    def end(self, key: object) -> None:
        """Say that something has come to its end, whichever; unknown keys do no harm."""
        if self._running.pop(key, None) is not None:
            self._publish()

    def _publish(self) -> None:
        done = sum(moved for moved, _ in self._running.values())
        total = sum(size for _, size in self._running.values())
        percent = 100 * done // total if total else None
        state = self._coordinator.data
        self._coordinator.publish(replace(state, transfer=percent))
