"""Our lock, which the peer asks about."""

from hypothesis import given, settings
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, lock
from custom_components.rumpus.protocols.kdeconnect.plugins.lock import (
    LockRequested,
    LockResult,
    LockState,
    LockWanted,
)

REQUEST = "kdeconnect.lock.request"


@pytest.mark.parametrize("value", [None, True, False, "x"])
def test_captures_of_a_question(value: JsonValue) -> None:
    assert decode_message(Packet(REQUEST, {"requestLocked": value})) == LockWanted()


def test_requests_as_we_send_them() -> None:
    assert decode_message(lock.request_state()) == LockWanted()
    assert decode_message(lock.set_locked(True)) == LockRequested(locked=True)
    assert decode_message(lock.set_locked(False)) == LockRequested(locked=False)


def test_request_wins_over_question() -> None:
    packet = Packet(REQUEST, {"requestLocked": None, "setLocked": "true"})

    assert decode_message(packet) == LockRequested(locked=True)


@pytest.mark.parametrize("body", [{}, {"setLocked": None}, {"setLocked": "?"}])
def test_request_of_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


@pytest.mark.parametrize("value", [True, False])
def test_answers(value: bool) -> None:
    assert lock.state(value) == Packet("kdeconnect.lock", {"isLocked": value})
    assert decode_message(lock.state(value)) == LockState(value)
    assert lock.result(value) == Packet("kdeconnect.lock", {"lockResult": value})
    assert decode_message(lock.result(value)) == LockResult(value)


@settings(deadline=None)
@given(bodies("requestLocked", "setLocked"))
def test_any_packet_is_a_message_or_a_protocol_error(body: JsonObject) -> None:
    try:
        message = decode_message(Packet(REQUEST, body))
    except ProtocolError:
        return
    assert isinstance(message, LockWanted | LockRequested)
