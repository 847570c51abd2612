"""MRP of the fake Apple TV, tried with a client that is not ours."""

from collections.abc import AsyncIterator
import struct

import pytest

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_artwork import picture
from tests.fakes.apple_tv_evening import FILMS, MUSIC, film, songs
from tests.fakes.apple_tv_input import HOLD
from tests.fakes.apple_tv_media import make
from tests.fakes.apple_tv_models import MUSIC_COMMANDS, FakeItem, FakeOutput
from tests.fakes.apple_tv_mrp_session import MrpSession, crypto_message
from tests.fakes.apple_tv_stream import Link, Wire

pytestmark = pytest.mark.usefixtures("socket_enabled")

HID = (
    "438922cf08020000" + "0000000000000000010000000000000002000000200000000300000001"
    "000000000000" + "{}" + "0000000000000001000000"
)


class Script:
    """A client whose messages go to a session without a socket."""

    def __init__(self, device: FakeAppleTv) -> None:
        self.told: list[pb.ProtocolMessage] = []
        self.ends: list[str] = []
        self.session: MrpSession = device.mrp.open(
            self._take, self.ends.append, Link(Wire())
        )

    def _take(self, *messages: bytes, bare: bool = False) -> None:
        self.told += map(pb.ProtocolMessage.FromString, messages)

    def send(self, message: pb.ProtocolMessage) -> None:
        """Send what wants no answer."""
        self.session.received(message.SerializeToString())

    def ask(self, message: pb.ProtocolMessage) -> pb.ProtocolMessage:
        """Send a request and return the answer."""
        message.identifier = "REQUEST"
        self.told.clear()
        self.send(message)
        (answer,) = [m for m in self.told if m.identifier == "REQUEST"]
        return answer

    def begin(self) -> None:
        """Do what all clients do first."""
        self.ask(make(pb.MESSAGE_TYPE_DEVICE_INFO))
        state = make(pb.MESSAGE_TYPE_SET_CONNECTION_STATE)
        state.set_connection_state.state = pb.CONNECTION_STATE_CONNECTED
        self.send(state)
        self.ask(config())
        self.told.clear()

    def last(self, kind: pb.MessageType) -> pb.ProtocolMessage:
        """Return the last message of a kind."""
        return [message for message in self.told if message.type == kind][-1]


def config(**wants: bool) -> pb.ProtocolMessage:
    message = make(pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG)
    updates = message.client_updates_config
    updates.volume_updates = wants.get("volume", True)
    updates.keyboard_updates = wants.get("keyboard", True)
    updates.output_device_updates = wants.get("outputs", True)
    return message


def hid(page: int, usage: int, down: bool) -> pb.ProtocolMessage:
    message = make(pb.MESSAGE_TYPE_SEND_HID_EVENT)
    numbers = f"{page:04x}{usage:04x}{down:04x}"
    message.send_hid_event.hid_event_data = bytes.fromhex(HID.format(numbers))
    return message


def command(number: int, **options: float) -> pb.ProtocolMessage:
    message = make(pb.MESSAGE_TYPE_SEND_COMMAND)
    message.send_command.command = number  # type: ignore[assignment] # enums are open
    for name, value in options.items():
        setattr(message.send_command.options, name, value)
    return message


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_14") as device:
        yield device


@pytest.fixture
async def stranger(device: FakeAppleTv) -> Script:
    return Script(device)


@pytest.fixture
async def script(stranger: Script) -> Script:
    stranger.begin()
    return stranger


async def test_silent_until_it_knows_who(device: FakeAppleTv, stranger: Script) -> None:
    stranger.send(make(pb.MESSAGE_TYPE_GENERIC))
    await device.wait_for("mrp_ignored")
    assert not stranger.told
    answer = stranger.ask(make(pb.MESSAGE_TYPE_DEVICE_INFO))
    assert answer.type == pb.MESSAGE_TYPE_DEVICE_INFO
    info = answer.device_info
    assert (info.name, info.model_id) == (device.name, device.model)
    assert info.logical_device_count == 1
    assert info.is_group_leader
    assert not info.HasField("cluster_id")
    assert answer.HasField("unique_identifier")


