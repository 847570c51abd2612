"""Events of a lobby and of the players who are followed in it."""

from dataclasses import dataclass
from typing import Final

from homeassistant.components.event import EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_forget
from ...events import FiredEvents
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


class FafEvent(FafSignedInEntity, FiredEvents):
    """Something that happens in a lobby."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafEventDescription
    ) -> None:
        """Wait for the events that the description names."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self.show_events(coordinator, description.key, description.types)


class FafActivity(FafPlayerEntity, FiredEvents):
    """Something that a followed player does."""

    def __init__(self, coordinator: FafCoordinator, player: str) -> None:
        """Wait for what a player does."""
        super().__init__(coordinator, player, ACTIVITY.key)
        self.entity_description = ACTIVITY
        self.show_events(coordinator, player_event_key(player), ACTIVITY.types)
