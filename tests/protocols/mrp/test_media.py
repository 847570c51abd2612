from typing import Any

import pytest

from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    MediaType,
    RepeatState,
    ShuffleState,
)
from custom_components.rumpus.protocols.apple.models import IDLE, App, Playing
from custom_components.rumpus.protocols.mrp.enums import Command
from custom_components.rumpus.protocols.mrp.media import COMMANDS, NOTHING, PLAYING
from custom_components.rumpus.protocols.mrp.models import CommandInfo, Queue, QueueItem
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.media_device import APP, Device, item, path
from tests.protocols.mrp.vectors import (
    CAPTURED,
    IDLE_HASH,
    MODES,
    NOW,
    NOW_COCOA,
    POSITIONS,
    STATES,
)


@pytest.fixture
def device() -> Device:
    device = Device()
    device.activate()
    return device


# Vectors


@pytest.mark.parametrize("vector", STATES, ids=str)
def test_device_states(device: Device, vector: dict[str, Any]) -> None:
    metadata: dict[str, Any] = {}
    if vector["playbackRate"] is not None:
        metadata["playback_rate"] = vector["playbackRate"]
    items = (item(**metadata),) if vector["item"] else ()
    playback = vector["playbackState"]
    number = (
        None
        if playback is None
        else pb.PlaybackState.Value(f"PLAYBACK_STATE_{playback.upper()}")
    )
    device.state(*items, playback=number)
    assert device.playing().device_state == vector["device_state"].lower()


@pytest.mark.parametrize("vector", POSITIONS, ids=str)
def test_positions(device: Device, vector: dict[str, Any]) -> None:
    fields = {
        "playback_rate": vector["playbackRate"],
        "elapsed_time": vector["elapsedTime"],
        "duration": vector["duration"],
    }
    metadata: dict[str, Any] = {
        name: float(value) for name, value in fields.items() if value is not None
    }
    if vector["age"] is not None:
        metadata["elapsed_time_timestamp"] = NOW_COCOA - vector["age"]
    device.state(item(**metadata), playback=vector["playbackState"])
    playing = device.playing()
    assert playing.device_state == vector["device_state"].lower()
    assert (playing.position, playing.total_time) == (
        vector["position"],
        vector["total"],
    )


@pytest.mark.parametrize("vector", MODES, ids=str)
def test_modes(device: Device, vector: dict[str, Any]) -> None:
    mode = vector["mode"]
    device.state(
        commands=[
            pb.CommandInfo(command=pb.COMMAND_CHANGE_REPEAT_MODE, repeat_mode=mode),
            pb.CommandInfo(command=pb.COMMAND_CHANGE_SHUFFLE_MODE, shuffle_mode=mode),
        ]
    )
    assert device.playing().repeat == RepeatState(vector["repeat"].lower())
    assert device.playing().shuffle == ShuffleState(vector["shuffle"].lower())


def test_a_mode_that_is_not_told(device: Device) -> None:
    device.state(
        commands=[
            pb.CommandInfo(command=pb.COMMAND_CHANGE_SHUFFLE_MODE, enabled=True),
            pb.CommandInfo(command=pb.COMMAND_CHANGE_REPEAT_MODE, enabled=True),
        ]
    )
    assert device.playing().shuffle is ShuffleState.OFF
    assert device.playing().repeat is RepeatState.OFF


def test_a_full_item(device: Device) -> None:
    device.state(
        item(
            "",
            title="t",
            track_artist_name="ar",
            album_name="al",
            genre="g",
            duration=61.9,
            series_name="s",
            season_number=2,
            episode_number=3,
            content_identifier="ci",
            itunes_store_identifier=5,
            media_type=pb.MEDIA_TYPE_VIDEO,
            playback_rate=1.0,
        )
    )
    playing = device.playing()
    assert playing == Playing(
        MediaType.VIDEO,
        DeviceState.PLAYING,
        *("t", "ar", "al", "g"),
        total_time=61,
        rate=1.0,
        series_name="s",
        season_number=2,
        episode_number=3,
        content_identifier="ci",
        itunes_store_identifier=5,
        app=App(APP),
    )
    assert playing.hash == (
        "9a4ab4ef439d27bad1ba6ed8e8f6b7a350ff766af0cf31a1cde80b911ee96cbe"
    )


