"""Pings in both directions."""

from typing import override

from homeassistant.core import callback

from ....protocols.kdeconnect.identity import filter_name
from ....protocols.kdeconnect.plugins import Message, ping
from ..const import EVENT_PING, PING
from ..feature import Feature
from .announcements import AnnouncementsFeature


class PingFeature(Feature):
    """Shows a ping on the device, and fires events for the device's own."""

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, ping.Ping):
            self.coordinator.fire(PING, PING)
            # The text is private: it goes to automations, and into no state.
            self.coordinator.fire_bus(EVENT_PING, {"message": message.message})

    async def async_ping(self) -> None:
        """Show a notification on the device."""
        # A computer that forwards notifications would forward this one, which has our name.
        name = filter_name(self.hass.config.location_name)
        self.coordinator.get(AnnouncementsFeature).said(name)
        await self.coordinator.async_send(ping.ping())
