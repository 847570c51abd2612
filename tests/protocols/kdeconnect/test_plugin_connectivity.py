"""Reports of mobile networks."""

from hypothesis import given, settings
import pytest

from .strategies import bodies, json_objects
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    connectivity,
    decode_message,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.connectivity import (
    MAX_BARS,
    MAX_SIMS,
    MAX_SUBSCRIPTION,
    ConnectivityReport,
    NetworkType,
    Sim,
)


def report(strengths: JsonValue) -> ConnectivityReport:
    """Return the report in a packet."""
    packet = Packet("kdeconnect.connectivity_report", {"signalStrengths": strengths})
    return ConnectivityReport.from_packet(packet)


def test_two_sims_in_their_order() -> None:
    packet = Packet(
        "kdeconnect.connectivity_report",
        {
            "signalStrengths": {
                "6": {"networkType": "LTE", "signalStrength": 3},
                "17": {"networkType": "5G", "signalStrength": 4},
            }
        },
    )

    assert decode_message(packet) == ConnectivityReport(
        (Sim("6", NetworkType.LTE, 3), Sim("17", NetworkType.NR, 4))
    )


def test_no_sim() -> None:
    assert report({}).sims == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((kind.value, kind) for kind in NetworkType),
        ("lte", NetworkType.LTE),
        ("6G", NetworkType.UNKNOWN),
        ("", NetworkType.UNKNOWN),
        (None, NetworkType.UNKNOWN),
        (5, NetworkType.UNKNOWN),
    ],
)
def test_unknown_networks_survive(name: JsonValue, expected: NetworkType) -> None:
    assert report({"1": {"networkType": name}}).sims == (Sim("1", expected, None),)


@pytest.mark.parametrize(
    ("bars", "expected"),
    [(0, 0), (4, 4), ("2", 2), (-1, None), (None, None), ("x", None)],
)
def test_bars(bars: JsonValue, expected: int | None) -> None:
    assert report({"1": {"signalStrength": bars}}).sims[0].bars == expected


def test_limit_of_bars() -> None:
    assert report({"1": {"signalStrength": MAX_BARS + 1}}).sims[0].bars == MAX_BARS


def test_limit_of_sims() -> None:
    entries: JsonObject = {str(number): {} for number in range(MAX_SIMS + 1)}

    assert [sim.subscription for sim in report(entries).sims] == [
        str(number) for number in range(MAX_SIMS)
    ]


def test_limit_of_subscription() -> None:
    fitting = "s" * MAX_SUBSCRIPTION

    assert [
        sim.subscription
        for sim in report({fitting + "s": {}, "": {}, fitting: {}}).sims
    ] == [fitting]


def test_entries_that_are_no_objects_are_left_out() -> None:
    assert report({"1": 3, "2": None, "3": {}, "4": []}).sims == (
        Sim("3", NetworkType.UNKNOWN, None),
    )


@pytest.mark.parametrize("strengths", [None, [], 3, "LTE"])
def test_no_table_is_refused(strengths: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        report(strengths)


@settings(deadline=None)
@given(bodies("signalStrengths"))
def test_any_packet_is_read_or_refused(body: JsonObject) -> None:
    try:
        found = decode_message(Packet("kdeconnect.connectivity_report", body))
    except ProtocolError:
        return
    assert isinstance(found, ConnectivityReport)


@settings(deadline=None)
@given(json_objects)
def test_any_table_is_read(strengths: JsonObject) -> None:
    for sim in report(strengths).sims:
        assert sim.subscription in strengths
        assert sim.bars is None or 0 <= sim.bars <= MAX_BARS


def test_request() -> None:
    assert connectivity.request() == Packet(
        "kdeconnect.connectivity_report.request", {"request": True}
    )
