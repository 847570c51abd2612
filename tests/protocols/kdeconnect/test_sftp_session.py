"""A log-in to a phone's files, with servers that are up to no good."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
import struct
from typing import override

import asyncssh
import pytest

from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.kdeconnect import sftp_session as module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.sftp import StorageOffer
from custom_components.rumpus.protocols.kdeconnect.sftp_session import (
    MAX_PACKET,
    MAX_REQUESTS,
    READ_BLOCK,
    SftpSession,
    open_session,
)
from custom_components.rumpus.protocols.kdeconnect.storage import FileUnavailableError

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY = Credentials.generate().private_key_pem
HOST_KEY = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
VERSION = struct.pack(">IBI", 5, 2, 3)

type Answer = Callable[[int, int], bytes | None]
"""Returns what is sent in answer to a request of this type and id."""


def packet(kind: int, request: int, body: bytes) -> bytes:
    """Return an SFTP packet."""
    return struct.pack(">IBI", len(body) + 5, kind, request) + body


def handle(kind: int, request: int) -> bytes:
    """Return a handle of a file or folder."""
    return packet(102, request, struct.pack(">I", 1) + b"h")


class Anybody(asyncssh.SSHServer):
    """Lets everybody in, with whatever key or password."""

    @override
    def public_key_auth_supported(self) -> bool:
        return True

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True


class Nobody(asyncssh.SSHServer):
    """Lets nobody in."""


@asynccontextmanager
async def running(
    login: type[asyncssh.SSHServer] = Anybody,
    session: Callable[[], asyncssh.SSHServerSession[bytes]] | None = None,
) -> AsyncGenerator[StorageOffer]:
    """Run a server on loopback and return its offer."""
    connections: list[asyncssh.SSHServerConnection] = []

    def factory() -> asyncssh.SSHServer:
        server = login()
        # The library tells the server of its connection in this way.
        server.connection_made = connections.append  # type: ignore[assignment,method-assign]
        if session is not None:
            server.session_requested = session  # type: ignore[method-assign]
        return server

    acceptor = await asyncssh.create_server(
        factory, "127.0.0.1", 0, server_host_keys=[HOST_KEY], encoding=None
    )
    try:
        yield offer(acceptor.get_port())
    finally:
        acceptor.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await acceptor.wait_closed()


def offer(port: int) -> StorageOffer:
    """Return an offer of a server on a port."""
    return StorageOffer(port, "kdeconnect", "password", "/", (("All", "/"),))


class Script(asyncssh.SSHServerSession[bytes]):
    """Answers in its own way."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = b""
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None

    @override
    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    @override
    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    @override
    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._buffer += data
        assert self._channel is not None
        while len(self._buffer) >= 4:
            size = 4 + int.from_bytes(self._buffer[:4])
            if len(self._buffer) < size:
                return
            kind, request = struct.unpack_from(">BI", self._buffer, 4)
            self._buffer = self._buffer[size:]
            # The first one is what version the client speaks.
            reply = self._answer(kind, request) or (VERSION if kind == 1 else b"")
            if not self._channel.is_closing():
                self._channel.write(reply)


def scripted(answer: Answer) -> Callable[[], asyncssh.SSHServerSession[bytes]]:
    """Return what makes the sessions of a server that answers in its own way."""
    return lambda: Script(answer)


@asynccontextmanager
async def entered(wanted: StorageOffer) -> AsyncGenerator[SftpSession]:
    """Log in, and out."""
    session = await open_session("127.0.0.1", wanted, KEY, give_password=False)
    try:
        yield session
    finally:
        await session.close()
        assert session.is_closed


async def log_in(port: int) -> None:
    """Log in, which is expected to fail."""
    await open_session("127.0.0.1", offer(port), KEY, give_password=False)


async def test_packets_that_are_too_large() -> None:
    """MAX_PACKET bounds what is read, from the first answer on."""
    huge = struct.pack(">I", MAX_PACKET + 1)
    async with running(session=scripted(lambda kind, request: huge)) as wanted:
        with pytest.raises(ProtocolError):
            await log_in(wanted.port)

    def later(kind: int, request: int) -> bytes | None:
        return None if kind == 1 else huge

    async with running(session=scripted(later)) as wanted, entered(wanted) as session:
        with pytest.raises(ProtocolError):
            await session.stat(b"/")


async def test_a_packet_of_the_largest_size() -> None:
    def answer(kind: int, request: int) -> bytes | None:
        name = b"a" * (MAX_PACKET - 4 - 5 - 12)
        names = struct.pack(">II", 1, len(name)) + name + struct.pack(">II", 0, 0)
        return None if kind == 1 else packet(104, request, names)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        assert len(await session.real_path(b"/") or b"") == MAX_PACKET - 21


async def test_more_than_was_asked_for() -> None:
    def answer(kind: int, request: int) -> bytes | None:
        if kind == 5:
            data = bytes(100)
            return packet(103, request, struct.pack(">I", len(data)) + data)
        return None if kind == 1 else handle(kind, request)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        file = await session.open(b"/a")
        with pytest.raises(MessageTooLargeError):
            await file.read(10, 0)
        assert await file.read(100, 0) == bytes(100)
        with pytest.raises(MessageTooLargeError):
            await file.read(module.READ_BLOCK * 2, module.READ_BLOCK * 2**30) and (
                await file.read(99, 0)
            )
        # The answer to this is not one: that is nobody's concern.
        await file.close()


