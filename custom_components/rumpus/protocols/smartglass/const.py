"""What is fixed about SmartGlass on the network (the SmartGlass reference, sections 1, 6, 9)."""

from typing import Final

PORT: Final = 5050
"""UDP port of every console."""
BROADCAST_ADDRESS: Final = "255.255.255.255"
MULTICAST_GROUP: Final = "239.255.255.250"
"""The group of SSDP, but on our own port."""

MAX_PLAINTEXT: Final = 1024
"""Bytes of a payload above which a sender cuts it into fragments."""
MAX_LIVE_ID: Final = 255
"""Bytes of a Live ID; consoles have 16."""
MAX_DATAGRAM: Final = 8192
"""Bytes of a datagram that is looked at; the largest one captured has 1098."""

CORE_CHANNEL_ID: Final = 0
ACK_CHANNEL_ID: Final = 0x1000_0000_0000_0000
"""The channel on which consoles send their acks; clients use the core channel."""

CONSOLE_PARTICIPANT: Final = 0
"""The console's own participant id."""
