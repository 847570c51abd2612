"""Event entities that show what a device's coordinator fires."""

from collections.abc import Iterable, Mapping
from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.core import callback

from .device_coordinator import DeviceCoordinator


class FiredEvents(EventEntity):
    """The events of one key, whichever entity of a family it is mixed into."""

    def show_events(
        self, coordinator: DeviceCoordinator[Any], key: str, types: Iterable[str]
    ) -> None:
        """Show what `coordinator.fire(key, type, attributes)` fires, of these types."""
        self._source = coordinator
        self._source_key = key
        self._attr_event_types = list(types)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            self._source.subscribe_events(self._source_key, self._happened)
        )

    @callback
    def _happened(self, event_type: str, attributes: Mapping[str, Any] | None) -> None:
        # Attributes are for everybody to see, so private content is not among them.
        self._trigger_event(
            event_type, None if attributes is None else dict(attributes)
        )
        self.async_write_ha_state()
