"""Frames of the Companion link (the Apple TV reference, part A, section 4.1)."""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, field
import logging
from typing import Final, cast, override

from ..errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    RumpusError,
)
from ..hap.crypto import TAG_SIZE, ChannelCipher
from ..portions import Portions

MAX_PAYLOAD: Final = 1024 * 1024
"""Bytes of one frame behind its header. The longest that is known, a list of all apps, has
some 10,000; the header has room for 16 times this."""
HEADER_SIZE: Final = 4
MAX_UNREAD: Final = HEADER_SIZE + MAX_PAYLOAD
"""Bytes that may wait for somebody to read them before the device has to wait, too."""
MAX_UNSENT: Final = 4 * 1024 * 1024
"""Bytes that may wait for a device which does not read."""
CLOSE_TIMEOUT: Final = 1.0
"""Seconds for what is unsent to leave when closing."""

_LOGGER: Final = logging.getLogger(__name__)

type Take = Callable[[Frame], None]
"""Takes a frame; a RumpusError that it raises ends the connection."""
type Ended = Callable[[RumpusError], None]
"""Takes why the connection ended, unless it was us who ended it. Comes once."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; its payload may hold secrets."""

    frame_type: int
    payload: bytes = field(default=b"", repr=False)


def header(frame_type: int, size: int) -> bytes:
    """Return what goes in front of a payload of that many bytes.

    Raises MessageTooLargeError for too many.
    """
    if size > MAX_PAYLOAD:
        raise MessageTooLargeError(f"Frame of more than {MAX_PAYLOAD} bytes")
    return (frame_type << 24 | size).to_bytes(HEADER_SIZE)


class FrameStream(asyncio.Protocol):
    """Frames over one connection, encrypted from the moment that there is a cipher.

    They are read one by one, until `start` has all that come handed over. An empty
    payload is never encrypted, and does not count (section 4.1).
    """

    def __init__(self) -> None:
        """Prepare; `connect` makes the connection."""
        self._transport: asyncio.Transport | None = None
        self._cipher: ChannelCipher | None = None
        self._buffer = bytearray()
        self._unsent: list[bytes] | None = None  # what `together` gathers
        self._waiter: asyncio.Future[None] | None = None
        self._take: Take | None = None
        self._ended: Ended | None = None
        self._error: RumpusError | None = None
        self._gone = asyncio.Event()
        self._is_closed = False  # by us
        self._portions = Portions(self._hand_over, self._pause, self._resume)

    async def connect(self, address: str, port: int, timeout: float) -> None:
        """Connect within that many seconds.

        Raises DisconnectedError when there is no connection to be had, PeerTimeoutError.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                await loop.create_connection(lambda: self, address, port)
        except TimeoutError:
            raise PeerTimeoutError("The device does not take the connection") from None
        except OSError as err:
            raise DisconnectedError("The device cannot be reached") from err

    def is_connected(self) -> bool:
        """Tell whether, for all that is known, frames can still be sent."""
        transport = self._transport
        return (
            transport is not None
            and not self._is_closed
            and not self._gone.is_set()
            and not transport.is_closing()
        )

    def get_extra_info(self, name: str) -> object:
        """Return what the transport knows about itself."""
        return self._connected().get_extra_info(name)

    def _connected(self) -> asyncio.Transport:
        if not self.is_connected():
            raise DisconnectedError("Not connected")
        return cast("asyncio.Transport", self._transport)

    # Writing.

    def secure(self, cipher: ChannelCipher) -> None:
        """Encrypt and decrypt from the next frame on, both ways."""
        self._cipher = cipher

    def write_frame(self, frame_type: int, payload: bytes = b"") -> None:
        """Send a frame, encrypted if there is a cipher.

        Raises DisconnectedError, also for a device that does not read, and
        MessageTooLargeError; nothing is sent then.
        """
        transport = self._connected()
        if self._cipher is not None and payload:
            start = header(frame_type, len(payload) + TAG_SIZE)
            data = start + self._cipher.encrypt(payload, start)
        else:
            data = header(frame_type, len(payload)) + payload
        if transport.get_write_buffer_size() + len(data) > MAX_UNSENT:
            error = DisconnectedError("The device takes less than is sent to it")
            self._fail(error)
            raise error
        if self._unsent is None:
            transport.write(data)
        else:
            self._unsent.append(data)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Send all that is written meanwhile at once; for a few frames."""
        unsent = self._unsent = []
        try:
            yield
        finally:
            self._unsent = None
            if unsent and self.is_connected():
                self._connected().write(b"".join(unsent))

    # Reading.

    async def read_frame(self) -> Frame:
        """Wait for the next frame.

        Raises DisconnectedError, MessageTooLargeError, and DecryptionError: then there
        is no going on.
        """
        while (frame := self._next()) is None:
            if self._error is not None:
                raise self._error
            self._resume()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return frame

    def start(self, take: Take, ended: Ended) -> None:
        """Hand over all frames from now on, and tell the end of the connection."""
        self._take, self._ended = take, ended
        self._resume()
        self._portions.run()
        if self._error is not None:
            self._tell(self._error)

    def _next(self) -> Frame | None:
        """Take the next frame out of what has come; None when it is not complete."""
        if self._is_closed:
            raise DisconnectedError("Not connected")
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        start = bytes(buffer[:HEADER_SIZE])
        size = int.from_bytes(start[1:])
        if size > MAX_PAYLOAD:
            raise MessageTooLargeError(f"Frame of more than {MAX_PAYLOAD} bytes")
        end = HEADER_SIZE + size
        if len(buffer) < end:
            return None
        payload = bytes(buffer[HEADER_SIZE:end])
        del buffer[:end]
        if self._cipher is not None and payload:
            payload = self._cipher.decrypt(payload, start)
        return Frame(start[0], payload)

    def _hand_over(self) -> bool:
        """Hand over one frame; tell whether there was any."""
        if self._take is None or self._is_closed:
            return False
        try:
            if (frame := self._next()) is None:
                return False
            self._take(frame)
        except RumpusError as err:
            self._fail(err)
        except Exception:
            _LOGGER.exception("The Companion link has failed")
            self._fail(RumpusError("The Companion link has failed"))
        return True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Both do nothing once the connection has ended.

    def _pause(self) -> None:
        cast("asyncio.Transport", self._transport).pause_reading()

    def _resume(self) -> None:
        cast("asyncio.Transport", self._transport).resume_reading()

    # Ending.

    def _fail(self, error: RumpusError) -> None:
        """End the connection, and tell that error as its reason."""
        if not self._is_closed:
            self.abort()
            self._tell(error)

    def _tell(self, error: RumpusError) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(error)

    def abort(self) -> None:
        """Drop the connection at once, with all that is unsent or unread."""
        self._is_closed = True
        self._buffer.clear()
        self._wake()
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Send what is unsent and close, within CLOSE_TIMEOUT. Never raises."""
        self._is_closed = True
        self._buffer.clear()
        self._wake()
        if (transport := self._transport) is None:
            return
        transport.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._gone.wait()
        finally:
            transport.abort()
        await self._gone.wait()

    # What the transport tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._is_closed:  # while it was being made
            transport.close()

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_closed:
            return
        self._buffer += data
        if self._take is not None:
            self._portions.run()
        else:
            if len(self._buffer) > MAX_UNREAD:
                self._pause()
            self._wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        if exc is None:
            self._error = DisconnectedError("Connection closed by the peer")
        else:
            self._error = DisconnectedError("Connection lost")
            self._error.__cause__ = exc
        self._wake()
        if not self._is_closed:
            self._tell(self._error)
