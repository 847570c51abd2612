"""Ping packets."""

import pytest

from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping, ping


@pytest.mark.parametrize(
    ("message", "expected"),
    [("Dinner!", "Dinner!"), ("", None), (None, None), (7, None)],
)
def test_message(message: JsonValue, expected: str | None) -> None:
    packet = Packet("kdeconnect.ping", {"message": message})

    assert decode_message(packet) == Ping(expected)


def test_without_a_message() -> None:
    assert decode_message(Packet("kdeconnect.ping")) == Ping(None)


def test_limit_of_message() -> None:
    packet = Packet("kdeconnect.ping", {"message": "m" * (MAX_TEXT + 1)})

    assert Ping.from_packet(packet).message == "m" * MAX_TEXT


def test_message_is_not_shown() -> None:
    assert "Dinner" not in repr(Ping("Dinner!"))


def test_ping() -> None:
    assert ping() == Packet("kdeconnect.ping", {})
    assert ping("Dinner!") == Packet("kdeconnect.ping", {"message": "Dinner!"})