async def test_state_is_told_first(device: FakeAppleTv, stranger: Script) -> None:
    device.mrp.media.play(FILMS[0], film())
    stranger.ask(make(pb.MESSAGE_TYPE_DEVICE_INFO))
    was_ready = stranger.session.is_ready
    answer = stranger.ask(config())
    assert (was_ready, stranger.session.is_ready) == (False, True)
    assert answer.type == pb.MESSAGE_TYPE_UNKNOWN
    assert stranger.told[-1] is answer
    kinds = {message.type for message in stranger.told}
    assert kinds >= {
        pb.MESSAGE_TYPE_VOLUME_CONTROL_AVAILABILITY,
        pb.MESSAGE_TYPE_VOLUME_DID_CHANGE,
        pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE,
        pb.MESSAGE_TYPE_SET_STATE,
        pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT,
        pb.MESSAGE_TYPE_KEYBOARD,
    }
    answer = stranger.ask(config(volume=False, keyboard=False, outputs=False))
    assert {message.type for message in stranger.told} == {
        pb.MESSAGE_TYPE_SET_STATE,
        pb.MESSAGE_TYPE_SET_NOW_PLAYING_PLAYER,
        pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT,
        pb.MESSAGE_TYPE_UNKNOWN,
    }


async def test_nothing_is_pushed_too_early(
    device: FakeAppleTv, stranger: Script
) -> None:
    device.mrp.media.play(FILMS[0], film())
    assert not stranger.told


async def test_connection_state(device: FakeAppleTv, script: Script) -> None:
    assert script.session.is_connected
    await device.wait_for("mrp_connected", state=2)
    script.session.ended()
    assert not device.mrp.sessions


async def test_unknown_messages(device: FakeAppleTv, script: Script) -> None:
    ping = make(pb.MESSAGE_TYPE_GENERIC)
    assert script.ask(ping).type == pb.MESSAGE_TYPE_UNKNOWN
    strange = pb.ProtocolMessage()
    strange.type = 4711  # type: ignore[assignment] # enums are open
    assert script.ask(strange).type == pb.MESSAGE_TYPE_UNKNOWN
    script.session.received(b"\x08\x01\xff")
    await device.wait_for("mrp_malformed", size=3)
    crypto = crypto_message(b"\0\0")
    assert script.ask(crypto).type == pb.MESSAGE_TYPE_UNKNOWN
    device.mrp.mute.add(pb.MESSAGE_TYPE_GENERIC)
    script.told.clear()
    script.send(ping)
    assert not script.told


async def test_strange_pushes(device: FakeAppleTv, script: Script) -> None:
    device.mrp.tell_unknown()
    (message,) = script.told
    assert message.type == 131
    device.mrp.flood(100)
    assert len(script.told) == 101
    sent: list[bytes] = []
    script.session._send = lambda *m, bare=False: sent.extend(m)
    device.mrp.tell_bytes(b"\xff")
    assert sent == [b"\xff"]


async def test_commands(device: FakeAppleTv, script: Script) -> None:
    device.mrp.media.play(MUSIC[0], *songs(), commands=MUSIC_COMMANDS)
    answer = script.ask(command(pb.COMMAND_SKIP_FORWARD, skip_interval=15.0))
    result = answer.send_command_result
    assert result.send_error == pb.SEND_ERROR_NO_ERROR
    event = await device.wait_for("command", name="skip_forward")
    assert event.data["options"] == {"skip_interval": 15.0}
    assert script.last(pb.MESSAGE_TYPE_SET_STATE)
    result = script.ask(command(9999)).send_command_result
    assert result.send_error == pb.SEND_ERROR_NOT_SUPPORTED
    assert result.handler_return_status == pb.HANDLER_RETURN_STATUS_COMMAND_FAILED
    await device.wait_for("command", command=9999, name="")


