"""A device that is trusted and says the same thing much too often."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_state, wait_until
from custom_components.rumpus import device_coordinator as module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_wire import Body, FakePacket, encode_packet

BATTERY = "sensor.pixel_battery"


def battery(charge: int) -> bytes:
    """Return a packet with a charge."""
    body: Body = {"currentCharge": charge, "isCharging": False, "thresholdEvent": 0}
    return encode_packet(FakePacket("kdeconnect.battery", body))


async def test_max_events(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What comes beyond is not told, and keeps nothing else from being told."""
    monkeypatch.setattr(module, "MAX_EVENTS", 10)
    monkeypatch.setattr(module, "EVENTS_REFILL", 0.0)
    pings = async_capture_events(hass, "rumpus_ping")
    changes = async_capture_events(hass, "state_changed")
    searches = async_capture_events(hass, "rumpus_search")
    entry = await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "event.pixel_ping", "unknown")

    line = encode_packet(FakePacket("kdeconnect.ping", {"message": "Secret flood"}))
    await phone.mischief.send_raw(line * 100)
    await phone.find.send()
    await wait_until(hass, lambda: searches)

    assert len(pings) == 10
    shown = [
        event
        for event in changes
        if event.data["entity_id"] == "event.pixel_ping"
        and event.data["new_state"].attributes.get("event_type") == "ping"
    ]
    assert 0 < len(shown) <= 10  # those of the same millisecond are one
    warnings = [
        record.getMessage()
        for record in caplog.records
        if "than are told" in record.msg
    ]
    assert len(warnings) == 1
    assert "Secret flood" not in caplog.text
    assert entry.runtime_data.diagnostics()["events_dropped"] == 180


async def test_max_states(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entities show the result, and few of the states on the way there."""
    monkeypatch.setattr(module, "MAX_STATES", 10)
    monkeypatch.setattr(module, "STATES_REFILL", 0.0)
    monkeypatch.setattr(module, "FLOOD_INTERVAL", 0.05)
    changes = async_capture_events(hass, "state_changed")
    entry = await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, BATTERY, str(phone.battery.charge))

    await phone.mischief.send_raw(b"".join(map(battery, [10, 90] * 200)) + battery(42))
    await wait_state(hass, BATTERY, "42")

    shown = [event for event in changes if event.data["entity_id"] == BATTERY]
    assert len(shown) < 40
    # What is not shown yet is forgotten with the entry.
    await phone.mischief.send_raw(battery(41) + battery(40))
    told = asyncio.Event()
    unsubscribe = entry.runtime_data.device.subscribe(lambda _: told.set())
    await told.wait()
    unsubscribe()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert get_state(hass, BATTERY).state == "unavailable"
