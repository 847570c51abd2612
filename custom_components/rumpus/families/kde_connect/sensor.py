"""Sensors of a KDE Connect device."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, Platform, UnitOfRatio
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, async_forget, is_admitted
from ...protocols.kdeconnect.plugins import notification, share, telephony
from ...protocols.kdeconnect.plugins.connectivity import NetworkType, Sim
from .abilities import has_battery, has_telephony
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.notifications import NotificationsFeature
from .state import KdeConnectState

MAX_SIM_ENTITIES: Final = 32
"""SIM cards of one device that are remembered, most of which are in no phone any more."""


@dataclass(frozen=True, kw_only=True)
class KdeConnectSensorDescription(SensorEntityDescription):
    """A sensor, where its value comes from and which devices have it."""

    exists_fn: Callable[[KdeConnectCoordinator], bool]
    value_fn: Callable[[KdeConnectState], str | int | None]


SENSORS: Final = (
    KdeConnectSensorDescription(
        key="battery",
        device_class=SensorDeviceClass.BATTERY,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        exists_fn=has_battery,
        value_fn=lambda state: None if state.battery is None else state.battery.charge,
    ),
    KdeConnectSensorDescription(
        key="call",
        translation_key="call",
        device_class=SensorDeviceClass.ENUM,
        options=list(telephony.CallState),
        exists_fn=has_telephony,
        value_fn=lambda state: state.call,
    ),
    KdeConnectSensorDescription(
        key="notifications",
        translation_key="notifications",
        state_class=SensorStateClass.MEASUREMENT,
        exists_fn=lambda coordinator: (
            coordinator.find(NotificationsFeature) is not None
            and coordinator.device.sends(notification.TYPE)
        ),
        value_fn=lambda state: state.notifications,
    ),
    KdeConnectSensorDescription(
        key="file_transfer",
        translation_key="file_transfer",
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        exists_fn=lambda coordinator: (
            coordinator.device.sends(share.TYPE)
            or coordinator.device.supports(share.TYPE)
        ),
        value_fn=lambda state: state.transfer,
    ),
)


@dataclass(frozen=True, kw_only=True)
class KdeConnectSimSensorDescription(SensorEntityDescription):
    """A sensor that every SIM card has, and where its value comes from."""

    numbered_translation_key: str
    """The translation key for all but the first SIM card."""
    value_fn: Callable[[Sim], str | int | None]


SIM_SENSORS: Final = (
    KdeConnectSimSensorDescription(
        key="network_type",
        translation_key="network_type",
        numbered_translation_key="network_type_sim",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=[kind.value.lower() for kind in NetworkType],
        value_fn=lambda sim: sim.network_type.value.lower(),
    ),
    KdeConnectSimSensorDescription(
        key="signal_strength",
        translation_key="signal_strength",
        numbered_translation_key="signal_strength_sim",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda sim: sim.bars,
    ),
)


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a device."""
    if coordinator.find(NotificationsFeature) is None:
        async_forget(coordinator, Platform.SENSOR, ("notifications",))
    descriptions = {description.key: description for description in SENSORS}
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            key for key, sensor in descriptions.items() if sensor.exists_fn(coordinator)
        ),
        lambda key: KdeConnectSensor(coordinator, descriptions[key]),
    )
    for description in SIM_SENSORS:
        async_follow(
            coordinator,
            async_add_entities,
            lambda: coordinator.data.sims or (),
            partial(KdeConnectSimSensor, coordinator, description),
            partial(_is_admitted, coordinator, f"{description.key}_"),
        )


def _is_admitted(coordinator: KdeConnectCoordinator, prefix: str, key: str) -> bool:
    return is_admitted(coordinator, Platform.SENSOR, prefix, key, MAX_SIM_ENTITIES)


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
    def native_value(self) -> str | int | None:
        return self._value(self.coordinator.data)


class KdeConnectSimSensor(KdeConnectEntity, SensorEntity):
    """A sensor of one SIM card; all but the first have their number in their names."""

    def __init__(
        self,
        coordinator: KdeConnectCoordinator,
        description: KdeConnectSimSensorDescription,
        subscription: str,
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, f"{description.key}_{subscription}")
        self.entity_description = description
        self._value = description.value_fn
        self._subscription = subscription
        number = list(coordinator.data.sims or ()).index(subscription) + 1
        if number > 1:
            self._attr_translation_key = description.numbered_translation_key
            self._attr_translation_placeholders = {"number": str(number)}

    @property
    def _sim(self) -> Sim | None:
        return (self.coordinator.data.sims or {}).get(self._subscription)

    @property
    @override
    def available(self) -> bool:
        return super().available and self._sim is not None

    @property
    @override
    def native_value(self) -> str | int | None:
        return None if self._sim is None else self._value(self._sim)
