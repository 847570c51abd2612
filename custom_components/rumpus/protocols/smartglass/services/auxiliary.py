"""The encrypted TCP stream of a title (the SmartGlass reference, sections 5.3 and 12.5).

A frame is a header of four bytes, the ciphertext and a MAC over both. Each direction is one
CBC chain for the whole connection, so frames are sealed in the order in which they are sent.
"""

import asyncio
import hashlib
import hmac
import re
import struct
from typing import Final, Self, override

from cryptography.hazmat.primitives.ciphers import (
    Cipher,
    CipherContext,
    algorithms,
    modes,
)

from ...errors import DisconnectedError, MessageTooLargeError, ProtocolError
from ...stream import MessageStream
from ..messages import ConnectionInfo

MAGIC: Final = 0xDEAD
MAX_FRAME: Final = 32 * 1024
"""Bytes of plaintext in one frame, either way; the largest one seen has 8144."""
MAX_ENDPOINTS: Final = 8
"""Endpoints of a title that are tried."""
MAX_HOST: Final = 255
"""Characters of an endpoint's address; one with a longer address is not tried."""
MAX_PORT: Final = 0xFFFF

_HEADER: Final = struct.Struct(">HH")
_BLOCK: Final = 16
_PORT: Final = re.compile("[0-9]{1,5}")
_KEY_SIZE: Final = 16
_MAC_KEY_SIZE: Final = 32
_MAC_SIZE: Final = hashlib.sha256().digest_size
# The longest frame with all that goes around its plaintext.
_MAX_MESSAGE: Final = _HEADER.size + MAX_FRAME + _BLOCK + _MAC_SIZE


def frame_size(header: bytes) -> int:
    """Return the bytes of the whole frame that starts with these four.

    Raises ProtocolError when no frame starts so, MessageTooLargeError past MAX_FRAME.
    """
    magic, length = _HEADER.unpack(header)
    if magic != MAGIC:
        raise ProtocolError("No frame of an auxiliary stream")
    if length > MAX_FRAME:
        raise MessageTooLargeError(f"Frame of more than {MAX_FRAME} bytes")
    return _HEADER.size + _padded(length) + _MAC_SIZE


class FrameCipher:
    """Seals what one side sends and opens what it gets."""

    def __init__(
        self, key: bytes, seal_iv: bytes, open_iv: bytes, mac_key: bytes
    ) -> None:
        """Take the keys; raises ProtocolError for those of a wrong size."""
        if (len(key), len(seal_iv), len(open_iv)) != (_KEY_SIZE, _BLOCK, _BLOCK):
            raise ProtocolError("Keys of an auxiliary stream with a wrong size")
        if len(mac_key) != _MAC_KEY_SIZE:
            raise ProtocolError("MAC key of an auxiliary stream with a wrong size")
        algorithm = algorithms.AES128(key)
        self._sealing: CipherContext = Cipher(algorithm, modes.CBC(seal_iv)).encryptor()
        self._opening: CipherContext = Cipher(algorithm, modes.CBC(open_iv)).decryptor()
        self._mac_key = mac_key

    @classmethod
    def for_client(cls, info: ConnectionInfo) -> Self:
        """Take our side of a connection. Raises ProtocolError for unusable keys."""
        return cls(info.crypto_key, info.client_iv, info.server_iv, info.sign_hash)

    @classmethod
    def for_console(cls, info: ConnectionInfo) -> Self:
        """Take the console's side of a connection. Raises ProtocolError likewise."""
        return cls(info.crypto_key, info.server_iv, info.client_iv, info.sign_hash)

    def seal(self, plaintext: bytes) -> bytes:
        """Return the next frame. Raises MessageTooLargeError past MAX_FRAME."""
        if len(plaintext) > MAX_FRAME:
            raise MessageTooLargeError(f"Frame of more than {MAX_FRAME} bytes")
        padding = -len(plaintext) % _BLOCK
        frame = _HEADER.pack(MAGIC, len(plaintext)) + self._sealing.update(
            plaintext + bytes((padding,)) * padding
        )
        return frame + hmac.digest(self._mac_key, frame, "sha256")

    def open(self, frame: bytes) -> bytes:
        """Return what the next frame holds; the frames come one after the other.

        Raises ProtocolError for what is no frame, and for one that is not authentic;
        nothing can be opened after that.
        """
        if len(frame) < _HEADER.size or frame_size(frame[: _HEADER.size]) != len(frame):
            raise ProtocolError("Frame of an auxiliary stream with a wrong length")
        body, mac = frame[:-_MAC_SIZE], frame[-_MAC_SIZE:]
        if not hmac.compare_digest(hmac.digest(self._mac_key, body, "sha256"), mac):
            raise ProtocolError("Frame of an auxiliary stream with a wrong MAC")
        _, length = _HEADER.unpack(body[: _HEADER.size])
        return self._opening.update(body[_HEADER.size :])[:length]


