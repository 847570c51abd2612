"""Frames of the Companion link (the Apple TV reference, part A, section 4.1)."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, override

from ..errors import MessageTooLargeError, ProtocolError
from ..hap.crypto import TAG_SIZE, ChannelCipher
from ..stream import MessageStream

MAX_PAYLOAD: Final = 1024 * 1024
"""Bytes of one frame behind its header. The longest that is known, a list of all apps, has
some 10,000; the header has room for 16 times this."""
HEADER_SIZE: Final = 4


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
    return bytes((frame_type,)) + size.to_bytes(HEADER_SIZE - 1, "big")


class FrameStream(MessageStream[Frame]):
    """Frames over one connection, encrypted from the moment that there is a cipher.

    An empty payload is never encrypted, and does not count (section 4.1).
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take over a connection, in the clear."""
        super().__init__(reader, writer, max_message=HEADER_SIZE + MAX_PAYLOAD)
        self._cipher: ChannelCipher | None = None

    def secure(self, cipher: ChannelCipher) -> None:
        """Encrypt and decrypt from the next frame on, both ways."""
        self._cipher = cipher

    @override
    @staticmethod
    def encode_message(message: Frame) -> bytes:
        """Return the bytes of a frame. Raises MessageTooLargeError."""
        return header(message.frame_type, len(message.payload)) + message.payload

    @override
    @staticmethod
    def decode_message(data: bytes) -> Frame:
        """Return the frame that some bytes are, no more and no less.

        Raises ProtocolError.
        """
        if len(data) < HEADER_SIZE or _payload_size(data) != len(data) - HEADER_SIZE:
            raise ProtocolError("The length of a frame is not the one that it tells")
        return Frame(data[0], data[HEADER_SIZE:])

    @override
    async def read_message(self) -> Frame:
        """Wait for the next frame, as it is on the wire.

        Raises DisconnectedError, MessageTooLargeError.
        """
        start = await self._peek(HEADER_SIZE)
        data = await self._read_exactly(HEADER_SIZE + _payload_size(start))
        return Frame(data[0], data[HEADER_SIZE:])

    async def read_frame(self) -> Frame:
        """Wait for the next frame, in the clear.

        Raises what `read_message` does, and DecryptionError: then there is no going on.
        """
        frame = await self.read_message()
        if self._cipher is None or not frame.payload:
            return frame
        aad = header(frame.frame_type, len(frame.payload))
        return Frame(frame.frame_type, self._cipher.decrypt(frame.payload, aad))

    def write_frame(self, frame_type: int, payload: bytes = b"") -> None:
        """Put a frame into the write buffer, encrypted if there is a cipher.

        Raises DisconnectedError, MessageTooLargeError; nothing is sent then.
        """
        if self._cipher is not None and payload:
            aad = header(frame_type, len(payload) + TAG_SIZE)
            self._require_connection()
            payload = self._cipher.encrypt(payload, aad)
        self.write_message(Frame(frame_type, payload))


def _payload_size(start: bytes) -> int:
    return int.from_bytes(start[1:HEADER_SIZE], "big")
