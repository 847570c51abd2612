"""The frames of a data channel (the Apple TV reference, part A, section 6.5)."""

from dataclasses import dataclass, field
from enum import StrEnum
import struct
from typing import Final

from .. import plists, varint
from ..errors import MessageTooLargeError, ProtocolError

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one frame: pictures come this way, too."""
MAX_MESSAGES: Final = 4096
"""Messages in one frame."""

_LARGE: Final = 64 * 1024
"""Bytes of a frame from which on each copy of it would be felt."""

_HEADER: Final = struct.Struct(">I12s4sQ4x")
# The beginning of the list that carries messages (see below), where its objects are, and
# what tells that the last of them is data, and how long.
_START: Final = b"bplist00\xd1\x01\x02Vparams\xd1\x03\x04Tdata"
_PLACES: Final = (8, 11, 18, 21, len(_START))
_TABLES: Final = {
    width: b"".join([place.to_bytes(width) for place in _PLACES]) for width in (1, 2, 4)
}
_TRAILER: Final = struct.Struct(">6xBBQQQ")
_MIN_LIST: Final = len(_START) + 1 + len(_PLACES) + _TRAILER.size
_DATA: Final = 0x40
_LONG: Final = 0x0F
_LENGTH: Final = 0x10
_UNPREFIXED: Final = 0x08
"""What a message starts with, in place of its length, when it is alone and has none."""


class FrameKind(StrEnum):
    """What a frame is for; the device may send others."""

    SYNC = "sync"
    REPLY = "rply"


@dataclass(frozen=True, slots=True)
class DataFrame:
    """One frame. The command is `comm` from us, `cmnd` from the device, or empty."""

    kind: str
    command: str
    sequence: int
    payload: bytes | memoryview = field(default=b"", repr=False)


def encode_frame(frame: DataFrame) -> bytes:
    """Return a frame as bytes. Raises MessageTooLargeError."""
    size = _HEADER.size + len(frame.payload)
    if size > MAX_FRAME:
        raise MessageTooLargeError(f"A frame of more than {MAX_FRAME} bytes")
    head = _HEADER.pack(
        size, frame.kind.encode("ascii"), frame.command.encode("ascii"), frame.sequence
    )
    return head + frame.payload


class FrameParser:
    """Cuts what came into frames."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()
        self.completed = 0
        """Frames that were complete."""

    @property
    def has_part(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[DataFrame]:
        """Take bytes as they come, and return the frames that they complete.

        Raises ProtocolError, MessageTooLargeError; the connection must be closed then.
        """
        self._buffer += data
        frames: list[DataFrame] = []
        offset = 0
        while len(self._buffer) - offset >= _HEADER.size:
            size, kind, command, sequence = _HEADER.unpack_from(self._buffer, offset)
            if size < _HEADER.size:
                raise ProtocolError("A frame that is shorter than its header")
            if size > MAX_FRAME:
                raise MessageTooLargeError(f"A frame of more than {MAX_FRAME} bytes")
            if offset + size > len(self._buffer):
                break
            # What is given away keeps the whole buffer alive, and the rest is copied.
            if size < max(_LARGE, len(self._buffer) // 2):
                payload = self._copy(offset + _HEADER.size, offset + size)
                offset += size
            else:
                payload = self._release(offset + _HEADER.size, offset + size)
                offset = 0
            frames.append(DataFrame(_text(kind), _text(command), sequence, payload))
        del self._buffer[:offset]
        self.completed += len(frames)
        return frames

    def _copy(self, start: int, end: int) -> bytes | memoryview:
        return bytes(self._buffer[start:end])

    def _release(self, start: int, end: int) -> bytes | memoryview:
        """Give a part of the buffer away as it is, and go on with what is behind it.

        Copying the longest frame once takes as long as everything else about it.
        """
        whole = memoryview(self._buffer).toreadonly()
        self._buffer = bytearray(whole[end:])
        return whole[start:end]


def _text(word: bytes) -> str:
    return word.rstrip(b"\0").decode("latin-1")


def encode_message(message: bytes) -> bytes:
    """Return the payload that carries one message."""
    data = varint.encode(len(message)) + message
    return _wrap(data)


def decode_messages(payload: bytes | memoryview) -> tuple[bytes, ...]:
    """Return the messages that a payload carries; none when it is something else.

    Raises ProtocolError, MessageTooLargeError.
    """
    if not payload:
        return ()
    if (data := _unwrap(payload)) is None:
        # Not copied before it is known to look like one.
        if len(payload) > plists.MAX_XML and not plists.is_binary(payload):
            raise ProtocolError("A long frame without a binary property list")
        body = plists.loads_dict(bytes(payload), max_size=MAX_FRAME)
        data = plists.get_bytes(plists.get_dict(body, "params") or {}, "data")
    return split_messages(data or b"")


# Nearly all payloads are the same property list, {"params": {"data": ...}}. That one is
# put together here, and taken apart when it is written as it is by everybody.


def _wrap(data: bytes) -> bytes:
    """Return the property list around data."""
    size = len(data)
    if size < _LONG:
        start = _START + bytes((_DATA | size,))
    else:
        width = 1 if size < 1 << 8 else 2 if size < 1 << 16 else 4
        start = _START + bytes((_DATA | _LONG, _LENGTH | width >> 1))
        start += size.to_bytes(width)
    return b"".join((start, data, _tail(len(start) + size)))


def _unwrap(payload: bytes | memoryview) -> bytes | memoryview | None:
    """Return the data of such a list; None for any other, which may still have some."""
    if len(payload) < _MIN_LIST or payload[: len(_START)] != _START:
        return None
    begin = len(_START) + 1
    size = payload[begin - 1] ^ _DATA
    if size == _LONG:
        width = 1 << (payload[begin] ^ _LENGTH)
        if width > 4:
            return None
        begin += 1 + width
        size = int.from_bytes(payload[begin - width : begin])
    elif size > _LONG:
        return None
    end = begin + size
    return payload[begin:end] if payload[end:] == _tail(end) else None


def _tail(table: int) -> bytes:
    """Return where the objects are, in a table at that place, and what closes a list."""
    width = 1 if table < 1 << 8 else 2 if table < 1 << 16 else 4
    trailer = _TRAILER.pack(width, 1, len(_PLACES), 0, table)
    return _TABLES[width] + trailer


def split_messages(data: bytes | memoryview) -> tuple[bytes, ...]:
    """Return messages that follow each other, each behind its length.

    One that starts with its first field is alone and has no length: no message is as
    short as that length would say. Raises ProtocolError, MessageTooLargeError.
    """
    messages: list[bytes] = []
    offset = 0
    while offset < len(data):
        if len(messages) >= MAX_MESSAGES:
            raise MessageTooLargeError(f"More than {MAX_MESSAGES} messages in a frame")
        start, end = offset, len(data)
        if data[offset] != _UNPREFIXED:
            if (length := varint.decode(data, offset)) is None:
                raise ProtocolError("The length of a message is cut off")
            start = length[1]
            end = start + length[0]
        if end > len(data):
            raise ProtocolError("A message is cut off")
        messages.append(bytes(data[start:end]))
        offset = end
    return tuple(message for message in messages if message)
