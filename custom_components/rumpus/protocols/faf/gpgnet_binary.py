"""What a game and its helper say to each other on the player's computer.

The FAF reference, section 9.5: little-endian, lengths in bytes.
"""

import math
import struct
from typing import Final, override

from ..errors import ProtocolError
from ..json_lines import JsonValue
from ..stream import MessageStream
from .gpgnet import MAX_ARGS, MAX_COMMAND, GpgNetMessage
from .text import MalformedMessageError

#: Bytes of one message; statistics of a long game are the longest.
MAX_MESSAGE: Final = 1024 * 1024

__all__ = ["MAX_MESSAGE", "GpgNetMessage", "GpgNetStream", "decode", "encode"]

_INT: Final = struct.Struct("<i")
_TYPE_INT, _TYPE_TEXT = 0, 1
_INTS: Final = range(-(2**31), 2**31)


def encode(message: GpgNetMessage) -> bytes:
    """Return a message as bytes.

    Booleans become 1 or 0, other numbers lose their fraction. Raises ProtocolError for
    numbers of more than 32 bits, for arguments of other types and past the bounds.
    """
    command = _encode_text(message.command)
    if not command or len(command) > MAX_COMMAND or len(message.args) > MAX_ARGS:
        raise ProtocolError("Not a message that games take")
    parts = [_INT.pack(len(command)), command, _INT.pack(len(message.args))]
    parts += [_encode_argument(arg) for arg in message.args]
    data = b"".join(parts)
    if len(data) > MAX_MESSAGE:
        raise ProtocolError(f"Message of more than {MAX_MESSAGE} bytes")
    return data


def decode(data: bytes) -> GpgNetMessage:
    """Return the message that some bytes are; tabs and line feeds are no longer escaped.

    Raises MalformedMessageError, also for bytes that are left.
    """
    reader = _Reader(data)
    command = reader.text(MAX_COMMAND)
    count = reader.count()
    args: list[JsonValue] = []
    for _ in range(count):
        if reader.kind() == _TYPE_INT:
            args.append(reader.number())
        else:
            text = reader.text(MAX_MESSAGE)
            args.append(text.replace("/t", "\t").replace("/n", "\n"))
    if reader.position != len(data):
        raise MalformedMessageError("More bytes than a message")
    return GpgNetMessage(command, tuple(args))


class GpgNetStream(MessageStream[GpgNetMessage]):
    """Messages of a game both ways over TCP: the game's side or that of its helper.

    After bytes that are no message there is no telling where the next one begins, so
    reading on is of no use then.
    """

    @staticmethod
    @override
    def encode_message(message: GpgNetMessage) -> bytes:
        """Return a message as bytes. Raises ProtocolError like encode."""
        return encode(message)

    @staticmethod
    @override
    def decode_message(data: bytes) -> GpgNetMessage:
        """Return the message of some bytes. Raises MalformedMessageError like decode."""
        return decode(data)

    @override
    async def read_message(self) -> GpgNetMessage:
        """Wait for the next message.

        Raises DisconnectedError, MalformedMessageError, MessageTooLargeError.
        """
        # Nothing is taken before the whole message is there: cancelling loses nothing.
        position = await self._length(0, MAX_COMMAND)
        await self._wait_for(position + _INT.size)
        (count,) = _INT.unpack_from(self._buffer, position)
        position += _INT.size
        _require_count(count)
        for _ in range(count):
            await self._wait_for(position + 1)
            if self._buffer[position] == _TYPE_INT:
                position += 1 + _INT.size
            else:
                position = await self._length(position + 1, MAX_MESSAGE)
        return self.decode_message(await self._read_exactly(position))

    async def _length(self, position: int, most: int) -> int:
        """Return where the text ends that begins with its length."""
        start = position + _INT.size
        await self._wait_for(start)
        (size,) = _INT.unpack_from(self._buffer, position)
        _require_size(size, most)
        return start + int(size)

    async def _wait_for(self, size: int) -> None:
        """Wait until so many bytes are there, without a copy of them each time."""
        if len(self._buffer) < size:
            await self._peek(size)


class _Reader:
    """Takes one message apart."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def _take(self, size: int) -> bytes:
        taken = self._data[self.position : self.position + size]
        if len(taken) < size:
            raise MalformedMessageError("Fewer bytes than a message")
        self.position += size
        return taken

    def kind(self) -> int:
        return self._take(1)[0]

    def number(self) -> int:
        (number,) = _INT.unpack(self._take(_INT.size))
        return int(number)

    def count(self) -> int:
        count = self.number()
        _require_count(count)
        return count

    def text(self, most: int) -> str:
        size = self.number()
        _require_size(size, most)
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            pass
        raise MalformedMessageError("Text that is not UTF-8")


def _require_count(count: int) -> None:
    if not 0 <= count <= MAX_ARGS:
        raise MalformedMessageError(
            "More arguments than games have, or fewer than none"
        )


def _require_size(size: int, most: int) -> None:
    if not 0 <= size <= most:
        raise MalformedMessageError("Text longer than games have, or shorter than none")


def _encode_argument(value: JsonValue) -> bytes:
    if isinstance(value, str):
        text = _encode_text(value)
        return bytes((_TYPE_TEXT,)) + _INT.pack(len(text)) + text
    if isinstance(value, (int, float)) and math.isfinite(value):
        number = int(value)
        if number in _INTS:
            return bytes((_TYPE_INT,)) + _INT.pack(number)
    raise ProtocolError("Not an argument that games take")


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise ProtocolError("Text that UTF-8 cannot carry")
