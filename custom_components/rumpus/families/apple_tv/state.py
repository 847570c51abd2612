"""The state of an Apple TV or HomePod as Home Assistant sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.enums import Feature, PowerState
from ...protocols.apple.info import DeviceInfo
from ...protocols.apple.link import LinkStatus
from ...protocols.apple.models import IDLE, Account, App, OutputDevice, Playing


@dataclass(frozen=True, slots=True)
class AppleTvState:
    """All that is known of a device now; None is what it has not told since it connected.

    `is_asleep` is its last word, which stays when Home Assistant is started anew, or that
    of its sleep proxy.  `volume` is in percent, `is_muted` None where nobody can know.
    `features` are those that can be used now, `known_features` those that could be used in
    some situation.  `apps` and `accounts` are the last ones told, in the device's order; they
    stay while it is away.  `artwork_changes` counts new pictures for what plays, whose
    `artwork_id` need not change with them.  `account` is the one that we have switched to last.
    """

    is_connected: bool = False
    is_asleep: bool = False
    power: PowerState = PowerState.UNKNOWN
    playing: Playing = IDLE
    app: App | None = None
    artwork_changes: int = 0
    volume: float | None = None
    is_muted: bool | None = None
    output_devices: tuple[OutputDevice, ...] = ()
    is_focused: bool | None = None
    apps: tuple[App, ...] = ()
    accounts: tuple[Account, ...] = ()
    account: Account | None = None
    links: Mapping[AppleProtocol, LinkStatus] = field(default_factory=dict)
    features: frozenset[Feature] = frozenset()
    known_features: frozenset[Feature] = frozenset()
    info: DeviceInfo = field(default_factory=DeviceInfo)

    @property
    def is_available(self) -> bool:
        """Whether something can be said of the device, and it can be woken at least."""
        return self.is_connected or self.is_asleep

    @property
    def is_off(self) -> bool:
        """Whether the device is asleep: only when it or its sleep proxy has said so."""
        if self.is_connected:
            return self.power is PowerState.OFF
        return self.is_asleep

    @property
    def is_speaker(self) -> bool:
        """Whether the device is a HomePod."""
        return self.info.is_homepod

    def can(self, *features: Feature) -> bool:
        """Tell whether all of these can be used now."""
        return self.features.issuperset(features)

    def knows(self, *features: Feature) -> bool:
        """Tell whether all of these can be used in some situation."""
        return self.known_features.issuperset(features)
