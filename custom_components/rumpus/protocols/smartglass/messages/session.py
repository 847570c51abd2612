"""Messages that begin, keep and end a session and its channels (the SmartGlass reference).

Sections 6.3, 7.1, 7.7 to 7.9.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from ...binary import U16, U32, U64, Array, Enum16, Enum32, Flags64, Text, Uuid, layout
from ..enums import (
    DeviceCapabilities,
    DeviceType,
    DisconnectReason,
    MessageType,
    PairedIdentityState,
    ResultCode,
)
from .base import Message

MAX_ACK_NUMBERS: Final = 1024
"""Sequence numbers in each list of an ack; peers send one."""
MAX_DISPLAY_NAME: Final = 255
"""Bytes of the name that a client announces."""


@layout()
@dataclass(frozen=True, slots=True)
class Ack(Message):
    """Which sequence numbers arrived (section 6.3); with need_ack it is a heartbeat."""

    message_type: ClassVar[MessageType] = MessageType.ACK

    low_watermark: U32
    processed_list: Annotated[tuple[U32, ...], Array(MAX_ACK_NUMBERS, "I")] = ()
    rejected_list: Annotated[tuple[U32, ...], Array(MAX_ACK_NUMBERS, "I")] = ()


@layout()
@dataclass(frozen=True, slots=True)
class LocalJoin(Message):
    """Who connects: the first message of a session (section 7.1), with what works everywhere.

    The sizes are in pixels, the densities in dots per inch.
    """

    message_type: ClassVar[MessageType] = MessageType.LOCAL_JOIN

    device_type: Enum16[DeviceType] = DeviceType.WINDOWS_STORE
    native_width: U16 = 1080
    native_height: U16 = 1920
    dpi_x: U16 = 96
    dpi_y: U16 = 96
    device_capabilities: Flags64[DeviceCapabilities] = DeviceCapabilities.ALL
    client_version: U32 = 39
    os_major_version: U32 = 6
    os_minor_version: U32 = 2
    display_name: Annotated[str, Text(MAX_DISPLAY_NAME)] = "SmartGlass-PC"


@layout()
@dataclass(frozen=True, slots=True)
class StartChannelRequest(Message):
    """Opens a channel (section 7.7); the console answers with the same request id.

    For the title channel the service is all zero and the title id says which one.
    """

    message_type: ClassVar[MessageType] = MessageType.START_CHANNEL_REQUEST

    channel_request_id: U32
    title_id: U32
    service: Uuid
    activity_id: U32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class StartChannelResponse(Message):
    """The id of a channel that is now open, or why it is not (section 7.7)."""

    message_type: ClassVar[MessageType] = MessageType.START_CHANNEL_RESPONSE

    channel_request_id: U32
    target_channel_id: U64
    result: Enum32[ResultCode]


@layout()
@dataclass(frozen=True, slots=True)
class StopChannel(Message):
    """Closes a channel (section 7.7)."""

    message_type: ClassVar[MessageType] = MessageType.STOP_CHANNEL

    target_channel_id: U64


@layout()
@dataclass(frozen=True, slots=True)
class Disconnect(Message):
    """Ends the session (section 7.8)."""

    message_type: ClassVar[MessageType] = MessageType.DISCONNECT

    reason: Enum32[DisconnectReason]
    error_code: U32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class PairedIdentityStateChanged(Message):
    """Whether the console knows the user of this session (section 7.9)."""

    message_type: ClassVar[MessageType] = MessageType.PAIRED_IDENTITY_STATE_CHANGED

    state: Enum16[PairedIdentityState]
