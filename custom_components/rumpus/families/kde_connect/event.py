"""Events of a KDE Connect device."""

from typing import Final, override

from homeassistant.components.event import EventEntity
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...protocols.kdeconnect.plugins import ping
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity, async_follow

PING: Final = "ping"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of a device."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (PING,) if coordinator.device.sends(ping.TYPE) else (),
        lambda _: KdeConnectPingEvent(coordinator),
    )


class KdeConnectPingEvent(KdeConnectEntity, EventEntity):
    """Somebody pinged Home Assistant from the device."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Wait for pings."""
        super().__init__(coordinator, PING)
        self._attr_event_types = [PING]
        self._attr_translation_key = PING

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.subscribe_pings(self._pinged))

    @callback
    def _pinged(self) -> None:
        # No message here: a state's attributes are for everybody to see.
        self._trigger_event(PING)
        self.async_write_ha_state()
