"""Media players of this home that the device shows and controls."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, override

from homeassistant.components.media_player.const import DOMAIN as MEDIA_PLAYER
from homeassistant.core import State, callback
from homeassistant.helpers.translation import async_translate_state
from homeassistant.util import dt as dt_util

from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.plugins import Message, mpris
from ....protocols.kdeconnect.plugins.mpris_provider import (
    PlayerRequest,
    PlayersWanted,
    player_list,
)
from ..options import Option
from .offered_entities import OfferedFeature, is_available, unique_names
from .offered_players_art import OfferedArt
from .offered_players_state import (
    Told,
    art_url,
    news,
    player_of,
    told_by,
    wanted,
    whole,
)

if TYPE_CHECKING:
    from ..feature import FeatureHost

_NOTHING: Final = player_list((), supports_album_art=True)


class OfferedPlayersFeature(OfferedFeature):
    """Shows players on the device and does what its user wants of them."""

    option: ClassVar[Option | None] = Option.PLAYERS
    offer = Option.PLAYERS
    packet_type = mpris.TYPE

    def __init__(self, coordinator: FeatureHost) -> None:
        """Start with nothing told."""
        super().__init__(coordinator)
        self._art = OfferedArt(coordinator, self._current_art)
        self._names: dict[str, str] = {}
        self._told: dict[str, Told] = {}
        self._whole: set[str] = set()

    def is_echo(self, name: str) -> bool:
        """Tell whether a player of the device is one of ours, which it shows as its own.

        Computers let their programs see the players of others, called after both ends; what
        passes those on to everybody would bring them back here.
        """
        our_name = self.hass.config.location_name
        return any(name == f"{ours} - {our_name}" for ours in self._names.values())

    # What is told

    @property
    def _listing(self) -> dict[str, str]:
        """The names of the players that are there now."""
        states = self.states
        return {
            entity_id: name
            for entity_id, name in unique_names(states).items()
            if is_available(states[entity_id])
        }

    @callback
    @override
    def changed(self, entity_id: str) -> None:
        if self._listing != self._names:
            self.want_list()
        self.want(entity_id)

    @callback
    @override
    def tell_list(self) -> None:
        self._names = self._listing
        # New ones are asked for by the device.
        self._told = {
            entity_id: told
            for entity_id, told in self._told.items()
            if self._names.get(entity_id) == told.player.name
        }
        self._whole &= self._names.keys()
        self.coordinator.ask(player_list(self._names.values(), supports_album_art=True))

    @callback
    @override
    def tell_entity(self, entity_id: str) -> None:
        state = self.hass.states.get(entity_id)
        if (name := self._names.get(entity_id)) is None or not is_available(state):
            return
        assert state is not None  # noqa: S101 - it is available
        now = dt_util.utcnow()
        player = player_of(state, name, self._text_of(state), now)
        told = self._told.get(entity_id)
        packet: Packet | None
        if entity_id in self._whole:
            self._whole.discard(entity_id)
            packet = whole(player)
        else:
            packet = news(told, player, now)
        if packet is not None:
            self._told[entity_id] = told_by(told, player, packet, now)
            self.coordinator.ask(packet)

    def _text_of(self, state: State) -> str:
        return async_translate_state(
            self.hass, state.state, MEDIA_PLAYER, None, None, None
        )

    @callback
    @override
    def forget(self) -> None:
        self._names.clear()
        self._told.clear()
        self._whole.clear()
        self._art.clear()

    @property
    @override
    def farewell(self) -> Packet:
        return _NOTHING

    # What is wanted

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, PlayersWanted):
            self.want_list()
        elif isinstance(message, PlayerRequest):
            self._requested(message)

    def _requested(self, request: PlayerRequest) -> None:
        entity_id = self._entity_of(request.player)
        if entity_id is None or request.want_players:
            self.want_list()
        if entity_id is None:
            return
        state = self.hass.states.get(entity_id)
        if state is None or not is_available(state):
            return
        for call in wanted(request, state, dt_util.utcnow()):
            self.calls.add(entity_id, call, partial(self._called, entity_id))
        if request.want_now_playing or request.want_volume:
            self._tell_whole(entity_id)
        if request.album_art_url is not None:
            self._art.want(request.player, entity_id, request.album_art_url)

    def _called(self, entity_id: str, success: bool) -> None:
        # What the device shows already is not so.
        if not success:
            self._tell_whole(entity_id)

    def _tell_whole(self, entity_id: str) -> None:
        self._whole.add(entity_id)
        self.want(entity_id)

    def _entity_of(self, name: str) -> str | None:
        return next((key for key, told in self._names.items() if told == name), None)

    def _current_art(self, name: str) -> str | None:
        entity_id = self._entity_of(name)
        state = None if entity_id is None else self.hass.states.get(entity_id)
        return None if state is None else art_url(state)

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return {
            "offered_players": {"chosen": len(self.chosen), "listed": len(self._names)}
        }