class _FrameStream(MessageStream[bytes]):
    """Whole frames, sealed as they are."""

    @staticmethod
    @override
    def encode_message(message: bytes) -> bytes:
        """Return a frame as it is."""
        return message

    @staticmethod
    @override
    def decode_message(data: bytes) -> bytes:
        """Return a frame as it is."""
        return data

    @override
    async def read_message(self) -> bytes:
        """Wait for the next frame.

        Raises DisconnectedError at the end, ProtocolError where no frame begins.
        """
        size = frame_size(await self._peek(_HEADER.size))
        return self.decode_message(await self._read_exactly(size))


class AuxiliaryStream:
    """Frames of bytes, both ways, over one connection to a title.

    What the frames mean is between the title and whoever uses it: messages of its own may
    span frames, and a frame may hold several. One task reads; any number of tasks send.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cipher: FrameCipher,
    ) -> None:
        """Take over a connection and the keys of our side of it."""
        self._frames = _FrameStream(reader, writer, max_message=_MAX_MESSAGE)
        self._cipher = cipher

    def is_connected(self) -> bool:
        """Tell whether, for all that is known, frames can still be sent."""
        return self._frames.is_connected()

    async def send(self, data: bytes) -> None:
        """Send one frame and wait until it has left.

        Raises DisconnectedError, MessageTooLargeError past MAX_FRAME.
        """
        # A frame that is sealed and not sent would break the chain; without a connection
        # there is no chain to break.
        self._frames.write_message(self._cipher.seal(data))
        await self._frames.drain()

    async def read(self) -> bytes:
        """Wait for the next frame and return what it holds.

        Raises DisconnectedError at the end; ProtocolError for what is no authentic frame,
        which also drops the connection. Cancelling it loses nothing.
        """
        try:
            return self._cipher.open(await self._frames.read_message())
        except ProtocolError:
            self.abort()
            raise

    def abort(self) -> None:
        """Drop the connection at once, with all that is unsent."""
        self._frames.abort()

    async def close(self) -> None:
        """Send what is unsent and close. Never raises."""
        await self._frames.close()


async def open_stream(info: ConnectionInfo, timeout: float) -> AuxiliaryStream:
    """Connect to the first of the endpoints that accepts, each within `timeout` seconds.

    Raises DisconnectedError when none does, ProtocolError for unusable keys or endpoints.
    """
    cipher = FrameCipher.for_client(info)
    endpoints = [
        (endpoint.ip, int(endpoint.port))
        for endpoint in info.endpoints
        if _is_usable(endpoint.ip, endpoint.port)
    ]
    if not endpoints:
        raise ProtocolError("The title names no address to connect to")
    for host, port in endpoints[:MAX_ENDPOINTS]:
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(host, port)
        except OSError, UnicodeError:  # a time-out is an OSError, too
            continue
        return AuxiliaryStream(reader, writer, cipher)
    raise DisconnectedError("The title does not accept a connection")


def _is_usable(host: str, port: str) -> bool:
    return (
        0 < len(host) <= MAX_HOST
        and _PORT.fullmatch(port) is not None
        and 0 < int(port) <= MAX_PORT
    )


def _padded(length: int) -> int:
    return length + -length % _BLOCK
