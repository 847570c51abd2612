"""Binary sensors of a KDE Connect device."""

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

from ...entities import async_follow
from .abilities import has_battery, has_text_fields
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .state import KdeConnectState


@dataclass(frozen=True, kw_only=True)
class KdeConnectBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor, where its value comes from and which devices have it."""

    exists_fn: Callable[[KdeConnectCoordinator], bool]
    value_fn: Callable[[KdeConnectState], bool | None]
    always_available: bool = False


BINARY_SENSORS: Final = (
    KdeConnectBinarySensorDescription(
        key="battery_charging",
        device_class=BinarySensorDeviceClass.BATTERY_CHARGING,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=has_battery,
        value_fn=lambda state: (
            None if state.battery is None else state.battery.is_charging
        ),
    ),
    KdeConnectBinarySensorDescription(
        key="connectivity",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda _: True,
        value_fn=lambda state: state.is_connected,
        always_available=True,
    ),
    KdeConnectBinarySensorDescription(
        key="keyboard",
        translation_key="keyboard",
        exists_fn=has_text_fields,
        value_fn=lambda state: state.takes_text,
    ),
)


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of a device."""
    descriptions = {description.key: description for description in BINARY_SENSORS}
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            key for key, sensor in descriptions.items() if sensor.exists_fn(coordinator)
        ),
        lambda key: KdeConnectBinarySensor(coordinator, descriptions[key]),
    )


class KdeConnectBinarySensor(KdeConnectEntity, BinarySensorEntity):
    """A binary sensor of a device."""

    def __init__(
        self,
        coordinator: KdeConnectCoordinator,
        description: KdeConnectBinarySensorDescription,
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
    def is_on(self) -> bool | None:
        return self._value(self.coordinator.data)
