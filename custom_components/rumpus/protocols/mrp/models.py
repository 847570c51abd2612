"""What a device tells over MRP, in forms of our own (part B, sections 4 and 5)."""

from dataclasses import dataclass

from ..apple.models import OutputDevice
from .enums import VolumeCapability


@dataclass(frozen=True, slots=True)
class MrpDeviceInfo:
    """What a device says about itself (section 4.7).

    `uid` is how it is named where volumes are told: the id of its cluster if it is in
    one. `output_devices` are those that play along, without volumes; the device itself is
    one of them when it leads a group, or is alone.
    """

    name: str = ""
    identifier: str | None = None
    build: str | None = None
    model: str | None = None
    uid: str | None = None
    is_on: bool = False
    is_group_leader: bool = False
    is_proxy_group_player: bool = False
    group_identifier: str | None = None
    output_devices: tuple[OutputDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeControls:
    """What can be done to the volume (section 4.6)."""

    is_available: bool = False
    capabilities: VolumeCapability = VolumeCapability.NONE

    @property
    def is_absolute(self) -> bool:
        """Whether the volume is known and can be set."""
        return self.is_available and VolumeCapability.ABSOLUTE in self.capabilities

    @property
    def is_relative(self) -> bool:
        """Whether there are steps up and down."""
        return self.is_available and VolumeCapability.RELATIVE in self.capabilities


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command that a player knows; the modes are numbers of ours, None without one."""

    command: int
    is_enabled: bool
    preferred_intervals: tuple[float, ...] = ()
    repeat_mode: int | None = None
    shuffle_mode: int | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a device took a command; numbers of SendError and HandlerReturnStatus."""

    send_error: int
    status: int | None = None


@dataclass(frozen=True, slots=True)
class KeyboardSession:
    """The keyboard on the screen, without the text that was typed."""

    state: int = 0
    is_editing: bool = False
    title: str | None = None
    prompt: str | None = None
    keyboard_type: int = 0
    is_secure: bool = False


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One item of the queue of a player, as far as the device told of it."""

    identifier: str | None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    total_time: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What a player plays one after the other; `location` is the current one's index.

    No item is at `location` when the device did not send that one.
    """

    location: int = 0
    items: tuple[QueueItem, ...] = ()
