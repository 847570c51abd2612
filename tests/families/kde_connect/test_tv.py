"""TVs of this home on phones: found, paired, controlled, forgotten."""

import asyncio
import json
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component

from .common import (
    PATIENCE,
    get_state,
    our_end,
    paired_entry,
    private_bits,
    wait_connected,
    wait_state,
)
from .tvs import (
    KEY,
    OTHER_ID,
    PHONES,
    TV_ID,
    FakeRemote,
    add_remote,
    end_of,
    key_of,
    link,
    pair,
    set_up_tv,
    tv_entry,
    wait_done,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import tv_peers as peers_module
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.families.kde_connect.tv import TvCoordinator
from custom_components.rumpus.families.kde_connect.tv_data import MAX_PHONES
from custom_components.rumpus.families.kde_connect.tv_phone import TvPhone
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_wire import FakeIdentity


@pytest.fixture
def tv_key(hass_storage: dict[str, Any]) -> Credentials:
    """The TV's id and key."""
    return key_of(hass_storage)


@pytest.fixture
async def remote(hass: HomeAssistant) -> FakeRemote:
    """The TV's remote."""
    return await add_remote(hass, "androidtv_remote")


# Found and paired


async def test_found_and_paired(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """A phone finds our end and the TV, which is allowed by a card, and drives it."""
    phone.answers_udp = True
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)

    identities: dict[str, FakeIdentity] = {}
    while {"desktop", "tv"} - identities.keys():
        event = await phone.wait_for("link_up")
        identity = phone.peer(event.device_id).identity
        identities[identity.device_type] = identity
    assert identities["desktop"].device_id == ours.device_id
    assert identities["tv"].device_id == tv_key.device_id
    assert identities["tv"].name == "Living room"
    assert "kdeconnect.mousepad.request" in identities["tv"].incoming

    await pair(hass, phone, entry)

    await wait_state(hass, PHONES, "1")
    assert ours.device_id not in phone.paired
    assert [one["device_id"] for one in entry.data["phones"]] == [phone.device_id]
    await phone.wait_for("keyboard_state", lambda event: event.data["state"] is True)
    await phone.tv_remote.press("home")
    await wait_done(hass, remote, "HOME")


async def test_device_and_entities(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The TV is a service-like device of its own."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)

    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, TV_ID), entry.entry_id
    )
    assert device is not None
    assert (device.name, device.model) == ("Living room", "TV")
    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert get_state(hass, KEY).state == "unknown"
    registry = er.async_get(hass)
    assert {
        one.unique_id
        for one in er.async_entries_for_config_entry(registry, entry.entry_id)
    } == {f"{TV_ID}_tv_key", f"{TV_ID}_tv_phones"}


