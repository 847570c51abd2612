"""Messages about the console as a whole (the SmartGlass reference).

Sections 7.3, 7.5, 7.6 and 7.10 to 7.12.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from ...binary import (
    I32,
    U16,
    U32,
    Array,
    Bits,
    Enum16,
    Fixed,
    Structure,
    Text,
    Uuid,
    layout,
)
from ..const import MAX_LIVE_ID
from ..enums import ActiveSurfaceType, MessageType, TitleLocation
from .base import Message

MAX_LOCALE: Final = 255
"""Bytes of the name of a language, such as "en-US"."""
MAX_AUM: Final = 1024
"""Bytes of an application user model id."""
MAX_ACTIVE_TITLES: Final = 64
"""Titles that run at the same time."""
MAX_URI: Final = 4096
"""Bytes of the address of a title."""


@layout()
@dataclass(frozen=True, slots=True)
class ActiveTitle(Structure):
    """A title that runs; both ids are opaque, 16 bytes (section 7.5)."""

    title_id: U32
    has_focus: Annotated[bool, Bits(1, "H")]
    location: Annotated[TitleLocation | int, Bits(15, "H")]
    product_id: Annotated[bytes, Fixed(16)]
    sandbox_id: Annotated[bytes, Fixed(16)]
    aum: Annotated[str, Text(MAX_AUM)]


@layout()
@dataclass(frozen=True, slots=True)
class ConsoleStatus(Message):
    """What the console is and runs (section 7.5); sent on each change."""

    message_type: ClassVar[MessageType] = MessageType.CONSOLE_STATUS

    live_tv_provider: U32
    major_version: U32
    minor_version: U32
    build_number: U32
    locale: Annotated[str, Text(MAX_LOCALE)]
    active_titles: Annotated[tuple[ActiveTitle, ...], Array(MAX_ACTIVE_TITLES)] = ()


@layout()
@dataclass(frozen=True, slots=True)
class ActiveSurfaceChange(Message):
    """What is on the screen, and where it could be had from (section 7.3)."""

    message_type: ClassVar[MessageType] = MessageType.ACTIVE_SURFACE_CHANGE

    surface_type: Enum16[ActiveSurfaceType]
    server_tcp_port: U16
    server_udp_port: U16
    session_id: Uuid
    render_width: U16
    render_height: U16
    master_session_key: Annotated[bytes, Fixed(32)] = field(repr=False)


@layout()
@dataclass(frozen=True, slots=True)
class TitleLaunch(Message):
    """Starts a title (section 7.6); consoles ignore it since March 2019."""

    message_type: ClassVar[MessageType] = MessageType.TITLE_LAUNCH

    location: Enum16[TitleLocation]
    uri: Annotated[str, Text(MAX_URI)]


@layout()
@dataclass(frozen=True, slots=True)
class Unsnap(Message):
    """Ended the snapping of a title; what its byte means is unknown (section 7.10)."""

    message_type: ClassVar[MessageType] = MessageType.UNSNAP

    unk: Annotated[bytes, Fixed(1)]


@layout()
@dataclass(frozen=True, slots=True)
class GameDvrRecord(Message):
    """Keeps a piece of the game as a clip; both ends in seconds from now (section 7.11)."""

    message_type: ClassVar[MessageType] = MessageType.GAME_DVR_RECORD

    start_time_delta: I32
    end_time_delta: I32 = 0


@layout()
@dataclass(frozen=True, slots=True)
class PowerOff(Message):
    """Switches the console off (section 7.12)."""

    message_type: ClassVar[MessageType] = MessageType.POWER_OFF

    live_id: Annotated[str, Text(MAX_LIVE_ID)]
