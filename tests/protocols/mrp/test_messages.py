from collections.abc import Callable
from dataclasses import replace
import re

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.mrp import hid, messages
from custom_components.rumpus.protocols.mrp.enums import (
    Command,
    HidUsage,
    TextAction,
    TouchPhase,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.vectors import IDENTIFIER, MESSAGES, OWN_UID, UNIQUE

IDENTITY = replace(ClientIdentity.create("pyatv"), os_build="18G82")
SPEAKER = ("AA:BB:CC:DD:EE:FF",)
OURS: dict[str, Callable[[], pb.ProtocolMessage]] = {
    "DEVICE_INFO request (name pyatv, id 4D797FD3-3538-427E-A47B-A32FC6CF3A6A)": (
        lambda: messages.device_info(IDENTITY, "4D797FD3-3538-427E-A47B-A32FC6CF3A6A")
    ),
    "SET_CONNECTION_STATE Connected": messages.connected,
    "CLIENT_UPDATES_CONFIG default": messages.updates_config,
    "GET_KEYBOARD_SESSION": lambda: messages.make(pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION),
    "GENERIC (heartbeat / flush)": lambda: messages.make(pb.MESSAGE_TYPE_GENERIC),
    "WAKE_DEVICE": lambda: messages.make(pb.MESSAGE_TYPE_WAKE_DEVICE),
    "CRYPTO_PAIRING setup M1": lambda: messages.crypto_pairing(
        bytes.fromhex("000100060101"), 2
    ),
    "CRYPTO_PAIRING verify M1 (public key = 32 x 0x11)": lambda: (
        messages.crypto_pairing(bytes.fromhex("0601010320") + b"\x11" * 32, 0)
    ),
    "SEND_COMMAND Play": lambda: messages.command(Command.PLAY),
    "SEND_COMMAND SkipForward 15": lambda: messages.command(
        Command.SKIP_FORWARD, pb.CommandOptions(skip_interval=15)
    ),
    "SEND_COMMAND ChangeRepeatMode All": lambda: messages.command(
        Command.CHANGE_REPEAT_MODE,
        pb.CommandOptions(repeat_mode=pb.REPEAT_MODE_ALL, send_options=0),
    ),
    "SEND_COMMAND ChangeShuffleMode Albums": lambda: messages.command(
        Command.CHANGE_SHUFFLE_MODE,
        pb.CommandOptions(shuffle_mode=pb.SHUFFLE_MODE_ALBUMS, send_options=0),
    ),
    "SEND_COMMAND SeekToPlaybackPosition 30": lambda: messages.command(
        Command.SEEK_TO_PLAYBACK_POSITION, pb.CommandOptions(playback_position=30)
    ),
    "PLAYBACK_QUEUE_REQUEST location 0, 512 x -1": lambda: messages.artwork_request(
        0, 512, -1
    ),
    "SEND_HID_EVENT select down": lambda: messages.hid_event(
        hid.key_event(HidUsage.SELECT, is_down=True)
    ),
    "SEND_HID_EVENT select up": lambda: messages.hid_event(
        hid.key_event(HidUsage.SELECT, is_down=False)
    ),
    "SET_VOLUME 0.2": lambda: messages.set_volume(0.2, OWN_UID),
    "MODIFY_OUTPUT_CONTEXT add": lambda: messages.modify_outputs(adding=SPEAKER),
    "MODIFY_OUTPUT_CONTEXT remove": lambda: messages.modify_outputs(removing=SPEAKER),
    "MODIFY_OUTPUT_CONTEXT set": lambda: messages.modify_outputs(setting=SPEAKER),
    "REGISTER_HID_DEVICE 1000x1000": lambda: messages.register_touch_pad(1000),
    "SEND_PACKED_VIRTUAL_TOUCH Began 500,850 dev 9": lambda: messages.touch(
        hid.touch_event(500, 850, TouchPhase.BEGAN, 9)
    ),
    "TEXT_INPUT insert abc": lambda: messages.text_input("abc", TextAction.INSERT),
}


@pytest.mark.parametrize("name", OURS)
def test_our_messages(name: str) -> None:
    vector = MESSAGES[name]
    message = OURS[name]()
    message.unique_identifier = UNIQUE
    if vector.identifier is not None:
        message.identifier = IDENTIFIER
    assert message == pb.ProtocolMessage.FromString(vector.data)
    assert message.type == vector.type


def test_every_message_has_an_id_of_its_own() -> None:
    one, other = messages.connected(), messages.connected()
    assert one.unique_identifier != other.unique_identifier
    assert re.fullmatch(
        r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", new := (messages.new_identifier())
    )
    assert new != messages.new_identifier()


def test_unknown_fields_and_enums_survive() -> None:
    data = bytes.fromhex("08c801 3a04 0863 1063 f23f05") + b"hello"
    message = messages.decode(data)
    assert message.type == 200
    assert message.send_command_result.HasField("send_error")
    assert message.send_command_result.send_error == 99
    assert messages.decode(message.SerializeToString()) == message
    assert b"hello" in message.SerializeToString()


@pytest.mark.parametrize("data", [b"\xff", bytes.fromhex("0a01"), b"\x12\x02\xff\xff"])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="cannot be decoded"):
        messages.decode(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        message = messages.decode(data)
    except ProtocolError:
        return
    assert isinstance(message, pb.ProtocolMessage)