async def test_restart_keeps_the_pairing(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """A phone that was paired is found again, and is not asked."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert async_get_hub(hass).peer is None
    assert tv_key.device_id in phone.paired

    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_state(hass, PHONES, "1")

    await phone.tv_remote.press("back")
    await wait_done(hass, remote, "BACK")
    assert not phone.events.seen("pairing_requested")


async def test_stop_of_home_assistant(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """With Home Assistant every end stops."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)

    await hass.async_stop(force=True)

    await phone.wait_for("link_down")
    assert async_get_hub(hass).tvs is None


async def test_phone_is_away(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """The sensor counts the phones that are there."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)

    await phone.stop()
    await wait_state(hass, PHONES, "0")

    await phone.start()
    await link(phone, entry)
    await wait_state(hass, PHONES, "1")


async def test_phone_unpairs(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """A phone that has ended the pairing is forgotten, and may ask again."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)

    await phone.unpair(tv_key.device_id)
    await wait_state(hass, PHONES, "0")
    assert entry.data["phones"] == []
    assert not entry.runtime_data.phones

    await pair(hass, phone, entry)
    await wait_state(hass, PHONES, "1")


async def test_renamed_phone(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """What a phone says of itself is kept, without setting up the TV anew."""
    entry = tv_entry(hass, tv_key, phone)
    tv = await set_up_tv(hass, entry, phones=1)

    phone.name = "Galaxy"
    await link(phone, entry)
    await wait_names(hass, tv, "Galaxy")
    assert entry.data["phones"][0]["name"] == "Galaxy"
    assert entry.runtime_data is tv


async def test_phone_with_another_key(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever only calls itself like a phone gets nothing, and the user is told."""
    entry = tv_entry(hass, tv_key, phone)
    entry_data = {**entry.data["phones"][0], "certificate": tv_key.certificate_pem}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "phones": [entry_data]}
    )
    await set_up_tv(hass, entry)

    for _ in range(2):
        await link(phone, entry)
        await phone.wait_for("link_down")

    # Whoever goes on trying fills no log.
    assert caplog.text.count("has another key") == 1
    assert get_state(hass, PHONES).state == "0"


async def test_more_phones_than_there_may_be(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """An entry that somebody has written by hand is cut."""
    entry = tv_entry(hass, tv_key, phone)
    data = entry.data["phones"][0]
    phones = [
        {**data, "device_id": f"{number:032}"} for number in range(MAX_PHONES + 1)
    ]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "phones": phones})

    tv = await set_up_tv(hass, entry)

    assert len(tv.phones) == MAX_PHONES


async def test_more_tvs_than_there_may_be(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is made before anything starts is bounded, too."""
    monkeypatch.setattr(peers_module, "MAX_TVS", 1)
    tv_entry(hass, tv_key)
    other_key = key_of(hass_storage, OTHER_ID)
    tv_entry(hass, other_key, tv_id=OTHER_ID, media_player="media_player.den")
    lease = await async_get_hub(hass).async_lease()

    assert lease.peer.is_own(tv_key.device_id)
    assert not lease.peer.is_own(other_key.device_id)
    await lease.async_release()


async def test_damaged_phone(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """A phone without a usable certificate is left out."""
    entry = tv_entry(hass, tv_key, phone)
    damaged = {**entry.data["phones"][0], "certificate": "nonsense"}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "phones": [damaged]}
    )

    tv = await set_up_tv(hass, entry)

    assert not tv.phones


async def wait_names(hass: HomeAssistant, tv: TvCoordinator, *names: str) -> None:
    """Wait until the phones have these names."""
    changed = asyncio.Event()
    unsubscribe = tv.async_add_listener(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while list(tv.phones.values()) != list(names):
                await changed.wait()
                changed.clear()
    finally:
        unsubscribe()


# Several of everything


async def test_two_tvs_and_a_phone_of_our_own(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
    remote: FakeRemote,
) -> None:
    """Each TV has its own phones, and our end knows nothing of them."""
    other_key = key_of(hass_storage, OTHER_ID)
    first = tv_entry(hass, tv_key, phone)
    second = tv_entry(
        hass, other_key, tv_id=OTHER_ID, name="Den", remote=None, media_player="x.y"
    )
    main = paired_entry(hass, ours, phone)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert main.state is second.state is ConfigEntryState.LOADED
    await wait_connected(hass, "pixel")
    await wait_state(hass, PHONES, "1")

    assert set(our_end(hass).devices) == {phone.device_id}
    assert set(end_of(first).devices) == {phone.device_id}
    assert not end_of(second).devices
    assert len({end.tcp_port for end in map(end_of, (first, second))}) == 2
    assert our_end(hass).is_own(other_key.device_id)

    await link(phone, second)
    await pair(hass, phone, second)
    await wait_state(hass, "sensor.den_connected_phones", "1")
    await phone.unpair(tv_key.device_id)
    await wait_state(hass, PHONES, "0")
    assert get_state(hass, "sensor.den_connected_phones").state == "1"
    assert ours.device_id in phone.paired


async def test_two_phones(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    remote: FakeRemote,
) -> None:
    """Several phones control one TV."""
    await set_up_tv(hass, tv_entry(hass, tv_key, phone, computer), phones=2)

    await phone.tv_remote.press("up")
    await wait_done(hass, remote, "DPAD_UP")
    await computer.remote_input.press(7)
    await wait_done(hass, remote, "DPAD_UP", "DPAD_DOWN")


# The end


async def test_removed(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
) -> None:
    """The phones are told, and the key is gone."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)

    await hass.config_entries.async_remove(entry.entry_id)

    await phone.wait_for("unpaired")
    assert f"rumpus.kde_connect.tv.{TV_ID}" not in hass_storage
    assert async_get_hub(hass).peer is None


async def test_removed_without_phones(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
) -> None:
    """Nobody has to be told."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)

    with patch.object(LocalPeer, "start", side_effect=AssertionError):
        await hass.config_entries.async_remove(entry.entry_id)

    assert f"rumpus.kde_connect.tv.{TV_ID}" not in hass_storage


async def test_removed_while_nothing_can_be_told(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The key is deleted all the same."""
    entry = tv_entry(hass, tv_key, phone)
    await set_up_tv(hass, entry, phones=1)

    with patch.object(LocalPeer, "start", side_effect=OSError("no port")):
        await hass.config_entries.async_remove(entry.entry_id)

    assert "could not be told" in caplog.text
    assert f"rumpus.kde_connect.tv.{TV_ID}" not in hass_storage
    assert async_get_hub(hass).peer is None


async def test_lost_key(
    hass: HomeAssistant,
    ours: Credentials,
    hass_storage: dict[str, Any],
    tv_key: Credentials,
    phone: FakeDevice,
) -> None:
    """Without its key a TV is another one to phones, and they have to be paired anew."""
    entry = tv_entry(hass, tv_key, phone)
    del hass_storage[f"rumpus.kde_connect.tv.{TV_ID}"]

    await set_up_tv(hass, entry)

    assert entry.data["device_id"] not in {tv_key.device_id, None}
    assert entry.data["phones"] == []
    assert entry.unique_id == TV_ID


async def test_phone_unpairs_while_the_tv_stops(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
) -> None:
    """All of the TV ends, and our end with it."""
    entry = tv_entry(hass, tv_key, phone, computer)
    tv = await set_up_tv(hass, entry, phones=2)
    first = next(iter(tv.phones))
    stop_phone = TvPhone.async_stop

    async def stop_and_leave(self: TvPhone) -> None:
        if self.device_id == first and first in tv.phones:
            tv.phone_left(self)
        await stop_phone(self)

    with patch.object(TvPhone, "async_stop", stop_and_leave):
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()

    assert async_get_hub(hass).peer is None


@pytest.mark.parametrize("is_first", [True, False])
async def test_key_that_cannot_be_read(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
    is_first: bool,
) -> None:
    """A TV that fails keeps neither other devices away nor our end running."""
    hass_storage[f"rumpus.kde_connect.tv.{TV_ID}"]["version"] = 99
    entries = hass.config_entries
    device = paired_entry(hass, ours, phone)
    if not is_first:
        assert await entries.async_setup(device.entry_id)
    tv = tv_entry(hass, tv_key)
    for entry in (device, tv):
        if entry.state is ConfigEntryState.NOT_LOADED:
            await entries.async_setup(entry.entry_id)

    assert tv.state is ConfigEntryState.SETUP_ERROR
    assert device.state is ConfigEntryState.LOADED
    assert await entries.async_unload(device.entry_id)
    assert async_get_hub(hass).peer is None


async def test_no_port(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """A TV that cannot listen is tried again."""
    entry = tv_entry(hass, tv_key)
    start = LocalPeer.start

    async def start_main_only(self: LocalPeer) -> None:
        if self.credentials.device_id == tv_key.device_id:
            raise OSError("no port")
        await start(self)

    with patch.object(LocalPeer, "start", start_main_only):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert state_of(entry) == "setup_retry"
    assert async_get_hub(hass).peer is None

    with patch.object(LocalPeer, "start", side_effect=OSError("no port")):
        await hass.config_entries.async_reload(entry.entry_id)
    assert state_of(entry) == "setup_retry"

    await hass.config_entries.async_reload(entry.entry_id)
    assert state_of(entry) == "loaded"


def state_of(entry: ConfigEntry) -> str:
    """Return how far an entry is."""
    return str(entry.state.value)


async def test_actions(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The actions of devices are none of a TV."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, TV_ID), entry.entry_id
    )
    assert device is not None

    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(
            DOMAIN, "mute_ringer", {"device_id": device.id}, blocking=True
        )
    assert raised.value.translation_key == "tv_no_action"


async def test_diagnostics(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """There are facts, and nothing that is anybody's business."""
    entry = tv_entry(hass, tv_key, phone, options={"key_up": "UP"})
    tv = await set_up_tv(hass, entry, phones=1)
    assert await async_setup_component(hass, "diagnostics", {})

    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)

    assert facts["tv"] == {
        "has_remote": True,
        "own_commands": ["up"],
        "phones": 1,
        "connected": 1,
        "tcp_port": tv.peer.tcp_port,
    }
    text = json.dumps(facts)
    private = [*private_bits(phone, tv_key), "Pixel", phone.device_id, "127.0.0.1"]
    assert not [bit for bit in private if bit in text]
