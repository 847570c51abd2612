"""Pairing with a device: what needs it, and how (part A, sections 1.8, 1.9 and 2.7)."""

from collections.abc import Mapping
from typing import Protocol

from .const import AppleProtocol
from .identity import ClientIdentity
from .services import FoundDevice


class PairingSession(Protocol):
    """One pairing with one protocol of a device; it is closed whatever happens.

    All may raise DisconnectedError, PeerTimeoutError, ProtocolError and the errors of
    `hap.errors`.
    """

    @property
    def protocol(self) -> AppleProtocol:
        """Return what is paired."""

    async def begin(self) -> None:
        """Connect and have the device show its PIN."""

    async def finish(self, pin: str) -> str:
        """Pair with the PIN; return the credentials as text. WrongPinError: try again."""

    async def close(self) -> None:
        """End it; never raises."""


def pairing_needed(
    found: FoundDevice, credentials: Mapping[AppleProtocol, str]
) -> tuple[AppleProtocol, ...]:
    """Return what is to be paired still, in this order."""
    raise NotImplementedError


def start_pairing(
    found: FoundDevice, protocol: AppleProtocol, identity: ClientIdentity
) -> PairingSession:
    """Return a pairing that has not begun; UnsupportedError when there is none."""
    raise NotImplementedError
