"""The protocols of Apple devices, and which of them goes first (part B, section 6.3)."""

from enum import Enum, StrEnum
from typing import Final


class AppleProtocol(StrEnum):
    """What a device can be spoken to with."""

    AIRPLAY = "airplay"
    COMPANION = "companion"
    MRP = "mrp"
    DMAP = "dmap"
    RAOP = "raop"


class PairingRequirement(Enum):
    """What a service asks of whom it does not know (part A, section 1.8)."""

    UNSUPPORTED = 1
    DISABLED = 2
    NOT_NEEDED = 3
    OPTIONAL = 4
    MANDATORY = 5


PRIORITY: Final = (
    AppleProtocol.MRP,
    AppleProtocol.DMAP,
    AppleProtocol.COMPANION,
    AppleProtocol.AIRPLAY,
    AppleProtocol.RAOP,
)
"""Who serves a method or a feature, highest first (part B, section 6.3)."""
POWER_PRIORITY: Final = (
    AppleProtocol.COMPANION,
    AppleProtocol.MRP,
    AppleProtocol.DMAP,
    AppleProtocol.AIRPLAY,
    AppleProtocol.RAOP,
)
"""The same for everything about power."""
CONNECT_ORDER: Final = (
    AppleProtocol.AIRPLAY,
    AppleProtocol.COMPANION,
    AppleProtocol.DMAP,
    AppleProtocol.MRP,
    AppleProtocol.RAOP,
)
"""Who is looked at first for facts about the device (part B, sections 6.2 and 6.5)."""
PAIRING_ORDER: Final = (
    AppleProtocol.AIRPLAY,
    AppleProtocol.COMPANION,
    AppleProtocol.MRP,
)
"""In which order a device is paired with, of what there is a client for."""
IDENTIFIER_ORDER: Final = (
    AppleProtocol.MRP,
    AppleProtocol.DMAP,
    AppleProtocol.AIRPLAY,
    AppleProtocol.RAOP,
    AppleProtocol.COMPANION,
)
"""Whose identifier stands for the device (part A, section 1.3)."""

MIN_VOLUME: Final = 0.0
MAX_VOLUME: Final = 100.0
"""Volumes are percent."""
TOUCH_PAD: Final = 1000
"""Width and height of the touch pad; coordinates go from 0 to this."""
