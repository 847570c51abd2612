"""Every feature of a KDE Connect device."""

from typing import Final

from ..feature import Feature
from .announcements import AnnouncementsFeature
from .battery import BatteryFeature
from .calls import CallsFeature
from .commands import CommandsFeature
from .connectivity import ConnectivityFeature
from .find import FindFeature
from .input import InputFeature
from .lock import LockFeature
from .notifications import NotificationsFeature
from .ping import PingFeature
from .players import PlayersFeature
from .sound import SoundFeature

FEATURES: Final[tuple[type[Feature], ...]] = (
    AnnouncementsFeature,
    BatteryFeature,
    CallsFeature,
    ConnectivityFeature,
    CommandsFeature,
    FindFeature,
    InputFeature,
    LockFeature,
    NotificationsFeature,
    PingFeature,
    PlayersFeature,
    SoundFeature,
)
