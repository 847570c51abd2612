"""What changes on a device, as subscribers of a client are told."""

from dataclasses import dataclass

from ..apple.enums import PowerState
from ..apple.models import OutputDevice, Playing
from ..errors import RumpusError
from .models import KeyboardSession, MrpDeviceInfo, VolumeControls


@dataclass(frozen=True, slots=True)
class PlayingChanged:
    """Something else is played, or in another way."""

    playing: Playing


@dataclass(frozen=True, slots=True)
class CommandsChanged:
    """The player in front knows other commands than before: features may differ."""


@dataclass(frozen=True, slots=True)
class ArtworkChanged:
    """There is another picture of what is played, under the same id."""


@dataclass(frozen=True, slots=True)
class InfoChanged:
    """The device told about itself."""

    info: MrpDeviceInfo


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The device fell asleep or woke up."""

    old: PowerState
    new: PowerState


@dataclass(frozen=True, slots=True)
class VolumeChanged:
    """The volume of the device is another, in percent; None while it is not known."""

    volume: float | None


@dataclass(frozen=True, slots=True)
class VolumeControlsChanged:
    """Other things can be done to the volume."""

    controls: VolumeControls


@dataclass(frozen=True, slots=True)
class OutputVolumeChanged:
    """The volume of one of the output devices is another, in percent."""

    identifier: str
    volume: float


@dataclass(frozen=True, slots=True)
class OutputDevicesChanged:
    """Other devices play along, or with other volumes or names."""

    devices: tuple[OutputDevice, ...]


@dataclass(frozen=True, slots=True)
class KeyboardChanged:
    """The keyboard on the screen came, went or is for another field."""

    session: KeyboardSession


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended without our closing it; None when the device closed it."""

    error: RumpusError | None


type MrpEvent = (
    PlayingChanged
    | CommandsChanged
    | ArtworkChanged
    | InfoChanged
    | PowerChanged
    | VolumeChanged
    | VolumeControlsChanged
    | OutputVolumeChanged
    | OutputDevicesChanged
    | KeyboardChanged
    | Lost
)
