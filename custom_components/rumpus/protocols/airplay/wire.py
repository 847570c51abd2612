"""A TCP connection that may become encrypted, for all three channels of AirPlay."""

import asyncio
from collections.abc import Callable
import contextlib
from typing import Final, override

from ..errors import DisconnectedError, PeerTimeoutError, RumpusError
from ..hap.crypto import ChannelCipher
from ..hap.frames import HapFrames

MAX_UNSENT: Final = 4 * 1024 * 1024
"""Bytes that may wait for a device which does not read."""

type Received = Callable[[bytes], None]
"""Takes plaintext; a RumpusError that it raises ends the connection."""
type Closed = Callable[[RumpusError | None], None]
"""Takes why the connection ended; None when the device closed it in order."""


class Wire(asyncio.Protocol):
    """One connection: bytes both ways, and its end told once.

    Nothing is told about an end that was asked for here.
    """

    def __init__(self, received: Received, closed: Closed) -> None:
        """Tell these two what happens."""
        self._received = received
        self._closed = closed
        self._frames: HapFrames | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._has_ended = False
        self._is_paused = False
        self.taken = 0
        """Bytes that have come, encrypted as they were."""

    async def connect(
        self, address: str, port: int, timeout: float, *, is_paused: bool = False
    ) -> None:
        """Connect within that many seconds; a paused one reads nothing until `resume`.

        Raises DisconnectedError, PeerTimeoutError.
        """
        loop = asyncio.get_running_loop()
        self._is_paused = is_paused
        try:
            async with asyncio.timeout(timeout):
                await loop.create_connection(lambda: self, address, port)
        except TimeoutError as err:
            raise PeerTimeoutError("The device does not take the connection") from err
        except OSError as err:
            raise DisconnectedError("The device cannot be connected to") from err

    @property
    def is_connected(self) -> bool:
        """Whether bytes can be sent."""
        transport = self._transport
        return (
            transport is not None and not self._has_ended and not transport.is_closing()
        )

    @property
    def own_address(self) -> str:
        """Our end's address; empty without a connection."""
        if self._transport is None:
            return ""
        name: tuple[str, int] | None = self._transport.get_extra_info("sockname")
        return name[0].partition("%")[0] if name else ""

    @property
    def has_part(self) -> bool:
        """Whether an encrypted frame has begun that is not complete."""
        return self._frames is not None and self._frames.has_part

    def encrypt(self, cipher: ChannelCipher) -> None:
        """Encrypt all from here on, in both directions."""
        self._frames = HapFrames(cipher)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises DisconnectedError, also for a device that does not read."""
        transport = self._transport
        if transport is None or not self.is_connected:
            raise DisconnectedError("Not connected")
        if self._frames is not None:
            data = self._frames.encode(data)
        if transport.get_write_buffer_size() + len(data) > MAX_UNSENT:
            error = DisconnectedError("The device takes less than is sent to it")
            self.fail(error)
            raise error
        transport.write(data)

    def pause(self) -> None:
        """Read nothing more, until `resume`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def fail(self, error: RumpusError) -> None:
        """Drop the connection, and tell that error as its reason."""
        if not self._has_ended:
            self.abort()
            self._closed(error)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._has_ended = True
        if self._transport is not None:
            self._transport.abort()

    async def close(self, timeout: float) -> None:
        """Send what is unsent, within that many seconds, and close. Never raises."""
        self._has_ended = True
        if (transport := self._transport) is None:
            return
        transport.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._lost.wait()
        finally:
            transport.abort()
        await self._lost.wait()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP's always is
        self._transport = transport
        if self._is_paused:
            transport.pause_reading()
        if self._has_ended:  # while it was being made
            transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        if self._has_ended:
            return
        self.taken += len(data)
        try:
            if self._frames is not None:
                data = self._frames.feed(data)
            if data:
                self._received(data)
        except RumpusError as err:
            self.fail(err)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        if self._has_ended:
            return
        self._has_ended = True
        error = None
        if exc is not None:
            error = DisconnectedError("The connection to the device is lost")
            error.__cause__ = exc
        self._closed(error)
