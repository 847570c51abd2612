"""What happens to devices, as typed events."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .pairing import PairingReason, PairingState

if TYPE_CHECKING:
    from .device import RemoteDevice
    from .plugins import Message


class TrustReason(StrEnum):
    """Why a paired device is not trusted any more."""

    CERTIFICATE_CHANGED = "certificate_changed"
    PROTOCOL_DOWNGRADED = "protocol_downgraded"


@dataclass(frozen=True, slots=True)
class DeviceAppeared:
    """A device has a link now and had none before."""

    device: RemoteDevice


@dataclass(frozen=True, slots=True)
class DeviceDisappeared:
    """A device has lost its last link."""

    device: RemoteDevice


@dataclass(frozen=True, slots=True)
class PairingRequested:
    """The user of a device asks for pairing; `device.verification_key` is to be compared."""

    device: RemoteDevice


type PeerEvent = DeviceAppeared | DeviceDisappeared | PairingRequested


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The device has a link; packets can be sent."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The device has no link any more."""


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """Name, type, version or capabilities differ from before; see the device's `identity`."""


@dataclass(frozen=True, slots=True)
class PairingChanged:
    """The pairing went to another state."""

    state: PairingState
    reason: PairingReason


@dataclass(frozen=True, slots=True)
class TrustBroken:
    """A connection in the name of the paired device was refused; its pin is kept."""

    reason: TrustReason


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A plugin packet of the paired device, decoded."""

    message: Message


type DeviceEvent = (
    LinkUp | LinkDown | IdentityChanged | PairingChanged | TrustBroken | MessageReceived
)
