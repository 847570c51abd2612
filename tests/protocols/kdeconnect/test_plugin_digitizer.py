"""A drawing tablet made of the peer's screen."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    digitizer,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.digitizer import (
    MAX_EXTENT,
    PenUpdate,
    SessionEnded,
    SessionStarted,
    Tool,
)

TYPE = "kdeconnect.digitizer"
SESSION = "kdeconnect.digitizer.session"
SIZES = ("width", "height", "resolutionX", "resolutionY")
START: JsonObject = {"action": "start", **dict.fromkeys(SIZES, 7)}

extents = st.integers(1, MAX_EXTENT)
some_truth = st.none() | st.booleans()
some_place = st.none() | st.integers(0, MAX_EXTENT)
updates = st.builds(
    PenUpdate,
    some_truth,
    some_truth,
    st.none() | st.sampled_from(Tool),
    some_place,
    some_place,
    st.none() | st.floats(0.0, 1.0),
)


@settings(deadline=None)
@given(extents, extents, extents, extents)
def test_session_round_trip(width: int, height: int, x: int, y: int) -> None:
    packet = digitizer.start_session(width, height, x, y)

    assert decode_message(packet) == SessionStarted(width, height, x, y)


def test_forms_of_a_session() -> None:
    assert digitizer.start_session(7, 7, 7, 7) == Packet(SESSION, START)
    assert digitizer.end_session() == Packet(SESSION, {"action": "end"})
    assert decode_message(digitizer.end_session()) == SessionEnded()


@pytest.mark.parametrize("action", [None, "pause", 7, []])
def test_unknown_action_is_refused(action: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(SESSION, {**START, "action": action}))


@pytest.mark.parametrize("key", SIZES)
def test_limits_of_sizes(key: str) -> None:
    assert isinstance(
        decode_message(Packet(SESSION, {**START, key: MAX_EXTENT})), SessionStarted
    )
    for size in (0, -1, MAX_EXTENT + 1, None):
        with pytest.raises(ProtocolError):
            decode_message(Packet(SESSION, {**START, key: size}))


@settings(deadline=None)
@given(updates)
def test_pen_round_trip(update: PenUpdate) -> None:
    packet = digitizer.pen(update)

    assert None not in packet.body.values()
    assert decode_message(packet) == update


def test_pen_fields() -> None:
    assert digitizer.pen(PenUpdate(True, False, Tool.RUBBER, 1, 2, 0.5)) == Packet(
        TYPE,
        {
            "active": True,
            "touching": False,
            "tool": "Rubber",
            "x": 1,
            "y": 2,
            "pressure": 0.5,
        },
    )


@pytest.mark.parametrize("tool", [None, "Brush", "pen", 7])
def test_unknown_tool_survives(tool: JsonValue) -> None:
    assert decode_message(Packet(TYPE, {"tool": tool, "x": 1})) == PenUpdate(x=1)


def test_limits_of_the_pen() -> None:
    packet = Packet(TYPE, {"x": MAX_EXTENT + 1, "y": -1, "pressure": 1.5})

    assert decode_message(packet) == PenUpdate(x=MAX_EXTENT, y=0, pressure=1.0)
    assert decode_message(Packet(TYPE, {"pressure": -1})) == PenUpdate(pressure=0.0)


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, SESSION]),
    bodies("action", *SIZES, "active", "touching", "tool", "x", "y", "pressure"),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, PenUpdate | SessionStarted | SessionEnded)
