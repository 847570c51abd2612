"""A player that devices can be given the control of: it plays nothing, but says it does."""

from typing import Final, override

from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    RepeatMode,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType
from homeassistant.util import dt as dt_util

# A PNG of one dot.
COVER: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c49444154789c63304898000001e40121ca6cd232000000"
    "0049454e44ae426082"
)


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Add the player."""
    async_add_entities([ProbePlayer()])


_FEATURES: Final = (
    MediaPlayerEntityFeature.PLAY
    | MediaPlayerEntityFeature.PAUSE
    | MediaPlayerEntityFeature.STOP
    | MediaPlayerEntityFeature.NEXT_TRACK
    | MediaPlayerEntityFeature.PREVIOUS_TRACK
    | MediaPlayerEntityFeature.SEEK
    | MediaPlayerEntityFeature.SHUFFLE_SET
    | MediaPlayerEntityFeature.REPEAT_SET
    | MediaPlayerEntityFeature.VOLUME_SET
    | MediaPlayerEntityFeature.VOLUME_MUTE
)


class ProbePlayer(MediaPlayerEntity):
    """A player with a list of three-minute songs."""

    def __init__(self) -> None:
        """Play the first song."""
        self._track = 1
        self._attr_state = MediaPlayerState.PLAYING
        self._attr_media_content_type = MediaType.MUSIC
        self._attr_media_artist = "The Home Artist"
        self._attr_media_album_name = "The Home Album"
        self._attr_media_duration = 180
        self._attr_media_position = 20
        self._attr_volume_level = 0.5
        self._attr_is_volume_muted = False
        self._attr_shuffle = False
        self._attr_repeat = RepeatMode.OFF
        self._attr_name = "Interop Speaker"
        self._attr_unique_id = "interop_speaker"
        self._attr_should_poll = False
        self._attr_supported_features = _FEATURES
        self._attr_media_position_updated_at = dt_util.utcnow()

    @property
    @override
    def media_title(self) -> str:
        return f"Home Song {self._track}"

    @property
    @override
    def media_image_hash(self) -> str:
        return f"cover-{self._track}"

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        return COVER, "image/png"

    def _become(self, state: MediaPlayerState) -> None:
        self._attr_state = state
        self.async_write_ha_state()

    def _go(self, track: int) -> None:
        self._track = max(1, track)
        self._place(0)

    def _place(self, position: float) -> None:
        self._attr_media_position = int(position)
        self._attr_media_position_updated_at = dt_util.utcnow()
        self.async_write_ha_state()

    @override
    async def async_media_play(self) -> None:
        self._become(MediaPlayerState.PLAYING)

    @override
    async def async_media_pause(self) -> None:
        self._become(MediaPlayerState.PAUSED)

    @override
    async def async_media_stop(self) -> None:
        self._become(MediaPlayerState.IDLE)

    @override
    async def async_media_next_track(self) -> None:
        self._go(self._track + 1)

    @override
    async def async_media_previous_track(self) -> None:
        self._go(self._track - 1)

    @override
    async def async_media_seek(self, position: float) -> None:
        self._place(position)

    @override
    async def async_set_shuffle(self, shuffle: bool) -> None:
        self._attr_shuffle = shuffle
        self.async_write_ha_state()

    @override
    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        self._attr_repeat = repeat
        self.async_write_ha_state()

    @override
    async def async_set_volume_level(self, volume: float) -> None:
        self._attr_volume_level = volume
        self.async_write_ha_state()

    @override
    async def async_mute_volume(self, mute: bool) -> None:
        self._attr_is_volume_muted = mute
        self.async_write_ha_state()
