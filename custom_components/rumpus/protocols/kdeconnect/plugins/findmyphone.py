"""Make the peer ring (the KDE Connect reference, section 11.4)."""

from typing import Final

from ..packet import Packet

TYPE_REQUEST: Final = "kdeconnect.findmyphone.request"


def ring() -> Packet:
    """Ring until somebody stops it at the device; no packet can stop it."""
    return Packet(TYPE_REQUEST)
