"""Notifications of Home Assistant on a KDE Connect device."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import NotifyEntityFeature
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.kdeconnect.plugins import notification
from .const import NOTIFY
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.announcements import AnnouncementsFeature


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entity of a device that shows notifications."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (NOTIFY,) if coordinator.device.supports(notification.TYPE) else (),
        lambda _: KdeConnectNotify(coordinator),
    )


class KdeConnectNotify(KdeConnectEntity, NotifyEntity):
    """Shows notifications on a device."""

    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Send to the device."""
        super().__init__(coordinator, NOTIFY)
        # It goes by the device's name, as whoever is to be told something.
        self._attr_name = None

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.subscribe_events(NOTIFY, self._sent))

    @callback
    def _sent(self, event_type: str, attributes: Mapping[str, Any] | None) -> None:
        self._async_record_notification()

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        await self.coordinator.get(AnnouncementsFeature).async_notify(message, title)
