"""The state of a device as Home Assistant sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ...protocols.kdeconnect.plugins.battery import BatteryStatus
from ...protocols.kdeconnect.plugins.connectivity import Sim
from ...protocols.kdeconnect.plugins.systemvolume import Sinks
from ...protocols.kdeconnect.plugins.telephony import CallState
from .player_state import Players


@dataclass(frozen=True, slots=True)
class KdeConnectState:
    """All that is known of a device now; None is what it has not told since it connected.

    `commands` are the names of the commands by their keys, `players` the players by their
    names, `sims` the SIM cards by their subscriptions, `transfer` is percent of the files
    that are on their way.
    """

    is_connected: bool = False
    battery: BatteryStatus | None = None
    call: CallState | None = None
    takes_text: bool | None = None
    sinks: Sinks | None = None
    sims: Mapping[str, Sim] | None = None
    is_locked: bool | None = None
    commands: Mapping[str, str] | None = None
    players: Players | None = None
    has_album_art: bool = False
    notifications: int | None = None
    notification_icon: str | None = None
    transfer: int | None = None
    # Private, as other text that is kept here would be.
    clipboard: str | None = field(default=None, repr=False)
    photo_taken_at: datetime | None = None
