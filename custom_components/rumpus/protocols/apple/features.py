"""Whether a feature is there (part B, section 7): the rule, and what MRP says."""

# The capabilities are abstract, and asked for by their class.
# mypy: disable-error-code="type-abstract"

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from ..mrp.enums import Command
from ..mrp.models import CommandInfo, VolumeControls
from .capabilities import Telling
from .enums import DeviceState, Feature, FeatureState
from .models import Playing
from .routing import Router


class MrpFacts(Protocol):
    """What the answers depend on."""

    @property
    def playing(self) -> Playing:
        """Return what is played."""

    @property
    def volume_controls(self) -> VolumeControls:
        """Return what can be done to the volume."""

    @property
    def has_artwork(self) -> bool:
        """Whether there is a picture."""

    def command_info(self, command: Command, /) -> CommandInfo | None:
        """Return what the player that plays says about a command."""


def _is_enabled(facts: MrpFacts, command: Command) -> bool:
    info = facts.command_info(command)
    return info is not None and info.is_enabled


def _can_toggle(facts: MrpFacts) -> bool:
    """Whether the command is there, or the other one of play and pause."""
    state = facts.playing.device_state
    other = {DeviceState.PLAYING: Command.PAUSE, DeviceState.PAUSED: Command.PLAY}
    if (command := other.get(state)) is not None and _is_enabled(facts, command):
        return True
    return _is_enabled(facts, Command.TOGGLE_PLAY_PAUSE)


_ALWAYS: Final = frozenset(
    {
        *(Feature.UP, Feature.DOWN, Feature.LEFT, Feature.RIGHT, Feature.SELECT),
        *(Feature.MENU, Feature.HOME, Feature.HOME_HOLD, Feature.TOP_MENU),
        *(Feature.POWER_STATE, Feature.TURN_ON, Feature.TURN_OFF),
        *(Feature.OUTPUT_DEVICES, Feature.ADD_OUTPUT_DEVICES),
        *(Feature.REMOVE_OUTPUT_DEVICES, Feature.SET_OUTPUT_DEVICES),
    }
)
_COMMANDS: Final[Mapping[Feature, Command]] = {
    Feature.PLAY: Command.PLAY,
    Feature.PAUSE: Command.PAUSE,
    Feature.STOP: Command.STOP,
    Feature.NEXT: Command.NEXT_TRACK,
    Feature.PREVIOUS: Command.PREVIOUS_TRACK,
    Feature.SET_POSITION: Command.SEEK_TO_PLAYBACK_POSITION,
    Feature.SET_SHUFFLE: Command.CHANGE_SHUFFLE_MODE,
    Feature.SET_REPEAT: Command.CHANGE_REPEAT_MODE,
    Feature.SHUFFLE: Command.CHANGE_SHUFFLE_MODE,
    Feature.REPEAT: Command.CHANGE_REPEAT_MODE,
    Feature.SKIP_FORWARD: Command.SKIP_FORWARD,
    Feature.SKIP_BACKWARD: Command.SKIP_BACKWARD,
}
_FIELDS: Final[Mapping[Feature, Callable[[Playing], object]]] = {
    Feature.TITLE: lambda playing: playing.title,
    Feature.ARTIST: lambda playing: playing.artist,
    Feature.ALBUM: lambda playing: playing.album,
    Feature.GENRE: lambda playing: playing.genre,
    Feature.TOTAL_TIME: lambda playing: playing.total_time,
    Feature.POSITION: lambda playing: playing.position,
    Feature.SERIES_NAME: lambda playing: playing.series_name,
    Feature.SEASON_NUMBER: lambda playing: playing.season_number,
    Feature.EPISODE_NUMBER: lambda playing: playing.episode_number,
    Feature.CONTENT_IDENTIFIER: lambda playing: playing.content_identifier,
    Feature.ITUNES_STORE_IDENTIFIER: lambda playing: playing.itunes_store_identifier,
    Feature.APP: lambda playing: playing.app,
}
_OTHERS: Final[Mapping[Feature, Callable[[MrpFacts], bool]]] = {
    Feature.PLAY_PAUSE: _can_toggle,
    Feature.VOLUME_UP: lambda facts: facts.volume_controls.is_available,
    Feature.VOLUME_DOWN: lambda facts: facts.volume_controls.is_available,
    Feature.VOLUME: lambda facts: facts.volume_controls.is_absolute,
    Feature.SET_VOLUME: lambda facts: facts.volume_controls.is_absolute,
    Feature.ARTWORK: lambda facts: facts.has_artwork,
}

MRP_FEATURES: Final = _ALWAYS | _COMMANDS.keys() | _FIELDS.keys() | _OTHERS.keys()
"""What MRP answers for."""


def mrp_feature(facts: MrpFacts, feature: Feature) -> FeatureState:
    """Return whether one of these is there now."""
    return FeatureState.AVAILABLE if _is_there(facts, feature) else _UNAVAILABLE


_UNAVAILABLE: Final = FeatureState.UNAVAILABLE


def _is_there(facts: MrpFacts, feature: Feature) -> bool:
    if (command := _COMMANDS.get(feature)) is not None:
        return _is_enabled(facts, command)
    if (field := _FIELDS.get(feature)) is not None:
        return field(facts.playing) is not None
    if (other := _OTHERS.get(feature)) is not None:
        return other(facts)
    return feature in _ALWAYS


_VOLUME: Final = frozenset(
    {Feature.VOLUME, Feature.SET_VOLUME, Feature.VOLUME_UP, Feature.VOLUME_DOWN}
)


def feature_state(router: Router, feature: Feature) -> FeatureState:
    """Return what the best session that is up says; volumes may be any session's.

    What only a link offers that is down is unavailable.
    """
    if feature is Feature.MUTE:
        return feature_state(router, Feature.SET_VOLUME)
    if feature is Feature.PUSH_UPDATES:
        is_told = router.first(Telling) is not None
        return FeatureState.AVAILABLE if is_told else FeatureState.UNSUPPORTED
    states = router.states(feature)
    if feature in _VOLUME and FeatureState.AVAILABLE in states:
        return FeatureState.AVAILABLE
    if states:
        return states[0]
    is_offered = router.could(feature)
    return FeatureState.UNAVAILABLE if is_offered else FeatureState.UNSUPPORTED