class ReadRequests(Script):
    """Opens files, and only takes note of how many bytes are asked for."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__(self._open)
        self._sizes = sizes

    @staticmethod
    def _open(kind: int, request: int) -> bytes | None:
        return handle(kind, request) if kind == 3 else None

    @override
    def data_received(self, data: bytes, datatype: int | None) -> None:
        assert len(data) == 4 + int.from_bytes(data[:4])  # one request
        if data[4] == 5:
            self._sizes.append(int.from_bytes(data[-4:]))
        super().data_received(data, datatype)


async def test_reading_ahead() -> None:
    """MAX_REQUESTS of READ_BLOCK bytes are under way at once, however much is wanted."""
    sizes: list[int] = []
    async with running(session=lambda: ReadRequests(sizes)) as wanted:
        async with entered(wanted) as session:
            file = await session.open(b"/a")
            reading = asyncio.create_task(file.read(READ_BLOCK * 100, 0))
            async with asyncio.timeout(5):
                while len(sizes) < MAX_REQUESTS:
                    await session.open(b"/b")
            # What is asked later is answered later: there are no more of them.
            await session.open(b"/b")
            assert sizes == [READ_BLOCK] * MAX_REQUESTS
        with pytest.raises(DisconnectedError):
            await reading


@pytest.mark.parametrize(
    "body",
    [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1\0\0\0\1x"],
)
@pytest.mark.parametrize("kind", [101, 102, 103, 104, 105, 201, 255])
async def test_answers_that_cannot_be_read(kind: int, body: bytes) -> None:
    def answer(request_kind: int, request: int) -> bytes | None:
        return None if request_kind == 1 else packet(kind, request, body)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        with pytest.raises((ProtocolError, FileUnavailableError)):
            await session.real_path(b"/")
            await session.stat(b"/")


async def test_answers_to_what_nobody_asked() -> None:
    def answer(kind: int, request: int) -> bytes | None:
        return None if kind == 1 else handle(kind, request + 77)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        with pytest.raises(ProtocolError):
            await session.stat(b"/")


async def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """ANSWER_TIMEOUT bounds an answer; then the session is over."""
    monkeypatch.setattr(module, "ANSWER_TIMEOUT", 0.05)
    async with running(session=scripted(lambda *_: None)) as wanted:
        session = await open_session("127.0.0.1", wanted, KEY, give_password=False)
        with pytest.raises(PeerTimeoutError):
            await session.real_path(b"/")
        assert session.is_closed
        with pytest.raises(DisconnectedError):
            await session.stat(b"/")
        await session.close()


async def test_a_folder_without_end() -> None:
    """So many entries are read, in so much time."""

    def answer(kind: int, request: int) -> bytes | None:
        if kind == 12:
            entry = b"\0\0\0\1a\0\0\0\0\0\0\0\0"
            return packet(104, request, struct.pack(">I", 50) + entry * 50)
        return None if kind == 1 else handle(kind, request)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        entries = await session.scan(b"/", 120, 10)
        assert len(entries) == 120
        assert entries[0].is_file  # nothing is known of it
        assert not entries[0].is_folder
        assert entries[0].size is None
        with pytest.raises(PeerTimeoutError):
            await session.scan(b"/", 10**9, 0.2)


async def test_a_server_without_real_paths() -> None:
    def answer(kind: int, request: int) -> bytes | None:
        unsupported = struct.pack(">III", 8, 0, 0)
        return None if kind == 1 else packet(101, request, unsupported)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        assert await session.real_path(b"/") is None


async def test_no_files() -> None:
    """An SSH server without SFTP."""
    async with running() as wanted:
        with pytest.raises(ProtocolError):
            await log_in(wanted.port)


async def test_nobody_is_let_in() -> None:
    async with running(Nobody) as wanted:
        for give_password in (False, True):
            with pytest.raises(AuthenticationError):
                await open_session(
                    "127.0.0.1", wanted, KEY, give_password=give_password
                )


@asynccontextmanager
async def other_server(greeting: bytes, *, ends: bool) -> AsyncGenerator[int]:
    """Run a server that does not speak SSH."""
    gone = asyncio.Event()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(greeting)
        if not ends:
            await gone.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        gone.set()


@pytest.mark.parametrize(
    "greeting", [b"", b"HTTP/1.1 400\r\n\r\n", b"SSH-1.0-x\r\n", b"x" * 10_000]
)
async def test_another_server(greeting: bytes) -> None:
    async with other_server(greeting, ends=True) as port:
        with pytest.raises((ProtocolError, DisconnectedError)):
            await log_in(port)


async def test_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOGIN_TIMEOUT bounds the log-in."""
    monkeypatch.setattr(module, "LOGIN_TIMEOUT", 0.05)
    async with other_server(b"", ends=False) as port:
        with pytest.raises(PeerTimeoutError):
            await log_in(port)


async def test_no_server() -> None:
    async with other_server(b"", ends=True) as port:
        pass
    with pytest.raises(DisconnectedError):
        await log_in(port)


async def test_a_good_bye_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """CLOSE_TIMEOUT bounds that of a session."""
    async with running(session=scripted(lambda *_: None)) as wanted:
        session = await open_session("127.0.0.1", wanted, KEY, give_password=False)
        monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0)
        await session.close()
        assert session.is_closed


async def test_a_file_that_takes_too_long_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CLOSE_TIMEOUT bounds that of a file; the session is as good as before."""
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.02)

    def answer(kind: int, request: int) -> bytes | None:
        return None if kind in (1, 4) else handle(kind, request)

    async with running(session=scripted(answer)) as wanted, entered(wanted) as session:
        file = await session.open(b"/a")
        async with asyncio.timeout(5):
            await file.close()
        assert await session.open(b"/a")
