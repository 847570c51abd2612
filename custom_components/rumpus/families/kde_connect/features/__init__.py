"""Every feature of a KDE Connect device."""

from typing import Final

from ..feature import Feature
from .battery import BatteryFeature
from .calls import CallsFeature
from .commands import CommandsFeature
from .connectivity import ConnectivityFeature
from .find import FindFeature
from .lock import LockFeature
from .ping import PingFeature
from .players import PlayersFeature

FEATURES: Final[tuple[type[Feature], ...]] = (
    BatteryFeature,
    CallsFeature,
    ConnectivityFeature,
    CommandsFeature,
    FindFeature,
    LockFeature,
    PingFeature,
    PlayersFeature,
)