def test_idle() -> None:
    device = Device()
    assert device.playing() is IDLE
    assert device.playing().hash == IDLE_HASH
    assert device.media.item is None
    assert device.media.queue == Queue()
    assert device.media.command(Command.PLAY) is None


def test_messages_of_the_vectors() -> None:
    device = Device()
    assert device.vector("SET_STATE video playing") == NOTHING  # not in front
    device.activate("com.github.postlund.pyatv")
    playing = device.playing()
    assert playing.title == "dummy"
    assert playing.app == App("com.github.postlund.pyatv", "Test app")
    assert (playing.media_type, playing.device_state, playing.total_time) == (
        MediaType.VIDEO,
        DeviceState.PLAYING,
        123,
    )
    assert (playing.shuffle, playing.repeat) == (ShuffleState.SONGS, RepeatState.ALL)
    skip = device.media.command(Command.SKIP_FORWARD)
    assert skip == CommandInfo(Command.SKIP_FORWARD, True, (12.0,))
    assert playing.hash == "id1"

    assert device.vector("SET_NOW_PLAYING_CLIENT") == PLAYING | COMMANDS
    assert device.playing() == Playing(app=App("com.apple.TVMusic"))
    assert device.vector("UPDATE_CLIENT") == PLAYING
    assert device.playing().app == App("com.apple.TVMusic", "Music")
    assert device.vector("UPDATE_CLIENT") == NOTHING
    assert device.vector("SET_NOW_PLAYING_PLAYER") == PLAYING | COMMANDS
    assert device.vector("UPDATE_CONTENT_ITEM title") == NOTHING
    assert device.vector("REMOVE_PLAYER") == PLAYING | COMMANDS
    assert device.vector("REMOVE_PLAYER") == NOTHING
    assert device.vector("SET_DEFAULT_SUPPORTED_COMMANDS") == PLAYING | COMMANDS
    assert device.vector("SET_DEFAULT_SUPPORTED_COMMANDS") == NOTHING
    assert device.media.command(Command.PLAY) == CommandInfo(Command.PLAY, True)
    assert device.vector("REMOVE_CLIENT") == PLAYING | COMMANDS
    assert device.vector("REMOVE_CLIENT") == NOTHING
    assert device.playing() is IDLE
    assert device.vector("SET_NOW_PLAYING_CLIENT none") == PLAYING | COMMANDS
    assert device.playing() is IDLE


def test_captured_messages() -> None:
    device = Device()
    for name, vector in CAPTURED.items():
        message = pb.ProtocolMessage.FromString(vector.data)
        if message.type != pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE:
            assert isinstance(device.take(message), int), name


def test_the_old_form_of_state() -> None:
    device = Device()
    name = "tvOS 11 SET_STATE, old form (nowPlayingInfo, no queue, no player path)"
    message = pb.ProtocolMessage.FromString(CAPTURED[name].data)
    assert device.take(message) == PLAYING | COMMANDS
    playing = device.playing()
    assert playing.title == "Bonde söker fru del 2"
    assert playing.app == App("se.tv4.tv4play", "TV4 Play")
    assert (playing.device_state, playing.total_time) == (DeviceState.PLAYING, 2656)
    assert playing.hash == "18446744073180681940"
    # It may tell that alone which has changed.
    paused = pb.SetStateMessage(
        display_id="se.tv4.tv4play", playback_state=pb.PLAYBACK_STATE_PAUSED
    )
    assert device.media.set_state(paused) == PLAYING
    assert device.playing().device_state is DeviceState.PAUSED
    assert device.playing().title == "Bonde söker fru del 2"
    # Somebody else is in front, as far as the device tells of that.
    device.activate()
    message.set_state.ClearField("playback_state")
    message.set_state.ClearField("supported_commands")
    message.set_state.now_playing_info.ClearField("unique_identifier")
    assert device.take(message) == NOTHING
    assert device.playing().app == App(APP)


