"""What the tests of notifications share."""

import io
from typing import Any

from PIL import Image
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr

from .common import paired_entry, set_up, wait_connected, wait_state, wait_until
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


def png(side: int = 8, colour: str = "red") -> bytes:
    """Return a picture."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return file.getvalue()


async def set_up_allowed(
    hass: HomeAssistant, ours: Credentials, fake: FakeDevice, name: str
) -> MockConfigEntry:
    """Return an entry that is set up, connected, and allowed to read notifications."""
    entry = paired_entry(hass, ours, fake)
    hass.config_entries.async_update_entry(entry, options={"notifications": True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    tells = "kdeconnect.notification" in fake.outgoing
    if tells and "kdeconnect.notification.request" in fake.incoming:
        # What it shows from now on is new: what it showed before, it tells silently.
        await fake.wait_for("notification_asked", lambda e: e.data["what"] == "all")
    return entry


def device_id(hass: HomeAssistant, fake: FakeDevice) -> str:
    """Return the id that a device has in the registry."""
    entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, fake.device_id)
    assert entry is not None
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, fake.device_id), entry.entry_id
    )
    assert device is not None
    return device.id


async def act(
    hass: HomeAssistant, fake: FakeDevice, action: str, /, **data: object
) -> None:
    """Carry out an action of the integration on a device."""
    await hass.services.async_call(
        DOMAIN, action, {"device_id": device_id(hass, fake), **data}, blocking=True
    )


async def wait_events(
    hass: HomeAssistant, events: list[Event[Any]], count: int
) -> list[dict[str, Any]]:
    """Wait for a number of events that are captured, take them out, return their data."""
    await wait_until(hass, lambda: len(events) >= count)
    taken = [dict(event.data) for event in events[:count]]
    del events[:count]
    return taken


async def settle(hass: HomeAssistant, computer: FakeDevice, level: int) -> None:
    """Wait until what the computer has sent so far has arrived."""
    await computer.battery.set(level)
    await wait_state(hass, "sensor.tower_battery", str(level))


async def connect(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> MockConfigEntry:
    """Set a computer up; what it asks for at first has been answered then."""
    entry = await set_up(hass, ours, computer, "tower")
    await settle(hass, computer, 40)
    return entry
