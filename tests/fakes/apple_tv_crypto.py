"""What the fake Apple TV encrypts with, independent of the integration.

The Apple TV reference, part A, sections 2.1, 2.2 and 2.8.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TAG_SIZE = 16
FRAME_SIZE = 1024  # plaintext in a frame that we send


class WireError(Exception):
    """What came is not what the protocol says, or was not made with our keys."""


class Tag(IntEnum):
    """Tags of TLV8."""

    METHOD = 0x00
    IDENTIFIER = 0x01
    SALT = 0x02
    PUBLIC_KEY = 0x03
    PROOF = 0x04
    ENCRYPTED_DATA = 0x05
    STATE = 0x06
    ERROR = 0x07
    RETRY_DELAY = 0x08
    SIGNATURE = 0x0A
    NAME = 0x11
    FLAGS = 0x13
    UNKNOWN_1B = 0x1B


class ErrorCode(IntEnum):
    """What an Error item says."""

    UNKNOWN = 1
    AUTHENTICATION = 2
    BACK_OFF = 3
    MAX_PEERS = 4
    MAX_TRIES = 5
    UNAVAILABLE = 6
    BUSY = 7


def tlv_encode(items: Iterable[tuple[int, bytes]]) -> bytes:
    """Write items; a long value becomes several pieces with the same tag."""
    out = bytearray()
    for tag, value in items:
        for at in range(0, len(value), 255):
            piece = value[at : at + 255]
            out += bytes((tag, len(piece))) + piece
    return bytes(out)


def tlv_decode(data: bytes) -> dict[int, bytes]:
    """Read items; pieces with the same tag are joined. Raises WireError."""
    found: dict[int, bytearray] = {}
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise WireError("TLV8 runs past its end")
        end = at + 2 + data[at + 1]
        found.setdefault(data[at], bytearray()).extend(data[at + 2 : end])
        at = end
    return {tag: bytes(value) for tag, value in found.items()}


def hkdf(secret: bytes, salt: str, info: str) -> bytes:
    """Derive a key of 32 bytes."""
    return HKDF(SHA512(), 32, salt.encode(), info.encode()).derive(secret)


def seal(key: bytes, nonce: str, data: bytes) -> bytes:
    """Encrypt a pairing message; the nonce is its name, such as `PS-Msg06`."""
    return ChaCha20Poly1305(key).encrypt(bytes(4) + nonce.encode(), data, None)


def unseal(key: bytes, nonce: str, data: bytes) -> bytes:
    """Decrypt a pairing message. Raises WireError."""
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(4) + nonce.encode(), data, None)
    except (InvalidTag, ValueError) as error:
        raise WireError(f"{nonce} was not made with our key") from error


class ChannelCipher:
    """Both directions of a connection; a nonce counts in 8 bytes or, Companion, in 12.

    `write_key` is the one of this side's output.
    """

    def __init__(
        self, write_key: bytes, read_key: bytes, nonce_size: Literal[8, 12] = 8
    ) -> None:
        self._out = ChaCha20Poly1305(write_key)
        self._in = ChaCha20Poly1305(read_key)
        self._is_short = nonce_size == 8
        self.sent = 0
        self.read = 0

    def _nonce(self, counter: int) -> bytes:
        if self._is_short:
            return bytes(4) + counter.to_bytes(8, "little")
        return counter.to_bytes(12, "little")

    def encrypt(self, data: bytes, aad: bytes | None = None) -> bytes:
        """Encrypt one unit."""
        sealed = self._out.encrypt(self._nonce(self.sent), data, aad)
        self.sent += 1
        return sealed

    def decrypt(self, data: bytes, aad: bytes | None = None) -> bytes:
        """Decrypt one unit. Raises WireError."""
        try:
            plain = self._in.decrypt(self._nonce(self.read), data, aad)
        except (InvalidTag, ValueError) as error:
            raise WireError(f"unit {self.read} does not decrypt") from error
        self.read += 1
        return plain


class HapFrames:
    """The encrypted stream of AirPlay's connections, both ways."""

    def __init__(self, cipher: ChannelCipher) -> None:
        self.cipher = cipher
        self._buffer = bytearray()

    def encode(self, data: bytes, size: int = FRAME_SIZE) -> bytes:
        """Cut data into frames of at most `size` bytes of plaintext."""
        out = bytearray()
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            header = len(piece).to_bytes(2, "little")
            out += header + self.cipher.encrypt(piece, header)
        return bytes(out)

    def feed(self, data: bytes) -> bytes:
        """Take what came, return the plaintext that is complete. Raises WireError."""
        buffer = self._buffer
        buffer += data
        out = bytearray()
        at = 0
        while len(buffer) >= at + 2:
            end = at + 2 + int.from_bytes(buffer[at : at + 2], "little") + TAG_SIZE
            if len(buffer) < end:
                break
            header = bytes(buffer[at : at + 2])
            out += self.cipher.decrypt(bytes(buffer[at + 2 : end]), header)
            at = end
        del buffer[:at]
        return bytes(out)
