"""The lobby's WebSocket: the server's own, and the bridge of before (section 2)."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import random
import ssl
from typing import Final, Literal, override

from aiohttp import WSMsgType, web

from tests.fakes.faf_framing import (
    MAX_LINE,
    GoneError,
    Link,
    MalformedError,
    Transport,
    decode_line,
    encode_line,
)
from tests.fakes.faf_json import JsonValue, dumps
from tests.fakes.faf_listener import Listener

type WebSocketMode = Literal["lines", "frames", "bridge"]
"""Text frames with a newline; without one; binary frames cut anywhere."""

_CLOSE_TIMEOUT: Final = 1.0


class WebSocketLink(Link):
    """One WebSocket."""

    transport: Transport = "websocket"

    def __init__(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        mode: WebSocketMode,
        chance: random.Random,
    ) -> None:
        """`chance` decides where a bridge cuts."""
        self._tcp = request.transport
        self._socket = socket
        self._mode = mode
        self._chance = chance
        self._received = bytearray()
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send())
        self._is_open = True
        self._is_ending = False

    @override
    def encode(self, message: JsonValue) -> bytes:
        if self._mode == "frames":
            return dumps(message).encode()
        return encode_line(message)

    @override
    async def receive(self) -> JsonValue:
        while (line := self._next_line()) is None:
            frame = await self._socket.receive()
            if frame.type is WSMsgType.TEXT:
                data = frame.data.encode()
            elif frame.type is WSMsgType.BINARY:
                data = frame.data
            elif self._received:
                line, self._received = bytes(self._received), bytearray()
                return decode_line(line)
            else:
                raise GoneError("the WebSocket was closed")
            if self._mode != "bridge":
                return decode_line(data)
            self._received += data
        return decode_line(line)

    def _next_line(self) -> bytes | None:
        end = self._received.find(b"\n")
        if end < 0:
            if len(self._received) > MAX_LINE:
                raise MalformedError("a line without an end")
            return None
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    @override
    def write_raw(self, data: bytes) -> None:
        if self._is_open:
            self._frames.put_nowait(data)

    async def _send(self) -> None:
        """Send what is to be sent, in order, until the end of it."""
        while (data := await self._frames.get()) is not None:
            with contextlib.suppress(OSError, RuntimeError):
                await self._send_data(data)
            self._frames.task_done()
        self._is_open = False
        with contextlib.suppress(OSError, RuntimeError):
            await self._socket.close()
        self._frames.task_done()

    async def _send_data(self, data: bytes) -> None:
        if self._mode != "bridge":
            try:
                text = data.decode()
            except UnicodeDecodeError:
                await self._socket.send_bytes(data)
            else:
                await self._socket.send_str(text)
            return
        # What the server wrote meanwhile comes out of the bridge with it.
        while not self._frames.empty() and self._chance.random() < 0.5:
            more = self._frames.get_nowait()
            self._frames.task_done()
            if more is None:
                self._frames.put_nowait(None)
                break
            data += more
        while data:
            size = self._chance.choice((1, 7, 100, 4096, len(data)))
            await self._socket.send_bytes(data[:size])
            data = data[size:]

    @override
    async def drain(self) -> None:
        await self._frames.join()

    @override
    def close(self) -> None:
        self._is_ending = True
        self._frames.put_nowait(None)

    @override
    def abort(self) -> None:
        self._is_open = False
        if self._tcp is not None:
            self._tcp.abort()

    @override
    def pause(self) -> None:
        if isinstance(self._tcp, asyncio.Transport):
            self._tcp.pause_reading()

    @override
    def resume(self) -> None:
        if isinstance(self._tcp, asyncio.Transport):
            self._tcp.resume_reading()

    async def finish(self) -> None:
        """End what sends; what is to be sent before the end has a moment."""
        if self._is_ending:
            await asyncio.wait([self._sender], timeout=2 * _CLOSE_TIMEOUT)
        self._is_open = False
        self._sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sender
        while not self._frames.empty():
            self._frames.get_nowait()
            self._frames.task_done()


class WebSocketServer:
    """Listens for WebSockets at / and at /ws, unless `path` says otherwise.

    With `tls` it speaks as a gateway does that stands in front of a lobby.
    """

    mode: WebSocketMode = "lines"
    path: str | None = None
    tls: ssl.SSLContext | None = None

    def __init__(
        self,
        serve: Callable[[Link], Awaitable[None]],
        admit: Callable[[web.Request], int | None],
        chance: random.Random,
    ) -> None:
        """`admit` returns the status that a request is refused with, or None."""
        self._serve = serve
        self._admit = admit
        self._chance = chance
        self._runner: web.AppRunner | None = None
        self._listener: Listener | None = None

    async def start(self, address: str, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self._listener = Listener(server, self.tls)
        return self._listener.start(address, port)

    async def stop_listening(self) -> None:
        """Take no more connections."""
        if self._listener is not None:
            await self._listener.stop()

    async def stop(self) -> None:
        """Let go of everything; what was accepted is to be ended before."""
        await self.stop_listening()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        # As it stands in the request: %2F is no slash.
        path = request.raw_path.partition("?")[0]
        if path not in (("/", "/ws") if self.path is None else (self.path,)):
            return web.Response(status=404)
        status = self._admit(request)
        if status is not None:
            if status == 0 and request.transport is not None:
                request.transport.abort()
            return web.Response(status=status or 503)
        socket = web.WebSocketResponse(
            timeout=_CLOSE_TIMEOUT, max_msg_size=MAX_LINE, compress=False
        )
        await socket.prepare(request)
        link = WebSocketLink(request, socket, self.mode, self._chance)
        try:
            await self._serve(link)
        finally:
            await link.finish()
        return socket
