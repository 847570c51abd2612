"""The tunnel for MRP's messages (the Apple TV reference, part A, sections 6.4 to 6.6)."""

import asyncio
from collections import deque
from collections.abc import Callable
import contextlib
import logging
import secrets
from typing import Final

from ..errors import DisconnectedError, PeerTimeoutError, ProtocolError, RumpusError
from ..hap.crypto import ChannelCipher
from ..portions import Portions
from .data_frames import (
    DataFrame,
    FrameKind,
    FrameParser,
    decode_messages,
    encode_frame,
    encode_message,
)
from .wire import Closed, Wire

REPLY_DELAY: Final = 0.005
"""Seconds that an answer waits for others to go with: devices send several frames at a
time, and nothing waits for an answer that says nothing."""
MAX_REPLIES: Final = 256
"""Answers that wait; if there are more they go at once."""
FRAME_PATIENCE: Final = 5.0
"""Seconds between two looks whether a frame gets on that has begun."""
MIN_PROGRESS: Final = 16 * 1024
"""Bytes that have to come between these, unless the frame is complete."""

_FIRST_SEQUENCE: Final = 0x1_0000_0000
_OUR_COMMAND: Final = "comm"
_LOGGER: Final = logging.getLogger(__name__)

type MessageReceived = Callable[[bytes], None]


class DataChannel:
    """Sends and receives messages; reads nothing before `start`."""

    def __init__(self, cipher: ChannelCipher, closed: Closed) -> None:
        """Use the cipher of this channel, and tell that its connection ended."""
        self._parser = FrameParser()
        self._received: MessageReceived | None = None
        self._sequence = _FIRST_SEQUENCE + secrets.randbits(32)
        self._closed = closed
        self._wire = Wire(self._on_data, self._on_closed)
        self._wire.encrypt(cipher)
        # What has come and is not read yet, or not handed over.
        self._frames: deque[DataFrame] = deque()
        self._messages: deque[bytes] = deque()
        self._portions = Portions(self._hand_over, self._wire.pause, self._wire.resume)
        self._replies: list[bytes] = []
        self._reply_timer: asyncio.TimerHandle | None = None
        self._look_timer: asyncio.TimerHandle | None = None
        # What had come at the last look, if a frame was incomplete then.
        self._before: tuple[int, int] | None = None

    async def connect(self, address: str, port: int, timeout: float) -> None:
        """Connect. Raises DisconnectedError, PeerTimeoutError."""
        await self._wire.connect(address, port, timeout, is_paused=True)

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return self._wire.is_connected

    def start(self, received: MessageReceived) -> None:
        """Hand over messages from now on, those that came before included."""
        self._received = received
        self._wire.resume()
        self._look()

    def send(self, message: bytes) -> None:
        """Send one message. Raises DisconnectedError, MessageTooLargeError."""
        frame = DataFrame(
            FrameKind.SYNC, _OUR_COMMAND, self._sequence, encode_message(message)
        )
        self._wire.write(b"".join((*self._take_replies(), encode_frame(frame))))

    async def close(self, timeout: float) -> None:
        """Close the connection. Never raises."""
        self._forget()
        await self._wire.close(timeout)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._forget()
        self._wire.abort()

    def _forget(self) -> None:
        """Let go of what has come: half a picture is large, and of no use any more."""
        self._parser = FrameParser()
        self._frames.clear()
        self._messages.clear()
        self._take_replies()
        self._look_no_more()

    def _look_no_more(self) -> None:
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None

    def _on_closed(self, error: RumpusError | None) -> None:
        self._forget()
        self._closed(error)

    def _look(self) -> None:
        """End the connection when the rest of a frame does not come.

        Whatever follows would be taken for that rest, and the signs of life of the
        session, which go another way, tell nothing of it.
        """
        parser, wire, before = self._parser, self._wire, self._before
        self._look_no_more()
        if not wire.is_connected:
            return
        loop = asyncio.get_running_loop()
        self._look_timer = loop.call_later(FRAME_PATIENCE, self._look)
        self._before = None
        # While there is work to do here, it is us whom the device waits for.
        if not (parser.has_part or wire.has_part) or self._portions.is_busy:
            return
        self._before = parser.completed, wire.taken
        if before is None or before[0] != parser.completed:
            return
        if wire.taken - before[1] < MIN_PROGRESS:
            wire.fail(PeerTimeoutError("The device does not end what it has begun"))

    def _on_data(self, data: bytes) -> None:
        """Hand over the messages of what came, and answer it, whatever it holds."""
        frames = [
            frame for frame in self._parser.feed(data) if frame.kind == FrameKind.SYNC
        ]
        self._replies += map(_reply, frames)
        self._frames.extend(frames)
        self._portions.run()
        if len(self._replies) > MAX_REPLIES:
            self._send_replies()
        elif self._replies and self._reply_timer is None:
            loop = asyncio.get_running_loop()
            self._reply_timer = loop.call_later(REPLY_DELAY, self._send_replies)

    def _take_replies(self) -> list[bytes]:
        if self._reply_timer is not None:
            self._reply_timer.cancel()
            self._reply_timer = None
        replies, self._replies = self._replies, []
        return replies

    def _send_replies(self) -> None:
        with contextlib.suppress(DisconnectedError):
            self._wire.write(b"".join(self._take_replies()))

    def _hand_over(self) -> bool:
        """Hand over one message, or read one frame; tell whether there was any."""
        if self._received is None or not self._wire.is_connected:
            return False
        try:
            if self._messages:
                self._received(self._messages.popleft())
            elif self._frames:
                self._messages.extend(_messages(self._frames.popleft()))
            else:
                return False
        except RumpusError as err:
            self._wire.fail(err)
        except Exception:
            _LOGGER.exception("A message could not be handled")
            self._wire.fail(RumpusError("The data channel has failed"))
        return True


def _messages(frame: DataFrame) -> tuple[bytes, ...]:
    try:
        return decode_messages(frame.payload)
    except ProtocolError as err:
        _LOGGER.debug("A frame that cannot be read: %s", err)
        return ()


def _reply(frame: DataFrame) -> bytes:
    return encode_frame(DataFrame(FrameKind.REPLY, "", frame.sequence))
