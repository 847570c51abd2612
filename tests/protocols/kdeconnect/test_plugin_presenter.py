"""Pointing at slides."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    presenter,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.presenter import (
    MAX_FRACTION,
    PresenterMoved,
    PresenterStopped,
)

TYPE = "kdeconnect.presenter"
KEYS = "kdeconnect.mousepad.request"

fractions = st.floats(-MAX_FRACTION, MAX_FRACTION)


@settings(deadline=None)
@given(fractions, fractions)
def test_movement_round_trip(dx: float, dy: float) -> None:
    packet = presenter.move(dx, dy)

    assert packet == Packet(TYPE, {"dx": dx, "dy": dy})
    assert decode_message(packet) == PresenterMoved(dx, dy)


def test_stop_round_trip() -> None:
    assert presenter.stop() == Packet(TYPE, {"stop": True})
    assert decode_message(presenter.stop()) == PresenterStopped()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"dx": 0.5}, PresenterMoved(0.5, 0.0)),
        ({"dy": "0.5"}, PresenterMoved(0.0, 0.5)),
        ({"dx": 0, "dy": 0}, PresenterMoved(0.0, 0.0)),
        ({"stop": False, "dx": 0.5}, PresenterMoved(0.5, 0.0)),
        ({"stop": True, "dx": 0.5}, PresenterStopped()),
    ],
)
def test_forms(body: JsonObject, expected: object) -> None:
    assert decode_message(Packet(TYPE, body)) == expected


def test_limit_of_movement() -> None:
    packet = Packet(TYPE, {"dx": 1.5, "dy": -2})

    assert decode_message(packet) == PresenterMoved(MAX_FRACTION, -MAX_FRACTION)


@pytest.mark.parametrize("body", [{}, {"stop": False}, {"dx": None, "dy": "far"}])
def test_nothing_to_do_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, body))


@pytest.mark.parametrize(
    ("packet", "key"),
    [
        (presenter.previous_slide(), 8),
        (presenter.next_slide(), 9),
        (presenter.start_show(), 25),
        (presenter.end_show(), 14),
    ],
)
def test_slides_are_turned_with_keys(packet: Packet, key: int) -> None:
    assert packet == Packet(KEYS, {"specialKey": key})


@settings(deadline=None)
@given(bodies("dx", "dy", "stop"))
def test_any_packet_is_a_message_or_a_protocol_error(body: JsonObject) -> None:
    try:
        message = decode_message(Packet(TYPE, body))
    except ProtocolError:
        return
    assert isinstance(message, PresenterMoved | PresenterStopped)
