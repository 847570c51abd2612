"""What a console plays, in Home Assistant's words; nothing here does input or output."""

from typing import Final

from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType as ContentType,
)

from ...protocols.smartglass.enums import (
    MediaControlCommand,
    MediaType,
    PlaybackStatus,
    SystemTitle,
)
from ...protocols.smartglass.services.media_models import Media
from .remote_keys import TV_PREFIX
from .state import Power, XboxState

ALWAYS: Final = (
    MediaPlayerEntityFeature.TURN_ON
    | MediaPlayerEntityFeature.TURN_OFF
    | MediaPlayerEntityFeature.SELECT_SOURCE
    | MediaPlayerEntityFeature.PLAY_MEDIA
)
"""What can be asked of every console, whatever it does."""

HOME_SCREENS: Final = frozenset({SystemTitle.HOME, SystemTitle.DASHBOARD})

_PLAYBACK: Final = {
    PlaybackStatus.CHANGING: MediaPlayerState.BUFFERING,
    PlaybackStatus.STOPPED: MediaPlayerState.IDLE,
    PlaybackStatus.PLAYING: MediaPlayerState.PLAYING,
    PlaybackStatus.PAUSED: MediaPlayerState.PAUSED,
}
_CONTENT: Final = {
    MediaType.MUSIC: ContentType.MUSIC,
    MediaType.VIDEO: ContentType.VIDEO,
    MediaType.IMAGE: ContentType.IMAGE,
    MediaType.GAME: ContentType.GAME,
}
_TOGGLE: Final = MediaControlCommand.PLAY_PAUSE_TOGGLE
_COMMANDS: Final = (
    (MediaControlCommand.PLAY | _TOGGLE, MediaPlayerEntityFeature.PLAY),
    (MediaControlCommand.PAUSE | _TOGGLE, MediaPlayerEntityFeature.PAUSE),
    (MediaControlCommand.STOP, MediaPlayerEntityFeature.STOP),
    (MediaControlCommand.NEXT_TRACK, MediaPlayerEntityFeature.NEXT_TRACK),
    (MediaControlCommand.PREVIOUS_TRACK, MediaPlayerEntityFeature.PREVIOUS_TRACK),
    (MediaControlCommand.SEEK, MediaPlayerEntityFeature.SEEK),
)
"""What an app has to take, one of these at least, for each feature."""


def current_media(state: XboxState) -> Media | None:
    """Return what the media session holds, None when there is none or it is closed."""
    media = state.media
    if media is None or media.playback_status == PlaybackStatus.CLOSED:
        return None
    return media


def player_state(state: XboxState) -> MediaPlayerState | None:
    """Return what the console does, None when nobody knows.

    Without a media session it is idle at its home screen, and on in a game or an app or
    when it has not told what is in front.
    """
    if state.power is not Power.ON:
        return MediaPlayerState.OFF if state.power is Power.OFF else None
    media = current_media(state)
    if media is not None and media.playback_status in _PLAYBACK:
        return _PLAYBACK[PlaybackStatus(media.playback_status)]
    title = state.active_title
    if state.status is None or (
        title is not None and title.title_id not in HOME_SCREENS
    ):
        return MediaPlayerState.ON
    return MediaPlayerState.IDLE


def player_features(state: XboxState) -> MediaPlayerEntityFeature:
    """Return what can be asked of the console now."""
    features = ALWAYS
    if (media := current_media(state)) is not None:
        for commands, feature in _COMMANDS:
            if media.enabled_commands & commands:
                features |= feature
    if state.tv is not None:
        if state.tv.has_button(f"{TV_PREFIX}vol_up"):
            features |= MediaPlayerEntityFeature.VOLUME_STEP
        if state.tv.has_button(f"{TV_PREFIX}vol_mute"):
            features |= MediaPlayerEntityFeature.VOLUME_MUTE
    return features


def content_type(media: Media) -> ContentType | None:
    """Return what kind of thing plays, None when the console does not say."""
    for kind, content in _CONTENT.items():
        if media.media_type == kind:
            return content
    return None
