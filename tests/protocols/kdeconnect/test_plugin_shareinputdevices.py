"""One pointer for both screens."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    shareinputdevices,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.shareinputdevices import (
    MAX_DISTANCE,
    Edge,
    PointerEntered,
    PointerReleased,
)

TYPE = "kdeconnect.shareinputdevices"
REQUEST = "kdeconnect.shareinputdevices.request"

distances = st.floats(-MAX_DISTANCE, MAX_DISTANCE)


@settings(deadline=None)
@given(st.sampled_from(Edge), distances, distances)
def test_round_trips(edge: Edge, dx: float, dy: float) -> None:
    entered = shareinputdevices.enter(edge, dx, dy)
    released = shareinputdevices.release(dx, dy)

    assert entered == Packet(
        REQUEST, {"exitEdge": edge.value, "deltax": dx, "deltay": dy}
    )
    assert decode_message(entered) == PointerEntered(edge, dx, dy)
    assert released == Packet(TYPE, {"releaseDeltax": dx, "releaseDeltay": dy})
    assert decode_message(released) == PointerReleased(dx, dy)


@pytest.mark.parametrize(
    ("number", "edge"),
    [(1, Edge.TOP), (2, Edge.LEFT), (4, Edge.RIGHT), ("8", Edge.BOTTOM)],
)
def test_edges(number: JsonValue, edge: Edge) -> None:
    packet = Packet(REQUEST, {"exitEdge": number})

    assert decode_message(packet) == PointerEntered(edge, 0.0, 0.0)


@pytest.mark.parametrize("number", [None, 0, 3, 16, "top"])
def test_unknown_edge_is_refused(number: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, {"exitEdge": number}))


def test_limit_of_distance() -> None:
    far = MAX_DISTANCE + 1

    assert decode_message(shareinputdevices.enter(Edge.TOP, far, -far)) == (
        PointerEntered(Edge.TOP, MAX_DISTANCE, -MAX_DISTANCE)
    )
    assert decode_message(shareinputdevices.release(far, -far)) == PointerReleased(
        MAX_DISTANCE, -MAX_DISTANCE
    )


def test_release_tells_nothing_more() -> None:
    assert decode_message(Packet(TYPE, {})) == PointerReleased(0.0, 0.0)


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST]),
    bodies("exitEdge", "deltax", "deltay", "releaseDeltax", "releaseDeltay"),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, PointerEntered | PointerReleased)
