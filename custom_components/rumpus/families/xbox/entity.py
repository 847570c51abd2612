"""What the entities of a console have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo

from ...const import DOMAIN
from ...entity import RumpusEntity
from .coordinator import XboxCoordinator


class XboxEntity(RumpusEntity[XboxCoordinator]):
    """An entity of a console, available while there is a session with it."""

    def __init__(self, coordinator: XboxCoordinator, key: str) -> None:
        """Belong to the coordinator's console."""
        super().__init__(coordinator, coordinator.device_id, key)
        # The coordinator has made the device; its details are not repeated here.
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.device_id)}
        )

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_connected


class XboxPowerEntity(XboxEntity):
    """An entity that is available, too, while the console is off by its own word."""

    @property
    @override
    def available(self) -> bool:
        state = self.coordinator.data
        return state.is_connected or state.is_off
