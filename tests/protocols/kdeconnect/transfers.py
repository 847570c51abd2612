"""What the tests of bulk data share: two ends of ours, and receivers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
import functools
from pathlib import Path
import select
import socket
import threading
from typing import Self

from OpenSSL import SSL
import pytest

from .support import (
    LOOPBACK,
    PATIENCE,
    fake_credentials,
    open_sockets,
    our_credentials,
    turns,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.packet import Payload
from custom_components.rumpus.protocols.kdeconnect.payload import PayloadPeer, Payloads
from custom_components.rumpus.protocols.kdeconnect.payload_files import ReceivedFile
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts
from tests.fakes.kdeconnect_tls import (
    FakeCredentials,
    FakeTlsError,
    TlsChannel,
    tls_context,
)

# More than one piece, in TLS and in TCP.
DATA = bytes(range(256)) * 1000
# More than the buffers of TCP take on loopback.
LARGE = 32 * 1024 * 1024
SHARE = "kdeconnect.share.request"


@functools.cache
def other_credentials() -> Credentials:
    """Return those of a second end of ours."""
    return Credentials.generate()


class Ends:
    """Two ends of ours without a link: one announces, the other fetches."""

    def __init__(self, receiver: bytes | None = None) -> None:
        self.sender = Payloads(TlsContexts(our_credentials()), LOOPBACK)
        self.receiver = Payloads(TlsContexts(other_credentials()), LOOPBACK)
        #: Whom the receiver fetches from, and whom the sender serves.
        self.from_peer = PayloadPeer(LOOPBACK, our_credentials().certificate)
        self.to_peer = PayloadPeer(
            LOOPBACK, receiver or other_credentials().certificate
        )
        self._announced: asyncio.Queue[Payload | None] = asyncio.Queue()

    def offer(
        self, source: bytes | Path, progress: Callable[[int], None] | None = None
    ) -> asyncio.Task[None]:
        """Begin to offer data."""
        return asyncio.create_task(
            self.sender.offer(self.to_peer, source, self._announce, progress)
        )

    async def _announce(self, payload: Payload | None) -> None:
        self._announced.put_nowait(payload)

    @property
    def has_announced(self) -> bool:
        """Whether there is an announcement that was not taken."""
        return not self._announced.empty()

    async def taken(self) -> Payload | None:
        """Return the next announcement."""
        async with asyncio.timeout(PATIENCE):
            return await self._announced.get()

    async def next(self) -> Payload:
        """Return the next announcement of data."""
        payload = await self.taken()
        assert payload is not None
        return payload

    async def fetch(self, payload: Payload, limit: int = len(DATA)) -> bytes:
        """Fetch announced data."""
        async with asyncio.timeout(PATIENCE):
            return await self.receiver.fetch(self.from_peer, payload, limit)

    def fetch_file(
        self,
        payload: Payload,
        target: Path,
        limit: int = len(DATA),
        progress: Callable[[int], None] | None = None,
    ) -> asyncio.Task[ReceivedFile]:
        """Begin to fetch announced data into a file."""
        return asyncio.create_task(
            self.receiver.fetch_file(
                self.from_peer, payload, target, limit, progress=progress
            )
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, receiver: bytes | None = None) -> AsyncIterator[Self]:
        """Make them, and close both in the end."""
        ends = cls(receiver)
        try:
            yield ends
        finally:
            await ends.sender.close()
            await ends.receiver.close()


async def ended[T](task: asyncio.Task[T]) -> T:
    """Return the result of a task that ends soon."""
    async with asyncio.timeout(PATIENCE):
        return await task


def content(folder: Path) -> dict[str, bytes]:
    """Return all files, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class RawReceiver:
    """Fetches step by step, with the key of the fake devices or another."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._channel: TlsChannel | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, payload: Payload, *, source: str = LOOPBACK
    ) -> AsyncIterator[Self]:
        """Connect, from any loopback address."""
        reader, writer = await asyncio.open_connection(
            LOOPBACK, payload.port, local_addr=(source, 0)
        )
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def start_tls(
        self, credentials: FakeCredentials | None = None, *, tls13: bool = True
    ) -> None:
        """Do the handshake. Raises FakeTlsError."""
        await self._start(credentials or fake_credentials(), tls13)

    async def start_nameless_tls(self) -> None:
        """Do the handshake without a certificate. Raises FakeTlsError."""
        await self._start(None, False)

    async def _start(self, credentials: FakeCredentials | None, tls13: bool) -> None:
        context = tls_context(credentials, server=False, tls13=tls13)
        self._channel = TlsChannel(self._reader, self._writer, context, server=False)
        async with asyncio.timeout(PATIENCE):
            await self._channel.handshake()

    async def read(self, count: int) -> bytes:
        """Return at least so many bytes, or all until the end."""
        assert self._channel is not None
        data = bytearray()
        async with asyncio.timeout(PATIENCE):
            while len(data) < count and (piece := await self._channel.read()):
                data += piece
        return bytes(data)

    @property
    def was_told_goodbye(self) -> bool:
        """Whether close_notify came."""
        assert self._channel is not None
        state = self._channel._connection.get_shutdown()
        return bool(state & SSL.RECEIVED_SHUTDOWN)

    async def closed(self) -> None:
        """Wait until the other side has hung up."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(FakeTlsError, ConnectionError):
                while await self._reader.read(65536):
                    pass

    def hang_up(self, *, reset: bool = False) -> None:
        """End the connection at once."""
        assert self._channel is not None
        self._channel.abort(reset=reset)


class SilentListener:
    """Lets everybody connect and says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.setblocking(False)
        self._accepted: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    async def accept(self) -> None:
        """Wait for a connection."""
        loop = asyncio.get_running_loop()
        self._accepted.append((await loop.sock_accept(self._listener))[0])

    @property
    def has_caller(self) -> bool:
        """Whether a connection waits to be accepted."""
        return bool(select.select([self._listener], [], [], 0)[0])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close everything."""
        for sock in (self._listener, *self._accepted):
            sock.close()


def payload_threads() -> list[threading.Thread]:
    """Return the threads of transfers under way."""
    return [thread for thread in threading.enumerate() if "payload" in thread.name]


# Fixtures: who imports one names it in its `__all__`.


@pytest.fixture
async def nothing_left(socket_enabled: None) -> AsyncIterator[None]:
    """No thread and no socket outlives a transfer."""
    before = open_sockets()
    yield
    await turns()
    assert not payload_threads()
    assert open_sockets() <= before


@pytest.fixture
async def ends(nothing_left: None) -> AsyncIterator[Ends]:
    """Two ends of ours."""
    async with Ends.open() as made:
        yield made


@pytest.fixture
async def raw_ends(nothing_left: None) -> AsyncIterator[Ends]:
    """An end of ours that serves a fake device."""
    async with Ends.open(fake_credentials().certificate_der) as made:
        yield made


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A large file without content."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(LARGE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files arrive."""
    path = tmp_path / "inbox"
    path.mkdir()
    return path
