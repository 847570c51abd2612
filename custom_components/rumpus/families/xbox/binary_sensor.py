"""Binary sensors of a console."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import XboxCoordinator
from .entity import XboxEntity
from .player_state import current_media
from .state import XboxState


@dataclass(frozen=True, kw_only=True)
class XboxBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor and where its value comes from."""

    value_fn: Callable[[XboxState], bool]
    always_available: bool = False


BINARY_SENSORS: Final = (
    XboxBinarySensorDescription(
        key="link",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: state.is_connected,
        always_available=True,
    ),
    XboxBinarySensorDescription(
        key="text_field",
        translation_key="text_field",
        value_fn=lambda state: state.text_field is not None,
    ),
    XboxBinarySensorDescription(
        key="media_present",
        translation_key="media_present",
        value_fn=lambda state: current_media(state) is not None,
    ),
)


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a console."""
    async_add_entities(
        [XboxBinarySensor(coordinator, sensor) for sensor in BINARY_SENSORS]
    )


class XboxBinarySensor(XboxEntity, BinarySensorEntity):
    """A binary sensor of a console."""

    def __init__(
        self, coordinator: XboxCoordinator, description: XboxBinarySensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn
        self._always_available = description.always_available

    @property
    @override
    def available(self) -> bool:
        return self._always_available or super().available

    @property
    @override
    def is_on(self) -> bool:
        return self._value(self.coordinator.data)
