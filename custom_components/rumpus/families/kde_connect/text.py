"""Text fields of a KDE Connect device."""

from typing import override

from homeassistant.components.text import TextEntity
from homeassistant.const import MAX_LENGTH_STATE_STATE, Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, async_forget
from ...protocols.kdeconnect.plugins import clipboard
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.clipboard import ClipboardFeature, async_forget_clipboard

CLIPBOARD = "clipboard"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the text fields of a device."""
    feature = coordinator.find(ClipboardFeature)
    if feature is None:
        async_forget(coordinator, Platform.TEXT, (CLIPBOARD,))
        async_forget_clipboard(coordinator.hass, coordinator.entry.entry_id)
        return
    device = coordinator.device
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            (CLIPBOARD,)
            if device.sends(clipboard.TYPE) or device.supports(clipboard.TYPE)
            else ()
        ),
        lambda _: KdeConnectClipboard(coordinator, feature),
    )


class KdeConnectClipboard(KdeConnectEntity, TextEntity):
    """The device's clipboard; the actions know longer texts as well."""

    _attr_native_max = MAX_LENGTH_STATE_STATE

    def __init__(
        self, coordinator: KdeConnectCoordinator, feature: ClipboardFeature
    ) -> None:
        """Show what the device has copied."""
        super().__init__(coordinator, CLIPBOARD)
        self._attr_translation_key = CLIPBOARD
        self._feature = feature

    @property
    @override
    def native_value(self) -> str | None:
        content = self.coordinator.data.clipboard
        # A part of it would be something else than what the device has.
        if content is not None and len(content) > MAX_LENGTH_STATE_STATE:
            return None
        return content

    @override
    async def async_set_value(self, value: str) -> None:
        await self._feature.async_set(value)
