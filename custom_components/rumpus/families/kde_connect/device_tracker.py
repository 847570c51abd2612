"""The device tracker of a KDE Connect device: at home while it is connected."""

from typing import override

from homeassistant.components.device_tracker.const import SourceType
from homeassistant.components.device_tracker.entity import BaseScannerEntity
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the tracker of a device."""
    async_add_entities([KdeConnectTracker(coordinator)])


class KdeConnectTracker(KdeConnectEntity, BaseScannerEntity):
    """Whether a device is in our network, as far as its connection tells."""

    _attr_source_type = SourceType.ROUTER

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Track the device."""
        super().__init__(coordinator, "connected")
        # The main entity of the device bears its name.
        self._attr_name = None

    @property
    @override
    def available(self) -> bool:
        # Being away is what it is there to tell.
        return True

    @property
    @override
    def is_connected(self) -> bool:
        return self.coordinator.data.is_connected
