"""What the entities of a KDE Connect device have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo

from ...const import DOMAIN
from ...entity import RumpusEntity
from .coordinator import KdeConnectCoordinator


class KdeConnectEntity(RumpusEntity[KdeConnectCoordinator]):
    """An entity of a device, available while the device is connected."""

    def __init__(self, coordinator: KdeConnectCoordinator, key: str) -> None:
        """Belong to the coordinator's device."""
        super().__init__(coordinator, coordinator.device_id, key)
        # The coordinator has made the device; its details are not repeated here.
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.device_id)}
        )

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_connected
