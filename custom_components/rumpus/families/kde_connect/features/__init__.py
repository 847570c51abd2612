"""Every feature of a KDE Connect device."""

from typing import Final

from ..feature import DeviceFeature
from .announcements import AnnouncementsFeature
from .battery import BatteryFeature
from .calls import CallsFeature
from .clipboard import ClipboardFeature
from .commands import CommandsFeature
from .connectivity import ConnectivityFeature
from .contacts import ContactsFeature
from .find import FindFeature
from .input import InputFeature
from .lock import LockFeature
from .messages import MessagesFeature
from .notifications import NotificationsFeature
from .offered_commands import OfferedCommandsFeature
from .offered_players import OfferedPlayersFeature
from .offered_volumes import OfferedVolumesFeature
from .photo import PhotoFeature
from .ping import PingFeature
from .players import PlayersFeature
from .share import ShareFeature
from .sound import SoundFeature
from .storage import StorageFeature

FEATURES: Final[tuple[type[DeviceFeature], ...]] = (
    AnnouncementsFeature,
    BatteryFeature,
    CallsFeature,
    ClipboardFeature,
    ConnectivityFeature,
    ContactsFeature,
    CommandsFeature,
    FindFeature,
    InputFeature,
    LockFeature,
    MessagesFeature,
    NotificationsFeature,
    OfferedCommandsFeature,
    OfferedPlayersFeature,
    OfferedVolumesFeature,
    PhotoFeature,
    PingFeature,
    PlayersFeature,
    ShareFeature,
    SoundFeature,
    StorageFeature,
)
