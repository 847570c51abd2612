"""What AirPlay and MRP have to know of the fake Apple TV that they belong to."""

from typing import TYPE_CHECKING, Protocol

from tests.fakes.apple_tv_events import EventLog
from tests.fakes.apple_tv_hap import PairingDesk

if TYPE_CHECKING:
    from tests.fakes.apple_tv_mrp import MrpDevice


class HostPower(Protocol):
    """The sleep of a fake Apple TV."""

    def knocked(self, port: int) -> None:
        """Somebody connected."""


class Host(Protocol):
    """The core of a fake Apple TV, as `tests.fakes.apple_tv.FakeAppleTv` is one."""

    name: str
    device_id: str  # MAC address in upper case, with colons
    pi: str  # UUID of the device
    psi: str  # UUID that others know it by as an output, in upper case
    model: str
    build: str
    os_version: str
    password: str | None
    acl: int  # 1: only devices of the same home
    volume: float  # of 1.0
    media_flags: int  # what Companion says is possible
    address: str
    events: EventLog
    desk: PairingDesk

    @property
    def kind(self) -> str:
        """What it is: "apple_tv" or "homepod"."""

    @property
    def airplay_pairing(self) -> str:
        """How AirPlay pairs: "hap", "legacy", "transient" or "none"."""

    @property
    def mrp(self) -> MrpDevice:
        """Its MRP."""

    @property
    def is_on(self) -> bool:
        """Whether it is awake."""

    @property
    def is_deeply_asleep(self) -> bool:
        """Whether only a sleep proxy answers."""

    @property
    def power(self) -> HostPower:
        """Its sleep."""

    def set_power(self, on: bool, by: str) -> None:
        """Turn it on or off; `by` names who did."""

    def set_volume(self, volume: float, by: str = "device") -> None:
        """Change the volume."""

    def open_text(self, text: str = "") -> object:
        """Give the focus to a text field."""

    def close_text(self) -> None:
        """Take it away."""

    def set_media_flags(self, flags: int) -> None:
        """Change what Companion says is possible."""
