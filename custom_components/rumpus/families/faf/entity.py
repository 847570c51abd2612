"""What the entities of a lobby have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo

from ...const import DOMAIN
from ...entity import RumpusEntity
from .coordinator import FafCoordinator
from .state import FollowedState


class FafEntity(RumpusEntity[FafCoordinator]):
    """An entity of the lobby, available while the server answers."""

    def __init__(self, coordinator: FafCoordinator, key: str) -> None:
        """Belong to the coordinator's lobby."""
        super().__init__(coordinator, coordinator.device_id, key)
        # The coordinator has made the device; its details are not repeated here.
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.device_id)}
        )

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_connected


class FafSignedInEntity(FafEntity):
    """An entity of the lobby that is available only while we are signed in."""

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_signed_in


class FafPlayerEntity(RumpusEntity[FafCoordinator]):
    """An entity of a followed player, available while we are signed in to the lobby."""

    def __init__(self, coordinator: FafCoordinator, player: str, key: str) -> None:
        """Belong to a player, by the key that it is followed by."""
        super().__init__(coordinator, coordinator.player_device_id(player), key)
        self.player = player
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.player_device_id(player))}
        )

    @property
    def followed(self) -> FollowedState:
        """What is known of the player."""
        return self.coordinator.data.followed[self.player]

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.data.is_signed_in
