"""Taking photos."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, photo
from custom_components.rumpus.protocols.kdeconnect.plugins.photo import (
    PhotoCanceled,
    PhotoTaken,
    PhotoWanted,
)

TYPE = "kdeconnect.photo"
REQUEST = "kdeconnect.photo.request"
PAYLOAD = Payload(7, 1739)


def test_photo_round_trip() -> None:
    assert photo.photo("a.jpg") == Packet(TYPE, {"filename": "a.jpg"})
    assert decode_message(photo.photo("a.jpg", PAYLOAD)) == PhotoTaken("a.jpg", PAYLOAD)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"filename": "../a.jpg"}, "a.jpg"),
        ({"filename": 7}, "unnamed"),
        ({}, "unnamed"),
    ],
)
def test_file_names_are_no_paths(body: JsonObject, name: str) -> None:
    assert decode_message(Packet(TYPE, body, PAYLOAD)) == PhotoTaken(name, PAYLOAD)


def test_cancel_round_trip() -> None:
    assert photo.cancel() == Packet(TYPE, {"cancel": True})
    assert decode_message(photo.cancel()) == PhotoCanceled()


def test_request_round_trip() -> None:
    assert photo.request() == Packet(REQUEST)
    assert decode_message(photo.request()) == PhotoWanted()


@pytest.mark.parametrize("body", [{}, {"filename": "a.jpg"}, {"cancel": False}])
def test_photo_without_data_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, body))


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST]),
    bodies("filename", "cancel"),
    st.none() | st.just(PAYLOAD),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject, payload: Payload | None
) -> None:
    try:
        message = decode_message(Packet(packet_type, body, payload))
    except ProtocolError:
        return
    assert isinstance(message, PhotoTaken | PhotoCanceled | PhotoWanted)


def test_name_is_not_shown() -> None:
    assert "secret" not in repr(PhotoTaken("secret", PAYLOAD))
