"""The client with a fake device, over TCP with real encryption."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    InputAction,
    PowerState,
    RepeatState,
    ShuffleState,
)
from custom_components.rumpus.protocols.apple.models import App, Artwork, OutputDevice
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.mrp.client import MrpClient
from custom_components.rumpus.protocols.mrp.enums import (
    Command,
    HidUsage,
    KeyboardState,
    SendError,
    TextAction,
    TouchPhase,
)
from custom_components.rumpus.protocols.mrp.errors import CommandRejectedError
from custom_components.rumpus.protocols.mrp.events import (
    CommandsChanged,
    KeyboardChanged,
    Lost,
    OutputDevicesChanged,
    OutputVolumeChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
    VolumeControlsChanged,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_artwork import picture
from tests.fakes.apple_tv_models import FILM_COMMANDS, FakeCommand, FakeItem, FakeOutput
from tests.protocols.mrp.common import (
    HASTY,
    IDENTITY,
    Log,
    client_of,
    scripted,
    volume_controls,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

FILM = FakeItem("film", "A film", "Somebody", "An album", "Drama", 3600.0)
TV = "com.example.tv"


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_14") as device:
        yield device


@pytest.fixture
async def client_and_log(
    device: FakeAppleTv,
) -> AsyncIterator[tuple[MrpClient, Log]]:
    device.mrp.media.play(TV, FILM, name="TV")
    async with client_of(device) as pair:
        yield pair


@pytest.fixture
def client(client_and_log: tuple[MrpClient, Log]) -> MrpClient:
    return client_and_log[0]


@pytest.fixture
def log(client_and_log: tuple[MrpClient, Log]) -> Log:
    return client_and_log[1]


@pytest.mark.parametrize("is_paired", [True, False])
@pytest.mark.parametrize("split", [0, 1, 7])
async def test_start(device: FakeAppleTv, is_paired: bool, split: int) -> None:
    device.mrp.media.play(TV, FILM, name="TV")
    device.split(split)
    async with client_of(device, is_paired=is_paired) as (client, log):
        assert client.is_connected is True
        info = client.device_info
        assert (info.name, info.model) == (device.name, device.model)
        assert (info.build, info.uid) == (device.build, device.mrp.uid)
        assert client.power is PowerState.ON
        assert client.playing.title == "A film"
        assert client.playing.device_state is DeviceState.PLAYING
        assert client.app == App(TV, "TV")
        assert client.volume == 50.0
        assert client.volume_controls.is_absolute
        assert client.volume_controls.is_relative
        assert client.output_devices[0].name == device.name
        assert log.of(PowerChanged) == [PowerChanged(PowerState.UNKNOWN, PowerState.ON)]
    assert (client.is_connected, log.of(Lost)) == (False, [])
    hello = await device.wait_for("mrp_device_info")
    assert hello.data["name"] == "Rumpus"
    is_own = hello.data["identifier"] == IDENTITY.mrp_id
    assert is_own is not is_paired
    assert bool(device.events.seen("mrp_encrypted")) is is_paired


async def test_what_is_played_changes(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    media = device.mrp.media
    media.change_item(title="Another title")
    await log.until(lambda: client.playing.title == "Another title")
    assert client.playing.album == "An album"
    media.set_state(pb.PLAYBACK_STATE_PAUSED, position=33.0)
    await log.until(lambda: client.playing.device_state is DeviceState.PAUSED)
    assert client.playing.position == 33
    log.events.clear()
    media.set_commands({pb.COMMAND_PLAY: FakeCommand()})
    await log.get(CommandsChanged)
    info = client.command_info(Command.PLAY)
    assert info is not None
    assert info.is_enabled
    assert client.command_info(Command.PAUSE) is None
    media.rename(TV, "Television")
    await log.until(lambda: client.app == App(TV, "Television"))
    media.clear()
    await log.until(lambda: client.app is None)
    assert client.playing.device_state is DeviceState.IDLE


async def test_several_players(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    media = device.mrp.media
    media.play("com.example.music", FakeItem("song", "A song"))
    await log.until(lambda: client.playing.title == "A song")
    media.activate(TV)
    await log.until(lambda: client.playing.title == "A film")
    media.client(TV).player("second").items = [FakeItem("trailer", "A trailer")]
    media.tell_state(media.client(TV), media.client(TV).player("second"))
    media.activate_player(TV, "second")
    await log.until(lambda: client.playing.title == "A trailer")
    media.remove_player(TV, "second")
    await log.until(lambda: client.playing.title == "A film")


async def test_commands(device: FakeAppleTv, client: MrpClient, log: Log) -> None:
    commands = {
        "pause": client.pause,
        "play": client.play,
        "toggle_play_pause": client.toggle,
        "next_track": client.next_track,
        "previous_track": client.previous_track,
        "stop": client.stop,
    }
    device.mrp.results = dict.fromkeys(range(200), pb.SEND_ERROR_NO_ERROR)
    for name, command in commands.items():
        result = await command()
        assert result is not None
        assert result.send_error == SendError.NO_ERROR
        assert (await device.wait_for("command")).data["name"] == name


async def test_positions_and_modes(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    more = (pb.COMMAND_CHANGE_SHUFFLE_MODE, pb.COMMAND_CHANGE_REPEAT_MODE)
    device.mrp.media.set_commands(
        {**FILM_COMMANDS, **dict.fromkeys(more, FakeCommand())}
    )
    await client.pause()
    await client.seek(100)
    await log.until(lambda: client.playing.position == 100)
    await client.skip(30)
    await log.until(lambda: client.playing.position == 130)
    await client.skip(-50)
    await log.until(lambda: client.playing.position == 80)
    await client.set_shuffle(ShuffleState.ALBUMS)
    await log.until(lambda: client.playing.shuffle is ShuffleState.ALBUMS)
    await client.set_repeat(RepeatState.TRACK)
    await log.until(lambda: client.playing.repeat is RepeatState.TRACK)
    options = [event.data["options"] for event in device.events.seen("command")]
    assert options == [
        {},
        {"playback_position": 100.0},
        {"skip_interval": 30.0},
        {"skip_interval": 50.0},
        {"shuffle_mode": pb.SHUFFLE_MODE_ALBUMS, "send_options": 0},
        {"repeat_mode": pb.REPEAT_MODE_ONE, "send_options": 0},
    ]


async def test_skips_by_what_the_player_likes(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    log.events.clear()
    device.mrp.media.set_commands(
        {pb.COMMAND_SKIP_FORWARD: FakeCommand(intervals=(42.0, 5.0))}
    )
    await log.get(CommandsChanged)
    device.mrp.results = dict.fromkeys(range(200), pb.SEND_ERROR_NO_ERROR)
    await client.skip_forward()
    await client.skip_backward()
    await client.skip(0)
    intervals = [event.data["options"] for event in device.events.seen("command")]
    assert intervals == [{"skip_interval": seconds} for seconds in (42.0, 15.0, 42.0)]


async def test_a_command_is_refused(device: FakeAppleTv, client: MrpClient) -> None:
    device.mrp.results[pb.COMMAND_PLAY] = (
        pb.SEND_ERROR_NO_COMMAND_HANDLERS,
        pb.HANDLER_RETURN_STATUS_SUCCESS,
    )
    with pytest.raises(CommandRejectedError) as caught:
        await client.play()
    assert str(caught.value) == "PLAY failed: NO_COMMAND_HANDLERS, SUCCESS"
    assert caught.value.send_error == SendError.NO_COMMAND_HANDLERS
    assert (caught.value.command, caught.value.status) == (Command.PLAY, 0)
    with pytest.raises(CommandRejectedError):
        await client.command(Command.LIKE_TRACK)


@pytest.mark.parametrize("key", HidUsage, ids=lambda key: key.name)
async def test_keys(device: FakeAppleTv, client: MrpClient, key: HidUsage) -> None:
    device.mrp.sleeps_by_menu = False
    await client.press(key)
    name = {"WAKE_UP": "wakeup"}.get(key.name, key.name.lower())
    # The device has worked it off.
    assert [e.data["name"] for e in device.events.seen("button")] == [name]


async def test_how_keys_are_pressed(device: FakeAppleTv, client: MrpClient) -> None:
    await client.press(HidUsage.UP, InputAction.DOUBLE)
    names = [event.kind for event in device.events.seen("key_down")]
    assert len(names) == 2
    await client.press(HidUsage.DOWN, InputAction.HOLD)
    await client.press(HidUsage.LEFT, InputAction.HOLD, hold=0.1)
    lengths = [event.data["length"] for event in device.events.seen("button")[2:]]
    assert isinstance(lengths[0], float)
    assert isinstance(lengths[1], float)
    assert lengths[0] >= 0.05 - 0.02
    assert lengths[1] >= 0.1 - 0.02
    for seconds in (-1.0, 61.0, float("nan")):
        with pytest.raises(ValueError, match="held"):
            await client.press(HidUsage.UP, InputAction.HOLD, hold=seconds)


async def test_a_cancelled_hold_lets_the_key_go(
    device: FakeAppleTv, client: MrpClient
) -> None:
    press = asyncio.create_task(client.press(HidUsage.UP, InputAction.HOLD, hold=50))
    await device.wait_for("key_down")
    press.cancel()
    await device.wait_for("key_up")
    with pytest.raises(asyncio.CancelledError):
        await press


async def test_touch(device: FakeAppleTv, client: MrpClient) -> None:
    await client.tap(10, 20)
    await client.touch(500, 850, TouchPhase.BEGAN)
    await client.press(HidUsage.SELECT)  # worked off in order
    touches = [
        (e.data["x"], e.data["y"], e.data["phase"], e.data["device"])
        for e in device.events.seen("touch")
    ]
    assert touches == [(10, 20, 1, 9), (10, 20, 4, 9), (500, 850, 1, 9)]
    assert len(device.events.seen("touch_registered")) == 1


async def test_swipe(device: FakeAppleTv, client: MrpClient) -> None:
    await client.swipe(0, 1000, 1000, 0, 10)
    await client.swipe(5, 5, 5, 5, 0)
    await client.press(HidUsage.SELECT)
    touches = [
        (e.data["x"], e.data["y"], e.data["phase"]) for e in device.events.seen("touch")
    ]
    assert touches[0] == (0, 1000, 1)
    assert touches[5:] == [
        *((1000, 0, 2), (1000, 0, 4)),
        *((5, 5, 1), (5, 5, 2), (5, 5, 4)),
    ]
    assert touches[1:5] == [(x, 1000 - x, 2) for x in (200, 400, 600, 800)]
    for duration in (-1, 10_001):
        with pytest.raises(ValueError, match="gesture"):
            await client.swipe(0, 0, 1, 1, duration)


async def test_power(device: FakeAppleTv, client: MrpClient, log: Log) -> None:
    log.events.clear()
    device.mrp.sleeps_by_menu = True
    await client.press(HidUsage.SUSPEND)
    assert await log.get(PowerChanged) == PowerChanged(PowerState.ON, PowerState.OFF)
    assert client.power is PowerState.OFF
    await client.wake()
    assert await log.get(PowerChanged) == PowerChanged(PowerState.OFF, PowerState.ON)


async def test_turning_off_by_the_menu(device: FakeAppleTv, client: MrpClient) -> None:
    await client.turn_off_by_menu()
    names = [event.data["name"] for event in device.events.seen("button")]
    assert names == ["home", "select"]


async def test_volume(device: FakeAppleTv, client: MrpClient, log: Log) -> None:
    log.events.clear()
    await client.set_volume(20)
    assert client.volume == 20.0
    assert await log.get(VolumeChanged) == VolumeChanged(20.0)
    await client.set_volume(20)  # where nothing changes nothing is waited for
    await client.volume_up()
    assert client.volume is not None
    assert client.volume > 20
    await client.set_volume(50)
    await client.volume_down()
    assert client.volume < 50
    device.set_volume(0.7, by="test")
    await log.until(lambda: client.volume == 70.0)
    device.mrp.set_capabilities(pb.VOLUME_CAPABILITIES_ABSOLUTE)
    await log.until(lambda: not client.volume_controls.is_relative)
    await client.volume_up()
    assert client.volume == 75.0
    await client.set_volume(98)
    await client.volume_up()
    await client.volume_up()
    assert client.volume == 100.0
    await client.set_volume(3)
    await client.volume_down()
    await client.volume_down()
    assert client.volume == 0.0
    assert [e.data["steps"] for e in device.events.seen("volume_step")] == [1, -1]


async def test_relative_volume(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    log.events.clear()
    device.mrp.set_capabilities(pb.VOLUME_CAPABILITIES_RELATIVE)
    await log.get(VolumeControlsChanged)
    await client.volume_up()
    await client.volume_down()
    await device.wait_for("volume_step", steps=-1)


async def test_output_devices(device: FakeAppleTv, client: MrpClient, log: Log) -> None:
    for number in "12":
        device.mrp.add_speaker(FakeOutput(f"S{number}", f"Speaker {number}"))
    own = client.output_devices[0]
    await client.add_output_devices("S1")
    await log.until(
        lambda: client.output_devices == (own, OutputDevice("S1", "Speaker 1", 30.0))
    )
    await client.add_output_devices("S2")
    await client.set_volume(60, output_device="S2")
    assert client.volumes["S2"] == 60.0
    assert client.output_devices[2] == OutputDevice("S2", "Speaker 2", 60.0)
    await log.until(lambda: OutputVolumeChanged("S2", 60.0) in log.events)
    assert log.of(OutputDevicesChanged)[-1].devices == client.output_devices
    await client.remove_output_devices("S1")
    assert [o.identifier for o in client.output_devices[1:]] == ["S2"]
    await client.set_output_devices("S1")
    assert [o.identifier for o in client.output_devices[1:]] == ["S1"]
    asked = [event.data for event in device.events.seen("modify_outputs")]
    assert [(a["add"], a["remove"], a["set"]) for a in asked] == [
        (("S1",), (), ()),
        (("S2",), (), ()),
        ((), ("S1",), ()),
        ((), (), ("S1",)),
    ]


async def test_a_cluster_has_another_id(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    device.mrp.cluster_id = "CLUSTER"
    device.mrp.info_changed()
    await log.until(lambda: client.device_info.uid == "CLUSTER")
    assert client.volume is None
    await client.set_volume(11)
    assert client.volume == 11.0


async def test_keyboard(device: FakeAppleTv, client: MrpClient, log: Log) -> None:
    log.events.clear()
    device.mrp.keyboard.focus("Search")
    session = (await log.get(KeyboardChanged)).session
    assert session == client.keyboard
    assert (session.is_editing, session.title) == (True, "Search")
    await client.text_input("hunter2")
    await client.text_input("!", TextAction.INSERT)
    await client.press(HidUsage.SELECT)
    assert device.mrp.keyboard.text == "hunter2!"
    assert "hunter2" not in repr(client.keyboard)
    device.mrp.keyboard.blur()
    await log.until(lambda: not client.keyboard.is_editing)
    assert client.keyboard.state == KeyboardState.DID_END_EDITING


@pytest.mark.parametrize("way", ["data", "url", "template"])
async def test_artwork(device: FakeAppleTv, way: str) -> None:
    shown = picture("cover", way, (64, 64))  # type: ignore[arg-type] # the names
    fetched: list[str] = []

    async def fetch(url: str) -> tuple[bytes, str] | None:
        fetched.append(url)
        return b"fetched", "image/webp"

    async with client_of(device, fetch_artwork=fetch) as (client, log):
        assert not client.has_artwork
        assert await client.artwork() is None
        device.mrp.media.play(TV, FakeItem("film", "A film", picture=shown))
        await log.until(lambda: client.has_artwork)
        artwork = await client.artwork(100)
        if way == "data":
            assert artwork == Artwork(shown.data, "image/png", 64, 64)
            assert not fetched
        else:
            assert artwork == Artwork(b"fetched", "image/webp", 100, None)
            assert len(fetched) == 1
            assert ("100x999999bb.png" in fetched[0]) is (way == "template")
        assert await client.artwork(100) is artwork


async def test_unknown_and_undecodable_messages(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    device.mrp.tell_unknown()
    device.mrp.tell_bytes(b"\xff\xff\xff")
    device.mrp.media.change_item(title="Still here")
    await log.until(lambda: client.playing.title == "Still here")


async def test_what_waits_fails_at_once_at_a_disconnect(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    device.mrp.mute = {
        pb.MESSAGE_TYPE_SEND_COMMAND,
        pb.MESSAGE_TYPE_SET_VOLUME,
        pb.MESSAGE_TYPE_MODIFY_OUTPUT_CONTEXT_REQUEST,
    }
    waiting = [
        asyncio.create_task(client.play()),
        asyncio.create_task(client.set_volume(1)),
        asyncio.create_task(client.add_output_devices("S1")),
    ]
    for number in device.mrp.mute:
        await device.wait_for("mrp_message", type=number)
    device.drop()
    async with asyncio.timeout(2):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [DisconnectedError] * 3
    await log.get(Lost)
    assert not client.is_connected
    with pytest.raises(DisconnectedError):
        await client.play()


async def test_requests_run_out(device: FakeAppleTv) -> None:
    device.mrp.media.play(TV, FILM)
    async with client_of(device, timing=HASTY) as (client, _):
        device.mrp.mute = {pb.MESSAGE_TYPE_SEND_COMMAND}
        with pytest.raises(TimeoutError, match="did not answer"):
            await client.play()
        device.mrp.volume_answers = False
        with pytest.raises(TimeoutError, match="did not report"):
            await client.set_volume(1)
        device.mrp.mute = {pb.MESSAGE_TYPE_MODIFY_OUTPUT_CONTEXT_REQUEST}
        await client.add_output_devices("S1")  # who says nothing changed nothing
        assert client.is_connected


async def test_events_end_with_the_subscription(
    device: FakeAppleTv, client: MrpClient, log: Log
) -> None:
    events: list[object] = []
    unsubscribe = client.subscribe(events.append)

    def fail(event: object) -> None:
        raise ValueError("a bad listener")

    client.subscribe(fail)
    device.mrp.media.change_item(title="one")
    await log.until(lambda: client.playing.title == "one")
    assert PlayingChanged(client.playing) in events
    unsubscribe()
    unsubscribe()
    device.mrp.media.change_item(title="two")
    await log.until(lambda: client.playing.title == "two")
    assert PlayingChanged(client.playing) not in events


async def test_a_listener_that_another_one_ends_hears_no_more() -> None:
    async with scripted() as (client, transport, _):
        told: list[str] = []

        def end_the_other(_: object) -> None:
            told.append("first")
            end()

        client.subscribe(end_the_other)
        end = client.subscribe(lambda _: told.append("second"))
        transport.push(volume_controls(3))
        assert told == ["first"]
