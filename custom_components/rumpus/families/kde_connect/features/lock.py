"""The device's screen lock."""

from dataclasses import replace
from typing import override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message, lock
from ..feature import Feature


class LockFeature(Feature):
    """Knows whether the screen is locked, and locks it."""

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, lock.LockState):
            self.coordinator.publish(replace(self.state, is_locked=message.is_locked))

    async def async_lock(self) -> None:
        """Lock the screen."""
        await self.coordinator.async_send(lock.set_locked(True))

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"is_locked": self.state.is_locked}
