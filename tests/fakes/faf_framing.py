"""Both wire formats of the lobby, and what carries messages (sections 3 and 4)."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Iterator
import contextlib
import struct
from typing import Final, Literal, override

from tests.fakes.faf_json import JsonObject, JsonValue, dumps, loads

type Transport = Literal["websocket", "json", "qdatastream"]

MAX_LINE: Final = 10 * 1024 * 1024
MAX_BLOCK: Final = 16 * 1024 * 1024
_LENGTH: Final = struct.Struct("!I")


class GoneError(Exception):
    """The other side has ended the connection."""


class MalformedError(Exception):
    """What came is no message: the connection is dropped without a word."""


def encode_line(message: JsonValue) -> bytes:
    """Return a line of JSON."""
    return dumps(message).encode("ascii") + b"\n"


def decode_line(line: bytes) -> JsonValue:
    """Return what a line says. Raises MalformedError."""
    try:
        return loads(line.strip().removeprefix(b"\xef\xbb\xbf").decode())
    except ValueError as error:
        raise MalformedError("no JSON") from error


def pack_qstring(text: str) -> bytes:
    """Return a string with its length in bytes."""
    data = text.encode("utf-16-be")
    return _LENGTH.pack(len(data)) + data


def pack_block(*texts: str) -> bytes:
    """Return a frame with strings."""
    block = b"".join(map(pack_qstring, texts))
    return _LENGTH.pack(len(block)) + block


def read_qstring(block: bytes, at: int) -> tuple[int, str]:
    """Return where the string that begins at `at` ends, and itself.

    Raises ValueError.
    """
    if len(block) - at < 4:
        raise ValueError("no length")
    end = at + 4 + _LENGTH.unpack_from(block, at)[0]
    if end > len(block):
        raise ValueError("longer than the block")
    return end, block[at + 4 : end].decode("utf-16-be")


def _qstrings(block: bytes) -> Iterator[str]:
    """Yield the strings of a block up to one that is malformed, or a short tail."""
    at = 0
    with contextlib.suppress(ValueError):
        while len(block) - at > 4:
            at, text = read_qstring(block, at)
            yield text


def encode_block(message: JsonValue) -> bytes:
    """Return the frame of a message."""
    command = message.get("command") if isinstance(message, dict) else None
    if command in ("ping", "pong"):
        return pack_block(command.upper())
    return pack_block(dumps(message))


def decode_block(block: bytes) -> JsonValue:
    """Return what a block, without its length, says. Raises MalformedError."""
    try:
        _, action = read_qstring(block, 0)
        if action in ("PING", "PONG"):
            return {"command": action.lower()}
        message = loads(action)
    except ValueError as error:
        raise MalformedError("no block with JSON") from error
    for part in _qstrings(block):
        if part != action:
            _merge(message, part)
    return message


def _merge(message: JsonValue, part: str) -> None:
    """Add a further part of a block to a message."""
    if not isinstance(message, dict):
        raise MalformedError("parts after no object")
    try:
        more = loads(part)
        if isinstance(more, dict):
            message.update(more)
            return
        if not isinstance(more, list):
            raise TypeError("not to be merged")  # noqa: TRY301
        pairs: JsonObject = {}
        for pair in more:
            if not isinstance(pair, list):
                raise TypeError("no pair")  # noqa: TRY301
            name, value = pair
            pairs[str(name)] = value
        message.update(pairs)
    except ValueError, TypeError:
        legacy = message.setdefault("legacy", [])
        if isinstance(legacy, list):
            legacy.append(part)


class Link(ABC):
    """One connection of a client."""

    transport: Transport

    @abstractmethod
    async def receive(self) -> JsonValue:
        """Return the next message. Raises GoneError or MalformedError."""

    @abstractmethod
    def encode(self, message: JsonValue) -> bytes:
        """Return the bytes of a message."""

    @abstractmethod
    def write_raw(self, data: bytes) -> None:
        """Send bytes some time; a WebSocket sends them as one frame."""

    def write(self, message: JsonValue) -> None:
        """Send a message some time."""
        self.write_raw(self.encode(message))

    def write_pieces(self, data: bytes, size: int) -> None:
        """Send bytes in pieces of a size."""
        for at in range(0, len(data), size):
            self.write_raw(data[at : at + size])

    @abstractmethod
    async def drain(self) -> None:
        """Wait until everything is sent, or cannot be."""

    @abstractmethod
    def close(self) -> None:
        """End the connection after what is to be sent."""

    @abstractmethod
    def abort(self) -> None:
        """End the connection now."""

    @abstractmethod
    def pause(self) -> None:
        """Read nothing from the socket any more."""

    @abstractmethod
    def resume(self) -> None:
        """Read again."""


class TcpLink(Link):
    """A connection without WebSocket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        assert isinstance(writer.transport, asyncio.Transport)
        self._tcp = writer.transport
        self._tcp.set_write_buffer_limits(high=0)

    @override
    def write_raw(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    @override
    async def drain(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    @override
    def close(self) -> None:
        self._writer.close()

    @override
    def abort(self) -> None:
        self._tcp.abort()

    @override
    def pause(self) -> None:
        self._tcp.pause_reading()

    @override
    def resume(self) -> None:
        self._tcp.resume_reading()


class JsonLink(TcpLink):
    """Lines of JSON."""

    transport: Transport = "json"

    @override
    def encode(self, message: JsonValue) -> bytes:
        return encode_line(message)

    @override
    async def receive(self) -> JsonValue:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                raise GoneError("end of stream") from error
            line = error.partial
        except asyncio.LimitOverrunError as error:
            raise MalformedError("a line without an end") from error
        except OSError as error:
            raise GoneError("connection lost") from error
        return decode_line(line)


class QdsLink(TcpLink):
    """Blocks of strings."""

    transport: Transport = "qdatastream"

    @override
    def encode(self, message: JsonValue) -> bytes:
        return encode_block(message)

    @override
    async def receive(self) -> JsonValue:
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(4))
            if length > MAX_BLOCK:
                raise MalformedError("too large a block")
            return decode_block(await self._reader.readexactly(length))
        except asyncio.IncompleteReadError as error:
            raise GoneError("end of stream") from error
        except OSError as error:
            raise GoneError("connection lost") from error
