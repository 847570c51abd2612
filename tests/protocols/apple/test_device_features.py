"""Whether something can be done: the rules of each protocol, and whose counts."""

from collections.abc import Callable

import pytest

from .stubs import AIRPLAY, COMPANION, Bench, StubMrp, played, scenario
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    FeatureState,
    PowerState,
)
from custom_components.rumpus.protocols.apple.models import IDLE, App, Playing
from custom_components.rumpus.protocols.companion.enums import MediaFlags
from custom_components.rumpus.protocols.companion.events import Lost
from custom_components.rumpus.protocols.mrp.enums import Command, VolumeCapability
from custom_components.rumpus.protocols.mrp.models import CommandInfo, VolumeControls
from tests.protocols.virtual_time import run

AVAILABLE = FeatureState.AVAILABLE
UNAVAILABLE = FeatureState.UNAVAILABLE
UNSUPPORTED = FeatureState.UNSUPPORTED

COMMANDS = {
    Feature.PLAY: Command.PLAY,
    Feature.PAUSE: Command.PAUSE,
    Feature.STOP: Command.STOP,
    Feature.NEXT: Command.NEXT_TRACK,
    Feature.PREVIOUS: Command.PREVIOUS_TRACK,
    Feature.SET_POSITION: Command.SEEK_TO_PLAYBACK_POSITION,
    Feature.SET_SHUFFLE: Command.CHANGE_SHUFFLE_MODE,
    Feature.SHUFFLE: Command.CHANGE_SHUFFLE_MODE,
    Feature.SET_REPEAT: Command.CHANGE_REPEAT_MODE,
    Feature.REPEAT: Command.CHANGE_REPEAT_MODE,
    Feature.SKIP_FORWARD: Command.SKIP_FORWARD,
    Feature.SKIP_BACKWARD: Command.SKIP_BACKWARD,
}
FIELDS: dict[Feature, Playing] = {
    Feature.TITLE: Playing(title="a"),
    Feature.ARTIST: Playing(artist="a"),
    Feature.ALBUM: Playing(album="a"),
    Feature.GENRE: Playing(genre="a"),
    Feature.TOTAL_TIME: Playing(total_time=0),
    Feature.POSITION: Playing(position=0),
    Feature.SERIES_NAME: Playing(series_name="a"),
    Feature.SEASON_NUMBER: Playing(season_number=1),
    Feature.EPISODE_NUMBER: Playing(episode_number=1),
    Feature.CONTENT_IDENTIFIER: Playing(content_identifier="a"),
    Feature.ITUNES_STORE_IDENTIFIER: Playing(itunes_store_identifier=1),
    Feature.APP: Playing(app=App("a")),
}


def info(command: Command, is_enabled: bool = True) -> CommandInfo:
    return CommandInfo(command, is_enabled)


@pytest.mark.parametrize("feature", list(COMMANDS))
def test_commands_of_the_player(feature: Feature) -> None:
    async def scene(bench: Bench) -> None:
        command = COMMANDS[feature]
        assert bench.device.feature(feature) is UNAVAILABLE
        bench.tunnel.infos[command] = info(command, is_enabled=False)
        assert bench.device.feature(feature) is UNAVAILABLE
        bench.tunnel.infos[command] = info(command)
        assert bench.device.feature(feature) is AVAILABLE
        assert bench.device.is_available(feature, Feature.UP)
        assert not bench.device.is_available(feature, Feature.PLAY_URL)

    run(played(scenario(AIRPLAY), scene))


@pytest.mark.parametrize("feature", list(FIELDS))
def test_fields_of_what_is_played(feature: Feature) -> None:
    async def scene(bench: Bench) -> None:
        assert bench.device.feature(feature) is UNAVAILABLE
        bench.tunnel.playing = FIELDS[feature]
        assert bench.device.feature(feature) is AVAILABLE

    run(played(scenario(AIRPLAY), scene))


@pytest.mark.parametrize(
    ("state", "commands", "expected"),
    [
        (DeviceState.PLAYING, {Command.PAUSE}, AVAILABLE),
        (DeviceState.PLAYING, {Command.PLAY}, UNAVAILABLE),
        (DeviceState.PAUSED, {Command.PLAY}, AVAILABLE),
        (DeviceState.PAUSED, {Command.PAUSE}, UNAVAILABLE),
        (DeviceState.IDLE, {Command.PLAY, Command.PAUSE}, UNAVAILABLE),
        (DeviceState.IDLE, {Command.TOGGLE_PLAY_PAUSE}, AVAILABLE),
        (DeviceState.PLAYING, {Command.TOGGLE_PLAY_PAUSE}, AVAILABLE),
    ],
)
def test_toggling(
    state: DeviceState, commands: set[Command], expected: FeatureState
) -> None:
    async def scene(bench: Bench) -> None:
        bench.tunnel.playing = Playing(device_state=state)
        bench.tunnel.infos = {command: info(command) for command in commands}
        assert bench.device.feature(Feature.PLAY_PAUSE) is expected

    run(played(scenario(AIRPLAY), scene))