# Clients and players


def test_players_come_in_any_order(device: Device) -> None:
    media = device.media
    device.state(item(title="one"))
    device.state(item(title="two"), player="p2", playback=pb.PLAYBACK_STATE_PAUSED)
    assert device.playing().title == "one"
    message = pb.SetNowPlayingPlayerMessage(player_path=path(player="p2"))
    assert media.set_active_player(message) == PLAYING | COMMANDS
    assert device.playing().title == "two"
    other = pb.SetNowPlayingPlayerMessage(player_path=path("other", "p2"))
    assert media.set_active_player(other) == NOTHING
    assert media.remove_player(pb.RemovePlayerMessage(player_path=path(player="p2")))
    assert device.playing().title == "one"
    assert device.state(item(title="x"), app="other") == NOTHING
    assert device.state(item(title="x"), player="p3") == NOTHING
    assert device.update(item(title="x"), player="p9") == NOTHING
    assert device.update(item(title="x"), app="none") == NOTHING
    behind = pb.RemovePlayerMessage(player_path=path(player="p3"))
    assert media.remove_player(behind) == NOTHING
    gone = pb.RemovePlayerMessage(player_path=path("none"))
    assert media.remove_player(gone) == NOTHING
    assert device.playing().title == "one"


def test_a_name_counts_even_if_another_player_has_changed(device: Device) -> None:
    message = pb.SetStateMessage(player_path=path(player="p2"))
    message.player_path.client.display_name = "TV"
    assert device.media.set_state(message) == PLAYING
    assert device.playing().app == App(APP, "TV")


def test_default_commands_of_an_app(device: Device) -> None:
    media = device.media
    play = pb.CommandInfo(command=pb.COMMAND_PLAY, enabled=True)
    stop = pb.CommandInfo(command=pb.COMMAND_STOP, enabled=True)
    defaults = pb.SetDefaultSupportedCommandsMessage(player_path=path())
    defaults.supported_commands.supported_commands.extend((play, stop))
    assert media.set_default_commands(defaults) == PLAYING | COMMANDS
    device.state(
        commands=[pb.CommandInfo(command=pb.COMMAND_PLAY, enabled=False), play]
    )
    assert media.command(Command.PLAY) == CommandInfo(Command.PLAY, False)
    assert media.command(Command.STOP) == CommandInfo(Command.STOP, True)
    defaults.player_path.client.bundle_identifier = "other"
    assert media.set_default_commands(defaults) == NOTHING


def test_the_same_commands_are_no_change(device: Device) -> None:
    play = pb.CommandInfo(command=pb.COMMAND_PLAY, enabled=True)
    assert device.state(commands=[play]) == PLAYING | COMMANDS
    assert device.state(commands=[play]) == PLAYING
    assert device.state(commands=[play, play]) == PLAYING
    assert device.state(commands=[]) == PLAYING | COMMANDS


def test_unknown_numbers(device: Device) -> None:
    device.state(
        item(media_type=77),
        playback=99,
        commands=[
            pb.CommandInfo(command=4711, enabled=True),  # type: ignore[arg-type]
            pb.CommandInfo(
                command=pb.COMMAND_CHANGE_SHUFFLE_MODE,
                shuffle_mode=9,  # type: ignore[arg-type]
            ),
        ],
    )
    playing = device.playing()
    assert playing.device_state is DeviceState.PAUSED
    assert playing.media_type is MediaType.UNKNOWN
    assert playing.shuffle is ShuffleState.SONGS
    assert device.media.command(4711) == CommandInfo(4711, True)


