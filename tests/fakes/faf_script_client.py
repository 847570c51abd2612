"""A client of the lobby without sense of its own, for tests of the fake.

It speaks over plain sockets, and WebSockets with aiohttp, and does what it is told.
"""

from abc import ABC, abstractmethod
import asyncio
import contextlib
import struct
from types import TracebackType
from typing import TYPE_CHECKING, Self, override

import aiohttp

from tests.fakes.faf_framing import decode_block, encode_block, encode_line
from tests.fakes.faf_json import JsonObject, JsonValue, loads
from tests.fakes.faf_models import password_hash

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby

TIMEOUT = 5.0


class ScriptClient(ABC):
    """One connection. What is read ends with EOFError."""

    def __init__(self, lobby: FakeLobby) -> None:
        self._lobby = lobby
        self.received: list[JsonObject] = []

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    @abstractmethod
    async def send(self, message: JsonValue) -> None:
        """Send a message."""

    @abstractmethod
    async def raw(self, data: bytes) -> None:
        """Send bytes."""

    @abstractmethod
    async def _read(self) -> JsonValue:
        """Return the next message. Raises EOFError."""

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self.close()

    async def read(self) -> JsonObject:
        """Return the next message. Raises EOFError or TimeoutError."""
        async with asyncio.timeout(TIMEOUT):
            message = await self._read()
        assert isinstance(message, dict)
        self.received.append(message)
        return message

    async def expect(self, command: str, **fits: JsonValue) -> JsonObject:
        """Return the next message that fits, skipping others."""
        while True:
            message = await self.read()
            if message.get("command") == command and all(
                message.get(name) == value for name, value in fits.items()
            ):
                return message

    async def read_to_end(self) -> list[JsonObject]:
        """Return what comes before the connection ends."""
        messages = []
        with contextlib.suppress(EOFError):
            while True:
                messages.append(await self.read())
        return messages

    async def settle(self) -> list[JsonObject]:
        """Return what came before the answer to a ping."""
        await self.send({"command": "ping"})
        messages = []
        while (message := await self.read())["command"] != "pong":
            messages.append(message)
        return messages

    async def session(self, user_agent: str = "script") -> int:
        """Ask for a session."""
        await self.send(
            {"command": "ask_session", "user_agent": user_agent, "version": "1"}
        )
        number = (await self.expect("session"))["session"]
        assert isinstance(number, int)
        return number

    async def auth(self, token: str, unique_id: str = "machine") -> None:
        """Send a token."""
        await self.send({"command": "auth", "token": token, "unique_id": unique_id})

    async def hello(self, login: str, password: str = "secret") -> None:
        """Send a password."""
        await self.send(
            {
                "command": "hello",
                "login": login,
                "password": password_hash(password),
                "unique_id": "machine",
            }
        )

    async def to_game(self, command: str, *arguments: JsonValue) -> None:
        """Send what a game says."""
        await self.send({"command": command, "target": "game", "args": list(arguments)})

    async def sign_in(self, login: str) -> JsonObject:
        """Go through a login to its end; returns the welcome."""
        await self.session()
        await self.auth(self._lobby.token_for(login))
        welcome = await self.expect("welcome")
        await self.expect("game_info")
        return welcome


class JsonClient(ScriptClient):
    """Lines of JSON."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @override
    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            self._lobby.address, self._lobby.json_port, limit=32 * 1024 * 1024
        )

    @override
    async def close(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    @override
    async def send(self, message: JsonValue) -> None:
        await self.raw(encode_line(message))

    @override
    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def pause(self) -> None:
        """Read nothing more."""
        assert isinstance(self._writer.transport, asyncio.Transport)
        self._writer.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        assert isinstance(self._writer.transport, asyncio.Transport)
        self._writer.transport.resume_reading()

    def end(self) -> None:
        """Send nothing more."""
        self._writer.write_eof()

    async def read_bytes(self) -> bytes:
        """Return everything up to the end, as it came."""
        async with asyncio.timeout(TIMEOUT):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    @override
    async def _read(self) -> JsonValue:
        try:
            line = await self._reader.readline()
        except OSError as error:
            raise EOFError from error
        if not line.endswith(b"\n"):
            raise EOFError
        return loads(line)


class QdsClient(JsonClient):
    """Blocks of strings."""

    @override
    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            self._lobby.address, self._lobby.qds_port
        )

    @override
    async def send(self, message: JsonValue) -> None:
        await self.raw(encode_block(message))

    @override
    async def _read(self) -> JsonValue:
        try:
            (length,) = struct.unpack("!I", await self._reader.readexactly(4))
            return decode_block(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise EOFError from error


class WebSocketClient(ScriptClient):
    """A WebSocket, of each kind that the server may be."""

    def __init__(self, lobby: FakeLobby, url: str | None = None) -> None:
        super().__init__(lobby)
        self._url = url
        self.frames: list[aiohttp.WSMessage] = []
        self._buffer = b""

    @override
    async def open(self) -> None:
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(
                self._url or self._lobby.url, max_msg_size=32 * 1024 * 1024
            )
        except BaseException:
            await self._session.close()
            raise

    @override
    async def close(self) -> None:
        await self._socket.close()
        await self._session.close()

    @override
    async def send(self, message: JsonValue) -> None:
        await self._socket.send_str(encode_line(message).decode())

    @override
    async def raw(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    @override
    async def _read(self) -> JsonValue:
        while b"\n" not in self._buffer:
            frame = await self._socket.receive()
            self.frames.append(frame)
            if frame.type is aiohttp.WSMsgType.TEXT:
                data = frame.data.encode()
                self._buffer += data if data.endswith(b"\n") else data + b"\n"
            elif frame.type is aiohttp.WSMsgType.BINARY:
                self._buffer += frame.data
            else:
                raise EOFError
        line, _, self._buffer = self._buffer.partition(b"\n")
        return loads(line)


def objects(value: JsonValue) -> list[JsonObject]:
    """Return a list of objects."""
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, dict)]


CLIENTS: dict[str, type[ScriptClient]] = {
    "json": JsonClient,
    "qdatastream": QdsClient,
    "websocket": WebSocketClient,
}
