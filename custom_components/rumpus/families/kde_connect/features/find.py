"""Finding the device."""

from ....protocols.kdeconnect.plugins import findmyphone
from ..feature import Feature


class FindFeature(Feature):
    """Makes the device ring."""

    async def async_ring(self) -> None:
        """Ring until the device's user stops it."""
        await self.coordinator.async_send(findmyphone.ring())
