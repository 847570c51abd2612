"""The volumes of this home's media players as sound outputs, for the device to change.

The KDE Connect reference, section 11.12.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, override

from homeassistant.components.media_player.const import (
    ATTR_MEDIA_VOLUME_LEVEL,
    ATTR_MEDIA_VOLUME_MUTED,
    DOMAIN as MEDIA_PLAYER,
    MediaPlayerEntityFeature,
)
from homeassistant.const import ATTR_SUPPORTED_FEATURES
from homeassistant.core import State, callback

from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.plugins import Message, systemvolume
from ....protocols.kdeconnect.plugins.systemvolume import Sink, SinkRequest, SinksWanted
from ..options import Option
from .offered_entities import (
    Call,
    OfferedFeature,
    is_available,
    opaque_key,
    unique_names,
)
from .offered_players_state import is_playing

if TYPE_CHECKING:
    from ..feature import FeatureHost

FULL = 100
"""The number for 100 per cent."""


def level_of(state: State) -> float | None:
    """Return a player's volume, 0.0 to 1.0; None when it has none that can be set now."""
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES)
    level = state.attributes.get(ATTR_MEDIA_VOLUME_LEVEL)
    if (
        not is_available(state)
        or not isinstance(features, int)
        or not features & MediaPlayerEntityFeature.VOLUME_SET
        or not isinstance(level, int | float)
    ):
        return None
    return min(max(float(level), 0.0), 1.0)


class OfferedVolumesFeature(OfferedFeature):
    """Shows the players' volumes on the device, and sets them for it."""

    option: ClassVar[Option | None] = Option.PLAYERS
    offer = Option.PLAYERS
    packet_type = systemvolume.TYPE

    def __init__(self, coordinator: FeatureHost) -> None:
        """Start with nothing told."""
        super().__init__(coordinator)
        self._told: dict[str, Sink] = {}

    @property
    def _sinks(self) -> dict[str, Sink]:
        """The outputs of the players that have a volume now, by entity ids.

        The first one that plays is the one that a device shows first.
        """
        states = self.states
        names = unique_names(states)
        levels = {
            entity_id: level
            for entity_id, state in states.items()
            if (level := level_of(state)) is not None
        }
        first = next(
            (key for key in levels if is_playing(states[key])), next(iter(levels), None)
        )
        return {
            entity_id: Sink(
                opaque_key(self.hass, entity_id),
                names[entity_id],
                round(level * FULL),
                FULL,
                is_muted=states[entity_id].attributes.get(ATTR_MEDIA_VOLUME_MUTED)
                is True,
                is_default=entity_id == first,
            )
            for entity_id, level in levels.items()
        }

    @callback
    @override
    def changed(self, entity_id: str) -> None:
        sinks = self._sinks
        if _labels(sinks) != _labels(self._told):
            self.want_list()
        for key, sink in sinks.items():
            if sink != self._told.get(key):
                self.want(key)

    @callback
    @override
    def tell_list(self) -> None:
        self._told = self._sinks
        self.coordinator.ask(systemvolume.sink_list(tuple(self._told.values())))

    @callback
    @override
    def tell_entity(self, entity_id: str) -> None:
        sink, told = self._sinks.get(entity_id), self._told.get(entity_id)
        if sink is None or told is None or sink == told:
            return
        self._told[entity_id] = sink
        self.coordinator.ask(
            systemvolume.sink_change(
                sink.name,
                volume=sink.volume if sink.volume != told.volume else None,
                is_muted=sink.is_muted if sink.is_muted != told.is_muted else None,
                is_default=sink.is_default
                if sink.is_default != told.is_default
                else None,
            )
        )

    @callback
    @override
    def forget(self) -> None:
        self._told = {}

    @property
    @override
    def farewell(self) -> Packet:
        return systemvolume.sink_list(())

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, SinksWanted):
            self.want_list()
        elif isinstance(message, SinkRequest):
            self._requested(message)

    def _requested(self, request: SinkRequest) -> None:
        entity_id = next(
            (key for key, sink in self._told.items() if sink.name == request.name), None
        )
        state = None if entity_id is None else self.hass.states.get(entity_id)
        if entity_id is None or state is None or level_of(state) is None:
            return
        if request.volume is not None:
            level = min(request.volume, FULL) / FULL
            self._call(entity_id, "volume_set", {ATTR_MEDIA_VOLUME_LEVEL: level})
        features = state.attributes[ATTR_SUPPORTED_FEATURES]
        if (
            request.muted is not None
            and features & MediaPlayerEntityFeature.VOLUME_MUTE
        ):
            muted = {ATTR_MEDIA_VOLUME_MUTED: request.muted}
            self._call(entity_id, "volume_mute", muted)

    def _call(self, entity_id: str, service: str, data: Mapping[str, object]) -> None:
        self.calls.add(entity_id, Call(MEDIA_PLAYER, service, data), self._called)

    def _called(self, success: bool) -> None:
        # What the device shows already is not so.
        if not success:
            self.want_list()

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return {"offered_volumes": len(self._told)}


def _labels(sinks: Mapping[str, Sink]) -> dict[str, str]:
    return {entity_id: sink.description for entity_id, sink in sinks.items()}
