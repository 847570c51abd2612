"""Events of a console."""

from dataclasses import dataclass
from typing import Final

from homeassistant.components.event import EventEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...events import FiredEvents
from .const import (
    CLOSED,
    NOT_PAIRED,
    OPENED,
    PAIRED,
    PAIRING,
    STARTED,
    STOPPED,
    TEXT_FIELD,
    TITLE,
)
from .coordinator import XboxCoordinator
from .entity import XboxEntity


@dataclass(frozen=True, kw_only=True)
class XboxEventDescription(EventEntityDescription):
    """An event entity and its events; `coordinator.fire(key, type, attributes)` fires them."""

    types: tuple[str, ...]


EVENTS: Final = (
    XboxEventDescription(
        key=TEXT_FIELD, translation_key=TEXT_FIELD, types=(OPENED, CLOSED)
    ),
    XboxEventDescription(
        key=PAIRING,
        translation_key=PAIRING,
        entity_category=EntityCategory.DIAGNOSTIC,
        types=(PAIRED, NOT_PAIRED),
    ),
    XboxEventDescription(key=TITLE, translation_key=TITLE, types=(STARTED, STOPPED)),
)


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the events of a console."""
    async_add_entities([XboxEvent(coordinator, event) for event in EVENTS])


class XboxEvent(XboxEntity, FiredEvents):
    """Something that happens on a console."""

    # What a title asks for may be private to whoever plays it.
    _unrecorded_attributes = frozenset({"prompt"})

    def __init__(
        self, coordinator: XboxCoordinator, description: XboxEventDescription
    ) -> None:
        """Wait for the events that the description names."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self.show_events(coordinator, description.key, description.types)
