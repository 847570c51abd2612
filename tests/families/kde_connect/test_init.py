"""Entries: set up, unload, reload, restart, remove."""

from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component

from .common import (
    data_of,
    get_state,
    is_unavailable,
    our_end,
    paired_entry,
    set_up,
    wait_connected,
    wait_device,
    wait_flow,
    wait_lost,
    wait_state,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import kde_connect
from custom_components.rumpus.families.kde_connect.features.announcements import (
    AnnouncementsFeature,
)
from custom_components.rumpus.families.kde_connect.features.share import ShareFeature
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice, Misbehave


async def test_set_up(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A paired phone connects, and the registry knows what it is."""
    entry = await set_up(hass, ours, phone, "pixel")

    assert entry.state is ConfigEntryState.LOADED
    await wait_state(hass, "sensor.pixel_battery", "80")
    await wait_state(hass, "device_tracker.pixel", "home")
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, phone.device_id), entry.entry_id
    )
    assert device is not None
    assert device.name == "Pixel"
    assert device.model == "Phone"
    assert device.sw_version == "Protocol 8"


async def test_set_up_while_away(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """An entry loads without its device and waits for it."""
    entry = paired_entry(hass, ours, phone)
    await phone.stop()

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.LOADED
    assert get_state(hass, "binary_sensor.pixel_connectivity").state == "off"
    assert get_state(hass, "device_tracker.pixel").state == "not_home"
    for entity_id in (
        "binary_sensor.pixel_charging",
        "button.pixel_ping",
        "button.pixel_ring",
        "event.pixel_ping",
        "sensor.pixel_battery",
    ):
        assert is_unavailable(hass, entity_id), entity_id


async def test_entry_data_follows_the_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """What the device says when it connects replaces what is stored."""
    entry = paired_entry(
        hass, ours, phone, name="Old", host="127.0.0.1", outgoing=[], incoming=[]
    )
    hass.config_entries.async_update_entry(entry, title="Old")

    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "old")

    assert dict(entry.data) == data_of(phone)
    assert entry.title == "Pixel"


async def test_title_of_the_user_stays(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A device that changes its name does not change what the user calls its entry."""
    entry = await set_up(hass, ours, phone, "pixel")
    hass.config_entries.async_update_entry(entry, title="My phone")

    phone.name = "Fold"
    phone.drop_link()
    await wait_until(hass, lambda: entry.data["name"] == "Fold")

    assert entry.title == "My phone"
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, phone.device_id), entry.entry_id
    )
    assert device is not None
    assert device.name == "Fold"