async def test_results_to_give(device: FakeAppleTv, script: Script) -> None:
    refused = pb.SEND_ERROR_NO_COMMAND_HANDLERS
    device.mrp.results[pb.COMMAND_PLAY] = refused
    result = script.ask(command(pb.COMMAND_PLAY)).send_command_result
    assert result.send_error == refused
    assert result.handler_return_status == pb.HANDLER_RETURN_STATUS_COMMAND_FAILED
    device.mrp.results[pb.COMMAND_PLAY] = pb.SEND_ERROR_NO_ERROR
    result = script.ask(command(pb.COMMAND_PLAY)).send_command_result
    assert result.handler_return_status == pb.HANDLER_RETURN_STATUS_SUCCESS
    limit = pb.HANDLER_RETURN_STATUS_SKIP_LIMIT_REACHED
    device.mrp.results[pb.COMMAND_PLAY] = (pb.SEND_ERROR_NO_ERROR, limit)
    result = script.ask(command(pb.COMMAND_PLAY)).send_command_result
    assert result.handler_return_status == limit


async def test_commands_of_companion(device: FakeAppleTv, script: Script) -> None:
    player = device.mrp.media.play(MUSIC[0], *songs(), commands=MUSIC_COMMANDS)
    player.move(position=100.0)
    for name, seconds in (("pause", None), ("skip", 20.0), ("skip", -50.0)):
        device.remote(name, seconds)
    assert player.state == pb.PLAYBACK_STATE_PAUSED
    assert 70.0 <= player.elapsed < 72.0
    device.remote("next")
    assert player.location == 1
    device.remote("fast_forward_begin")
    assert device.media_flags & 0x60F == 0x60F
    device.mrp.media.clear()
    assert device.media_flags & 0x60F == 0


@pytest.mark.parametrize(
    ("page", "usage", "name"),
    [(1, 0x8C, "up"), (1, 0x89, "select"), (12, 0x40, "home"), (7, 9, "7/0x9")],
)
async def test_keys(
    device: FakeAppleTv, script: Script, page: int, usage: int, name: str
) -> None:
    for down in (True, False):
        answer = script.ask(hid(page, usage, down))
        assert answer.type == pb.MESSAGE_TYPE_UNKNOWN
    event = await device.wait_for("button", name=name)
    assert event.data["held"] is False
    button = make(pb.MESSAGE_TYPE_SEND_BUTTON_EVENT)
    button.send_button_event.usage_page = page
    button.send_button_event.usage = usage
    button.send_button_event.button_down = False
    script.send(button)
    await device.wait_for("key_up_alone", name=name)


async def test_bad_hid_event(device: FakeAppleTv, script: Script) -> None:
    message = hid(1, 0x8C, True)
    message.send_hid_event.hid_event_data += b"\0"
    script.send(message)
    await device.wait_for("mrp_malformed", size=61)


def hold_home(device: FakeAppleTv, script: Script) -> None:
    script.send(hid(12, 0x40, True))
    # As if the key had gone down a while ago.
    down = script.session.input._down
    down[12, 0x40] -= HOLD
    script.send(hid(12, 0x40, False))


async def test_off_by_menu(device: FakeAppleTv, script: Script) -> None:
    hold_home(device, script)
    await device.wait_for("button", name="home", held=True)
    on = [device.is_on]
    for down in (True, False):
        script.send(hid(1, 0x89, down))
    on.append(device.is_on)
    info = script.last(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE).device_info
    assert info.logical_device_count == 0
    wake = make(pb.MESSAGE_TYPE_WAKE_DEVICE)
    assert script.ask(wake).type == pb.MESSAGE_TYPE_UNKNOWN
    assert [*on, device.is_on] == [True, False, True]
    info = script.last(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE).device_info
    assert info.logical_device_count == 1


async def test_later_systems_stay_on(device: FakeAppleTv, script: Script) -> None:
    device.mrp.sleeps_by_menu = False
    hold_home(device, script)
    for _ in range(2):
        for down in (True, False):
            script.send(hid(1, 0x89, down))
    assert device.is_on
    async with FakeAppleTv("Other", os="tvos_18") as other:
        assert not other.mrp.sleeps_by_menu


async def test_suspend_and_wakeup(device: FakeAppleTv, script: Script) -> None:
    for usage, is_on in ((0x82, False), (0x83, True)):
        for down in (True, False):
            script.send(hid(1, usage, down))
        assert device.is_on is is_on


