"""Sensors of a console."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...names import clean_text
from ...protocols.smartglass.enums import ActiveSurfaceType, TitleLocation
from ...protocols.smartglass.messages import ActiveTitle
from .coordinator import XboxCoordinator
from .entity import XboxEntity
from .launch import name_of, title_id_text
from .player_state import current_media
from .state import XboxState

NO_PROVIDER: Final = "none"
"""State of a console without live TV."""
SURFACES: Final[Mapping[int, str]] = {
    ActiveSurfaceType.BLANK: "blank",
    ActiveSurfaceType.DIRECT: "direct",
    ActiveSurfaceType.HTML: "html",
    ActiveSurfaceType.TITLE_TEXT_ENTRY: "title_text_entry",
}


@dataclass(frozen=True, kw_only=True)
class XboxSensorDescription(SensorEntityDescription):
    """A sensor, where its value comes from, and when there is reason to have it."""

    value_fn: Callable[[XboxState], str | None]
    exists_fn: Callable[[XboxState], bool] = lambda _: True


def _name(state: XboxState, title: ActiveTitle | None) -> str | None:
    return None if title is None else name_of(state, title.title_id, title.aum)


def _title_id(title: ActiveTitle | None) -> str | None:
    return None if title is None else title_id_text(title.title_id)


def _surface(state: XboxState) -> str | None:
    if state.surface is None:
        return None
    # A kind that nobody knows is unknown.
    return SURFACES.get(state.surface.surface_type)


def _media_source(state: XboxState) -> str | None:
    media = current_media(state)
    return None if media is None else name_of(state, media.title_id, media.aum_id)


def _provider(state: XboxState) -> str | None:
    if state.status is None:
        return None
    provider = state.status.live_tv_provider
    return name_of(state, provider) if provider else NO_PROVIDER


SENSORS: Final = (
    XboxSensorDescription(
        key="active_title",
        translation_key="active_title",
        value_fn=lambda state: _name(state, state.active_title),
    ),
    XboxSensorDescription(
        key="active_title_id",
        translation_key="active_title_id",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: _title_id(state.active_title),
    ),
    XboxSensorDescription(
        key="full_title",
        translation_key="full_title",
        value_fn=lambda state: _name(state, state.title_at(TitleLocation.FULL)),
    ),
    XboxSensorDescription(
        key="snapped_title",
        translation_key="snapped_title",
        # Consoles lost this in 2017; only one that still does it gets the entity.
        exists_fn=lambda state: state.title_at(TitleLocation.SNAPPED) is not None,
        value_fn=lambda state: _name(state, state.title_at(TitleLocation.SNAPPED)),
    ),
    XboxSensorDescription(
        key="surface",
        translation_key="surface",
        device_class=SensorDeviceClass.ENUM,
        options=list(SURFACES.values()),
        entity_category=EntityCategory.DIAGNOSTIC,
        # Most consoles never tell it.
        entity_registry_enabled_default=False,
        value_fn=_surface,
    ),
    XboxSensorDescription(
        key="media_source",
        translation_key="media_source",
        value_fn=_media_source,
    ),
    XboxSensorDescription(
        key="locale",
        translation_key="locale",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda state: (
            None if state.status is None else clean_text(state.status.locale) or None
        ),
    ),
    XboxSensorDescription(
        key="live_tv_provider",
        translation_key="live_tv_provider",
        entity_category=EntityCategory.DIAGNOSTIC,
        # Few have a tuner or a set-top box.
        entity_registry_enabled_default=False,
        value_fn=_provider,
    ),
)


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of a console, those without a reason when there is one."""
    waiting = {sensor.key: sensor for sensor in SENSORS}

    @callback
    def add_new() -> None:
        new = [
            sensor for sensor in waiting.values() if sensor.exists_fn(coordinator.data)
        ]
        for sensor in new:
            del waiting[sensor.key]
            async_add_entities([XboxSensor(coordinator, sensor)])

    coordinator.entry.async_on_unload(coordinator.async_add_listener(add_new))
    add_new()


class XboxSensor(XboxEntity, SensorEntity):
    """A sensor of a console."""

    def __init__(
        self, coordinator: XboxCoordinator, description: XboxSensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> str | None:
        return self._value(self.coordinator.data)
