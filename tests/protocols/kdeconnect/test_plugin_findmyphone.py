"""The packet that makes a device ring, or us."""

from hypothesis import given, settings

from .strategies import json_objects
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    findmyphone,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.findmyphone import (
    FindRequested,
)


def test_ring() -> None:
    assert findmyphone.ring() == Packet("kdeconnect.findmyphone.request", {})


@settings(deadline=None)
@given(json_objects)
def test_being_searched_for(body: JsonObject) -> None:
    packet = Packet("kdeconnect.findmyphone.request", body)

    assert decode_message(packet) == FindRequested()
