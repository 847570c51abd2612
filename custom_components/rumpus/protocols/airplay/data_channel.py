"""The tunnel for MRP's messages (the Apple TV reference, part A, sections 6.4 to 6.6)."""

from collections import deque
from collections.abc import Callable
import logging
import secrets
from typing import Final

from ..errors import ProtocolError, RumpusError
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
        self._wire = Wire(self._on_data, closed)
        self._wire.encrypt(cipher)
        # What has come and is not read yet, or not handed over.
        self._frames: deque[DataFrame] = deque()
        self._messages: deque[bytes] = deque()
        self._portions = Portions(self._hand_over, self._wire.pause, self._wire.resume)

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

    def send(self, message: bytes) -> None:
        """Send one message. Raises DisconnectedError, MessageTooLargeError."""
        frame = DataFrame(
            FrameKind.SYNC, _OUR_COMMAND, self._sequence, encode_message(message)
        )
        self._wire.write(encode_frame(frame))

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

    def _on_data(self, data: bytes) -> None:
        """Answer what came, whatever it holds, and begin to hand over its messages."""
        frames = [
            frame for frame in self._parser.feed(data) if frame.kind == FrameKind.SYNC
        ]
        if frames:
            # Devices send several at once, so they are answered at once.
            self._wire.write(b"".join(map(_reply, frames)))
        self._frames.extend(frames)
        self._portions.run()

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
