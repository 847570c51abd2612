"""A server over loopback that does what a test says, however wrong that is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib
import socket

from custom_components.rumpus.protocols.airplay.http import HttpParser, Request
from custom_components.rumpus.protocols.errors import RumpusError

PATIENCE = 5
"""Seconds for what has to happen."""


class Peer:
    """The server's end of one connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._parser = HttpParser()

    async def request(self) -> Request:
        """Wait for a request in the clear."""
        while (message := self._parser.next_message()) is None:
            data = await self.reader.read(65536)
            assert data, "hung up"
            self._parser.feed(data)
        assert isinstance(message, Request)
        return message

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    def answer(
        self, request: Request | None, status: str = "200 OK", body: bytes = b""
    ) -> None:
        """Answer a request; without one, without a number."""
        protocol, cseq = "RTSP/1.0", ""
        if request is not None:
            protocol = request.protocol
            if "cseq" in request.headers:
                cseq = f"CSeq: {request.headers['cseq']}\r\n"
        head = f"{protocol} {status}\r\n{cseq}Content-Length: {len(body)}\r\n\r\n"
        self.send(head.encode() + body)

    async def hang_up(self) -> None:
        """Close in order."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        """End the connection the rude way."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def wait_end(self) -> bytes:
        """Wait until the client hangs up, and return what came before."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read()
        return b""


@contextlib.asynccontextmanager
async def serve(script: Callable[[Peer], Awaitable[None]]) -> AsyncIterator[int]:
    """Run a script for every connection, and yield the port.

    All of them have to end by themselves.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        try:
            await script(peer)
        finally:
            await peer.hang_up()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(run(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*tasks)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Ends:
    """Counts how often, and why, a connection has ended."""

    def __init__(self) -> None:
        self.reasons: list[RumpusError | None] = []
        self._event = asyncio.Event()

    def __call__(self, error: RumpusError | None) -> None:
        self.reasons.append(error)
        self._event.set()

    async def wait(self) -> RumpusError | None:
        """Return the only reason, once it is there."""
        async with asyncio.timeout(PATIENCE):
            await self._event.wait()
        (reason,) = self.reasons
        return reason
