"""Media players of a KDE Connect device: one for each player that runs there."""

from datetime import datetime
from typing import Final, override

from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    RepeatMode,
)
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, is_admitted
from ...protocols.kdeconnect.plugins import mpris
from ...protocols.kdeconnect.plugins.mpris import Action, LoopStatus, Player
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.players import PlayersFeature
from .player_state import PlayerState

PLAYER: Final = "player_"
"""What the keys of players begin with; the player's name follows."""
MAX_ENTITIES: Final = 100
"""Players of one device that are remembered, most of which have gone."""

_REPEAT: Final = {
    LoopStatus.NONE: RepeatMode.OFF,
    LoopStatus.TRACK: RepeatMode.ONE,
    LoopStatus.PLAYLIST: RepeatMode.ALL,
}
_LOOP: Final = {repeat: loop for loop, repeat in _REPEAT.items()}
_NOTHING: Final = PlayerState(Player(""))


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the players of a device.

    Players come and go with programs and browser tabs: one that has gone is unavailable and
    keeps its place, with the name and the area that the user gave it.
    """
    async_follow(
        coordinator,
        async_add_entities,
        lambda: coordinator.data.players or (),
        lambda name: KdeConnectPlayer(coordinator, name),
        lambda name: is_admitted(
            coordinator, Platform.MEDIA_PLAYER, PLAYER, name, MAX_ENTITIES
        ),
    )


def features(player: Player) -> MediaPlayerEntityFeature:
    """Return what a player can do now."""
    seen = MediaPlayerEntityFeature(0)
    for can, feature in (
        (player.can_play, MediaPlayerEntityFeature.PLAY),
        (player.can_pause, MediaPlayerEntityFeature.PAUSE),
        (player.can_play or player.can_pause, MediaPlayerEntityFeature.STOP),
        (player.can_go_next, MediaPlayerEntityFeature.NEXT_TRACK),
        (player.can_go_previous, MediaPlayerEntityFeature.PREVIOUS_TRACK),
        (player.can_seek, MediaPlayerEntityFeature.SEEK),
        (player.loop_status is not None, MediaPlayerEntityFeature.REPEAT_SET),
        (player.shuffle is not None, MediaPlayerEntityFeature.SHUFFLE_SET),
        (
            player.volume is not None,
            MediaPlayerEntityFeature.VOLUME_SET | MediaPlayerEntityFeature.VOLUME_STEP,
        ),
    ):
        if can:
            seen |= feature
    return seen


def playback_state(player: Player) -> MediaPlayerState | None:
    """Return what a player does; nothing tells stopped from paused but what it has loaded."""
    if player.is_playing is None:
        return None
    if player.is_playing:
        return MediaPlayerState.PLAYING
    if player.title is None or player.position_ms == 0:
        return MediaPlayerState.IDLE
    return MediaPlayerState.PAUSED


class KdeConnectPlayer(KdeConnectEntity, MediaPlayerEntity):
    """A program on the device that plays something."""

    def __init__(self, coordinator: KdeConnectCoordinator, name: str) -> None:
        """Show the player with this name."""
        super().__init__(coordinator, f"{PLAYER}{name}")
        self._name = name
        self._players = coordinator.get(PlayersFeature)
        self._attr_translation_key = "player"
        self._attr_translation_placeholders = {"player": name}
        self._show()

    @property
    def _now(self) -> PlayerState | None:
        """The player's state, None while it does not run."""
        return (self.coordinator.data.players or {}).get(self._name)

    @property
    @override
    def available(self) -> bool:
        return super().available and self._now is not None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._show()
        super()._handle_coordinator_update()

    def _show(self) -> None:
        now = self._now or _NOTHING
        player = now.player
        self._attr_state = playback_state(player)
        can_be_asked = self.coordinator.device.supports(mpris.TYPE_REQUEST)
        self._attr_supported_features = (
            features(player) if can_be_asked else MediaPlayerEntityFeature(0)
        )
        self._attr_app_name = self._name
        self._attr_media_title = player.title
        self._attr_media_artist = player.artist
        self._attr_media_album_name = player.album
        self._attr_media_content_type = MediaType.MUSIC if player.artist else None
        self._attr_media_duration = _seconds(player.length_ms)
        self._attr_media_position = _seconds(player.position_ms)
        self._attr_media_position_updated_at: datetime | None = now.position_updated_at
        self._attr_volume_level = None if player.volume is None else player.volume / 100
        self._attr_shuffle = player.shuffle
        self._attr_repeat = (
            None if player.loop_status is None else _REPEAT[player.loop_status]
        )
        self._attr_media_image_hash = self._players.art_key(player)

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        if (now := self._now) is None:
            return None, None
        return await self._players.async_get_art(now.player) or (None, None)

    async def _async_do(self, action: Action) -> None:
        await self._players.async_act(self._name, action)

    @override
    async def async_media_play(self) -> None:
        await self._async_do(Action.PLAY)

    @override
    async def async_media_pause(self) -> None:
        await self._async_do(Action.PAUSE)

    @override
    async def async_media_stop(self) -> None:
        await self._async_do(Action.STOP)

    @override
    async def async_media_next_track(self) -> None:
        await self._async_do(Action.NEXT)

    @override
    async def async_media_previous_track(self) -> None:
        await self._async_do(Action.PREVIOUS)

    @override
    async def async_media_seek(self, position: float) -> None:
        await self._players.async_set_position(self._name, round(position * 1000))

    @override
    async def async_set_volume_level(self, volume: float) -> None:
        await self._players.async_set_volume(self._name, round(volume * 100))

    @override
    async def async_set_shuffle(self, shuffle: bool) -> None:
        await self._players.async_set_shuffle(self._name, shuffle)

    @override
    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        await self._players.async_set_loop(self._name, _LOOP[repeat])


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
