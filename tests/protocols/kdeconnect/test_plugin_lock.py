"""Lock packets."""

import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, lock
from custom_components.rumpus.protocols.kdeconnect.plugins.lock import (
    LockResult,
    LockState,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(False, False), (True, True), ("true", True), (None, None), ("half", None)],
)
def test_state_as_valent_sends_it(value: JsonValue, expected: bool | None) -> None:
    packet = Packet("kdeconnect.lock", {"isLocked": value})

    assert decode_message(packet) == LockState(expected)


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), ("false", False)]
)
def test_result(value: JsonValue, expected: bool) -> None:
    packet = Packet("kdeconnect.lock", {"lockResult": value})

    assert decode_message(packet) == LockResult(expected)


def test_state_wins_over_result() -> None:
    packet = Packet("kdeconnect.lock", {"isLocked": False, "lockResult": True})

    assert decode_message(packet) == LockState(is_locked=False)


@pytest.mark.parametrize(
    "body", [{}, {"lockResult": None}, {"lockResult": "?"}, {"other": True}]
)
def test_neither_state_nor_result_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet("kdeconnect.lock", body))


def test_state_is_required_of_a_state() -> None:
    with pytest.raises(ProtocolError):
        LockState.from_packet(Packet("kdeconnect.lock", {"lockResult": True}))


def test_requests() -> None:
    request = "kdeconnect.lock.request"

    assert lock.request_state() == Packet(request, {"requestLocked": True})
    assert lock.set_locked(True) == Packet(request, {"setLocked": True})
    assert lock.set_locked(False) == Packet(request, {"setLocked": False})
