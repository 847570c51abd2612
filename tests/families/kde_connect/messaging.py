"""What the tests of text messages and contacts have in common."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr

from .common import paired_entry, wait_connected
from custom_components.rumpus.families.kde_connect.coordinator import (
    KdeConnectCoordinator,
)
from custom_components.rumpus.families.kde_connect.features import (
    contacts,
    messages,
    messages_answers,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice

ADA = "+1 555 0134"
BOB = "+1 555 0177"
MESSAGE = "event.pixel_message"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake phones need no patience."""
    monkeypatch.setattr(messages, "LIST_QUIET", 0.1)
    monkeypatch.setattr(messages, "LIST_WAIT", 0.3)
    monkeypatch.setattr(messages_answers, "QUIET_TIME", 0.2)


def coordinator_of(entry: MockConfigEntry) -> KdeConnectCoordinator:
    """Return the coordinator of an entry that is set up."""
    return cast(KdeConnectCoordinator, entry.runtime_data)


async def set_up_allowed(
    hass: HomeAssistant,
    ours: Credentials,
    fake: FakeDevice,
    *options: str,
    name: str = "pixel",
) -> MockConfigEntry:
    """Return an entry with options, connected and through with what it does then."""
    entry = paired_entry(hass, ours, fake)
    hass.config_entries.async_update_entry(entry, options=dict.fromkeys(options, True))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    await settle(entry)
    return entry


async def settle(entry: MockConfigEntry) -> None:
    """Wait until conversations and contacts are known as of now."""
    coordinator = coordinator_of(entry)
    texts = coordinator.find(messages.MessagesFeature)
    if texts is not None and texts._listing is not None:
        await asyncio.wait([texts._listing])
    people = coordinator.find(contacts.ContactsFeature)
    if people is not None and people._sync is not None:
        await asyncio.wait([people._sync])


def device_id_of(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the registry's id of the entry's device."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


async def act(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, **data: object
) -> Mapping[str, Any]:
    """Call an action that answers."""
    answer = await hass.services.async_call(
        "rumpus",
        name,
        {"device_id": device_id_of(hass, entry), **data},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return answer


async def send(hass: HomeAssistant, entry: MockConfigEntry, **data: object) -> None:
    """Send a text message."""
    await hass.services.async_call(
        "rumpus",
        "send_sms",
        {"device_id": device_id_of(hass, entry), **data},
        blocking=True,
    )


def texts_of(events: list[Event[Any]]) -> list[str]:
    """Return the texts of events about messages."""
    return [event.data["text"] for event in events]
