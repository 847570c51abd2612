"""Finding the device, and being found."""

from typing import override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message, findmyphone
from ..const import EVENT_SEARCH, SEARCH
from ..feature import Feature


class FindFeature(Feature):
    """Makes the device ring, and fires events when its user is looking for us."""

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, findmyphone.FindRequested):
            self.coordinator.fire(SEARCH, SEARCH)
            self.coordinator.fire_bus(EVENT_SEARCH, {})

    async def async_ring(self) -> None:
        """Ring until the device's user stops it."""
        await self.coordinator.async_send(findmyphone.ring())
