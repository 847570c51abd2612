"""The device's screen lock."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, override

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from ....const import DOMAIN
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError, PeerTimeoutError
from ....protocols.kdeconnect.plugins import Message, lock
from ..feature import Feature

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

LOCK_TIMEOUT: Final = 5.0
"""Seconds that a device may take to lock or unlock its screen."""


class LockFeature(Feature):
    """Knows whether the screen is locked, locks and unlocks it."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without knowing."""
        super().__init__(coordinator)
        # What waits for the screen to be in a state, and whether it came about.
        self._waiting: dict[asyncio.Future[bool], bool] = {}

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case lock.LockState(is_locked):
                self.coordinator.publish(replace(self.state, is_locked=is_locked))
                self._answer(True, {is_locked})
            case lock.LockResult(success=False):
                self._answer(False, {True, False})

    @callback
    @override
    def disconnected(self) -> None:
        for waiting in self._waiting:
            waiting.cancel()

    def _answer(self, success: bool, wanted: set[bool | None]) -> None:
        for waiting, locked in self._waiting.items():
            if locked in wanted and not waiting.done():
                waiting.set_result(success)

    async def async_set_locked(self, locked: bool) -> None:
        """Lock or unlock the screen, and wait until that is so.

        Raises HomeAssistantError when the device cannot, or does not in time.
        """
        if self.state.is_locked is locked:
            # Nothing would be told of a screen that stays as it is.
            await self.coordinator.async_send(lock.set_locked(locked))
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = locked
        try:
            with translated_errors(self.device.name):
                await self.device.send(lock.set_locked(locked))
                await asyncio.wait({waiting}, timeout=LOCK_TIMEOUT)
                if not waiting.done():
                    raise PeerTimeoutError("the screen stays as it is")
                if waiting.cancelled():
                    raise DisconnectedError("the device has gone")
                success = waiting.result()
        finally:
            del self._waiting[waiting]
        if not success:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="lock_refused",
                translation_placeholders={"name": self.device.name},
            )

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"is_locked": self.state.is_locked}
