"""Pairing: every state meets every event."""

from collections.abc import Callable

import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.pairing import (
    REPEAT_ANSWER_INTERVAL,
    Effect,
    Outcome,
    Pairing,
    PairingReason,
    PairingState,
    SendPair,
    StartTimer,
    StopTimer,
)

UNPAIRED, REQUESTED, REQUESTED_BY_PEER, PAIRED = PairingState

NOW = 1_700_000_000.75
PEERS_TIME = 1_700_000_123

type Event = Callable[[Pairing], list[Effect]]

EVENTS: dict[str, Event] = {
    "request": lambda pairing: pairing.request(NOW),
    "accept": Pairing.accept,
    "reject": Pairing.reject,
    "cancel": Pairing.cancel,
    "unpair": Pairing.unpair,
    "timeout": Pairing.timeout,
    "link lost": Pairing.link_lost,
    "yes": lambda pairing: pairing.received({"pair": True}, NOW),
    "yes at": lambda pairing: pairing.received(
        {"pair": True, "timestamp": PEERS_TIME}, NOW
    ),
    "no": lambda pairing: pairing.received({"pair": False}, NOW),
    "other": Pairing.received_other,
}


R = PairingReason
START = StartTimer(30.0)
STOP = StopTimer()
YES = SendPair(True)
NO = SendPair(False)
ASKED: list[Effect] = [
    SendPair(True, 1_700_000_000),
    START,
    Outcome(REQUESTED, R.ASKED),
]
ASKED_BY_PEER: list[Effect] = [START, Outcome(REQUESTED_BY_PEER, R.ASKED_BY_PEER)]
ACCEPTED: list[Effect] = [YES, STOP, Outcome(PAIRED, R.ACCEPTED)]
ACCEPTED_BY_PEER: list[Effect] = [STOP, Outcome(PAIRED, R.ACCEPTED_BY_PEER)]

# What version 8 does; an event that is missing from a state does nothing there.
TABLE: dict[PairingState, dict[str, list[Effect]]] = {
    UNPAIRED: {
        "request": ASKED,
        "yes at": ASKED_BY_PEER,
        "other": [NO],
    },
    REQUESTED: {
        "cancel": [NO, STOP, Outcome(UNPAIRED, R.CANCELED)],
        "timeout": [NO, Outcome(UNPAIRED, R.TIMED_OUT)],
        "link lost": [STOP, Outcome(UNPAIRED, R.LINK_LOST)],
        "yes": ACCEPTED_BY_PEER,
        "yes at": ACCEPTED_BY_PEER,
        "no": [STOP, Outcome(UNPAIRED, R.REJECTED_BY_PEER)],
    },
    REQUESTED_BY_PEER: {
        "request": ACCEPTED,
        "accept": ACCEPTED,
        "reject": [NO, STOP, Outcome(UNPAIRED, R.REJECTED)],
        "timeout": [NO, Outcome(UNPAIRED, R.TIMED_OUT)],
        "link lost": [STOP, Outcome(UNPAIRED, R.LINK_LOST)],
        "no": [STOP, Outcome(UNPAIRED, R.CANCELED_BY_PEER)],
    },
    PAIRED: {
        "unpair": [NO, Outcome(UNPAIRED, R.UNPAIRED)],
        "yes at": [YES],
        "no": [Outcome(UNPAIRED, R.UNPAIRED_BY_PEER)],
    },
}


def pairing_in(state: PairingState, version: int = 8) -> Pairing:
    """Return a pairing that has come to a state."""
    pairing = Pairing(version, state is PAIRED)
    if state is REQUESTED:
        pairing.request(NOW)
    elif state is REQUESTED_BY_PEER:
        pairing.received({"pair": True, "timestamp": PEERS_TIME}, NOW)
    assert pairing.state is state
    return pairing


def check(pairing: Pairing, event: str, expected: list[Effect]) -> None:
    """Compare what an event does, and the state after it."""
    before = pairing.state

    assert EVENTS[event](pairing) == expected
    ends = [effect.state for effect in expected if isinstance(effect, Outcome)]
    assert pairing.state is (ends[-1] if ends else before)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", PairingState)
def test_every_cell(state: PairingState, event: str) -> None:
    check(pairing_in(state), event, TABLE[state].get(event, []))


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", PairingState)
def test_every_cell_of_version_7(state: PairingState, event: str) -> None:
    """Only requests differ: they carry no time and need none."""
    expected = TABLE[state].get(event, [])
    if state is UNPAIRED and event == "request":
        expected = [YES, START, Outcome(REQUESTED, R.ASKED)]
    elif state is UNPAIRED and event == "yes":
        expected = ASKED_BY_PEER

    check(pairing_in(state, 7), event, expected)


