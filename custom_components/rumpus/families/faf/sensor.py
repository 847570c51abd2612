"""Sensors of a lobby, of its queues, and of the players who are followed in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, async_forget, is_admitted
from ...names import clean_text
from ...protocols.faf.models import PlayerStatus
from .coordinator import FafCoordinator
from .entity import FafEntity, FafPlayerEntity, FafSignedInEntity
from .games import game_title
from .maps import map_name
from .queues import GLOBAL, LADDER, is_presentable, readable_name
from .state import FafState, FollowedState, QueueState

MAX_QUEUES: Final = 24
"""Queues of a lobby that have sensors."""
MAX_LEADERBOARDS: Final = 16
"""Leaderboards of a player that have sensors, besides the global one."""

QUEUE_PREFIX: Final = "queue_"
RATING_PREFIX: Final = "rating_of_"
LEADERBOARD: Final = "leaderboard"
"""Attribute of the change of a rating."""


@dataclass(frozen=True, kw_only=True)
class FafSensorDescription(SensorEntityDescription):
    """A sensor of a lobby and where its value comes from."""

    value_fn: Callable[[FafState], float | None]


@dataclass(frozen=True, kw_only=True)
class FafQueueSensorDescription(SensorEntityDescription):
    """A sensor of a queue and where its value comes from."""

    value_fn: Callable[[QueueState], int | datetime]


@dataclass(frozen=True, kw_only=True)
class FafPlayerSensorDescription(SensorEntityDescription):
    """A sensor of a followed player and where its value comes from."""

    value_fn: Callable[[FollowedState], str | float | datetime | None]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _map(state: FollowedState) -> str | None:
    return None if state.game is None else map_name(state.game.map_name) or None


def _game(state: FollowedState) -> str | None:
    return None if state.game is None else game_title(state.game) or None


def _rating(state: FollowedState, leaderboard: str) -> float | None:
    rating = state.ratings.get(leaderboard)
    return None if rating is None else round(rating.displayed, 1)


def _change(state: FollowedState) -> float | None:
    return None if state.rating_change is None else round(state.rating_change, 1)


LATENCY: Final = FafSensorDescription(
    key="latency",
    translation_key="faf_latency",
    device_class=SensorDeviceClass.DURATION,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfTime.MILLISECONDS,
    suggested_display_precision=0,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda state: _milliseconds(state.latency),
)

SENSORS: Final = (
    FafSensorDescription(
        key="players_online",
        translation_key="faf_players_online",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda state: state.players_online,
    ),
    FafSensorDescription(
        key="players_in_games",
        translation_key="faf_players_in_games",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda state: state.players_in_games,
    ),
    FafSensorDescription(
        key="games_open",
        translation_key="faf_games_open",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda state: state.games_open,
    ),
    FafSensorDescription(
        key="games_running",
        translation_key="faf_games_running",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda state: state.games_running,
    ),
    FafSensorDescription(
        key="games_finished",
        translation_key="faf_games_finished",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda state: state.games_finished,
    ),
)

QUEUE_SENSORS: Final = (
    FafQueueSensorDescription(
        key="players",
        translation_key="faf_queue_players",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda queue: queue.players,
    ),
    FafQueueSensorDescription(
        key="next_pop",
        translation_key="faf_queue_next_pop",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda queue: queue.next_pop,
    ),
)

PLAYER_SENSORS: Final = (
    FafPlayerSensorDescription(
        key="status",
        translation_key="faf_player_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in PlayerStatus],
        value_fn=lambda player: player.status.value,
    ),
    FafPlayerSensorDescription(
        key="map",
        translation_key="faf_player_map",
        value_fn=_map,
    ),
    FafPlayerSensorDescription(
        key="game",
        translation_key="faf_player_game",
        value_fn=_game,
    ),
    FafPlayerSensorDescription(
        key="game_since",
        translation_key="faf_player_game_since",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda player: player.since,
    ),
    FafPlayerSensorDescription(
        key="rating",
        translation_key="faf_player_rating",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=lambda player: _rating(player, GLOBAL),
    ),
    FafPlayerSensorDescription(
        key="clan",
        translation_key="faf_player_clan",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda player: clean_text(player.clan or "") or None,
    ),
    FafPlayerSensorDescription(
        key="country",
        translation_key="faf_player_country",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda player: clean_text(player.country or "") or None,
    ),
)

RATING_CHANGE: Final = FafPlayerSensorDescription(
    key="rating_change",
    translation_key="faf_player_rating_change",
    state_class=SensorStateClass.MEASUREMENT,
    suggested_display_precision=1,
    value_fn=_change,
)


def rating_sensor(leaderboard: str) -> FafPlayerSensorDescription:
    """Return the sensor of a player's rating in a leaderboard besides the global one."""
    return FafPlayerSensorDescription(
        key=f"{RATING_PREFIX}{leaderboard}",
        translation_key="faf_player_rating_of",
        translation_placeholders={"leaderboard": readable_name(leaderboard)},
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        # Most players have one in each; few look at them.
        entity_registry_enabled_default=leaderboard == LADDER,
        value_fn=lambda player: _rating(player, leaderboard),
    )


