"""Numbers and closed sets of the protocol (the KDE Connect reference, sections 1 and 3).

Limits on what the network may send stand next to the reader that enforces them.
"""

from enum import StrEnum
from typing import Final

PROTOCOL_VERSION: Final = 8
MIN_PROTOCOL_VERSION: Final = 7

UDP_PORT: Final = 1716
TCP_PORTS: Final = range(1716, 1765)
PAYLOAD_PORTS: Final = range(1739, 1765)
SERVICE_TYPE: Final = "_kdeconnect._udp.local."

TYPE_IDENTITY: Final = "kdeconnect.identity"
TYPE_PAIR: Final = "kdeconnect.pair"

PAIRING_TIMEOUT: Final = 30.0
"""Seconds until an unanswered pairing request is given up."""
MAX_CLOCK_SKEW: Final = 1800
"""Seconds that the clocks may differ when a version 8 peer asks for pairing."""


class DeviceType(StrEnum):
    """What a peer says it is; everything unheard of is UNKNOWN."""

    DESKTOP = "desktop"
    LAPTOP = "laptop"
    PHONE = "phone"
    TABLET = "tablet"
    TV = "tv"
    UNKNOWN = "unknown"