async def test_unchanged_data_is_not_written(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Connecting again changes nothing in the entry."""
    entry = await set_up(hass, ours, phone, "pixel")
    before = entry.modified_at

    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_connected(hass, "pixel")

    assert entry.modified_at == before


async def test_reconnect(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A lost link makes entities unavailable until it is back."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_battery", "80")

    phone.drop_link()
    await wait_state(hass, "sensor.pixel_battery", "unavailable")
    await wait_state(hass, "device_tracker.pixel", "not_home")

    await wait_state(hass, "device_tracker.pixel", "home")
    await wait_state(hass, "sensor.pixel_battery", "80")


async def test_unload_keeps_the_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """An unloaded entry has no link, and its device is not told anything."""
    entry = await set_up(hass, ours, phone, "pixel")

    assert await hass.config_entries.async_unload(entry.entry_id)
    await phone.wait_for("link_down")

    assert entry.state is ConfigEntryState.NOT_LOADED
    assert is_unavailable(hass, "sensor.pixel_battery")
    assert ours.device_id in phone.paired

    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")


async def test_reload_while_connected(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """A link that outlives its entry loses no state: other entries keep our end running."""
    entry = await set_up(hass, ours, phone, "pixel")
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "sensor.pixel_battery", "80")
    links = phone.events.seen("link_up")

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()

    await wait_state(hass, "sensor.pixel_battery", "80")
    await wait_state(hass, "device_tracker.pixel", "home")
    assert phone.events.seen("link_up") == links


async def test_restart(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Everything closes with Home Assistant."""
    entry = await set_up(hass, ours, phone, "pixel")

    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await phone.wait_for("link_down")

    # What comes after the restart, for the entry: unload does no harm, set-up works.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "pixel")
    assert ours.device_id in phone.paired


async def test_disabled_entry_keeps_the_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """A device whose entry is disabled is not told that it is not paired."""
    disabled = paired_entry(hass, ours, computer)
    await hass.config_entries.async_set_disabled_by(
        disabled.entry_id, ConfigEntryDisabler.USER
    )
    await set_up(hass, ours, phone, "pixel")

    await computer.wait_for("link_up")
    await computer.battery.set(33)
    await computer.ping.send("hello")
    assert await computer.wait_packet("mpris.request") == {"requestPlayerList": True}

    assert ours.device_id in computer.paired
    assert not computer.events.seen("unpaired")


async def test_no_port_to_listen_on(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An entry whose set-up cannot listen is tried again."""
    entry = paired_entry(hass, ours, phone)

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    with monkeypatch.context() as patch:
        patch.setattr(LocalPeer, "start", start)
        assert not await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert entry.error_reason_translation_key == "cannot_listen"

    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "pixel")


@pytest.mark.parametrize("certificate", ["", "no certificate"])
async def test_no_certificate(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, certificate: str
) -> None:
    """An entry that has lost its certificate asks for pairing."""
    entry = paired_entry(hass, ours, phone, certificate=certificate)

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_ERROR
    result = await wait_flow(hass, "reauth", phone.device_id)
    assert result["step_id"] == "kde_connect_reauth_unpaired"


async def test_udp_port_in_use(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    our_udp_port: int,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Another program on our port is a problem that the user can solve."""
    async with FakeDevice("computer", udp_port=our_udp_port) as other:
        # Two programs that both set SO_REUSEADDR would share the port.
        assert other.udp_port == our_udp_port
        entry = paired_entry(hass, ours, phone)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LocalPeer, "udp_bound", False)
            assert await hass.config_entries.async_setup(entry.entry_id)
            await wait_connected(hass, "pixel")
    assert issue_registry.async_get_issue(DOMAIN, "udp_port_in_use")

    await hass.config_entries.async_reload(entry.entry_id)
    assert not issue_registry.async_get_issue(DOMAIN, "udp_port_in_use")


async def test_remove_unpairs(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device is told that its entry was removed, though nothing else needs the link."""
    entry = await set_up(hass, ours, phone, "pixel")

    await hass.config_entries.async_remove(entry.entry_id)

    await phone.wait_for("unpaired")
    assert ours.device_id not in phone.paired
    assert not hass.states.async_all("button")
    assert not hass.config_entries.async_entries(DOMAIN)


async def test_remove_unpairs_beside_others(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """Removing an entry leaves the others alone."""
    entry = await set_up(hass, ours, phone, "pixel")
    await set_up(hass, ours, computer, "tower")

    await hass.config_entries.async_remove(entry.entry_id)

    await phone.wait_for("unpaired")
    assert get_state(hass, "device_tracker.tower").state == "home"
    assert ours.device_id in computer.paired
    # Its link stays, and so it can be added again.
    await wait_flow(hass, "integration_discovery", phone.device_id)


async def test_remove_while_away(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that is away does not keep its entry from being removed."""
    monkeypatch.setattr(kde_connect, "UNPAIR_WAIT", 0.01)
    entry = await set_up(hass, ours, phone, "pixel")
    await phone.stop()
    await wait_state(hass, "device_tracker.pixel", "not_home")

    await hass.config_entries.async_remove(entry.entry_id)

    assert not hass.config_entries.async_entries(DOMAIN)


async def test_remove_without_certificate(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """There is nobody to tell when the pairing has ended already."""
    entry = paired_entry(hass, ours, phone, certificate="")

    await hass.config_entries.async_remove(entry.entry_id)

    assert not phone.received


async def test_remove_cannot_listen(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not being able to tell the device is no reason to keep its entry."""
    entry = paired_entry(hass, ours, phone)

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    monkeypatch.setattr(LocalPeer, "start", start)
    await hass.config_entries.async_remove(entry.entry_id)

    assert not hass.config_entries.async_entries(DOMAIN)
    assert "could not be told" in caplog.text


async def test_unpaired_by_the_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device that ends the pairing is not known any more, also after a restart."""
    entry = await set_up(hass, ours, phone, "pixel")

    await phone.unpair()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")

    assert entry.data["certificate"] == ""
    result = await wait_flow(hass, "reauth", phone.device_id)
    assert result["step_id"] == "kde_connect_reauth_unpaired"
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR


async def test_unpaired_device_is_not_connected(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A link with a device that has ended the pairing does not count."""
    entry = await set_up(hass, ours, phone, "pixel")
    await phone.unpair()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")

    # On the link that there is, on another one, and after a while without.
    phone.name = "Fold"
    await phone.call("127.0.0.1", our_end(hass).tcp_port)
    await hass.async_block_till_done()
    phone.drop_link()
    await wait_lost(hass, phone.device_id)
    await phone.call("127.0.0.1", our_end(hass).tcp_port)
    await wait_device(hass, phone.device_id)
    await hass.async_block_till_done()

    assert get_state(hass, "binary_sensor.pixel_connectivity").state == "off"
    assert entry.data["certificate"] == ""


async def test_changed_key(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A device with another key is not accepted, and the old key stays the pinned one."""
    entry = paired_entry(hass, ours, phone)
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    assert await hass.config_entries.async_setup(entry.entry_id)
    # Our own call proves nothing: its address may be another device's by now.
    await phone.wait_for("link_failed")
    phone.announce("127.0.0.1", our_udp_port)

    result = await wait_flow(hass, "reauth", phone.device_id)

    assert result["step_id"] == "kde_connect_reauth_changed"
    assert entry.data == data_of(phone)
    assert entry.state is ConfigEntryState.LOADED
    assert get_state(hass, "binary_sensor.pixel_connectivity").state == "off"


async def test_yaml_listens_without_entry(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """With the YAML key a device that announces itself becomes a card."""
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: None})

    phone.announce("127.0.0.1", our_udp_port)

    result = await wait_flow(hass, "integration_discovery", phone.device_id)
    assert result["step_id"] == "kde_connect_confirm"


async def test_yaml_cannot_listen(
    hass: HomeAssistant,
    ours: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Other families and the entries are set up all the same."""

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    monkeypatch.setattr(LocalPeer, "start", start)

    assert await async_setup_component(hass, DOMAIN, {DOMAIN: None})
    assert "cannot listen" in caplog.text


async def test_without_yaml_nothing_listens(
    hass: HomeAssistant, ours: Credentials, hass_storage: dict[str, Any]
) -> None:
    """An integration that nobody uses opens no port and makes no key."""
    hass_storage.clear()

    assert await async_setup_component(hass, DOMAIN, {})

    assert "rumpus.kde_connect" not in hass_storage


async def test_all_ends_though_something_fails_to(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A feature that fails while it stops keeps neither the others nor our end running."""
    entry = await set_up(hass, ours, phone, "pixel")
    coordinator = entry.runtime_data
    with (
        patch.object(AnnouncementsFeature, "async_stop", side_effect=RuntimeError),
        patch.object(ShareFeature, "async_stop") as others,
        pytest.raises(RuntimeError),
    ):
        await coordinator.async_stop()

    others.assert_awaited_once()
    assert async_get_hub(hass).peer is None
