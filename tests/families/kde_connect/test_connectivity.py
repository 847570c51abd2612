"""Mobile networks of a phone, battery warnings, and being searched for."""

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_attribute, wait_state
from custom_components.rumpus.families.kde_connect import sensor as sensor_module
from custom_components.rumpus.protocols import reconnect
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


async def test_two_sim_cards(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Each has its sensors; the second one's have its number."""
    await phone.connectivity.set("6", network_type="LTE", bars=3)
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_network_type", "lte")
    await wait_state(hass, "sensor.pixel_signal_strength", "3")

    await phone.connectivity.set("9", network_type="5G", bars=4)
    await wait_state(hass, "sensor.pixel_network_type_sim_2", "5g")
    await wait_state(hass, "sensor.pixel_signal_strength_sim_2", "4")

    await phone.connectivity.set("9", network_type="Wet string", bars=0)
    await wait_state(hass, "sensor.pixel_network_type_sim_2", "unknown")
    await wait_state(hass, "sensor.pixel_signal_strength_sim_2", "0")


async def test_a_sim_card_is_taken_out(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    await phone.connectivity.set("6", network_type="LTE", bars=3)
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_signal_strength", "3")

    phone.connectivity.sims.clear()
    await phone.connectivity.tell("connectivity_report", phone.connectivity.body)

    await wait_state(hass, "sensor.pixel_signal_strength", "unavailable")


async def test_max_sim_entities(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A phone that keeps inventing SIM cards; those that are known stay."""
    monkeypatch.setattr(sensor_module, "MAX_SIM_ENTITIES", 2)
    await phone.connectivity.set("1", network_type="LTE", bars=3)
    await phone.connectivity.set("2", network_type="LTE", bars=2)
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_signal_strength_sim_2", "2")

    phone.connectivity.sims.clear()
    await phone.connectivity.set("2", network_type="LTE", bars=1)
    await phone.connectivity.set("3", network_type="LTE", bars=4)
    await phone.ping.send()
    await wait_attribute(hass, "event.pixel_ping", "event_type", "ping")

    assert get_state(hass, "sensor.pixel_signal_strength_sim_2").state == "1"
    sims = [key for key in hass.states.async_entity_ids("sensor") if "strength" in key]
    assert len(sims) == 2


async def test_an_old_phone_is_asked(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.incoming |= {"kdeconnect.connectivity_report.request"}
    await set_up(hass, ours, phone, "pixel")
    await phone.wait_packet("connectivity_report.request")


async def test_low_battery_is_told_once(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The phone repeats it in every packet until it is charged."""
    events = async_capture_events(hass, "state_changed")
    await set_up(hass, ours, phone, "pixel")

    await phone.battery.set(14)
    await wait_attribute(hass, "event.pixel_battery_low", "level", 14)
    first = get_state(hass, "event.pixel_battery_low")
    await phone.battery.set(13)
    await wait_state(hass, "sensor.pixel_battery", "13")
    assert get_state(hass, "event.pixel_battery_low") == first

    await phone.battery.set(20, charging=True)
    await wait_state(hass, "sensor.pixel_battery", "20")
    await phone.battery.set(12, charging=False)
    await wait_attribute(hass, "event.pixel_battery_low", "level", 12)
    assert events


async def test_charge_of_an_earlier_link(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows whether it is still true; that it was low is not news again."""
    # However short a link was, the next one is tried at once.
    monkeypatch.setattr(reconnect, "SHORT_LINK", 0)
    warnings = async_capture_events(hass, "state_changed")
    entry = await set_up(hass, ours, phone, "pixel")
    await phone.battery.set(14)
    await wait_attribute(hass, "event.pixel_battery_low", "level", 14)
    await wait_state(hass, "sensor.pixel_battery", "14")

    phone.battery.charge = None
    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")
    await phone.ping.send()
    await wait_attribute(hass, "event.pixel_ping", "event_type", "ping")
    assert get_state(hass, "sensor.pixel_battery").state == "unknown"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")
    assert get_state(hass, "sensor.pixel_battery").state == "unknown"

    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")
    await phone.battery.set(15)
    await wait_attribute(hass, "event.pixel_battery_low", "level", 15)
    phone.drop_link()
    await wait_state(hass, "sensor.pixel_battery", "unavailable")
    await wait_state(hass, "sensor.pixel_battery", "15")
    await phone.battery.set(13)
    await wait_state(hass, "sensor.pixel_battery", "13")
    levels = [
        event.data["new_state"].attributes.get("level")
        for event in warnings
        if event.data["entity_id"] == "event.pixel_battery_low"
    ]
    assert set(levels) == {None, 14, 15}


async def test_somebody_searches_us(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    events = async_capture_events(hass, "rumpus_search")
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "event.pixel_search", "unknown")

    assert await phone.find.send() == 1

    await wait_attribute(hass, "event.pixel_search", "event_type", "search")
    assert len(events) == 1
    assert events[0].data["name"] == "Pixel"


async def test_what_was_told_before_is_not_lost(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """An entry that is set up anew finds the device connected, which says nothing again."""
    await phone.connectivity.set("6", network_type="LTE", bars=3)
    # Another entry keeps our end, and with it the link, while this one is set up anew.
    await set_up(hass, ours, computer, "tower")
    entry = await set_up(hass, ours, phone, "pixel")
    await phone.input.set_takes_keys(True)
    await wait_state(hass, "binary_sensor.pixel_keyboard", "on")
    await phone.battery.set(9)
    await wait_attribute(hass, "event.pixel_battery_low", "level", 9)
    low = get_state(hass, "event.pixel_battery_low").state

    assert await hass.config_entries.async_reload(entry.entry_id)

    await wait_state(hass, "sensor.pixel_signal_strength", "3")
    await wait_state(hass, "sensor.pixel_battery", "9")
    await wait_state(hass, "binary_sensor.pixel_keyboard", "on")
    assert get_state(hass, "event.pixel_battery_low").state == low
