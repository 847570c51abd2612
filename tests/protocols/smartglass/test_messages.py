"""Every message and packet with a layout: what is written is read, within its bounds."""

from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from ..layouts import bounds_of, encode_unbounded, examples, filled
from custom_components.rumpus.protocols.binary import Structure
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.flags import MAX_COMBINATIONS
from custom_components.rumpus.protocols.smartglass import messages, packets
from custom_components.rumpus.protocols.smartglass.enums import (
    DeviceCapabilities,
    GamepadButtons,
    MediaControlCommand,
    MessageType,
    ServiceChannel,
    TextInputScope,
    TextOption,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    MAX_PAYLOAD,
    MESSAGE_TYPES,
    ActiveSurfaceChange,
    ActiveTitle,
    AuxiliaryStream,
    ConnectionInfo,
    ConsoleStatus,
    Endpoint,
    Json,
    LocalJoin,
    MediaCommand,
    MediaState,
    MessageFragment,
    MetadataEntry,
    PowerOff,
    SystemTextConfiguration,
    SystemTextInput,
    TextDelta,
    TitleTextInput,
    TouchPoint,
    UnknownMessage,
    decode_message,
    encode_message,
)

STRUCTURES: list[type[Structure]] = [
    *MESSAGE_TYPES.values(),
    MessageFragment,
    ActiveTitle,
    ConnectionInfo,
    Endpoint,
    MetadataEntry,
    TextDelta,
    TouchPoint,
    packets.ConnectRequest,
    packets.ConnectResponse,
    packets.DiscoveryRequest,
    packets.DiscoveryResponse,
    packets.PowerOnRequest,
]
each_structure = pytest.mark.parametrize(
    "cls", STRUCTURES, ids=[cls.__name__ for cls in STRUCTURES]
)
few = settings(max_examples=8, suppress_health_check=list(HealthCheck))


@each_structure
@few
@given(data=st.data())
def test_it_comes_back_whole_alone(cls: type[Structure], data: st.DataObject) -> None:
    example = data.draw(examples(cls))
    encoded = example.encode()
    assert cls.decode_prefix(encoded) == (example, len(encoded))
    if cls is not SystemTextInput:
        assert cls.decode(encoded + b"more") == example
    cut = encoded[: data.draw(st.integers(0, max(0, len(encoded) - 1)))]
    try:
        decoded = cls.decode(cut)
    except ProtocolError:
        return
    # Only where an optional tail would begin.
    assert cls is SystemTextInput
    assert decoded.encode() == cut


BOUNDS = [
    pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")
    for cls in STRUCTURES
    for field in bounds_of(cls)
]


@pytest.mark.parametrize(("cls", "field"), BOUNDS)
def test_bound(cls: type[Structure], field: Any) -> None:
    """As much as the bound is taken, one more is not."""
    limit = field.kind.limit
    full = filled(cls, field, limit)
    assert cls.decode(full.encode()) == full
    one_more = filled(cls, field, limit + 1)
    with pytest.raises(MessageTooLargeError):
        one_more.encode()
    if cls is Json:
        return  # its bound is that of the length itself
    with pytest.raises(MessageTooLargeError):
        cls.decode(encode_unbounded(one_more, field))


def test_every_message_of_the_package_has_a_type() -> None:
    for message_type, cls in MESSAGE_TYPES.items():
        assert getattr(cls, "message_type") is message_type  # noqa: B009
    without = set(MessageType) - set(MESSAGE_TYPES)
    assert {message_type.name for message_type in without} == {
        "GROUP",
        "STOP_ACTIVITY",
        "NAVIGATE",
        "TUNNEL",
        "MIRRORING_REQUEST",
        "SYSTEM",
    }


def test_everything_is_exported() -> None:
    assert {cls.__name__ for cls in MESSAGE_TYPES.values()} < set(messages.__all__)
    for name in messages.__all__:
        assert hasattr(messages, name)


@pytest.mark.parametrize("message_type", [MessageType.TUNNEL, 0x7FF])
def test_unknown_message(message_type: int) -> None:
    message = decode_message(message_type, b"anything")
    assert message == UnknownMessage(message_type, b"anything")
    assert encode_message(message) == b"anything"