def test_updates_merge(device: Device) -> None:
    device.state(item(title="one", album_name="album"), item("id2", title="two"))
    assert device.update(item(title="new"), item("id3", title="three")) == PLAYING
    assert (device.playing().title, device.playing().album) == ("new", "album")
    assert device.update(pb.ContentItem(identifier="id1")) == PLAYING
    assert device.update(item("id3")) == NOTHING
    assert device.playing().title == "new"


def test_updates_without_an_id(device: Device) -> None:
    """They would be about every item that has none."""
    device.state(item("", title="one"), item("", title="two"), location=1)
    assert device.update(item("", title="new")) == PLAYING
    assert [one.title for one in device.media.queue.items] == ["one", "new"]
    device.state(item("", title="one"), item("id2", title="two"), location=1)
    assert device.update(item("", title="new")) == NOTHING
    device.state(item("", title="one"), location=7)
    assert device.update(item("", title="new")) == NOTHING
    assert [one.title for one in device.media.queue.items] == ["one"]


def test_an_empty_queue_clears(device: Device) -> None:
    device.state(item(title="one"), playback=pb.PLAYBACK_STATE_PAUSED)
    message = pb.SetStateMessage(player_path=path())
    assert device.media.set_state(message) == PLAYING
    assert device.playing().title == "one"
    message.playback_queue.SetInParent()
    device.media.set_state(message)
    assert device.playing() == Playing(app=App(APP))


def test_queue(device: Device) -> None:
    device.state(
        item("", duration=60.5),
        item("b", title="T", track_artist_name="A", album_name="L"),
        location=1,
    )
    assert device.media.queue == Queue(
        1, (QueueItem(None, total_time=60), QueueItem("b", "T", "A", "L"))
    )
    assert device.playing().title == "T"
    device.state(item("c", title="other"), location=3)
    assert device.playing().title is None
    assert device.media.queue == Queue(3, (QueueItem("c", "other"),))
    device.state(item("c", title="other"), location=-1)
    assert device.playing().title is None


def test_artwork_ids(device: Device) -> None:
    names: dict[str, Any] = {"artwork_identifier": "art", "content_identifier": "con"}
    device.state(item(**names))
    assert device.playing().artwork_id is None
    for expected in ("art", "con", "id1"):
        device.state(item(artwork_available=True, **names))
        assert device.playing().artwork_id == expected
        names.pop(next(iter(names), ""), None)
    device.state(item("", artwork_url="http://example.com/a.png"))
    assert device.playing().artwork_id is None
    device.state(item("id", artwork_available=False, artwork_url="http://host/a"))
    assert device.playing().artwork_id == "id"
    device.update(item("id", artwork_mime_type="image/none"))
    assert device.playing().artwork_id is None


# The clock


def test_time_alone_changes_nothing(device: Device) -> None:
    device.state(
        item(playback_rate=1.0, elapsed_time=10.5, elapsed_time_timestamp=NOW_COCOA)
    )
    first = device.playing()
    assert (first.position, first.position_updated_at) == (10, NOW - 0.5)
    device.now += 30
    assert device.playing() == first
    device.state(playback=pb.PLAYBACK_STATE_PAUSED)
    paused = device.playing()
    assert (paused.position, paused.position_updated_at) == (40, NOW + 30)
    device.now += 30
    assert device.playing() == paused


def test_an_app_that_never_measures_anew(device: Device) -> None:
    reference: dict[str, Any] = {
        "elapsed_time": 10.0,
        "elapsed_time_timestamp": NOW_COCOA,
        "duration": 60.0,
    }

    def now_at(seconds: float, rate: float, playback: int) -> int | None:
        device.now = NOW + seconds
        device.state(item(playback_rate=rate, **reference), playback=playback)
        return device.playing().position

    playing, paused = pb.PLAYBACK_STATE_PLAYING, pb.PLAYBACK_STATE_PAUSED
    assert now_at(0, 1, playing) == 10
    assert now_at(20, 0, paused) == 30
    assert now_at(300, 0, paused) == 30
    assert now_at(310, 1, playing) == 30
    assert now_at(315, 1, playing) == 30
    device.last = IDLE
    assert device.playing().position == 35
    # Winding: nobody knows where to.
    assert now_at(315, 4, playing) == 35
    assert now_at(320, 1, playing) == 35
    assert now_at(360, 0, paused) == 60
    # Whatever it measures goes before all of that.
    reference["elapsed_time"] = 12.0
    assert now_at(361, 0, paused) == 12


