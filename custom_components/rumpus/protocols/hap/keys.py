"""Signatures and shared secrets, from and to bytes."""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from ..errors import ProtocolError
from .errors import IdentityError

KEPT_KEYS: Final = 16
"""Keys of ours that are kept: of all links to some devices."""


@lru_cache(KEPT_KEYS)
def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    """Return the key of a seed, which takes as long to make as a signature."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def signing_public(seed: bytes) -> bytes:
    """Return the Ed25519 public key of a seed; both have 32 bytes."""
    return _signing_key(seed).public_key().public_bytes_raw()


def sign(seed: bytes, data: bytes) -> bytes:
    """Return the signature of data, 64 bytes."""
    return _signing_key(seed).sign(data)


def check_signature(public: bytes, signature: bytes, data: bytes) -> None:
    """Raise IdentityError unless the owner of a public key has signed the data."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except InvalidSignature, ValueError:
        raise IdentityError("The signature of the device is wrong") from None


class KeyExchange:
    """Our side of one X25519 exchange."""

    def __init__(self, private: bytes | None = None) -> None:
        """Choose a key; a given one is for the tests."""
        self._private = (
            X25519PrivateKey.generate()
            if private is None
            else X25519PrivateKey.from_private_bytes(private)
        )
        self.public = self._private.public_key().public_bytes_raw()

    def shared(self, peer: bytes) -> bytes:
        """Return the shared secret, 32 bytes.

        Raises ProtocolError for a public key that would make it known to everybody.
        """
        try:
            return self._private.exchange(X25519PublicKey.from_public_bytes(peer))
        except ValueError:
            raise ProtocolError("A public key of no use") from None
