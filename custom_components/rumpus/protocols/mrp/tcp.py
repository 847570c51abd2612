"""MRP on a TCP port of its own (the Apple TV reference, part B, section 3)."""

import asyncio
import socket
import sys
from typing import Final, Self, cast, override

from ..errors import DisconnectedError, PeerTimeoutError, RumpusError
from ..hap.crypto import ChannelCipher
from ..portions import Portions
from .framing import Frames
from .timing import Timing
from .transport import Closed, Received

MAX_UNSENT: Final = 1024 * 1024
"""Bytes that may wait for a device which takes nothing; ours send far less."""
MAX_HELD: Final = 1024 * 1024
"""Bytes that may come between the end of pair-verify and our first look at it."""

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}
_USER_TIMEOUT_MS: Final = 12_000


class TcpTransport(asyncio.Protocol):
    """One connection; not to be used again after it ended."""

    def __init__(self, timing: Timing | None = None) -> None:
        """Prepare; `connect` makes the connection."""
        self._timing = timing or Timing()
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._received: Received | None = None
        self._on_closed: Closed | None = None
        self._is_held = True
        self._error: RumpusError | None = None
        self._gone = asyncio.Event()
        self._is_closing = False
        self._portions = Portions(self._hand_over, self._pause, self._resume)

    async def connect(self, address: str, port: int) -> Self:
        """Connect; raises DisconnectedError when refused and PeerTimeoutError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timing.connect):
                await loop.create_connection(lambda: self, address, port)
        except TimeoutError:
            raise PeerTimeoutError("The device does not answer on its port") from None
        except OSError as err:
            raise DisconnectedError("There is no connection to the device") from err
        return self

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return (
            self._transport is not None
            and not self._is_closing
            and not self._gone.is_set()
        )

    def start(self, received: Received, closed: Closed) -> None:
        """Begin to hand over messages; see `MessageTransport.start`."""
        self._received, self._on_closed = received, closed
        if self._gone.is_set():
            self._report()
        else:
            self._release()

    def send(self, message: bytes) -> None:
        """Send one message; raises DisconnectedError."""
        transport = self._transport
        if transport is None or not self.is_connected:
            raise DisconnectedError("The connection to the device is closed")
        if transport.get_write_buffer_size() > MAX_UNSENT:
            self._fail(DisconnectedError("The device takes no more messages"))
            raise DisconnectedError("The device takes no more messages")
        transport.write(self._frames.encode(message))

    def hold(self) -> None:
        """Hand over nothing more until `encrypt`: what follows has other keys."""
        self._is_held = True

    def encrypt(self, cipher: ChannelCipher) -> None:
        """Encrypt from here on, both ways, and go on."""
        self._frames.encrypt(cipher)
        self._release()

    async def close(self) -> None:
        """End the connection when what is unsent has left; never raises."""
        self._is_closing = True
        self._on_closed = None
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(self._timing.close):
                await self._gone.wait()
        except TimeoutError:
            pass
        finally:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        _watch(transport.get_extra_info("socket"))

    @override
    def data_received(self, data: bytes) -> None:
        self._frames.feed(data)
        self._portions.run()
        if self._is_held and self._frames.waiting > MAX_HELD:
            self._fail(DisconnectedError("The device does not wait for its turn"))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._error is None and exc is not None:
            self._error = DisconnectedError("The connection to the device broke")
            self._error.__cause__ = exc
        self._gone.set()
        self._frames = Frames()  # half a picture is large, and of no use any more
        self._report()

    def _release(self) -> None:
        self._is_held = False
        self._portions.run()

    def _hand_over(self) -> bool:
        """Hand over one message; tell whether there was any."""
        received = self._received
        if self._is_held or received is None or not self.is_connected:
            return False
        try:
            if (message := self._frames.next()) is None:
                return False
            received(message)
        except RumpusError as err:
            self._fail(err)
        return True

    def _pause(self) -> None:
        # There is one: something has come by it.
        cast("asyncio.Transport", self._transport).pause_reading()

    def _resume(self) -> None:
        if self.is_connected:
            cast("asyncio.Transport", self._transport).resume_reading()

    def _fail(self, error: RumpusError) -> None:
        """End at once, for a reason."""
        self._is_closing = True
        self._error = error
        # There is one: nothing comes, and nothing is sent, without it.
        cast("asyncio.Transport", self._transport).abort()

    def _report(self) -> None:
        if (closed := self._on_closed) is not None:
            self._on_closed = None
            closed(self._error)


def _watch(sock: socket.socket) -> None:
    """Make the system notice a device that is gone, as far as it can."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
