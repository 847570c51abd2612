"""What happens to a device, as typed events of the facade (part B, section 6.7)."""

from dataclasses import dataclass

from ..errors import AuthenticationError, RumpusError
from .const import AppleProtocol
from .enums import PowerState
from .info import DeviceInfo
from .models import OutputDevice, Playing


@dataclass(frozen=True, slots=True)
class LinkUp:
    """A link came up."""

    protocol: AppleProtocol


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A link that was up is gone, and it was not `stop` that ended it.

    The error is None when the device closed it in good order.
    """

    protocol: AppleProtocol
    error: RumpusError | None = None


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """The device does not take our credentials; told once until that changes."""

    protocol: AppleProtocol
    error: AuthenticationError


@dataclass(frozen=True, slots=True)
class PlayingChanged:
    """Something else is played, or something about it has changed."""

    playing: Playing


@dataclass(frozen=True, slots=True)
class ArtworkChanged:
    """There is another picture of what is played, under the same id."""


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The device went on or off, or nobody is left to tell that."""

    old: PowerState
    new: PowerState


@dataclass(frozen=True, slots=True)
class VolumeChanged:
    """The volume, in percent; None without any that can be known."""

    volume: float | None


@dataclass(frozen=True, slots=True)
class OutputDevicesChanged:
    """Other devices play along, or one of them has another volume."""

    devices: tuple[OutputDevice, ...]


@dataclass(frozen=True, slots=True)
class FocusChanged:
    """A text field got or lost the focus; None when that is unknown."""

    is_focused: bool | None


@dataclass(frozen=True, slots=True)
class FeaturesChanged:
    """What can be done now may differ from before."""


@dataclass(frozen=True, slots=True)
class InfoChanged:
    """The device told something new about itself."""

    info: DeviceInfo


type AppleEvent = (
    LinkUp
    | LinkLost
    | LinkRefused
    | PlayingChanged
    | ArtworkChanged
    | PowerChanged
    | VolumeChanged
    | OutputDevicesChanged
    | FocusChanged
    | FeaturesChanged
    | InfoChanged
)
