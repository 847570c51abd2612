"""What a console does, in Home Assistant's words."""

import pytest

from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType as ContentType,
)

from .states import DASHBOARD, HOME, device, media, state, title, tv
from custom_components.rumpus.families.xbox.player_state import (
    ALWAYS,
    content_type,
    current_media,
    player_features,
    player_state,
)
from custom_components.rumpus.families.xbox.state import XboxState
from custom_components.rumpus.protocols.smartglass.enums import (
    MediaControlCommand,
    MediaType,
    PlaybackStatus,
)
from custom_components.rumpus.protocols.smartglass.messages import ActiveTitle


@pytest.mark.parametrize(
    ("playback", "expected"),
    [
        (PlaybackStatus.CLOSED, MediaPlayerState.ON),
        (PlaybackStatus.CHANGING, MediaPlayerState.BUFFERING),
        (PlaybackStatus.STOPPED, MediaPlayerState.IDLE),
        (PlaybackStatus.PLAYING, MediaPlayerState.PLAYING),
        (PlaybackStatus.PAUSED, MediaPlayerState.PAUSED),
        (99, MediaPlayerState.ON),
    ],
)
def test_playback(playback: PlaybackStatus | int, expected: MediaPlayerState) -> None:
    """A media session decides; one that is closed, or nobody knows, counts as none."""
    assert player_state(state(title(), playing=media(playback))) is expected


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ((), MediaPlayerState.IDLE),
        ((HOME,), MediaPlayerState.IDLE),
        ((DASHBOARD,), MediaPlayerState.IDLE),
        ((title(has_focus=False), HOME), MediaPlayerState.IDLE),
        ((title(),), MediaPlayerState.ON),
    ],
)
def test_without_a_media_session(
    titles: tuple[ActiveTitle, ...], expected: MediaPlayerState
) -> None:
    assert player_state(state(*titles)) is expected


def test_before_the_first_word() -> None:
    """It is on, and nobody knows what it does."""
    assert player_state(XboxState(is_connected=True)) is MediaPlayerState.ON


def test_without_a_session() -> None:
    """Off is what the console says itself; silence is no state at all."""
    assert player_state(XboxState(is_off=True)) is MediaPlayerState.OFF
    assert player_state(XboxState()) is None


@pytest.mark.parametrize(
    ("command", "feature"),
    [
        (MediaControlCommand.PLAY, MediaPlayerEntityFeature.PLAY),
        (MediaControlCommand.PAUSE, MediaPlayerEntityFeature.PAUSE),
        (
            MediaControlCommand.PLAY_PAUSE_TOGGLE,
            MediaPlayerEntityFeature.PLAY | MediaPlayerEntityFeature.PAUSE,
        ),
        (MediaControlCommand.STOP, MediaPlayerEntityFeature.STOP),
        (MediaControlCommand.NEXT_TRACK, MediaPlayerEntityFeature.NEXT_TRACK),
        (MediaControlCommand.PREVIOUS_TRACK, MediaPlayerEntityFeature.PREVIOUS_TRACK),
        (MediaControlCommand.SEEK, MediaPlayerEntityFeature.SEEK),
        (MediaControlCommand.FAST_FORWARD, MediaPlayerEntityFeature(0)),
        (MediaControlCommand(1 << 20), MediaPlayerEntityFeature(0)),
    ],
)
def test_features_of_a_media_session(
    command: MediaControlCommand, feature: MediaPlayerEntityFeature
) -> None:
    """Each is offered while the app takes it, and only then."""
    assert player_features(state(playing=media(commands=command))) == ALWAYS | feature
    closed = media(PlaybackStatus.CLOSED, command)
    assert player_features(state(playing=closed)) == ALWAYS


@pytest.mark.parametrize(
    ("buttons", "feature"),
    [
        ((), MediaPlayerEntityFeature(0)),
        (("vol_up", "vol_down"), MediaPlayerEntityFeature.VOLUME_STEP),
        (("vol_mute",), MediaPlayerEntityFeature.VOLUME_MUTE),
    ],
)
def test_features_of_a_tv(
    buttons: tuple[str, ...], feature: MediaPlayerEntityFeature
) -> None:
    """The volume is the TV's."""
    known = tv(device("0", "tv", *buttons))
    assert player_features(state(tv=known)) == ALWAYS | feature


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (MediaType.MUSIC, ContentType.MUSIC),
        (MediaType.VIDEO, ContentType.VIDEO),
        (MediaType.IMAGE, ContentType.IMAGE),
        (MediaType.GAME, ContentType.GAME),
        (MediaType.NONE, None),
        (MediaType.CONVERSATION, None),
        (99, None),
    ],
)
def test_content(kind: MediaType | int, expected: ContentType | None) -> None:
    assert content_type(media(kind=kind)) is expected


def test_a_closed_session_is_none() -> None:
    assert current_media(state(playing=media(PlaybackStatus.CLOSED))) is None
    assert current_media(state()) is None
