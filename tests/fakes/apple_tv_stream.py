"""TCP connections of a fake Apple TV: cut into pieces, slow or silent as a test wishes."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import socket
from typing import Final, override

BACKLOG: Final = 100


@dataclass(slots=True)
class Wire:
    """How the connections of a server behave; all of it may change at any time."""

    split_size: int = 0  # send so many bytes at a time, 0 all that there is
    delay: float = 0.0  # seconds before anything is sent
    silent: bool = False  # keep the sockets open and do nothing with what comes


class Link(asyncio.Protocol):
    """One connection. Set what is called before it is opened."""

    def __init__(self, wire: Wire) -> None:
        self.on_open: Callable[[], None] = lambda: None
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_lost: Callable[[], None] = lambda: None
        self.is_open = False
        self.peer = ""
        self.is_wanted: Callable[[], bool] = lambda: True
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._queue: deque[bytes] = deque()
        self._pump: asyncio.Handle | None = None
        self._closing = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.is_open = True
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}"
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.is_wanted():
            self.on_open()
        else:
            transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        if not self._wire.silent:
            self.on_data(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._pump is not None:
            self._pump.cancel()
        self.on_lost()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the client to read."""
        if self._transport is None or not self.is_open:
            return 0
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Send, in the way that the wire is told to."""
        if self._transport is None or not self.is_open or self._wire.silent:
            return
        if not self._queue and not self._wire.split_size and not self._wire.delay:
            self._transport.write(data)
            return
        self._queue.append(data)
        if self._pump is None:
            loop = asyncio.get_running_loop()
            self._pump = loop.call_later(self._wire.delay, self._send_piece)

    def close(self) -> None:
        """Close in order, after what is still to be sent."""
        if self._queue:
            self._closing = True
        elif self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Break it off."""
        self._queue.clear()
        if self._transport is not None:
            self._transport.abort()

    def _send_piece(self) -> None:
        self._pump = None
        if not self._queue or self._transport is None or not self.is_open:
            return
        data = self._queue.popleft()
        size = self._wire.split_size or len(data)
        self._transport.write(data[:size])
        if rest := data[size:]:
            self._queue.appendleft(rest)
        if self._queue:
            self._pump = asyncio.get_running_loop().call_soon(self._send_piece)
        elif self._closing:
            self._transport.close()


class Listener:
    """A listening socket whose connections end with it.

    Not a server of asyncio's: one that is closed while it accepts fails in the loop.
    """

    def __init__(self, wire: Wire, opened: Callable[[Link], None]) -> None:
        """Call `opened` with every connection; it sets what is called with data."""
        self._wire = wire
        self._opened = opened
        self._task: asyncio.Task[None] | None = None
        self.links: set[Link] = set()
        self.lost = asyncio.Event()  # one of them
        self.port = 0

    @property
    def is_busy(self) -> bool:
        """Whether it listens or has connections."""
        return (self._task is not None and not self._task.done()) or bool(self.links)

    async def start(self, address: str, port: int = 0) -> int:
        """Listen and return the port."""
        return self._open(address, port, BACKLOG)

    def listen(self, address: str, delay: float = 0.0) -> int:
        """Return a free port, and listen on it at once or, as some devices, late."""
        return self._open(address, 0, 1, delay)

    def _open(self, address: str, port: int, backlog: int, delay: float = 0.0) -> int:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            if not delay:
                sock.listen(backlog)
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        self._task = asyncio.create_task(self._serve(sock, delay))
        # Also when it never gets its turn; the loop has let go of the socket by then.
        self._task.add_done_callback(lambda _: sock.close())
        return self.port

    async def _serve(self, sock: socket.socket, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
            sock.listen(1)
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(sock)
            try:
                await loop.connect_accepted_socket(self._make, connection)
            except OSError:
                continue  # it has gone already

    def stop_listening(self) -> None:
        """Take no more connections; those that are there live on."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def drop(self) -> None:
        """Break off all connections."""
        for link in tuple(self.links):
            link.abort()

    def close(self) -> None:
        """Stop listening and break off all connections."""
        self.stop_listening()
        self.drop()

    async def stop(self) -> None:
        """Close, and wait until the connections are gone."""
        self.close()
        if self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)  # the socket is closed now
        # One that was just being taken is there by now.
        self.drop()
        while self.links:
            self.lost.clear()
            await self.lost.wait()

    def _make(self) -> Link:
        link = _Counted(self._wire, self)
        self._opened(link)
        return link


class _Counted(Link):
    def __init__(self, wire: Wire, listener: Listener) -> None:
        super().__init__(wire)
        self._listener = listener

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listener.links.add(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.links.discard(self)
        self._listener.lost.set()
        super().connection_lost(exc)
