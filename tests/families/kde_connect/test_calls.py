"""Calls of a phone: everybody may know that it rings, not who calls."""

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr

from .common import get_state, paired_entry, set_up, wait_connected, wait_state
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice

NUMBER = "+1 555 0134"
NAME = "Grandma Ogg"
CALL = "sensor.pixel_call"
EVENT = "event.pixel_call"


async def test_a_call_that_is_taken(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The sensor follows, and each step is an event without a caller."""
    events = async_capture_events(hass, "rumpus_call")
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, CALL, "unknown")

    await phone.telephony.ring(NUMBER, NAME)
    await wait_state(hass, CALL, "ringing")
    await phone.telephony.answer()
    await wait_state(hass, CALL, "talking")
    await phone.telephony.hang_up()
    await wait_state(hass, CALL, "idle")

    assert get_state(hass, EVENT).attributes["event_type"] == "ended"
    assert [event.data["type"] for event in events] == ["ringing", "talking", "ended"]
    assert all("number" not in event.data for event in events)


async def test_a_missed_call_of_a_known_caller(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With permission automations learn who it was; states and logs never do."""
    events = async_capture_events(hass, "rumpus_call")
    entry = paired_entry(hass, ours, phone)
    hass.config_entries.async_update_entry(entry, options={"callers": True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")

    await phone.telephony.ring(NUMBER, NAME)
    await wait_state(hass, CALL, "ringing")
    await phone.telephony.miss()
    await wait_state(hass, CALL, "idle")
    await hass.async_block_till_done()

    assert events[-1].data["type"] == "missed"
    assert events[-1].data["number"] == NUMBER
    assert events[-1].data["contact"] == NAME
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert events[-1].data["device_id"] == device.id
    for state in hass.states.async_all():
        assert NUMBER not in str(state.as_dict())
        assert NAME not in str(state.as_dict())
    ours_said = [r.getMessage() for r in caplog.records if "rumpus" in r.name]
    assert not any(NUMBER in line or NAME in line for line in ours_said)


async def test_the_call_is_forgotten_with_the_link(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    await set_up(hass, ours, phone, "pixel")
    await phone.telephony.ring(NUMBER, NAME)
    await wait_state(hass, CALL, "ringing")

    phone.drop_link()
    await wait_state(hass, CALL, "unavailable")
    await wait_state(hass, CALL, "unknown")


async def test_mute(hass: HomeAssistant, ours: Credentials, phone: FakeDevice) -> None:
    """By the button and by the action."""
    entry = await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "button.pixel_mute_ringer", "unknown")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)

    await hass.services.async_call(
        "button", "press", {"entity_id": "button.pixel_mute_ringer"}, blocking=True
    )
    await phone.wait_packet("telephony.request_mute")
    await hass.services.async_call(
        "rumpus", "mute_ringer", {"device_id": device.id}, blocking=True
    )
    await phone.wait_packet("telephony.request_mute")

    await phone.stop()
    await wait_state(hass, "button.pixel_mute_ringer", "unavailable")
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(
            "rumpus", "mute_ringer", {"device_id": [device.id]}, blocking=True
        )
    assert error.value.translation_key == "not_connected"
