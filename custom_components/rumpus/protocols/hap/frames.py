"""A stream of bytes in encrypted frames (the Apple TV reference, part A, section 2.8)."""

from typing import Final

from .crypto import TAG_SIZE, ChannelCipher

FRAME_SIZE: Final = 1024
"""Bytes of plaintext in the frames that we send. Devices send up to 65535, all that the
length of a frame can say, so that is the bound for what waits here."""

_LENGTH_SIZE: Final = 2


class HapFrames:
    """Both directions of an encrypted connection; each takes linear time."""

    def __init__(self, cipher: ChannelCipher) -> None:
        """Use a cipher with 8-byte nonces that nothing else uses."""
        self._cipher = cipher
        self._buffer = bytearray()

    @property
    def has_part(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return bool(self._buffer)

    def encode(self, data: bytes) -> bytes:
        """Return data as frames; none for no data."""
        frames: list[bytes] = []
        for start in range(0, len(data), FRAME_SIZE):
            chunk = data[start : start + FRAME_SIZE]
            length = len(chunk).to_bytes(_LENGTH_SIZE, "little")
            frames += (length, self._cipher.encrypt(chunk, length))
        return b"".join(frames)

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come, and return what they complete in the clear.

        Raises DecryptionError; the connection must be closed then.
        """
        buffer = self._buffer
        buffer += data
        plain = []
        offset = 0
        while len(buffer) - offset >= _LENGTH_SIZE:
            length = bytes(buffer[offset : offset + _LENGTH_SIZE])
            start = offset + _LENGTH_SIZE
            end = start + int.from_bytes(length, "little") + TAG_SIZE
            if end > len(buffer):
                break
            plain.append(self._cipher.decrypt(bytes(buffer[start:end]), length))
            offset = end
        del buffer[:offset]
        return b"".join(plain)
