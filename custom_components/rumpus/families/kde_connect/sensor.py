"""Sensors of a KDE Connect device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfRatio
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .battery import has_battery
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity, async_follow
from .state import KdeConnectState


@dataclass(frozen=True, kw_only=True)
class KdeConnectSensorDescription(SensorEntityDescription):
    """A sensor, where its value comes from and which devices have it."""

    exists_fn: Callable[[KdeConnectCoordinator], bool]
    value_fn: Callable[[KdeConnectState], int | None]


SENSORS: Final = (
    KdeConnectSensorDescription(
        key="battery",
        device_class=SensorDeviceClass.BATTERY,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        exists_fn=has_battery,
        value_fn=lambda state: None if state.battery is None else state.battery.charge,
    ),
)


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a device."""
    descriptions = {description.key: description for description in SENSORS}
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            key for key, sensor in descriptions.items() if sensor.exists_fn(coordinator)
        ),
        lambda key: KdeConnectSensor(coordinator, descriptions[key]),
    )


class KdeConnectSensor(KdeConnectEntity, SensorEntity):
    """A sensor of a device."""

    def __init__(
        self,
        coordinator: KdeConnectCoordinator,
        description: KdeConnectSensorDescription,
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> int | None:
        return self._value(self.coordinator.data)
