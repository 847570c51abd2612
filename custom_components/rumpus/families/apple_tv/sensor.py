"""Sensors of an Apple TV or HomePod."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...protocols.apple.enums import MediaType
from .apps import app_name
from .coordinator import AppleTvCoordinator
from .entity import AppleTvEntity
from .outputs import output_names
from .player_state import hears_media, shown
from .state import AppleTvState

MAX_STATE: Final = 255
"""Characters of a state."""
NOTHING: Final = "none"
"""The media type while nothing plays."""


@dataclass(frozen=True, kw_only=True)
class AppleTvSensorDescription(SensorEntityDescription):
    """A sensor and where its value comes from."""

    value_fn: Callable[[AppleTvState], str | None]


def _app(state: AppleTvState) -> str | None:
    return None if state.app is None else app_name(state, state.app)


def _media_type(state: AppleTvState) -> str | None:
    if not state.is_off and not hears_media(state):
        return None
    playing = shown(state)
    if playing is None:
        return NOTHING
    # Many apps say no more than video of an episode, as they name its series.
    return MediaType.TV if playing.series_name is not None else playing.media_type


def _genre(state: AppleTvState) -> str | None:
    playing = shown(state)
    return None if playing is None else playing.genre


def _outputs(state: AppleTvState) -> str | None:
    names = output_names(state)
    return ", ".join(names)[:MAX_STATE] if names else None


SENSORS: Final = (
    AppleTvSensorDescription(key="app", translation_key="app", value_fn=_app),
    AppleTvSensorDescription(
        key="media_type",
        translation_key="apple_tv_media_type",
        device_class=SensorDeviceClass.ENUM,
        options=[NOTHING, *MediaType],
        value_fn=_media_type,
    ),
    AppleTvSensorDescription(
        key="genre",
        translation_key="genre",
        entity_registry_enabled_default=False,
        value_fn=_genre,
    ),
    AppleTvSensorDescription(
        key="output_device", translation_key="output_device", value_fn=_outputs
    ),
)


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of a device."""
    async_add_entities([AppleTvSensor(coordinator, sensor) for sensor in SENSORS])


class AppleTvSensor(AppleTvEntity, SensorEntity):
    """A sensor of a device."""

    def __init__(
        self, coordinator: AppleTvCoordinator, description: AppleTvSensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> str | None:
        value = self._value(self.coordinator.data)
        return None if value is None else value[:MAX_STATE]
