"""A stream of messages over one TCP or TLS connection.

The base class moves bytes, keeps its bounds and turns every way of losing a connection
into one error. What a message looks like is for its subclasses to say: they encode and
decode purely, and read one message with the helpers whose names start with ``_``.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Iterable
import contextlib
from typing import Final

from .errors import DisconnectedError, MessageTooLargeError

#: Bytes of one message that a reader takes, unless told otherwise.
MAX_MESSAGE: Final = 1024 * 1024
#: Bytes that may wait for a peer which does not read.
MAX_WRITE_BUFFER: Final = 4 * 1024 * 1024
#: Bytes taken from the connection, and reads answered from them, before the event loop
#: gets its turn: a peer that floods us must not hold up the others.
READ_CHUNK: Final = 16 * 1024
READS_PER_TURN: Final = 32
#: Seconds for the peer to take what was written without taking any byte of it.
STALL_TIMEOUT: Final = 30.0
#: Seconds for what is unsent to leave, and for the peer to agree, when closing.
CLOSE_TIMEOUT: Final = 1.0

# Seconds between two looks at what is unsent: short at first, since it leaves soon.
_POLL_FIRST: Final = 0.001
_POLL_LAST: Final = 0.05


class MessageStream[M](ABC):
    """Messages of type M, both ways, over one connection.

    One task reads; any number of tasks write. A message is written whole or not at all,
    so neither a second sender nor the cancellation of the first can damage the stream.
    Cancelling a read loses nothing either: what had come is there for the next read.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        max_message: int = MAX_MESSAGE,
        max_write_buffer: int = MAX_WRITE_BUFFER,
    ) -> None:
        """Take over a connection; both limits are in bytes.

        The reader's own limit may be small: longer messages are put together here.
        """
        #: Bytes of one message that reading takes. May be changed: a stranger gets less
        #: than a friend.
        self.max_message = max_message
        self._reader = reader
        self._writer = writer
        self._max_write_buffer = max_write_buffer
        self._buffer = bytearray()
        self._skipping = False
        self._reads = 0
        self._drain_lock = asyncio.Lock()
        self._closed = False  # by us
        self._ended = False  # by the peer, as reading found out

    # What a subclass says about its messages.

    @staticmethod
    @abstractmethod
    def encode_message(message: M) -> bytes:
        """Return the bytes of a message on the wire.

        Raises ProtocolError when the format cannot carry it.
        """

    @staticmethod
    @abstractmethod
    def decode_message(data: bytes) -> M:
        """Return the message that some bytes hold.

        Raises ProtocolError when they hold none.
        """

    @abstractmethod
    async def read_message(self) -> M:
        """Wait for the next message.

        Raises DisconnectedError when no further message can come, be it in the middle
        of one; ProtocolError for what is none; MessageTooLargeError past the bound.
        """

    # Writing.

    def is_connected(self) -> bool:
        """Tell whether, for all that is known, messages can still be sent."""
        return not (self._closed or self._ended or self._writer.is_closing())

    def write_message(self, message: M) -> None:
        """Put a message into the write buffer, for what nobody waits for.

        Raises DisconnectedError, ProtocolError.
        """
        self.write_raw(self.encode_message(message))

    def write_messages(self, messages: Iterable[M]) -> None:
        """Put messages into the write buffer: all of them or, on an error, none.

        Raises DisconnectedError, ProtocolError.
        """
        self.write_raw(b"".join([self.encode_message(message) for message in messages]))

    def write_raw(self, data: bytes) -> None:
        """Put bytes into the write buffer as they are.

        Raises DisconnectedError, also when more than the bound would wait for the peer;
        the connection is dropped then.
        """
        self._require_connection()
        if self.unsent() + len(data) > self._max_write_buffer:
            self.abort()
            raise DisconnectedError("The peer takes less than is sent to it")
        self._writer.write(data)

    async def send_message(self, message: M) -> None:
        """Write a message and wait until it has left.

        Raises DisconnectedError, ProtocolError.
        """
        await self.send_raw(self.encode_message(message))

    async def send_messages(self, messages: Iterable[M]) -> None:
        """Write messages and wait until they have left, faster than one by one.

        Raises DisconnectedError, ProtocolError.
        """
        self.write_messages(messages)
        await self.drain()

    async def send_raw(self, data: bytes) -> None:
        """Write bytes as they are and wait until they have left.

        Raises DisconnectedError.
        """
        self.write_raw(data)
        await self.drain()

    async def drain(self) -> None:
        """Wait until all that was written has left this process.

        Raises DisconnectedError when it cannot; a peer that takes no byte for
        STALL_TIMEOUT is dropped.
        """
        async with self._drain_lock:
            # A fast peer would otherwise keep a busy sender from ever pausing.
            await asyncio.sleep(0)
            await self._wait_unsent()

    def unsent(self) -> int:
        """Return how many of the bytes that were written wait in this process."""
        transport = self._writer.transport
        # TLS hands all that it has encrypted to the TCP transport below at once, which
        # no public name leads to. Without it we would see a part of what is waiting.
        tls = getattr(transport, "_ssl_protocol", None)
        lower = getattr(tls, "_transport", None)
        unsent = transport.get_write_buffer_size()
        if isinstance(lower, asyncio.WriteTransport):
            unsent += lower.get_write_buffer_size()
        return unsent

    async def _wait_unsent(self) -> None:
        """Watch the write buffers until they are empty.

        asyncio tells about two marks of one buffer only: not when that is empty, and
        nothing at all about the one below TLS, where most bytes wait. Setting the marks
        to zero makes TLS wait for ever in some releases. So this looks at the sizes.
        """
        loop = asyncio.get_running_loop()
        pause, before, since = _POLL_FIRST, self._max_write_buffer, loop.time()
        while True:
            self._require_connection()
            unsent = self.unsent()
            if unsent == 0:
                return
            if unsent < before:
                since = loop.time()
            elif loop.time() - since >= STALL_TIMEOUT:
                self.abort()
                raise DisconnectedError("The peer has stopped reading")
            before = unsent
            await asyncio.sleep(pause)
            pause = min(2 * pause, _POLL_LAST)

    def _require_connection(self) -> None:
        if not self.is_connected():
            raise DisconnectedError("Not connected")

    # Closing.

    def abort(self) -> None:
        """Drop the connection at once, with all that is unsent."""
        self._closed = True
        self._writer.transport.abort()

    async def close(self) -> None:
        """Send what is unsent and close, within CLOSE_TIMEOUT; then drop the connection.

        Never raises. Some peers never answer the end of a TLS session, so waiting for
        that must have an end.
        """
        self._closed = True
        # A second close() makes asyncio's TLS transport forget what it would abort.
        if not self._writer.is_closing():
            self._writer.close()
        # A task of its own: cancelling wait_closed() would spoil it for other waiters.
        waiter = asyncio.create_task(self._wait_closed())
        try:
            await asyncio.wait({waiter}, timeout=CLOSE_TIMEOUT)
        finally:
            self.abort()
        await asyncio.wait({waiter}, timeout=CLOSE_TIMEOUT)

    async def _wait_closed(self) -> None:
        with contextlib.suppress(Exception):
            await self._writer.wait_closed()

    # Reading, for subclasses.

    async def _begin_read(self) -> None:
        self._reads += 1
        if self._reads % READS_PER_TURN == 0:
            await asyncio.sleep(0)
        # What a peer said before we ended the connection is no longer of interest.
        if self._closed:
            raise DisconnectedError("Not connected")

    async def _fill(self) -> None:
        """Wait for more bytes and add them to the buffer.

        Raises DisconnectedError when there will be none.
        """
        # Data that is already there is returned without a pause, however much it is.
        await asyncio.sleep(0)
        try:
            chunk = await self._reader.read(READ_CHUNK)
        except OSError as err:  # TLS errors and time-outs of the kernel are such, too
            self._ended = True
            raise DisconnectedError("Connection lost") from err
        if not chunk:
            self._ended = True
            raise DisconnectedError("Connection closed by the peer")
        self._buffer += chunk

    async def _peek(self, size: int) -> bytes:
        """Wait for the next bytes, and leave them to be read.

        A frame that starts with its length is read by peeking at the length and then
        reading the whole: a cancelled reader then never stops between the two.
        Raises DisconnectedError, MessageTooLargeError for more than max_message bytes.
        """
        await self._begin_read()
        if size > self.max_message:
            raise MessageTooLargeError(f"Message of more than {self.max_message} bytes")
        while len(self._buffer) < size:
            await self._fill()
        with memoryview(self._buffer) as view:  # a slice would be a second copy
            return bytes(view[:size])

    async def _read_exactly(self, size: int) -> bytes:
        """Wait for the next bytes and take them.

        Raises DisconnectedError, MessageTooLargeError for more than max_message bytes.
        """
        data = await self._peek(size)
        del self._buffer[:size]
        return data

    async def _read_line(self) -> bytes:
        """Wait for the next line and take it, without its LF.

        Raises DisconnectedError, also in the middle of a line, and MessageTooLargeError,
        once, for a line of more than max_message bytes; the next call drops what is left
        of that line, as it comes, and returns the line behind it.
        """
        await self._begin_read()
        while self._skipping:
            await self._skip_line()
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > self.max_message:
                break
            await self._fill()
        if end < 0 or end > self.max_message:
            self._skipping = True
            raise MessageTooLargeError(f"Line of more than {self.max_message} bytes")
        with memoryview(self._buffer) as view:
            line = bytes(view[:end])
        del self._buffer[: end + 1]
        return line

    async def _skip_line(self) -> None:
        """Drop the rest of a line, or what has come of it."""
        end = self._buffer.find(b"\n")
        if end < 0:
            self._buffer.clear()
            await self._fill()
        else:
            del self._buffer[: end + 1]
            self._skipping = False
