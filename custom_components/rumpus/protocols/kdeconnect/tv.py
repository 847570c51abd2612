"""What a television says that it understands, as a device of its own.

Phones show a remote control, the player and the volume for such a device (the KDE Connect
reference, sections 10, 11.11, 11.12 and 11.15).  Commands are not among them: who lists
`runcommand.request` has to offer some.
"""

from typing import Final

from .const import DeviceType

DEVICE_TYPE: Final = DeviceType.TV

INCOMING: Final = frozenset(
    {
        # Dictated text, from programs before 2025.
        "kdeconnect.bigscreen.stt",
        "kdeconnect.mousepad.request",
        "kdeconnect.mpris.request",
        "kdeconnect.ping",
        "kdeconnect.systemvolume.request",
    }
)
"""The packet types that a television takes."""

OUTGOING: Final = frozenset(
    {
        "kdeconnect.mousepad.echo",
        "kdeconnect.mousepad.keyboardstate",
        "kdeconnect.mpris",
        "kdeconnect.ping",
        "kdeconnect.systemvolume",
    }
)
"""The packet types that a television may send."""
