"""What the entities of a device have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo

from ...const import DOMAIN
from ...entity import RumpusEntity
from .coordinator import AppleTvCoordinator


class AppleTvEntity(RumpusEntity[AppleTvCoordinator]):
    """An entity of a device, available while there is a link to it."""

    def __init__(self, coordinator: AppleTvCoordinator, key: str) -> None:
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


class AppleTvPowerEntity(AppleTvEntity):
    """An entity that is available, too, while the device is known to be asleep."""

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_available
