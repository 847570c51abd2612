"""What all messages have in common (the SmartGlass reference, sections 6 and 7)."""

from dataclasses import dataclass, field
from typing import Annotated, Final, override

from ...binary import U32, Blob, Structure, layout
from ...errors import MessageTooLargeError
from ..enums import MessageType

MAX_PAYLOAD: Final = 0xFFFF
"""Bytes of an unknown payload: more cannot be announced in a header."""
MAX_FRAGMENT_DATA: Final = 4096
"""Bytes of one piece of a message; senders stop at 1024."""


class Message(Structure):
    """What is sent on a channel of a session."""

    __slots__ = ()

    @property
    def message_type(self) -> MessageType | int:
        """What goes into the header."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class UnknownMessage(Message):
    """A message whose layout nobody knows: it is acked, and kept as it came.

    It is made by decode_message, since its type is in the header alone.
    """

    # field() hides the property above, which dataclass would take for a default.
    message_type: MessageType | int = field()
    data: bytes = field(repr=False)

    @override
    def encode(self) -> bytes:
        """Return the data. Raises MessageTooLargeError beyond MAX_PAYLOAD."""
        if len(self.data) > MAX_PAYLOAD:
            raise MessageTooLargeError(f"Payload of more than {MAX_PAYLOAD} bytes")
        return self.data


@layout()
@dataclass(frozen=True, slots=True)
class MessageFragment(Structure):
    """A piece of a message that is too long for one datagram (section 6.6).

    Its header says is_fragment and the type of the whole message. The sequence numbers are
    that of the first piece and the one after the last piece's.
    """

    sequence_begin: U32
    sequence_end: U32
    data: Annotated[bytes, Blob(MAX_FRAGMENT_DATA)] = field(repr=False)