async def test_touch(device: FakeAppleTv, script: Script) -> None:
    message = make(pb.MESSAGE_TYPE_REGISTER_HID_DEVICE)
    descriptor = message.register_hid_device.device_descriptor
    descriptor.screen_size_width = descriptor.screen_size_height = 1000.0
    result = script.ask(message).register_hid_device_result
    assert result.error_code == 0
    await device.wait_for("touch_registered", width=1000.0)
    message = make(pb.MESSAGE_TYPE_SEND_PACKED_VIRTUAL_TOUCH_EVENT)
    touch = message.send_packed_virtual_touch_event
    touch.data = struct.pack("<5H", 500, 850, 1, result.device_identifier, 0)
    script.send(message)
    await device.wait_for("touch", x=500, y=850, phase=1, device=9)
    touch.data = b"?"
    script.send(message)
    await device.wait_for("mrp_malformed", size=1)


async def test_keyboard(device: FakeAppleTv, script: Script) -> None:
    keyboard = device.mrp.keyboard
    session = make(pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION)
    told = script.ask(session).keyboard
    assert told.state == pb.KEYBOARD_STATE_NOT_EDITING
    typed = make(pb.MESSAGE_TYPE_TEXT_INPUT)
    typed.text_input.text = "x"
    typed.text_input.action_type = pb.ACTION_TYPE_SET
    script.send(typed)
    assert keyboard.text is None
    keyboard.focus("Search", "a")
    told = script.last(pb.MESSAGE_TYPE_KEYBOARD).keyboard
    assert told.state == pb.KEYBOARD_STATE_DID_BEGIN_EDITING
    assert told.attributes.title == "Search"
    for action, text, wanted in (
        (pb.ACTION_TYPE_INSERT, "bc", "abc"),
        (pb.ACTION_TYPE_DELETE, "", "ab"),
        (pb.ACTION_TYPE_SET, "xyz", "xyz"),
        (pb.ACTION_TYPE_UNKNOWN, "?", "xyz"),
        (pb.ACTION_TYPE_CLEAR, "", ""),
    ):
        typed.text_input.text, typed.text_input.action_type = text, action
        script.ask(typed)
        assert keyboard.text == wanted
    keyboard.blur()
    told = script.last(pb.MESSAGE_TYPE_KEYBOARD).keyboard
    assert told.state == pb.KEYBOARD_STATE_DID_END_EDITING


async def test_volume(device: FakeAppleTv, script: Script) -> None:
    message = make(pb.MESSAGE_TYPE_SET_VOLUME)
    message.set_volume.volume = 0.25
    message.set_volume.output_device_uid = device.mrp.uid
    script.ask(message)
    assert device.volume == 0.25
    change = script.last(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE).volume_did_change
    assert (change.volume, change.output_device_uid) == (0.25, device.mrp.uid)
    asked = make(pb.MESSAGE_TYPE_GET_VOLUME)
    assert script.ask(asked).get_volume_result.volume == 0.25
    asked.get_volume.output_device_uid = "nobody"
    assert not script.ask(asked).get_volume_result.HasField("volume")
    for usage, wanted in ((0xE9, 0.3125), (0xEA, 0.25)):
        for down in (True, False):
            script.send(hid(12, usage, down))
        assert device.volume == wanted
    device.mrp.volume_answers = False
    script.ask(message)
    assert [told.type for told in script.told] == [pb.MESSAGE_TYPE_UNKNOWN]
    await device.wait_for("set_volume", volume=0.25)


@pytest.mark.parametrize(
    ("capabilities", "is_set", "is_stepped"),
    [
        (pb.VOLUME_CAPABILITIES_NONE, False, False),
        (pb.VOLUME_CAPABILITIES_RELATIVE, False, False),
        (pb.VOLUME_CAPABILITIES_ABSOLUTE, True, False),
        (pb.VOLUME_CAPABILITIES_BOTH, True, True),
    ],
)
async def test_volume_capabilities(
    device: FakeAppleTv,
    script: Script,
    capabilities: pb.VolumeCapabilities,
    is_set: bool,
    is_stepped: bool,
) -> None:
    device.mrp.set_capabilities(capabilities)
    told = script.last(pb.MESSAGE_TYPE_VOLUME_CONTROL_CAPABILITIES_DID_CHANGE)
    change = told.volume_control_capabilities_did_change
    assert change.capabilities.volume_capabilities == capabilities
    assert bool(device.media_flags & 0x100) is is_set
    before = device.volume
    device.mrp.step_volume(1)
    assert (device.volume != before) is is_stepped
    device.mrp.set_volume(0.9)
    assert (device.volume == 0.9) is is_set
    device.mrp.set_capabilities(capabilities, is_available=False)
    device.mrp.set_volume(0.1)
    assert device.volume != 0.1


