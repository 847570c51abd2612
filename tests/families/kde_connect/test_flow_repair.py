"""Pairing again when a pairing has ended or a key has changed, and changing an address."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    data_of,
    flows,
    go,
    our_end,
    paired_entry,
    set_up,
    shown,
    wait_connected,
    wait_device,
    wait_flow,
    wait_progress,
    wait_state,
    wait_until,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice


@pytest.fixture
async def unpaired(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> MockConfigEntry:
    """An entry whose device has just ended the pairing."""
    entry = await set_up(hass, ours, phone, "pixel")
    await phone.unpair()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    return entry


async def change_key(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> tuple[MockConfigEntry, ConfigFlowResult]:
    """Set up a phone that has been reset; return its entry and the repair."""
    entry = paired_entry(hass, ours, phone)
    phone.paired.clear()
    phone.credentials = FakeCredentials.generate(phone.device_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await phone.wait_for("link_failed")
    phone.announce("127.0.0.1", our_udp_port)
    return entry, await wait_flow(hass, "reauth", phone.device_id)


async def test_unpaired(
    hass: HomeAssistant, unpaired: MockConfigEntry, phone: FakeDevice
) -> None:
    """After pairing again everything is as before."""
    result = await wait_flow(hass, "reauth", phone.device_id)
    assert result["step_id"] == "kde_connect_reauth_unpaired"
    assert shown(result)["name"] == "Pixel"

    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_pair"
    asked = await phone.wait_for("pairing_requested")
    assert shown(result)["key"] == asked.data["verification_key"]
    result = await wait_progress(hass, result, phone.accept_pairing())

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await wait_connected(hass, "pixel")
    assert unpaired.data == data_of(phone)


async def test_unpaired_and_refused(
    hass: HomeAssistant, unpaired: MockConfigEntry, phone: FakeDevice
) -> None:
    """Every failure of pairing again can be tried again."""
    result = await wait_flow(hass, "reauth", phone.device_id)
    phone.accept = "reject"
    result = await wait_progress(hass, await go(hass, result))
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "pairing_rejected"}
    assert unpaired.data["certificate"] == ""

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["reason"] == "reauth_successful"


async def test_unpaired_and_closed_after_pairing(
    hass: HomeAssistant, unpaired: MockConfigEntry, phone: FakeDevice
) -> None:
    """A new pairing that was not kept is ended."""
    result = await wait_flow(hass, "reauth", phone.device_id)
    await go(hass, result)
    await phone.wait_for("pairing_requested")
    await phone.accept_pairing()
    await hass.async_block_till_done()

    hass.config_entries.flow.async_abort(result["flow_id"])

    await phone.wait_for("unpaired", lambda event: event.data["reason"] != "here")
    assert not phone.paired
    assert unpaired.data["certificate"] == ""


async def test_unpaired_after_a_restart(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The repair is offered again by every start, and asks at the stored address."""
    entry = paired_entry(hass, ours, phone, certificate="")
    phone.paired.clear()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    result = await wait_flow(hass, "reauth", phone.device_id)

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))

    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await wait_connected(hass, "pixel")


async def test_unpaired_and_cannot_listen(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The repair waits for a port."""
    entry = paired_entry(hass, ours, phone, certificate="")
    phone.paired.clear()

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    with monkeypatch.context() as patch:
        patch.setattr(LocalPeer, "start", start)
        assert not await hass.config_entries.async_setup(entry.entry_id)
        result = await wait_flow(hass, "reauth", phone.device_id)
        result = await go(hass, result)
        assert result["step_id"] == "kde_connect_reauth_unpaired"
        assert result["errors"] == {"base": "cannot_listen"}

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["reason"] == "reauth_successful"


async def test_no_address(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A device whose address nobody knows has to say where it is."""
    entry = paired_entry(hass, ours, phone, certificate="", host=None)
    phone.paired.clear()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    result = await wait_flow(hass, "reauth", phone.device_id)
    result = await go(hass, result)
    assert result["errors"] == {"base": "cannot_connect"}

    phone.announce("127.0.0.1", our_udp_port)
    await wait_device(hass, phone.device_id)
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["reason"] == "reauth_successful"


async def test_changed_key(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A new key is accepted only after the users have compared it."""
    entry, result = await change_key(hass, ours, phone, our_udp_port)
    old = entry.data["certificate"]
    assert result["step_id"] == "kde_connect_reauth_changed"

    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_pair"
    asked = await phone.wait_for("pairing_requested")
    assert shown(result)["key"] == asked.data["verification_key"]
    assert entry.data["certificate"] == old
    result = await wait_progress(hass, result, phone.accept_pairing())

    assert result["reason"] == "reauth_successful"
    await wait_connected(hass, "pixel")
    assert entry.data == data_of(phone)
    assert entry.data["certificate"] != old


async def test_changed_key_and_closed(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """Who does not go on keeps the old key, and the device with the new one is refused."""
    entry, result = await change_key(hass, ours, phone, our_udp_port)
    old = dict(entry.data)
    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_pair"

    hass.config_entries.flow.async_abort(result["flow_id"])
    await phone.wait_for("pairing_failed")
    await hass.async_block_till_done()

    assert dict(entry.data) == old
    assert entry.state is ConfigEntryState.LOADED
    peer = our_end(hass)
    device = peer.devices[phone.device_id]
    assert device.paired is not None
    assert device.paired.certificate != phone.certificate_der


async def test_changed_key_was_an_impostor(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """The repair goes away when the real device shows up."""
    genuine = phone.credentials
    await change_key(hass, ours, phone, our_udp_port)
    phone.credentials = genuine
    phone.paired[ours.device_id] = ours.certificate

    peer = our_end(hass)
    await phone.call("127.0.0.1", peer.tcp_port)
    await wait_connected(hass, "pixel")

    await wait_until(hass, lambda: not flows(hass))


async def test_reconfigure(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """An address is changed once the device has answered there."""
    entry = paired_entry(hass, ours, phone, port=9)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "kde_connect_reconfigure"
    assert result["description_placeholders"] == {"name": "Pixel"}

    result = await go(hass, result, host="127.0.0.1", port=9)
    assert result["errors"] == {"base": "cannot_connect"}

    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["port"] == phone.tcp_port
    await wait_connected(hass, "pixel")


async def test_reconfigure_to_another_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """Another device at the address is not taken for the entry's."""
    entry = await set_up(hass, ours, phone, "pixel")
    result = await entry.start_reconfigure_flow(hass)

    result = await go(hass, result, host="127.0.0.1", port=computer.tcp_port)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "unique_id_mismatch"
    assert entry.data["port"] == phone.tcp_port


async def test_reconfigure_with_another_key(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device with another key is refused here as well; its old key makes it welcome."""
    entry = await set_up(hass, ours, phone, "pixel")
    genuine = phone.credentials
    result = await entry.start_reconfigure_flow(hass)
    phone.credentials = FakeCredentials.generate(phone.device_id)

    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    assert result["errors"] == {"base": "other_key"}

    phone.credentials = genuine
    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    assert result["reason"] == "reconfigure_successful"
