"""Media players of the device."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ....protocols.kdeconnect.plugins import Message, mpris
from ..artwork import Artwork, Picture, art_key
from ..feature import Feature
from ..player_state import fold_list, fold_update
from .offered_players import OfferedPlayersFeature

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

MAX_QUESTIONS: Final = 3
"""How often a player that does not answer is asked on one link."""


class PlayersFeature(Feature):
    """Follows the players and carries our wishes to them."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without players."""
        super().__init__(coordinator)
        self._artwork = Artwork(self.hass, self.device)
        self._asked: Counter[str] = Counter()

    @callback
    @override
    def disconnected(self) -> None:
        self._artwork.clear()
        self._asked.clear()

    @callback
    @override
    def unpaired(self) -> None:
        self._artwork.clear()

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case mpris.AlbumArt():
                self._artwork.received(message)
            case mpris.PlayerList(names, has_album_art):
                message = replace(message, players=self._without_echoes(names))
                self.coordinator.publish(
                    replace(
                        self.state,
                        players=fold_list(self.state.players, message),
                        has_album_art=has_album_art,
                    )
                )
                self._ask_players()
            case mpris.PlayerUpdate():
                players = fold_update(self.state.players, message, dt_util.utcnow())
                self.coordinator.publish(replace(self.state, players=players))

    def _without_echoes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out players of this home that the device was offered, and tells as its own."""
        offered = self.coordinator.find(OfferedPlayersFeature)
        if offered is None:
            return names
        return tuple(name for name in names if not offered.is_echo(name))

    def _ask_players(self) -> None:
        """Ask players what they play; new ones do not tell by themselves.

        One that was asked before is asked again while it has not answered: the question may
        have been lost with a link that was replaced.
        """
        players = self.state.players or {}
        self._asked = Counter({name: self._asked[name] for name in players})
        for name, state in sorted(players.items()):
            # Some peers answer a question that they do not understand with their list.
            if state.player.is_playing is None and self._asked[name] < MAX_QUESTIONS:
                self._asked[name] += 1
                self.coordinator.ask(mpris.request_now_playing(name))

    async def async_act(self, player: str, action: mpris.Action) -> None:
        """Tell a player what to do."""
        await self.coordinator.async_send(mpris.action(player, action))

    async def async_set_volume(self, player: str, volume: int) -> None:
        """Set a player's volume, 0 to 100."""
        await self.coordinator.async_send(mpris.set_volume(player, volume))

    async def async_set_position(self, player: str, position_ms: int) -> None:
        """Move a player to a position."""
        await self.coordinator.async_send(mpris.set_position(player, position_ms))

    async def async_set_loop(self, player: str, status: mpris.LoopStatus) -> None:
        """Set what a player repeats."""
        await self.coordinator.async_send(mpris.set_loop(player, status))

    async def async_set_shuffle(self, player: str, shuffle: bool) -> None:
        """Set whether a player mixes the order."""
        await self.coordinator.async_send(mpris.set_shuffle(player, shuffle))

    def art_key(self, player: mpris.Player) -> str | None:
        """Return what changes with the player's picture, None when it has none."""
        return art_key(player, from_device=self.state.has_album_art)

    async def async_get_art(self, player: mpris.Player) -> Picture | None:
        """Return the picture of what a player plays."""
        if (key := self.art_key(player)) is None:
            return None
        return await self._artwork.async_get(player, key)

    @override
    def diagnostics(self) -> dict[str, object]:
        players = self.state.players
        return {
            "players": None if players is None else len(players),
            "has_album_art": self.state.has_album_art,
        }
