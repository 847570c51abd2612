"""Binary sensors of an Apple TV or HomePod: its links and its text field."""

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
from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.enums import Feature
from ...protocols.apple.link import LinkState
from .coordinator import AppleTvCoordinator
from .entity import AppleTvEntity
from .state import AppleTvState


@dataclass(frozen=True, kw_only=True)
class AppleTvBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor, where its value comes from, and when there is reason to have it."""

    value_fn: Callable[[AppleTvState], bool | None]
    exists_fn: Callable[[AppleTvState], bool] = lambda _: True
    always_available: bool = False


def _is_up(state: AppleTvState, protocol: AppleProtocol) -> bool:
    link = state.links.get(protocol)
    return link is not None and link.state is LinkState.UP


def _is_used(state: AppleTvState, protocol: AppleProtocol) -> bool:
    link = state.links.get(protocol)
    return link is not None and link.state is not LinkState.UNAVAILABLE


@dataclass(frozen=True, kw_only=True)
class LinkDescription(AppleTvBinarySensorDescription):
    """The sensor of one link, which tells most when it is down."""

    device_class: BinarySensorDeviceClass | None = BinarySensorDeviceClass.CONNECTIVITY
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    always_available: bool = True


SENSORS: Final = {
    sensor.key: sensor
    for sensor in (
        LinkDescription(key="link", value_fn=lambda state: state.is_connected),
        LinkDescription(
            key="link_companion",
            translation_key="link_companion",
            value_fn=lambda state: _is_up(state, AppleProtocol.COMPANION),
            exists_fn=lambda state: _is_used(state, AppleProtocol.COMPANION),
        ),
        LinkDescription(
            key="link_airplay",
            translation_key="link_airplay",
            value_fn=lambda state: _is_up(state, AppleProtocol.AIRPLAY),
            exists_fn=lambda state: _is_used(state, AppleProtocol.AIRPLAY),
        ),
        LinkDescription(
            key="link_mrp",
            translation_key="link_mrp",
            value_fn=lambda state: _is_up(state, AppleProtocol.MRP),
            exists_fn=lambda state: _is_used(state, AppleProtocol.MRP),
        ),
        AppleTvBinarySensorDescription(
            key="text_field",
            translation_key="text_field",
            value_fn=lambda state: state.is_focused,
            exists_fn=lambda state: state.knows(Feature.TEXT_FOCUS_STATE),
        ),
    )
}


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a device, those without a reason when there is one."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: [
            key for key, sensor in SENSORS.items() if sensor.exists_fn(coordinator.data)
        ],
        lambda key: AppleTvBinarySensor(coordinator, SENSORS[key]),
    )


class AppleTvBinarySensor(AppleTvEntity, BinarySensorEntity):
    """A binary sensor of a device."""

    def __init__(
        self,
        coordinator: AppleTvCoordinator,
        description: AppleTvBinarySensorDescription,
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
