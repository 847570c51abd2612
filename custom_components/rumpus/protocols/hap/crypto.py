"""Ciphers, nonces and keys of pairings (the Apple TV reference, part A, section 2.2)."""

from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import DecryptionError

KEY_SIZE: Final = 32
TAG_SIZE: Final = 16
"""Bytes by which encryption makes a message longer."""
NONCE_SIZE: Final = 12


def hkdf(secret: bytes, salt: str, info: str) -> bytes:
    """Return the key of 32 bytes that a secret gives for one purpose."""
    kdf = HKDF(hashes.SHA512(), KEY_SIZE, salt.encode("ascii"), info.encode("ascii"))
    return kdf.derive(secret)


def named_nonce(name: str) -> bytes:
    """Return the nonce of a message of pairing; the name has eight characters."""
    return name.encode("ascii").rjust(NONCE_SIZE, b"\0")


def seal(key: bytes, name: str, data: bytes) -> bytes:
    """Return a message of pairing encrypted, its tag included."""
    return ChaCha20Poly1305(key).encrypt(named_nonce(name), data, None)


def unseal(key: bytes, name: str, data: bytes) -> bytes:
    """Return a message of pairing in the clear. Raises DecryptionError."""
    try:
        return ChaCha20Poly1305(key).decrypt(named_nonce(name), data, None)
    except InvalidTag:
        raise DecryptionError("A message of the pairing cannot be decrypted") from None


class Nonces:
    """The nonces of one direction: a counter from zero, little endian.

    Of 8 bytes, behind four zeros, in sessions of AirPlay and MRP; of all 12 in
    Companion's.
    """

    def __init__(self, size: Literal[8, 12] = 8) -> None:
        """Count in that many bytes."""
        self._size = size
        self._count = 0

    @property
    def count(self) -> int:
        """How many nonces were taken."""
        return self._count

    def next(self) -> bytes:
        """Return the next nonce."""
        nonce = self._count.to_bytes(self._size, "little").rjust(NONCE_SIZE, b"\0")
        self._count += 1
        return nonce


class ChannelCipher:
    """Encrypts one way and decrypts the other, message by message.

    A message that does not decrypt is the end: from then on nothing does, since the
    counters of the two ends would not agree.
    """

    def __init__(
        self, write_key: bytes, read_key: bytes, nonce_size: Literal[8, 12] = 8
    ) -> None:
        """Use the key of our direction and that of theirs, 32 bytes each."""
        self._write = ChaCha20Poly1305(write_key)
        self._read = ChaCha20Poly1305(read_key)
        self._write_nonces = Nonces(nonce_size)
        self._read_nonces = Nonces(nonce_size)
        self._is_broken = False

    def encrypt(self, data: bytes, aad: bytes | None = None) -> bytes:
        """Return the next message encrypted, with TAG_SIZE bytes more."""
        return self._write.encrypt(self._write_nonces.next(), data, aad)

    def decrypt(self, data: bytes, aad: bytes | None = None) -> bytes:
        """Return the next message in the clear. Raises DecryptionError."""
        if self._is_broken:
            raise DecryptionError("The encrypted connection has failed before")
        try:
            return self._read.decrypt(self._read_nonces.next(), data, aad)
        except InvalidTag:
            self._is_broken = True
            raise DecryptionError("A message cannot be decrypted") from None