def test_a_new_measurement_counts(device: Device) -> None:
    def moved(elapsed: float, timestamp: float) -> Playing:
        metadata: dict[str, Any] = {
            "elapsed_time": elapsed,
            "elapsed_time_timestamp": timestamp,
        }
        device.update(item(playback_rate=1.0, **metadata))
        return device.playing()

    device.state(item())
    assert moved(10, NOW_COCOA).position == 10
    device.now += 5
    # The same line measured again is nothing new, another one is.
    assert moved(15, NOW_COCOA + 5).position == 10
    assert moved(60, NOW_COCOA + 5).position == 60


def test_a_pause_does_not_count(device: Device) -> None:
    """Apps send the time of before the pause again when they go on (section 5.3)."""
    reference: dict[str, Any] = {
        "elapsed_time": 10.0,
        "elapsed_time_timestamp": NOW_COCOA,
    }
    device.state(
        item(playback_rate=0.0, **reference), playback=pb.PLAYBACK_STATE_PAUSED
    )
    assert device.playing().position == 10
    device.now += 60
    device.state(item(playback_rate=1.0, **reference))
    assert device.playing().position == 10
    assert device.playing().position_updated_at == NOW + 60
    device.now += 5
    device.last = IDLE
    assert device.playing().position == 15
    # The app measures at last.
    fresh: dict[str, Any] = {
        "elapsed_time": 20.0,
        "elapsed_time_timestamp": NOW_COCOA + 60,
    }
    device.update(item(playback_rate=1.0, **fresh))
    assert device.playing().position == 25


def test_buffering_does_not_count_either(device: Device) -> None:
    reference: dict[str, Any] = {
        "elapsed_time": 10.0,
        "elapsed_time_timestamp": NOW_COCOA,
    }
    device.state(item(playback_rate=0.0, **reference))
    device.now += 60
    device.update(item(playback_rate=1.0))
    assert device.playing().position == 10


def test_another_item_has_its_own_clock(device: Device) -> None:
    reference: dict[str, Any] = {
        "elapsed_time": 10.0,
        "elapsed_time_timestamp": NOW_COCOA,
    }
    device.state(item(**reference), playback=pb.PLAYBACK_STATE_PAUSED)
    device.now += 60
    device.state(item("id2", playback_rate=1.0, **reference))
    assert device.playing().position == 70


def test_seeking_counts(device: Device) -> None:
    reference: dict[str, Any] = {
        "elapsed_time": 10.0,
        "elapsed_time_timestamp": NOW_COCOA,
    }
    device.state(item(playback_rate=2.0, **reference))
    assert device.playing().device_state is DeviceState.SEEKING
    device.now += 60
    device.state(item(playback_rate=1.0, **reference))
    assert device.playing().position == 70


def test_the_end_is_the_end(device: Device) -> None:
    device.state(
        item(
            playback_rate=1.0,
            duration=20.0,
            elapsed_time=10.0,
            elapsed_time_timestamp=NOW_COCOA,
        )
    )
    device.now += 60
    assert device.playing().position == 20
    assert device.playing().position_updated_at == NOW + 60
    # It is told once.
    device.now += 60
    assert device.playing().position_updated_at == NOW + 60


def test_an_item_that_ends_before_it_begins(device: Device) -> None:
    device.state(item(duration=-5.0))
    assert device.playing().total_time is None