@callback
def async_setup(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of a lobby; who does not sign in learns nothing of players and games."""
    async_add_entities([FafLatency(coordinator, LATENCY)])
    if coordinator.lobby_data.is_status_only:
        # It may have had an account before.
        async_forget(
            coordinator,
            Platform.SENSOR,
            (*(sensor.key for sensor in SENSORS), QUEUE_PREFIX, "player_"),
        )
        return
    async_add_entities([FafSensor(coordinator, sensor) for sensor in SENSORS])
    _follow_queues(coordinator, async_add_entities)
    for player in coordinator.followed_keys:
        async_add_entities(
            [
                *(FafPlayerSensor(coordinator, player, one) for one in PLAYER_SENSORS),
                FafRatingChange(coordinator, player, RATING_CHANGE),
            ]
        )
        _follow_ratings(coordinator, async_add_entities, player)


def _follow_queues(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of every queue that turns up."""
    kinds = {f"_{sensor.key}": sensor for sensor in QUEUE_SENSORS}

    def keys() -> Iterator[str]:
        queues = sorted(
            name for name in coordinator.data.queues if is_presentable(name)
        )
        return (name + kind for name in queues[:MAX_QUEUES] for kind in kinds)

    def create(key: str) -> Entity:
        kind = next(kind for kind in kinds if key.endswith(kind))
        return FafQueueSensor(coordinator, key.removesuffix(kind), kinds[kind])

    async_follow(
        coordinator,
        async_add_entities,
        keys,
        create,
        lambda key: is_admitted(
            coordinator, Platform.SENSOR, QUEUE_PREFIX, key, MAX_QUEUES * len(kinds)
        ),
    )


def _follow_ratings(
    coordinator: FafCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
    player: str,
) -> None:
    """Add a sensor for every leaderboard that a player turns up in."""
    device_id = coordinator.player_device_id(player)
    prefix = f"{device_id.removeprefix(f'{coordinator.device_id}_')}_{RATING_PREFIX}"

    def keys() -> Iterator[str]:
        state = coordinator.data.followed.get(player)
        names = () if state is None else state.ratings
        return islice(
            (name for name in names if name != GLOBAL and is_presentable(name)),
            MAX_LEADERBOARDS,
        )

    async_follow(
        coordinator,
        async_add_entities,
        keys,
        lambda name: FafPlayerSensor(coordinator, player, rating_sensor(name)),
        lambda name: is_admitted(
            coordinator, Platform.SENSOR, prefix, name, MAX_LEADERBOARDS
        ),
    )


class FafSensor(FafSignedInEntity, SensorEntity):
    """A sensor of a lobby."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafSensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> float | None:
        return self._value(self.coordinator.data)


class FafLatency(FafEntity, SensorEntity):
    """How long a lobby takes to answer; it does so before anybody signs in."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafSensorDescription
    ) -> None:
        """Show what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> float | None:
        return self._value(self.coordinator.data)


class FafQueueSensor(FafSignedInEntity, SensorEntity):
    """A sensor of a queue of the matchmaker; unknown while the lobby does not run it."""

    def __init__(
        self,
        coordinator: FafCoordinator,
        queue: str,
        description: FafQueueSensorDescription,
    ) -> None:
        """Show what the description says of a queue."""
        super().__init__(coordinator, f"{QUEUE_PREFIX}{queue}_{description.key}")
        self.entity_description = description
        self._attr_translation_placeholders = {"queue": readable_name(queue)}
        self._queue = queue
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> int | datetime | None:
        queue = self.coordinator.data.queues.get(self._queue)
        return None if queue is None else self._value(queue)


class FafPlayerSensor(FafPlayerEntity, SensorEntity):
    """A sensor of a followed player."""

    def __init__(
        self,
        coordinator: FafCoordinator,
        player: str,
        description: FafPlayerSensorDescription,
    ) -> None:
        """Show what the description says of a player."""
        super().__init__(coordinator, player, description.key)
        self.entity_description = description
        self._value = description.value_fn

    @property
    @override
    def native_value(self) -> str | float | datetime | None:
        return self._value(self.followed)


class FafRatingChange(FafPlayerSensor):
    """By how much a player's rating has changed last, and in which leaderboard."""

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        board = self.followed.changed_leaderboard
        return {LEADERBOARD: None if board is None else readable_name(board)}
