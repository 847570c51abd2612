"""Messages of the media channel (the SmartGlass reference, section 7.16)."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from ...binary import (
    F32,
    U32,
    U64,
    Array,
    Enum16,
    Enum32,
    Flags32,
    OnlyIf,
    Structure,
    Text,
    layout,
)
from ..enums import (
    MediaControlCommand,
    MediaType,
    MessageType,
    PlaybackStatus,
    ResultCode,
    SoundLevel,
)
from .base import Message
from .console import MAX_AUM

MAX_ASSET_ID: Final = 32_768
"""Bytes of the id of what is played; some have thousands."""
MAX_METADATA: Final = 64
"""Names with a value; consoles send a few."""
MAX_METADATA_NAME: Final = 255
"""Bytes of a name."""
MAX_METADATA_VALUE: Final = 16_384
"""Bytes of a value."""


@layout()
@dataclass(frozen=True, slots=True)
class MetadataEntry(Structure):
    """A fact about what is played, such as its title."""

    name: Annotated[str, Text(MAX_METADATA_NAME)]
    value: Annotated[str, Text(MAX_METADATA_VALUE)] = field(repr=False)


@layout()
@dataclass(frozen=True, slots=True)
class MediaState(Message):
    """What is played; all times are in ticks of 100 nanoseconds."""

    message_type: ClassVar[MessageType] = MessageType.MEDIA_STATE

    title_id: U32
    aum_id: Annotated[str, Text(MAX_AUM)]
    # Often an address with a token of whoever plays it.
    asset_id: Annotated[str, Text(MAX_ASSET_ID)] = field(repr=False)
    media_type: Enum16[MediaType]
    sound_level: Enum16[SoundLevel]
    enabled_commands: Flags32[MediaControlCommand]
    playback_status: Enum16[PlaybackStatus]
    rate: F32
    position: U64
    media_start: U64
    media_end: U64
    min_seek: U64
    max_seek: U64
    metadata: Annotated[tuple[MetadataEntry, ...], Array(MAX_METADATA)] = ()


@layout()
@dataclass(frozen=True, slots=True)
class MediaCommand(Message):
    """Tells a player something; `seek_position`, in ticks, goes with SEEK alone."""

    message_type: ClassVar[MessageType] = MessageType.MEDIA_COMMAND

    request_id: U64
    title_id: U32
    command: Flags32[MediaControlCommand]
    seek_position: Annotated[
        U64 | None, OnlyIf("command", MediaControlCommand.SEEK)
    ] = None


@layout()
@dataclass(frozen=True, slots=True)
class MediaCommandResult(Message):
    """What became of a MediaCommand."""

    message_type: ClassVar[MessageType] = MessageType.MEDIA_COMMAND_RESULT

    request_id: U64
    result: Enum32[ResultCode]


@layout()
@dataclass(frozen=True, slots=True)
class MediaControllerRemoved(Message):
    """A title plays nothing any more."""

    message_type: ClassVar[MessageType] = MessageType.MEDIA_CONTROLLER_REMOVED

    title_id: U32
