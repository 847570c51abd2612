"""What is kept of a pairing, and how a pairing can fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from ..errors import AuthenticationError, DisconnectedError, RumpusError
from .const import TCP_PORTS, DeviceType
from .identity import Identity
from .pairing import PairingReason


class PairingRejectedError(AuthenticationError):
    """The user of the other device refused."""


class PairingCanceledError(AuthenticationError):
    """The pairing was taken back, here or there."""


class PairingTimeoutError(AuthenticationError):
    """Nobody answered in time."""


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """What has to be kept of a paired device; `certificate` (DER) is its pin.

    `protocol_version` is the highest that it ever spoke.  `address` and `port` are where it
    was last, only a hint.  Empty capability sets mean unknown.
    """

    device_id: str
    certificate: bytes
    name: str
    device_type: DeviceType
    protocol_version: int
    address: str | None = None
    port: int = TCP_PORTS.start
    incoming: frozenset[str] = frozenset()
    outgoing: frozenset[str] = frozenset()

    @classmethod
    def create(
        cls, identity: Identity, certificate: bytes, address: str | None, port: int
    ) -> Self:
        """Return what to keep of a device as it is now."""
        return cls(
            identity.device_id,
            certificate,
            identity.name,
            identity.device_type,
            identity.protocol_version,
            address,
            port,
            identity.incoming,
            identity.outgoing,
        )

    @property
    def identity(self) -> Identity:
        """The identity as it was last."""
        return Identity(
            self.device_id,
            self.name,
            self.device_type,
            self.protocol_version,
            self.incoming,
            self.outgoing,
        )


FAILURES: Final[dict[PairingReason, Callable[[], RumpusError]]] = {
    PairingReason.REJECTED_BY_PEER: lambda: PairingRejectedError("the device refused"),
    PairingReason.REJECTED: lambda: PairingCanceledError(
        "the pairing was refused here"
    ),
    PairingReason.CANCELED: lambda: PairingCanceledError("the pairing was taken back"),
    PairingReason.CANCELED_BY_PEER: lambda: PairingCanceledError(
        "the device took it back"
    ),
    PairingReason.TIMED_OUT: lambda: PairingTimeoutError("nobody answered in time"),
    PairingReason.LINK_LOST: lambda: DisconnectedError(
        "the link was lost while pairing"
    ),
}
"""How those who wait for a pairing learn that it ended without one."""
