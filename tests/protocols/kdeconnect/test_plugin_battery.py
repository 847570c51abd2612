"""Battery packets."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    battery,
    decode_message,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.battery import (
    BatteryStatus,
    BatteryWanted,
)


def status(body: JsonObject) -> BatteryStatus:
    """Return the state in a packet."""
    return BatteryStatus.from_packet(Packet("kdeconnect.battery", body))


def test_capture_of_kde_26() -> None:
    packet = Packet(
        "kdeconnect.battery",
        {
            "": None,
            "batteryQuantity": 1,
            "currentCharge": 77,
            "isCharging": False,
            "thresholdEvent": 0,
        },
    )

    assert decode_message(packet) == BatteryStatus(77, is_charging=False, is_low=False)


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (0, 0),
        (100, 100),
        (101, 100),
        (255, 100),
        ("50", 50),
        (50.5, 50),
        (-1, None),
        (-2, None),
        (None, None),
        ("full", None),
    ],
)
def test_limits_of_charge(charge: JsonValue, expected: int | None) -> None:
    assert status({"currentCharge": charge}).charge == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [(0, False), (1, True), ("1", True), (2, None), (-1, None), (None, None)],
)
def test_unknown_events_survive(event: JsonValue, expected: bool | None) -> None:
    assert status({"thresholdEvent": event}).is_low is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), (0, False), ("maybe", None)]
)
def test_charging_in_other_types(text: JsonValue, expected: bool | None) -> None:
    assert status({"isCharging": text}).is_charging is expected


def test_empty_packet_tells_nothing() -> None:
    assert status({}) == BatteryStatus(None, None, None)


def test_request() -> None:
    assert battery.request() == Packet("kdeconnect.battery.request", {"request": True})


@pytest.mark.parametrize("body", [{"request": True}, {}])
def test_our_battery_is_asked_for(body: JsonObject) -> None:
    packet = Packet("kdeconnect.battery.request", body)

    assert decode_message(packet) == BatteryWanted()


@pytest.mark.parametrize(
    ("charge", "sent"), [(0, 0), (77, 77), (100, 100), (101, 100), (-3, 0), (None, -1)]
)
def test_status_of_ours(charge: int | None, sent: int) -> None:
    assert battery.status(charge, is_charging=True, is_low=False) == Packet(
        "kdeconnect.battery",
        {"currentCharge": sent, "isCharging": True, "thresholdEvent": 0},
    )


@settings(deadline=None)
@given(st.none() | st.integers(0, 100), st.booleans(), st.booleans())
def test_status_is_read_as_it_was_told(
    charge: int | None, is_charging: bool, is_low: bool
) -> None:
    packet = battery.status(charge, is_charging, is_low)

    assert decode_message(packet) == BatteryStatus(charge, is_charging, is_low)