def test_timestamp_is_the_requesters() -> None:
    assert pairing_in(UNPAIRED).timestamp is None
    assert pairing_in(REQUESTED).timestamp == 1_700_000_000
    assert pairing_in(REQUESTED_BY_PEER).timestamp == PEERS_TIME
    assert pairing_in(PAIRED).timestamp is None


@pytest.mark.parametrize("state", [REQUESTED, REQUESTED_BY_PEER])
def test_timestamp_is_none_with_version_7(state: PairingState) -> None:
    assert pairing_in(state, 7).timestamp is None


def test_timestamp_in_an_acceptance_changes_nothing() -> None:
    pairing = pairing_in(REQUESTED)
    EVENTS["yes at"](pairing)

    assert pairing.timestamp == 1_700_000_000


def test_timestamp_of_a_second_request_changes_nothing() -> None:
    pairing = pairing_in(REQUESTED_BY_PEER)

    assert pairing.received({"pair": True, "timestamp": PEERS_TIME + 1}, NOW) == []
    assert pairing.timestamp == PEERS_TIME


@pytest.mark.parametrize("event", ["cancel", "timeout", "link lost", "no"])
def test_timestamp_goes_with_the_request(event: str) -> None:
    pairing = pairing_in(REQUESTED)
    EVENTS[event](pairing)

    assert pairing.timestamp is None


@pytest.mark.parametrize("difference", [-1800, -1790, 0, 1790, 1800])
def test_clock_difference_within_the_limit(difference: int) -> None:
    pairing = Pairing(8)

    assert (
        pairing.received({"pair": True, "timestamp": 5000 + difference}, 5000)
        == ASKED_BY_PEER
    )


@pytest.mark.parametrize("difference", [-1801, -1900, 1801, 1900, 10**12])
def test_limit_of_clock_difference(difference: int) -> None:
    pairing = Pairing(8)

    effects = pairing.received({"pair": True, "timestamp": 5000 + difference}, 5000)

    assert effects == [Outcome(UNPAIRED, PairingReason.CLOCK_SKEW)]
    assert pairing.state is UNPAIRED
    assert pairing.timestamp is None


def test_version_7_knows_no_clock_difference() -> None:
    pairing = Pairing(7)

    assert pairing.received({"pair": True, "timestamp": 1}, NOW) == ASKED_BY_PEER


@pytest.mark.parametrize("timestamp", ["5000", 5000.0])
def test_timestamp_of_another_type(timestamp: JsonValue) -> None:
    pairing = Pairing(8)
    pairing.received({"pair": True, "timestamp": timestamp}, 5000)

    assert pairing.timestamp == 5000


@pytest.mark.parametrize("timestamp", [None, "now", [], True])
def test_unusable_timestamp_is_none(timestamp: JsonValue) -> None:
    assert Pairing(8).received({"pair": True, "timestamp": timestamp}, 5000) == []


@pytest.mark.parametrize("body", [{}, {"pair": None}, {"pair": "maybe"}, {"pair": []}])
@pytest.mark.parametrize("state", PairingState)
def test_neither_yes_nor_no_is_refused(state: PairingState, body: JsonObject) -> None:
    pairing = pairing_in(state)

    with pytest.raises(ProtocolError):
        pairing.received(body, NOW)
    assert pairing.state is state


def test_repeated_requests_are_answered_once_in_a_while() -> None:
    pairing = pairing_in(PAIRED)
    request: JsonObject = {"pair": True, "timestamp": PEERS_TIME}

    assert pairing.received(request, 100.0) == [YES]
    assert pairing.received(request, 100.0 + REPEAT_ANSWER_INTERVAL - 0.1) == []
    assert pairing.received(request, 100.0 + REPEAT_ANSWER_INTERVAL) == [YES]


def test_repeated_request_on_a_new_link_is_answered() -> None:
    pairing = pairing_in(PAIRED)
    request: JsonObject = {"pair": True, "timestamp": PEERS_TIME}

    assert pairing.received(request, 100.0) == [YES]
    assert pairing.link_lost() == []
    assert pairing.received(request, 100.0) == [YES]


def test_stranger_is_told_once_per_link() -> None:
    pairing = pairing_in(UNPAIRED)

    assert pairing.received_other() == [NO]
    assert pairing.received_other() == []
    pairing.link_lost()
    assert pairing.received_other() == [NO]


def test_stranger_is_told_again_after_another_request() -> None:
    pairing = pairing_in(UNPAIRED)
    pairing.received_other()
    pairing.request(NOW)
    pairing.cancel()

    assert pairing.received_other() == [NO]


@pytest.mark.parametrize(
    ("effect", "body"),
    [
        (YES, {"pair": True}),
        (NO, {"pair": False}),
        (SendPair(True, 1_795_249_213), {"pair": True, "timestamp": 1_795_249_213}),
    ],
)
def test_packets(effect: SendPair, body: JsonObject) -> None:
    assert effect.to_packet() == Packet("kdeconnect.pair", body)
