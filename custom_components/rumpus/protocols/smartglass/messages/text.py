"""Messages of the text channel (the SmartGlass reference, section 7.17).

What somebody types is private: it is in no repr.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from ...binary import (
    I32,
    U16,
    U32,
    U64,
    Array,
    Enum16,
    Enum32,
    Flags32,
    Structure,
    Tail,
    Text,
    layout,
)
from ..enums import MessageType, TextInputScope, TextOption, TextResult
from .base import Message
from .console import MAX_LOCALE

MAX_PROMPT: Final = 8192
"""Bytes of what a text field asks for."""
MAX_TEXT: Final = 32_768
"""Bytes of a text or a piece of it."""
MAX_DELTAS: Final = 256
"""Changes in one message."""


@dataclass(frozen=True, slots=True)
class TextConfiguration(Message):
    """A text field has opened; a `max_text_length` of 0 is none that is known."""

    text_session_id: U64
    text_buffer_version: U32
    text_options: Flags32[TextOption]
    input_scope: Enum32[TextInputScope]
    max_text_length: U32
    locale: Annotated[str, Text(MAX_LOCALE)]
    prompt: Annotated[str, Text(MAX_PROMPT)]


@layout()
@dataclass(frozen=True, slots=True)
class SystemTextConfiguration(TextConfiguration):
    """A text field of the system."""

    message_type: ClassVar[MessageType] = MessageType.SYSTEM_TEXT_CONFIGURATION


@layout()
@dataclass(frozen=True, slots=True)
class TitleTextConfiguration(TextConfiguration):
    """A text field of a title."""

    message_type: ClassVar[MessageType] = MessageType.TITLE_TEXT_CONFIGURATION


@layout()
@dataclass(frozen=True, slots=True)
class TextDelta(Structure):
    """A change: from an offset on, so much goes and this comes in its place."""

    offset: U32
    delete_count: U32
    insert_content: Annotated[str, Text(MAX_TEXT)] = field(repr=False)


@layout()
@dataclass(frozen=True, slots=True)
class SystemTextInput(Message):
    """The text of a field; lengths and starts are in bytes, a selection of -1 is none."""

    message_type: ClassVar[MessageType] = MessageType.SYSTEM_TEXT_INPUT

    text_session_id: U32
    base_version: U32
    submitted_version: U32
    total_text_byte_len: U32
    selection_start: I32
    selection_length: I32
    flags: U16
    text_chunk_byte_start: U32
    text_chunk: Annotated[str, Text(MAX_TEXT)] = field(repr=False)
    delta: Annotated[tuple[TextDelta, ...] | None, Tail(), Array(MAX_DELTAS)] = None


@layout()
@dataclass(frozen=True, slots=True)
class SystemTextAck(Message):
    """Which version of the text arrived."""

    message_type: ClassVar[MessageType] = MessageType.SYSTEM_TEXT_ACK

    text_session_id: U32
    text_version_ack: U32


@layout()
@dataclass(frozen=True, slots=True)
class SystemTextDone(Message):
    """A text field has closed, or is to close."""

    message_type: ClassVar[MessageType] = MessageType.SYSTEM_TEXT_DONE

    text_session_id: U32
    text_version: U32
    flags: U32
    result: Enum32[TextResult]


@layout()
@dataclass(frozen=True, slots=True)
class TitleTextInput(Message):
    """The text of a title's field."""

    message_type: ClassVar[MessageType] = MessageType.TITLE_TEXT_INPUT

    text_session_id: U64
    text_buffer_version: U32
    result: Enum16[TextResult]
    text: Annotated[str, Text(MAX_TEXT)] = field(repr=False)


@layout()
@dataclass(frozen=True, slots=True)
class TitleTextSelection(Message):
    """What is selected in a title's field."""

    message_type: ClassVar[MessageType] = MessageType.TITLE_TEXT_SELECTION

    text_session_id: U64
    text_buffer_version: U32
    start: U32
    length: U32
