"""What proves to a device who we are (the Apple TV reference, part A, section 2.7)."""

from dataclasses import dataclass, field
from typing import Final, override
from uuid import uuid4

from .errors import InvalidCredentialsError

MAX_TEXT: Final = 2048
"""Characters of credentials as text; real ones have below 300."""

_KEY_SIZE: Final = 32
_LEGACY_ID_SIZE: Final = 8
_TRANSIENT: Final = b"transient"


@dataclass(frozen=True, slots=True)
class HapCredentials:
    """Of a pairing with a PIN. All are bytes; the identifiers are ASCII."""

    ltpk: bytes
    """The device's Ed25519 public key."""
    ltsk: bytes = field(repr=False)
    """The seed of our Ed25519 key: secret."""
    device_id: bytes
    client_id: bytes

    @override
    def __str__(self) -> str:
        """Return the text to store: secret."""
        parts = (self.ltpk, self.ltsk, self.device_id, self.client_id)
        return ":".join(part.hex() for part in parts)


@dataclass(frozen=True, slots=True)
class LegacyCredentials:
    """Of a pairing with AirPlay as it was on the first Apple TVs."""

    client_id: bytes
    seed: bytes = field(repr=False)
    """Of our Ed25519 key: secret."""
    ltpk: bytes = b""
    """The device's Ed25519 public key; empty in texts that other programs made."""

    @override
    def __str__(self) -> str:
        """Return the text to store: secret."""
        return f"{self.ltpk.hex()}:{self.seed.hex()}::{self.client_id.hex()}"


@dataclass(frozen=True, slots=True)
class TransientCredentials:
    """For devices that let everybody in, without a PIN."""

    @override
    def __str__(self) -> str:
        """Return the text to store."""
        return f"{_TRANSIENT.hex()}:::"


type Credentials = HapCredentials | LegacyCredentials | TransientCredentials


def new_client_id() -> str:
    """Return a pairing id for us that nobody else has."""
    return str(uuid4())


def parse_credentials(text: str) -> Credentials:
    """Return credentials from the text of them.

    Raises InvalidCredentialsError, also for a text that holds none.
    """
    parts = _parts(text)
    if len(parts) == 2:
        client_id, seed = parts
        parts = [b"", seed, b"", client_id]
    if len(parts) == 4:
        ltpk, ltsk, device_id, client_id = parts
        if ltpk == _TRANSIENT and not (ltsk or device_id or client_id):
            return TransientCredentials()
        if len(ltsk) == _KEY_SIZE:
            if not device_id and len(client_id) == _LEGACY_ID_SIZE:
                if len(ltpk) in {0, _KEY_SIZE}:
                    return LegacyCredentials(client_id, ltsk, ltpk)
            elif len(ltpk) == _KEY_SIZE and device_id and client_id:
                return HapCredentials(ltpk, ltsk, device_id, client_id)
    raise InvalidCredentialsError("These are no credentials")


def _parts(text: str) -> list[bytes]:
    if len(text) > MAX_TEXT:
        raise InvalidCredentialsError("These are no credentials: too long")
    try:
        return [bytes.fromhex(part) for part in text.split(":")]
    except ValueError:  # whose text may hold a part of the secret
        pass
    raise InvalidCredentialsError("These are no credentials: not hexadecimal")