def relative(stub: StubMrp) -> None:
    stub.volume_controls = VolumeControls(True, VolumeCapability.RELATIVE)


def absent(stub: StubMrp) -> None:
    stub.volume_controls = VolumeControls()


@pytest.mark.parametrize(
    ("change", "steps", "levels"),
    [
        (lambda stub: None, AVAILABLE, AVAILABLE),
        (relative, AVAILABLE, UNAVAILABLE),
        (absent, UNAVAILABLE, UNAVAILABLE),
    ],
)
def test_volume_of_mrp(
    change: Callable[[StubMrp], None], steps: FeatureState, levels: FeatureState
) -> None:
    async def scene(bench: Bench) -> None:
        change(bench.tunnel)
        for feature in (Feature.VOLUME_UP, Feature.VOLUME_DOWN):
            assert bench.device.feature(feature) is steps
        for feature in (Feature.VOLUME, Feature.SET_VOLUME, Feature.MUTE):
            assert bench.device.feature(feature) is levels

    run(played(scenario(AIRPLAY), scene))


def test_volume_of_whoever_has_one() -> None:
    async def scene(bench: Bench) -> None:
        absent(bench.tunnel)
        assert bench.device.feature(Feature.VOLUME_UP) is AVAILABLE
        assert bench.device.feature(Feature.SET_VOLUME) is UNAVAILABLE
        bench.companion.media_flags = MediaFlags.VOLUME
        assert bench.device.feature(Feature.SET_VOLUME) is AVAILABLE

    run(played(scenario(), scene))


FLAGS = {
    Feature.PLAY: MediaFlags.PLAY,
    Feature.PAUSE: MediaFlags.PAUSE,
    Feature.NEXT: MediaFlags.NEXT,
    Feature.PREVIOUS: MediaFlags.PREVIOUS,
    Feature.VOLUME: MediaFlags.VOLUME,
    Feature.SET_VOLUME: MediaFlags.VOLUME,
    Feature.SKIP_FORWARD: MediaFlags.SKIP_FORWARD,
    Feature.SKIP_BACKWARD: MediaFlags.SKIP_BACKWARD,
}


@pytest.mark.parametrize("feature", list(FLAGS))
def test_flags_of_companion(feature: Feature) -> None:
    async def scene(bench: Bench) -> None:
        bench.companion.media_flags = ~FLAGS[feature]
        assert bench.device.feature(feature) is UNAVAILABLE
        bench.companion.media_flags = FLAGS[feature]
        assert bench.device.feature(feature) is AVAILABLE

    run(played(scenario(COMPANION), scene))


def test_the_one_with_the_highest_priority_answers() -> None:
    async def scene(bench: Bench) -> None:
        bench.companion.media_flags = MediaFlags.PLAY
        assert bench.device.feature(Feature.PLAY) is UNAVAILABLE
        assert bench.device.feature(Feature.POWER_STATE) is AVAILABLE
        assert bench.device.feature(Feature.ARTWORK) is UNAVAILABLE
        bench.tunnel.has_artwork = True
        assert bench.device.feature(Feature.ARTWORK) is AVAILABLE
        assert bench.device.feature(Feature.PUSH_UPDATES) is AVAILABLE
        for feature in (Feature.PLAY_URL, Feature.STREAM_FILE, Feature.SUSPEND):
            assert bench.device.feature(feature) is UNSUPPORTED
        for feature in (Feature.HOME_HOLD, Feature.APP_LIST, Feature.SWIPE):
            assert bench.device.feature(feature) is AVAILABLE

    run(played(scenario(), scene))


def test_features_of_companion_alone() -> None:
    async def scene(bench: Bench) -> None:
        device = bench.device
        assert device.feature(Feature.PUSH_UPDATES) is UNSUPPORTED
        assert device.feature(Feature.TITLE) is UNSUPPORTED
        assert device.feature(Feature.POWER_STATE) is UNSUPPORTED
        bench.companion.power = PowerState.ON
        assert device.feature(Feature.POWER_STATE) is AVAILABLE

    run(played(scenario(COMPANION), scene))


def test_features_of_a_link_that_is_down_are_unavailable() -> None:
    async def scene(bench: Bench) -> None:
        device = bench.device
        bench.companion.tell(Lost(None))
        assert device.feature(Feature.APP_LIST) is UNAVAILABLE
        assert device.feature(Feature.TITLE) is UNSUPPORTED
        assert device.feature(Feature.MUTE) is UNAVAILABLE

    run(played(scenario(COMPANION), scene))


def test_idle_has_nothing_to_tell() -> None:
    async def scene(bench: Bench) -> None:
        assert bench.device.playing == IDLE
        assert not any(bench.device.is_available(feature) for feature in FIELDS)

    run(played(scenario(AIRPLAY), scene))
