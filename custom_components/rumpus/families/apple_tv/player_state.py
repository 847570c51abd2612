"""What a device plays, in Home Assistant's words; nothing here does input or output."""

from datetime import UTC, datetime
import hashlib
from typing import Final

from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType as ContentType,
    RepeatMode,
)

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.enums import DeviceState, Feature, MediaType, RepeatState
from ...protocols.apple.link import LinkState
from ...protocols.apple.models import Playing
from .state import AppleTvState

MEDIA_LINKS: Final = (AppleProtocol.AIRPLAY, AppleProtocol.MRP)
"""The links that tell of media; MRP goes through the one of AirPlay on newer devices."""
REPEAT: Final = {
    RepeatState.OFF: RepeatMode.OFF,
    RepeatState.TRACK: RepeatMode.ONE,
    RepeatState.ALL: RepeatMode.ALL,
}
_STATES: Final = {
    DeviceState.IDLE: MediaPlayerState.IDLE,
    DeviceState.STOPPED: MediaPlayerState.IDLE,
    DeviceState.LOADING: MediaPlayerState.BUFFERING,
    DeviceState.PAUSED: MediaPlayerState.PAUSED,
    DeviceState.PLAYING: MediaPlayerState.PLAYING,
    # Winding through a film is playing it at another speed.
    DeviceState.SEEKING: MediaPlayerState.PLAYING,
}
_CONTENT: Final = {
    MediaType.MUSIC: ContentType.MUSIC,
    MediaType.TV: ContentType.TVSHOW,
    MediaType.VIDEO: ContentType.VIDEO,
}
_APPS: Final = (
    MediaPlayerEntityFeature.PLAY_MEDIA
    | MediaPlayerEntityFeature.BROWSE_MEDIA
    | MediaPlayerEntityFeature.SELECT_SOURCE
)
_FEATURES: Final = (
    ((Feature.PLAY, Feature.PLAY_PAUSE), MediaPlayerEntityFeature.PLAY),
    ((Feature.PAUSE, Feature.PLAY_PAUSE), MediaPlayerEntityFeature.PAUSE),
    ((Feature.STOP,), MediaPlayerEntityFeature.STOP),
    ((Feature.NEXT,), MediaPlayerEntityFeature.NEXT_TRACK),
    ((Feature.PREVIOUS,), MediaPlayerEntityFeature.PREVIOUS_TRACK),
    ((Feature.SET_POSITION,), MediaPlayerEntityFeature.SEEK),
    ((Feature.SET_SHUFFLE,), MediaPlayerEntityFeature.SHUFFLE_SET),
    ((Feature.SET_REPEAT,), MediaPlayerEntityFeature.REPEAT_SET),
    ((Feature.SET_VOLUME,), MediaPlayerEntityFeature.VOLUME_SET),
    ((Feature.VOLUME_UP,), MediaPlayerEntityFeature.VOLUME_STEP),
    ((Feature.MUTE,), MediaPlayerEntityFeature.VOLUME_MUTE),
    ((Feature.SET_OUTPUT_DEVICES,), MediaPlayerEntityFeature.GROUPING),
    ((Feature.LAUNCH_APP,), _APPS),
)
"""What the device has to be able to, one of these at least, for each feature."""
_POWER: Final = MediaPlayerEntityFeature.TURN_ON | MediaPlayerEntityFeature.TURN_OFF


def hears_media(state: AppleTvState) -> bool:
    """Tell whether there is a link over which the device says what it plays."""
    links = (state.links.get(protocol) for protocol in MEDIA_LINKS)
    return any(link is not None and link.state is LinkState.UP for link in links)


def player_state(state: AppleTvState) -> MediaPlayerState | None:
    """Return what the device does, None when nobody knows.

    A HomePod that plays nothing tells that it is off: that is idle, for it listens. While the
    link that tells of media is down, a device that is awake is no more than on.
    """
    if not state.is_connected:
        return MediaPlayerState.OFF if state.is_asleep else None
    if state.is_off and not state.is_speaker:
        return MediaPlayerState.OFF
    if not hears_media(state):
        return MediaPlayerState.ON
    if has_ended(state.playing):
        return MediaPlayerState.IDLE
    return _STATES[state.playing.device_state]


def has_ended(playing: Playing) -> bool:
    """Tell whether a film or a song is over that the app has left on its last picture."""
    return (
        playing.device_state is DeviceState.PAUSED
        and bool(playing.total_time)
        and playing.position is not None
        and playing.total_time is not None
        and playing.position >= playing.total_time
    )


def shown(state: AppleTvState) -> Playing | None:
    """Return what plays or could go on, None when there is nothing to be shown."""
    if player_state(state) in (
        MediaPlayerState.PLAYING,
        MediaPlayerState.PAUSED,
        MediaPlayerState.BUFFERING,
    ):
        return state.playing
    return None


def player_features(state: AppleTvState) -> MediaPlayerEntityFeature:
    """Return what can be asked of the device now; an app wakes it up."""
    features = MediaPlayerEntityFeature(0) if state.is_speaker else _POWER
    if not state.is_connected and state.is_asleep and state.knows(Feature.LAUNCH_APP):
        features |= _APPS
    if state.is_connected:
        for wanted, feature in _FEATURES:
            if any(state.can(one) for one in wanted):
                features |= feature
    return features


def content_type(playing: Playing) -> ContentType | None:
    """Return what kind of thing plays, None when the device does not say."""
    if playing.series_name is not None:
        return ContentType.TVSHOW
    return _CONTENT.get(playing.media_type)


def image_hash(state: AppleTvState, playing: Playing) -> str | None:
    """Return what is another text for another picture, None while there is none.

    What the device calls a picture may be an address, and goes into no state.
    """
    if playing.artwork_id is None:
        return None
    name = f"{state.artwork_changes} {playing.artwork_id}"
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]


def position_updated_at(playing: Playing) -> datetime | None:
    """Return when the position was true."""
    if playing.position is None or playing.position_updated_at is None:
        return None
    return datetime.fromtimestamp(playing.position_updated_at, UTC)