async def test_speakers(device: FakeAppleTv, script: Script) -> None:
    one, other = FakeOutput("A1", "Speaker", 0.2), FakeOutput("A2", "TV", None)
    device.mrp.add_speaker(one)
    device.mrp.add_speaker(other, plays=True)
    info = script.last(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE).device_info
    assert [grouped.device_uid for grouped in info.grouped_devices] == ["A2"]
    for field, uid, wanted in (
        ("adding_devices", "A1", ["A2", "A1"]),
        ("adding_devices", "A1", ["A2", "A1"]),
        ("removing_devices", "A2", ["A1"]),
        ("setting_devices", "A2", ["A2"]),
        ("adding_devices", "unknown", ["A2"]),
    ):
        message = make(pb.MESSAGE_TYPE_MODIFY_OUTPUT_CONTEXT_REQUEST)
        getattr(message.modify_output_context_request, field).append(uid)
        script.ask(message)
        assert list(device.mrp.outputs) == wanted
    told = script.last(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE).update_output_device
    assert [output.name for output in told.output_devices] == [device.name, "TV"]
    assert not told.output_devices[1].HasField("volume")
    device.mrp.set_outputs(["A1"])
    device.mrp.set_volume(0.7, "A1")
    change = script.last(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE).volume_did_change
    assert change.output_device_uid == "A1"
    assert device.mrp.volume_of("A1") == 0.7
    device.mrp.volume_answers = False
    script.told.clear()
    for uid in ("A1", "A2", "unknown"):
        device.mrp.set_volume(0.1, uid)
    assert not script.told
    assert device.mrp.known_outputs["A1"].volume == 0.1


async def test_cluster(device: FakeAppleTv, script: Script) -> None:
    device.mrp.cluster_id = "CLUSTER"
    device.mrp.info_changed()
    info = script.last(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE).device_info
    assert info.cluster_id == "CLUSTER"
    device.mrp.set_volume(0.3, "CLUSTER")
    change = script.last(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE).volume_did_change
    assert change.output_device_uid == "CLUSTER"


async def test_homepod() -> None:
    async with FakeAppleTv("Kitchen", "homepod") as pod:
        script = Script(pod)
        info = script.ask(make(pb.MESSAGE_TYPE_DEVICE_INFO)).device_info
        assert info.localized_model_name == "HomePod"
        script.begin()
        assert pod.mrp.capabilities == pb.VOLUME_CAPABILITIES_ABSOLUTE
        device_output = list(pod.mrp.state())[2].update_output_device
        assert device_output.output_devices[0].HasField("volume")


async def test_queue_requests(device: FakeAppleTv, script: Script) -> None:
    request = make(pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST)
    asked = request.playback_queue_request
    asked.location, asked.length = 0, 1
    assert not script.ask(request).set_state.HasField("playback_queue")
    shown = picture("p", "data", (8, 8))
    items = [FakeItem("1", "One", picture=shown), FakeItem("2", "Two")]
    device.mrp.media.play(FILMS[0], *items)
    (item,) = script.ask(request).set_state.playback_queue.content_items
    assert (item.metadata.title, item.HasField("artwork_data")) == ("One", False)
    assert item.metadata.HasField("elapsed_time")
    asked.artwork_width, asked.artwork_height = 512.0, -1.0
    queue = script.ask(request).set_state.playback_queue
    (item,) = queue.content_items
    assert (item.artwork_data, item.artwork_data_width) == (shown.data, 8)
    asked.location = 1
    queue = script.ask(request).set_state.playback_queue
    assert queue.location == 1
    (item,) = queue.content_items
    assert (item.metadata.title, item.HasField("artwork_data")) == ("Two", False)
    assert not item.metadata.HasField("elapsed_time")
    await device.wait_for("queue_request", location=1, width=512.0)
