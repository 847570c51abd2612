"""Binary sensors of a lobby."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_forget
from .coordinator import FafCoordinator
from .entity import FafEntity
from .state import FafState


@dataclass(frozen=True, kw_only=True)
class FafBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor and where its value comes from."""

    value_fn: Callable[[FafState], bool]


LINK: Final = FafBinarySensorDescription(
    key="link",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda state: state.is_connected,
)
SIGNED_IN: Final = FafBinarySensorDescription(
    key="signed_in",
    translation_key="faf_signed_in",
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda state: state.is_signed_in,
)


@callback
def async_setup(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a lobby."""
    sensors = [LINK, SIGNED_IN]
    if coordinator.lobby_data.is_status_only:
        async_forget(coordinator, Platform.BINARY_SENSOR, [SIGNED_IN.key])
        sensors.remove(SIGNED_IN)
    async_add_entities([FafBinarySensor(coordinator, sensor) for sensor in sensors])


class FafBinarySensor(FafEntity, BinarySensorEntity):
    """A binary sensor about the connection to a lobby."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafBinarySensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def available(self) -> bool:
        # That there is no connection is what they tell.
        return True

    @property
    @override
    def is_on(self) -> bool:
        return self._value(self.coordinator.data)
