"""Strings as Qt writes them, in blocks: what lobbies speak on port 8001."""

import asyncio
from collections.abc import Iterator
import struct
from typing import Final, override

from ..errors import DisconnectedError, ProtocolError
from ..json_lines import JsonObject, JsonValue
from ..stream import MAX_WRITE_BUFFER
from .protocol import IncompleteMessageError, Protocol
from .text import MalformedMessageError, decode_text, encode_ascii

#: Bytes of one block, without its length.
MAX_BLOCK: Final = 16 * 1024 * 1024
#: Strings in a block behind the first, and bytes that they may have. Old clients appended
#: two short ones.
MAX_PARTS: Final = 64
MAX_PARTS_SIZE: Final = 64 * 1024

_SIZE: Final = struct.Struct(">I")
_SIZES: Final = struct.Struct(">II")
_CODEC: Final = "utf-16-be"
_MAX_SIZE: Final = 2**31 - 1
_LARGE: Final = 64 * 1024


class UnpackableError(ProtocolError, NotImplementedError):
    """Something other than text was to be packed."""


class QDataStreamProtocol(Protocol):
    """Messages as blocks of strings in UTF-16 (the FAF reference, section 4)."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        max_block: int = MAX_BLOCK,
        max_write_buffer: int = MAX_WRITE_BUFFER,
    ) -> None:
        """Take over a connection; both limits are in bytes."""
        super().__init__(
            reader,
            writer,
            max_message=max_block + _SIZE.size,
            max_write_buffer=max_write_buffer,
        )

    # The pieces that blocks are made of.

    @staticmethod
    def pack_qstring(message: str) -> bytes:
        """Return a text as Qt writes it: its length in bytes, then UTF-16.

        Raises MalformedMessageError for lone surrogates.
        """
        try:
            encoded = message.encode(_CODEC)
        except UnicodeEncodeError:
            encoded = None
        if encoded is None or len(encoded) > _MAX_SIZE:
            raise MalformedMessageError("Text that UTF-16 cannot carry")
        return _SIZE.pack(len(encoded)) + encoded

    @staticmethod
    def read_qstring(buffer: bytes, pos: int = 0) -> tuple[int, str]:
        """Return the position behind the text that starts at one, and the text.

        Raises MalformedMessageError when there is none, or a part of one.
        """
        start = pos + _SIZE.size
        if pos < 0 or len(buffer) < start:
            raise MalformedMessageError("No string where one should be")
        (size,) = _SIZE.unpack_from(buffer, pos)
        if len(buffer) - start < size:
            raise MalformedMessageError(
                f"String of {size} bytes where {len(buffer) - start} are left"
            )
        # Slices of the other are no copies.
        source = buffer if size < _LARGE else memoryview(buffer)
        try:
            return start + size, str(source[start : start + size], _CODEC)
        except UnicodeDecodeError:
            pass
        raise MalformedMessageError("String that is not UTF-16")

    @staticmethod
    def pack_block(block: bytes) -> bytes:
        """Return a block behind its length."""
        return _SIZE.pack(len(block)) + block

    @staticmethod
    def read_block(data: bytes) -> Iterator[str]:
        """Yield the texts of a block one by one; a tail of up to four bytes is none.

        Raises MalformedMessageError at the first that is none.
        """
        pos = 0
        while len(data) - pos > _SIZE.size:
            pos, text = QDataStreamProtocol.read_qstring(data, pos)
            yield text

    @staticmethod
    def pack_message(*args: str) -> bytes:
        """Return texts as one block behind its length.

        Raises UnpackableError for anything else than text.
        """
        for arg in args:
            if not isinstance(arg, str):
                raise UnpackableError("Only strings can be packed")
        return QDataStreamProtocol.pack_block(
            b"".join([QDataStreamProtocol.pack_qstring(arg) for arg in args])
        )

    # Messages.

    @staticmethod
    @override
    def encode_message(message: JsonValue) -> bytes:
        """Return a message as a block behind its length.

        Of "ping" and "pong" nothing but the command is sent. Raises ProtocolError for what
        JSON cannot carry.
        """
        if isinstance(message, dict):
            command = message.get("command")
            if command == "ping":
                return _PING
            if command == "pong":
                return _PONG
        encoded = encode_ascii(message).decode("ascii").encode(_CODEC)
        return _SIZES.pack(len(encoded) + _SIZE.size, len(encoded)) + encoded

    @staticmethod
    @override
    def decode_message(data: bytes) -> JsonValue:
        """Return what a block without its length holds.

        The first string is the message. Others with members change it; all else is
        kept as text in its member "legacy". Raises MalformedMessageError.
        """
        end, action = QDataStreamProtocol.read_qstring(data)
        if action in _COMMANDS:
            return {"command": _COMMANDS[action]}
        message = decode_text(action)
        if len(data) - end > _SIZE.size:
            _merge_parts(message, data[end:], action)
        return message

    @override
    async def _read_body(self) -> bytes:
        size = _SIZE.size
        try:
            # Both at once in the buffer, so that cancelling loses nothing.
            (length,) = _SIZE.unpack(await self._peek(size))
            size += length
            if size > self.max_message:
                await self._peek(size)  # which says so
            while len(self._buffer) < size:
                await self._fill()
        except DisconnectedError as err:
            partial = bytes(self._buffer)
            # A length and nothing behind it counts as the end of the last message.
            if self._closed or not partial or (size > 4 and len(partial) == 4):
                raise
            if size > _SIZE.size:
                partial, size = partial[_SIZE.size :], size - _SIZE.size
            raise IncompleteMessageError(partial, size) from err
        with memoryview(self._buffer) as view:
            block = bytes(view[_SIZE.size : size])
        del self._buffer[:size]
        return block


def _merge_parts(message: JsonValue, block: bytes, action: str) -> None:
    """Add to a message what the strings behind it say, up to the first that is none."""
    if len(block) > MAX_PARTS_SIZE:
        raise MalformedMessageError(
            f"More than {MAX_PARTS_SIZE} bytes of further parts"
        )
    for count, part in enumerate(_parts(block)):
        if count == MAX_PARTS:
            raise MalformedMessageError(f"More than {MAX_PARTS} further parts")
        if part != action:
            _merge_part(message, part)


def _parts(block: bytes) -> Iterator[str]:
    parts = QDataStreamProtocol.read_block(block)
    while True:
        try:
            part = next(parts, None)
        except MalformedMessageError:
            return
        if part is None:
            return
        yield part


def _merge_part(message: JsonValue, part: str) -> None:
    """Add one of the further strings to a message."""
    if not isinstance(message, dict):
        raise MalformedMessageError("Further parts of what is no object")
    try:
        value = decode_text(part)
    except MalformedMessageError:
        value = None
    if isinstance(value, dict):
        message.update(value)
    elif isinstance(value, list) and (pairs := _pairs(value)) is not None:
        message.update(pairs)
    else:
        legacy = message.setdefault("legacy", [])
        if not isinstance(legacy, list):
            raise MalformedMessageError("Further parts and no place for them")
        legacy.append(part)


def _pairs(items: list[JsonValue]) -> JsonObject | None:
    """Return the members that a list of names with values stands for, or None."""
    pairs: JsonObject = {}
    for item in items:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            return None
        pairs[item[0]] = item[1]
    return pairs


_PING: Final = QDataStreamProtocol.pack_message("PING")
_PONG: Final = QDataStreamProtocol.pack_message("PONG")
_COMMANDS: Final = {"PING": "ping", "PONG": "pong"}
