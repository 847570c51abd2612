"""The packet that makes a device ring."""

from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import findmyphone


def test_ring() -> None:
    assert findmyphone.ring() == Packet("kdeconnect.findmyphone.request", {})
