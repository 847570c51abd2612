"""TVs of this home, for the tests of what phones see of them."""

from collections.abc import Iterable, Mapping
from typing import Any, override

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockEntityPlatform,
)

from homeassistant.components.remote import RemoteEntity
from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .common import data_of, go, wait_flow, wait_state, wait_until
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect.tv import TvCoordinator
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice

PLAYER = "media_player.kitchen"
REMOTE = "remote.living_room"
KEY = "event.living_room_key"
PHONES = "sensor.living_room_connected_phones"

TV_ID = "a" * 32
OTHER_ID = "b" * 32
# Making keys takes time, and no test minds whose they are.
_KEYS = {TV_ID: Credentials.generate(), OTHER_ID: Credentials.generate()}


class FakeRemote(RemoteEntity):
    """A remote that remembers what it is told, and fails if it is told to."""

    _attr_should_poll = False

    def __init__(self) -> None:
        """Start with nothing done."""
        self._attr_name = "Living room"
        self._attr_unique_id = "living_room"
        self._attr_is_on = True
        self.done: list[str] = []
        self.asked: list[Mapping[str, Any]] = []
        self.error: Exception | None = None

    @override
    async def async_send_command(self, command: Iterable[str], **kwargs: Any) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(kwargs)
        self.done += command


async def add_remote(hass: HomeAssistant, platform: str) -> FakeRemote:
    """Add a remote of an integration to Home Assistant."""
    assert await async_setup_component(hass, "remote", {})
    remote = FakeRemote()
    entities = MockEntityPlatform(hass, domain="remote", platform_name=platform)
    await entities.async_add_entities([remote])
    assert remote.entity_id == REMOTE
    return remote


def add_player(hass: HomeAssistant, platform: str) -> str:
    """Add a media player of an integration that has no more than a state."""
    entity = er.async_get(hass).async_get_or_create(
        "media_player", platform, "1", suggested_object_id="kitchen"
    )
    hass.states.async_set(entity.entity_id, "playing", {"friendly_name": "Kitchen"})
    return entity.entity_id


def key_of(hass_storage: dict[str, Any], tv_id: str = TV_ID) -> Credentials:
    """Return the id and key of a TV, as made long ago."""
    key = _KEYS[tv_id]
    hass_storage[f"rumpus.kde_connect.tv.{tv_id}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"rumpus.kde_connect.tv.{tv_id}",
        "data": {
            "device_id": key.device_id,
            "private_key": key.private_key_pem,
            "certificate": key.certificate_pem,
        },
    }
    return key


def tv_entry(
    hass: HomeAssistant,
    key: Credentials,
    *phones: FakeDevice,
    tv_id: str = TV_ID,
    options: Mapping[str, Any] | None = None,
    **changes: Any,
) -> MockConfigEntry:
    """Return an entry of a TV, as if it had been paired with phones long ago."""
    for phone in phones:
        phone.paired[key.device_id] = key.certificate
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Living room",
        unique_id=tv_id,
        data={
            "family": "kde_connect",
            "kind": "tv",
            "device_id": key.device_id,
            "name": "Living room",
            "media_player": PLAYER,
            "remote": REMOTE,
            "phones": [data_of(phone) for phone in phones],
            **changes,
        },
        options=dict(options or {}),
    )
    entry.add_to_hass(hass)
    return entry


async def set_up_tv(
    hass: HomeAssistant, entry: MockConfigEntry, phones: int = 0
) -> TvCoordinator:
    """Set up a TV and wait until so many of its phones are connected."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_state(hass, PHONES, str(phones))
    tv: TvCoordinator = entry.runtime_data
    return tv


def end_of(entry: ConfigEntry) -> LocalPeer:
    """Return the end of ours that is a TV, which has to be set up."""
    tv: TvCoordinator = entry.runtime_data
    return tv.peer


async def request(
    hass: HomeAssistant, phone: FakeDevice, entry: MockConfigEntry
) -> ConfigFlowResult:
    """Let a phone that is linked ask a TV for pairing; return the card."""
    tv_device_id = end_of(entry).identity.device_id
    await phone.request_pairing(tv_device_id)
    return await wait_flow(
        hass, "integration_discovery", f"{entry.unique_id}_{phone.device_id}"
    )


async def link(phone: FakeDevice, entry: MockConfigEntry) -> str:
    """Let a phone connect to a TV by itself; return the TV's id in the protocol."""
    peer = end_of(entry)
    await phone.call("127.0.0.1", peer.tcp_port)
    return peer.identity.device_id


async def pair(
    hass: HomeAssistant, phone: FakeDevice, entry: MockConfigEntry
) -> ConfigFlowResult:
    """Let a phone that is linked be allowed to control a TV."""
    card = await request(hass, phone, entry)
    result = await go(hass, card, next_step_id="kde_connect_tv_allow")
    assert result["reason"] == "phone_paired"
    return result


def listen(hass: HomeAssistant, event_type: str) -> list[Event[Any]]:
    """Return a list that all events of a type will be in."""
    events: list[Event[Any]] = []

    @callback
    def on_event(event: Event[Any]) -> None:
        events.append(event)

    hass.bus.async_listen(event_type, on_event)
    return events


async def wait_done(hass: HomeAssistant, remote: FakeRemote, *done: str) -> None:
    """Wait until a remote has done just this since it was asked the last time."""
    try:
        await wait_until(hass, lambda: remote.done == list(done))
    except TimeoutError:
        raise AssertionError(f"it did {remote.done}") from None
