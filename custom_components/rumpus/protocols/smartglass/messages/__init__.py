"""All messages of SmartGlass (the SmartGlass reference, section 7), and their codec."""

from collections.abc import Callable
from typing import Final

from ..enums import MessageType
from .base import MAX_PAYLOAD, Message, MessageFragment, UnknownMessage
from .console import (
    ActiveSurfaceChange,
    ActiveTitle,
    ConsoleStatus,
    GameDvrRecord,
    PowerOff,
    TitleLaunch,
    Unsnap,
)
from .input import (
    Accelerometer,
    Compass,
    Gamepad,
    Gyrometer,
    Inclinometer,
    Orientation,
    SystemTouch,
    TitleTouch,
    Touch,
    TouchPoint,
)
from .media import (
    MediaCommand,
    MediaCommandResult,
    MediaControllerRemoved,
    MediaState,
    MetadataEntry,
)
from .session import (
    Ack,
    Disconnect,
    LocalJoin,
    PairedIdentityStateChanged,
    StartChannelRequest,
    StartChannelResponse,
    StopChannel,
)
from .text import (
    SystemTextAck,
    SystemTextConfiguration,
    SystemTextDone,
    SystemTextInput,
    TextConfiguration,
    TextDelta,
    TitleTextConfiguration,
    TitleTextInput,
    TitleTextSelection,
)
from .title import AuxiliaryStream, ConnectionInfo, Endpoint, Json

MESSAGE_TYPES: Final[dict[MessageType, type[Message]]] = {
    MessageType.ACK: Ack,
    MessageType.LOCAL_JOIN: LocalJoin,
    MessageType.AUXILIARY_STREAM: AuxiliaryStream,
    MessageType.ACTIVE_SURFACE_CHANGE: ActiveSurfaceChange,
    MessageType.JSON: Json,
    MessageType.CONSOLE_STATUS: ConsoleStatus,
    MessageType.TITLE_TEXT_CONFIGURATION: TitleTextConfiguration,
    MessageType.TITLE_TEXT_INPUT: TitleTextInput,
    MessageType.TITLE_TEXT_SELECTION: TitleTextSelection,
    MessageType.TITLE_LAUNCH: TitleLaunch,
    MessageType.START_CHANNEL_REQUEST: StartChannelRequest,
    MessageType.START_CHANNEL_RESPONSE: StartChannelResponse,
    MessageType.STOP_CHANNEL: StopChannel,
    MessageType.DISCONNECT: Disconnect,
    MessageType.TITLE_TOUCH: TitleTouch,
    MessageType.ACCELEROMETER: Accelerometer,
    MessageType.GYROMETER: Gyrometer,
    MessageType.INCLINOMETER: Inclinometer,
    MessageType.COMPASS: Compass,
    MessageType.ORIENTATION: Orientation,
    MessageType.PAIRED_IDENTITY_STATE_CHANGED: PairedIdentityStateChanged,
    MessageType.UNSNAP: Unsnap,
    MessageType.GAME_DVR_RECORD: GameDvrRecord,
    MessageType.POWER_OFF: PowerOff,
    MessageType.MEDIA_CONTROLLER_REMOVED: MediaControllerRemoved,
    MessageType.MEDIA_COMMAND: MediaCommand,
    MessageType.MEDIA_COMMAND_RESULT: MediaCommandResult,
    MessageType.MEDIA_STATE: MediaState,
    MessageType.GAMEPAD: Gamepad,
    MessageType.SYSTEM_TEXT_CONFIGURATION: SystemTextConfiguration,
    MessageType.SYSTEM_TEXT_INPUT: SystemTextInput,
    MessageType.SYSTEM_TOUCH: SystemTouch,
    MessageType.SYSTEM_TEXT_ACK: SystemTextAck,
    MessageType.SYSTEM_TEXT_DONE: SystemTextDone,
}
"""The messages whose layout is known, by the type in the header."""

_DECODERS: Final[dict[int, Callable[[bytes], Message]]] = {
    key: message.decode for key, message in MESSAGE_TYPES.items()
}

__all__ = [
    "MAX_PAYLOAD",
    "MESSAGE_TYPES",
    "Accelerometer",
    "Ack",
    "ActiveSurfaceChange",
    "ActiveTitle",
    "AuxiliaryStream",
    "Compass",
    "ConnectionInfo",
    "ConsoleStatus",
    "Disconnect",
    "Endpoint",
    "GameDvrRecord",
    "Gamepad",
    "Gyrometer",
    "Inclinometer",
    "Json",
    "LocalJoin",
    "MediaCommand",
    "MediaCommandResult",
    "MediaControllerRemoved",
    "MediaState",
    "Message",
    "MessageFragment",
    "MetadataEntry",
    "Orientation",
    "PairedIdentityStateChanged",
    "PowerOff",
    "StartChannelRequest",
    "StartChannelResponse",
    "StopChannel",
    "SystemTextAck",
    "SystemTextConfiguration",
    "SystemTextDone",
    "SystemTextInput",
    "SystemTouch",
    "TextConfiguration",
    "TextDelta",
    "TitleLaunch",
    "TitleTextConfiguration",
    "TitleTextInput",
    "TitleTextSelection",
    "TitleTouch",
    "Touch",
    "TouchPoint",
    "UnknownMessage",
    "Unsnap",
    "decode_message",
    "encode_message",
]


def decode_message(message_type: MessageType | int, plaintext: bytes) -> Message:
    """Return the message of a whole payload; pieces go through MessageFragment.decode.

    Raises ProtocolError when the payload is none of this type.
    """
    decoder = _DECODERS.get(message_type)
    if decoder is None:
        return UnknownMessage(message_type, plaintext)
    return decoder(plaintext)


def encode_message(message: Message | MessageFragment) -> bytes:
    """Return the payload of a message. Raises ProtocolError for values that do not fit."""
    return message.encode()