def test_unknown_message_that_is_too_large() -> None:
    assert len(encode_message(UnknownMessage(2, bytes(MAX_PAYLOAD)))) == MAX_PAYLOAD
    with pytest.raises(MessageTooLargeError):
        encode_message(UnknownMessage(2, bytes(MAX_PAYLOAD + 1)))


def test_message_without_a_type() -> None:
    with pytest.raises(NotImplementedError):
        _ = messages.Message().message_type


def test_unknown_text_input_scope() -> None:
    """A real console sends one that has no name."""
    message = SystemTextConfiguration(
        1, 0, TextOption.PASSWORD, 0x39, 0, "en-US", "Password"
    )
    decoded = SystemTextConfiguration.decode(message.encode())
    assert decoded == message
    assert type(decoded.input_scope) is int
    assert 0x39 not in set(TextInputScope)


def test_local_join_is_the_usual_profile() -> None:
    assert LocalJoin().device_capabilities is DeviceCapabilities.ALL
    assert LocalJoin().encode().hex().startswith("0004043807800060")


@pytest.mark.parametrize(
    "message",
    [
        MediaCommand(1, 2, MediaControlCommand.SEEK),
        MediaCommand(1, 2, MediaControlCommand.PLAY, 5),
        AuxiliaryStream(1),
        AuxiliaryStream(0, ConnectionInfo(b"", b"", b"", b"")),
    ],
    ids=repr,
)
def test_what_does_not_go_together_is_refused(message: Structure) -> None:
    with pytest.raises(ProtocolError, match="does not fit"):
        message.encode()


def test_auxiliary_stream_with_an_unknown_flag() -> None:
    assert AuxiliaryStream.decode(b"\2") == AuxiliaryStream(2)


SECRET = "TOP-SECRET"
PRIVATE: list[Structure] = [
    Json(SECRET),
    SystemTextInput(1, 1, 1, 1, 1, 1, 0, 0, SECRET, (TextDelta(0, 0, SECRET),)),
    TitleTextInput(1, 1, 1, SECRET),
    ConnectionInfo(SECRET.encode(), SECRET.encode(), SECRET.encode(), SECRET.encode()),
    MessageFragment(1, 2, SECRET.encode()),
    UnknownMessage(2, SECRET.encode()),
    MetadataEntry("image", SECRET),
    MediaState(1, "", SECRET, 0, 0, MediaControlCommand(0), 0, 0, 0, 0, 0, 0, 0),
    packets.ConnectRequest(SECRET, SECRET),
]


@pytest.mark.parametrize("structure", PRIVATE, ids=lambda item: type(item).__name__)
def test_what_is_private_is_not_shown(structure: Structure) -> None:
    assert SECRET not in repr(structure)


def test_key_of_a_surface_is_not_shown() -> None:
    surface = ActiveSurfaceChange.decode(bytes(26) + SECRET.encode().ljust(32))
    assert SECRET not in repr(surface)


def test_combinations_of_flags_do_not_fill_the_memory() -> None:
    for value in range(MAX_COMBINATIONS * 3):
        buttons = GamepadButtons(value)
        assert buttons == value
        assert GamepadButtons.A in (buttons | GamepadButtons.A)
    assert len(GamepadButtons._value2member_map_) <= MAX_COMBINATIONS


def test_services() -> None:
    assert ServiceChannel.CORE.service_uuid is None
    assert ServiceChannel.ACK.service_uuid is None
    title = ServiceChannel.TITLE.service_uuid
    assert title is not None
    assert title.int == 0
    media = ServiceChannel.SYSTEM_MEDIA.service_uuid
    assert str(media) == "48a9ca24-eb6d-4e12-8c43-d57469edd3cd"


def test_focus_is_the_highest_bit() -> None:
    status = ConsoleStatus(
        0, 10, 0, 1, "", (ActiveTitle(1, True, 3, bytes(16), bytes(16), ""),)
    )
    assert b"\x80\x03" in status.encode()


def test_power_off_carries_the_live_id() -> None:
    assert PowerOff("FD00").encode() == b"\0\4FD00\0"
