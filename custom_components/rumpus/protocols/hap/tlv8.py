"""Messages of pairing: tagged values (the Apple TV reference, part A, section 2.1)."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from ..errors import MessageTooLargeError, ProtocolError
from .errors import (
    BackoffError,
    CredentialsRefusedError,
    DeviceFullError,
    PairingBusyError,
    PairingError,
    PairingRefusedError,
    PairingUnavailableError,
    TooManyTriesError,
    VerificationUnavailableError,
    WrongPinError,
)

MAX_SIZE: Final = 64 * 1024
"""Bytes of one message. Real ones stay below 1 KiB."""
MAX_RETRY_DELAY: Final = 24 * 60 * 60
"""Seconds of back-off that we believe; devices double it up to about a minute."""

_MAX_CHUNK: Final = 255

type Items = Mapping[int, bytes]


class Tag(IntEnum):
    """What a value is."""

    METHOD = 0x00
    IDENTIFIER = 0x01
    SALT = 0x02
    PUBLIC_KEY = 0x03
    PROOF = 0x04
    ENCRYPTED_DATA = 0x05
    STATE = 0x06
    ERROR = 0x07
    RETRY_DELAY = 0x08
    CERTIFICATE = 0x09
    SIGNATURE = 0x0A
    PERMISSIONS = 0x0B
    FRAGMENT_DATA = 0x0C
    FRAGMENT_LAST = 0x0D
    NAME = 0x11
    FLAGS = 0x13


class ErrorCode(IntEnum):
    """Why a device refuses."""

    UNKNOWN = 1
    AUTHENTICATION = 2
    BACKOFF = 3
    MAX_PEERS = 4
    MAX_TRIES = 5
    UNAVAILABLE = 6
    BUSY = 7


def encode(items: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the items as a message; an empty value writes nothing, as its peers do.

    Raises ValueError for a tag past 255.
    """
    data = bytearray()
    for tag, value in items:
        for start in range(0, len(value), _MAX_CHUNK):
            chunk = value[start : start + _MAX_CHUNK]
            data += bytes((tag, len(chunk)))
            data += chunk
    return bytes(data)


def decode(data: bytes) -> dict[int, bytes]:
    """Return the values by tag; those of one tag are joined, whatever stands between.

    Raises MessageTooLargeError past MAX_SIZE, ProtocolError for an item that is cut off.
    """
    if len(data) > MAX_SIZE:
        raise MessageTooLargeError(f"More than {MAX_SIZE} bytes of TLV8")
    values: dict[int, bytearray] = {}
    offset = 0
    while offset < len(data):
        end = offset + 2
        if end <= len(data):
            end += data[offset + 1]
        if end > len(data) or end < offset + 2:
            raise ProtocolError("A TLV8 item is cut off")
        values.setdefault(data[offset], bytearray()).extend(data[offset + 2 : end])
        offset = end
    return {tag: bytes(value) for tag, value in values.items()}


def require(items: Items, tag: Tag, size: int | None = None) -> bytes:
    """Return a value that has to be there, of that many bytes if told.

    Raises ProtocolError.
    """
    value = items.get(tag)
    if not value:
        raise ProtocolError(f"A message without {tag.name}")
    if size is not None and len(value) != size:
        raise ProtocolError(f"A message whose {tag.name} has a wrong size")
    return value


def require_state(items: Items, state: int) -> None:
    """Raise ProtocolError unless the message is the one of that number."""
    if items.get(Tag.STATE) != bytes((state,)):
        raise ProtocolError(f"This is not message {state} of the procedure")


def raise_error(items: Items) -> None:
    """Raise the PairingError that the device's Error item stands for, if there is one."""
    code = _error_code(items)
    if code is None:
        return
    if code == ErrorCode.BACKOFF:
        raise BackoffError(_retry_after(items))
    if (known := _PAIRING_ERRORS.get(code)) is None:
        raise PairingRefusedError(code)
    kind, text = known
    raise kind(text)


def raise_verify_error(items: Items) -> None:
    """Raise what an Error item stands for where credentials are checked.

    Raises CredentialsRefusedError, VerificationUnavailableError when the device only has
    no time for it.
    """
    code = _error_code(items)
    if code is None:
        return
    if code in _LATER:
        raise VerificationUnavailableError(code, _retry_after(items))
    raise CredentialsRefusedError(f"The device refused our credentials (error {code})")


_PAIRING_ERRORS: Final[Mapping[int, tuple[type[PairingError], str]]] = {
    ErrorCode.AUTHENTICATION: (WrongPinError, "The PIN is wrong"),
    ErrorCode.MAX_PEERS: (DeviceFullError, "The device keeps no more pairings"),
    ErrorCode.MAX_TRIES: (TooManyTriesError, "There were too many tries"),
    ErrorCode.UNAVAILABLE: (PairingUnavailableError, "The device does not pair now"),
    ErrorCode.BUSY: (PairingBusyError, "The device is pairing with another one"),
}
_LATER: Final = frozenset(
    (
        ErrorCode.BACKOFF,
        ErrorCode.MAX_TRIES,
        ErrorCode.UNAVAILABLE,
        ErrorCode.BUSY,
    )
)


def _error_code(items: Items) -> int | None:
    """Return the device's reason to refuse; zero, or no bytes, are none."""
    return int.from_bytes(items.get(Tag.ERROR, b"")[:8], "little") or None


def _retry_after(items: Items) -> float | None:
    value = items.get(Tag.RETRY_DELAY)
    if not value:
        return None
    return float(min(int.from_bytes(value[:8], "little"), MAX_RETRY_DELAY))
