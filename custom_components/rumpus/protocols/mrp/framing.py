"""Messages in a stream of bytes (the Apple TV reference, part B, sections 3.1 and 3.3)."""

from typing import Final

from .. import varint
from ..errors import MessageTooLargeError
from ..hap.crypto import ChannelCipher, hkdf

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one message, encrypted: those with artwork have some megabytes."""

_SALT: Final = "MediaRemote-Salt"
_WRITE_INFO: Final = "MediaRemote-Write-Encryption-Key"
_READ_INFO: Final = "MediaRemote-Read-Encryption-Key"


def make_cipher(shared_secret: bytes) -> ChannelCipher:
    """Return the client's cipher for the secret that pair-verify gave."""
    return ChannelCipher(
        hkdf(shared_secret, _SALT, _WRITE_INFO), hkdf(shared_secret, _SALT, _READ_INFO)
    )


class Frames:
    """Both directions of a connection; linear however the bytes are split."""

    def __init__(self) -> None:
        """Begin in the clear."""
        self._cipher: ChannelCipher | None = None
        self._buffer = bytearray()
        self._offset = 0
        self._missing = 0  # bytes below which there is no use in looking

    def encrypt(self, cipher: ChannelCipher) -> None:
        """Encrypt what follows, and expect that the peer does the same."""
        self._cipher = cipher

    def encode(self, message: bytes) -> bytes:
        """Return a message as a frame."""
        if self._cipher is not None:
            message = self._cipher.encrypt(message)
        return varint.encode(len(message)) + message

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; `next` hands out what they complete."""
        if self._offset:
            del self._buffer[: self._offset]
            self._offset = 0
        self._buffer += data

    @property
    def waiting(self) -> int:
        """How many bytes were fed and not handed out."""
        return len(self._buffer) - self._offset

    def next(self) -> bytes | None:
        """Return the next message; None without a whole one.

        Raises ProtocolError for a length that is none, MessageTooLargeError past
        MAX_FRAME and DecryptionError; nothing can be read after any of them.
        """
        buffer, offset = self._buffer, self._offset
        if len(buffer) - offset <= self._missing:
            return None
        if (found := varint.decode(buffer, offset)) is None:
            return None
        size, start = found
        if size > MAX_FRAME:
            raise MessageTooLargeError(f"A message of more than {MAX_FRAME} bytes")
        end = start + size
        if end > len(buffer):
            self._missing = end - offset - 1
            return None
        self._missing = 0
        self._offset = end
        message = bytes(buffer[start:end])
        return message if self._cipher is None else self._cipher.decrypt(message)
