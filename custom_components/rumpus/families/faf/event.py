"""Events of a lobby and of the players who are followed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_forget
from .const import (
    GAME,
    GAME_EVENTS,
    MATCH,
    MATCH_EVENTS,
    NOTICE,
    NOTICE_EVENTS,
    PLAYER_EVENTS,
    player_event_key,
)
from .coordinator import FafCoordinator
from .entity import FafPlayerEntity, FafSignedInEntity


@dataclass(frozen=True, kw_only=True)
class FafEventDescription(EventEntityDescription):
    """An event entity and its events; `coordinator.fire(key, type, attributes)` fires them."""

    types: tuple[str, ...]


EVENTS: Final = (
    FafEventDescription(key=GAME, translation_key="faf_game", types=GAME_EVENTS),
    FafEventDescription(key=MATCH, translation_key="faf_match", types=MATCH_EVENTS),
    FafEventDescription(key=NOTICE, translation_key="faf_notice", types=NOTICE_EVENTS),
)
ACTIVITY: Final = FafEventDescription(
    key="activity", translation_key="faf_player_activity", types=PLAYER_EVENTS
)


@callback
def async_setup(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the events of a lobby; who does not sign in learns of none."""
    if coordinator.lobby_data.is_status_only:
        async_forget(
            coordinator, Platform.EVENT, (*(event.key for event in EVENTS), "player_")
        )
        return
    async_add_entities([FafEvent(coordinator, event) for event in EVENTS])
    async_add_entities(
        [FafActivity(coordinator, player) for player in coordinator.followed_keys]
    )


class FafEvent(FafSignedInEntity, EventEntity):
    """Something that happens in a lobby."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafEventDescription
    ) -> None:
        """Wait for the events that the description names."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._attr_event_types = list(description.types)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.subscribe_events(
                self.entity_description.key, self._happened
            )
        )

    @callback
    def _happened(self, event_type: str, attributes: Mapping[str, Any] | None) -> None:
        self._trigger_event(
            event_type, None if attributes is None else dict(attributes)
        )
        self.async_write_ha_state()


class FafActivity(FafPlayerEntity, EventEntity):
    """Something that a followed player does."""

    def __init__(self, coordinator: FafCoordinator, player: str) -> None:
        """Wait for what a player does."""
        super().__init__(coordinator, player, ACTIVITY.key)
        self.entity_description = ACTIVITY
        self._attr_event_types = list(ACTIVITY.types)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.subscribe_events(
                player_event_key(self.player), self._happened
            )
        )

    @callback
    def _happened(self, event_type: str, attributes: Mapping[str, Any] | None) -> None:
        self._trigger_event(
            event_type, None if attributes is None else dict(attributes)
        )
        self.async_write_ha_state()
