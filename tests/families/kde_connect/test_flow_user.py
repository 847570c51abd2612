"""Adding a device: searching for it, typing its address, and every end of a pairing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    data_of,
    entry_data_of,
    flows,
    get_state,
    go,
    look,
    our_end,
    paired_entry,
    shown,
    start_user,
    wait_connected,
    wait_device,
    wait_flow,
    wait_lost,
    wait_progress,
    wait_step,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import flow as flow_module
from custom_components.rumpus.protocols.kdeconnect import pairing as pairing_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice, Misbehave

type Pause = Callable[[FakeDevice | None], None]


@pytest.fixture
def pause(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Pause:
    """Let a search last until a device has a link, or not at all."""

    def set_pause(device: FakeDevice | None) -> None:
        async def scan_pause() -> None:
            await asyncio.sleep(0)
            if device is not None:
                await wait_device(hass, device.device_id)

        monkeypatch.setattr(flow_module, "scan_pause", scan_pause)

    return set_pause


async def search(hass: HomeAssistant) -> Any:
    """Search from the menu; return what comes after."""
    result = await go(hass, await start_user(hass), next_step_id="kde_connect_scan")
    assert result["step_id"] == "kde_connect_scan"
    return await wait_progress(hass, result)


async def by_address(hass: HomeAssistant, device: FakeDevice) -> Any:
    """Type the address of a device; return what comes after."""
    result = await go(hass, await start_user(hass), next_step_id="kde_connect_address")
    assert result["type"] is FlowResultType.FORM
    return await go(hass, result, host="127.0.0.1", port=device.tcp_port)


async def test_search_and_pair(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, pause: Pause
) -> None:
    """Search, choose, compare the key, and the device is there with its state."""
    phone.answers_udp = True
    pause(phone)

    result = await search(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "kde_connect_pick"
    assert result["data_schema"] is not None
    options = result["data_schema"].schema["device"].config["options"]
    assert options[0] == {
        "value": phone.device_id,
        "label": '"Pixel" (Phone, 127.0.0.1)',
    }

    result = await go(hass, result, device=phone.device_id)
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["step_id"] == "kde_connect_pair"
    asked = await phone.wait_for("pairing_requested")
    assert result["description_placeholders"] == {
        "name": "Pixel",
        "type": "Phone",
        "address": "127.0.0.1",
        "key": asked.data["verification_key"],
    }

    result = await wait_progress(hass, result, phone.accept_pairing())

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Pixel"
    assert result["result"].unique_id == phone.device_id
    assert entry_data_of(result) == data_of(phone, port=1716)
    assert not flows(hass)
    await wait_connected(hass, "pixel")
    assert get_state(hass, "sensor.pixel_battery").state == "80"
    assert ours.device_id in phone.paired


async def test_search_finds_nothing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, pause: Pause
) -> None:
    """Without an answer the user reads why, and can search again."""
    pause(None)
    result = await search(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_nothing_found"
    assert result["description_placeholders"] == {
        "udp_port": "1716",
        "tcp_ports": "1716-1764",
    }

    phone.answers_udp = True
    phone.udp_rate_limit = 0
    phone.accept = "auto"
    pause(phone)
    result = await go(hass, result, next_step_id="kde_connect_scan")
    result = await wait_progress(hass, result)
    result = await go(hass, result, device=phone.device_id)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_search_cannot_hear(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    pause: Pause,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When another program has the port, that is what the user reads; an address works."""
    pause(None)
    monkeypatch.setattr(LocalPeer, "udp_bound", False)
    result = await search(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_nothing_heard"

    phone.accept = "auto"
    result = await go(hass, result, next_step_id="kde_connect_address")
    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_search_cannot_listen(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    pause: Pause,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a port there is nothing to search with; later there is."""

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    with monkeypatch.context() as patch:
        patch.setattr(LocalPeer, "start", start)
        result = await start_user(hass)
        result = await go(hass, result, next_step_id="kde_connect_scan")
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "cannot_listen"

        result = await by_address(hass, phone)
        assert result["errors"] == {"base": "cannot_listen"}

    phone.accept = "auto"
    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_search_leaves_out_configured(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, pause: Pause
) -> None:
    """A device with an entry is not offered."""
    entry = paired_entry(hass, ours, phone)
    assert await hass.config_entries.async_setup(entry.entry_id)
    pause(phone)

    result = await search(hass)

    assert result["step_id"] == "kde_connect_nothing_found"


async def test_chosen_device_has_gone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, pause: Pause
) -> None:
    """A device may go while the list is on the screen, and come back."""
    phone.answers_udp = True
    phone.udp_rate_limit = 0
    phone.accept = "auto"
    pause(phone)
    result = await search(hass)
    phone.drop_link()
    await wait_lost(hass, phone.device_id)

    result = await go(hass, result, device=phone.device_id)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "kde_connect_pick"
    assert result["errors"] == {"base": "no_longer_there"}

    result = await go(hass, result, device="scan_again")
    assert result["step_id"] == "kde_connect_scan"
    result = await wait_progress(hass, result)
    result = await go(hass, result, device=phone.device_id)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_list_leads_to_address(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    pause: Pause,
) -> None:
    """Who misses a device in the list can type its address."""
    phone.answers_udp = True
    computer.accept = "auto"
    pause(phone)
    result = await search(hass)

    result = await go(hass, result, device="by_address")
    assert result["step_id"] == "kde_connect_address"
    result = await go(hass, result, host="127.0.0.1", port=computer.tcp_port)
    result = await wait_progress(hass, result)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Tower"


async def test_address_without_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Where nothing answers the form stays, with what was typed."""
    result = await start_user(hass)
    result = await go(hass, result, next_step_id="kde_connect_address")

    result = await go(hass, result, host="127.0.0.1", port=9)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "cannot_connect"}
    assert result["data_schema"] is not None
    (key,) = [key for key in result["data_schema"].schema if key == "host"]
    assert key.description == {"suggested_value": "127.0.0.1"}
    phone.accept = "auto"
    result = await go(hass, result, host=" 127.0.0.1 ", port=phone.tcp_port)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_address_of_something_else(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """What is no KDE Connect, or a broken one, is told apart from silence."""
    phone.misbehave = Misbehave.SWAPPED_ID
    result = await by_address(hass, phone)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "not_understood"}

    phone.misbehave = Misbehave.NOTHING
    phone.accept = "auto"
    result = await go(hass, result, host="127.0.0.1", port=phone.tcp_port)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_already_configured(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device is not added twice."""
    entry = paired_entry(hass, ours, phone)
    assert await hass.config_entries.async_setup(entry.entry_id)

    result = await by_address(hass, phone)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.state is ConfigEntryState.LOADED
    assert ours.device_id in phone.paired


async def test_ignored_device_can_be_added(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Ignoring a discovery does not keep the user from adding the device."""
    MockConfigEntry(
        domain=DOMAIN, unique_id=phone.device_id, source=SOURCE_IGNORE, data={}
    ).add_to_hass(hass)
    phone.accept = "auto"

    result = await wait_progress(hass, await by_address(hass, phone))

    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("version", [7, 8])
async def test_protocol_versions(
    hass: HomeAssistant,
    ours: Credentials,
    pause: Pause,
    phone: FakeDevice,
    version: int,
) -> None:
    """Both versions of the protocol show a key that is the same on both sides."""
    phone.protocol = version
    phone.answers_udp = True
    pause(phone)
    result = await search(hass)
    result = await go(hass, result, device=phone.device_id)
    asked = await phone.wait_for("pairing_requested")

    assert shown(result)["key"] == asked.data["verification_key"]
    result = await wait_progress(hass, result, phone.accept_pairing())
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["protocol_version"] == version


async def test_rejected(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A refusal is told, and the user can try again."""
    phone.accept = "reject"
    result = await wait_progress(hass, await by_address(hass, phone))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "pairing_rejected"}
    # The reason stays on the screen when the frontend looks again.
    assert (await look(hass, result))["errors"] == {"base": "pairing_rejected"}

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_timed_out(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody answers; the request is taken back, and the user can try again."""
    phone.accept = "ignore"
    with monkeypatch.context() as patch:
        patch.setattr(pairing_module, "PAIRING_TIMEOUT", 0.05)
        result = await wait_progress(hass, await by_address(hass, phone))
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "pairing_timed_out"}
    await phone.wait_for("pairing_failed")

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_connection_lost_while_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device that goes in the middle of a pairing can be asked again."""
    result = await by_address(hass, phone)
    await phone.wait_for("pairing_requested")

    async def drop() -> None:
        phone.drop_link()

    result = await wait_progress(hass, result, drop())
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "connection_lost"}

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_device_gone_before_retry(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Trying again with a device that is switched off says so."""
    phone.accept = "reject"
    result = await wait_progress(hass, await by_address(hass, phone))
    await phone.stop()
    await wait_lost(hass, phone.device_id)

    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "cannot_connect"}

    await phone.start()
    await phone.call("127.0.0.1", our_end(hass).tcp_port)
    await wait_device(hass, phone.device_id)
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_closed_while_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Closing the dialogue takes the request back and stops listening."""
    result = await by_address(hass, phone)
    await phone.wait_for("pairing_requested")

    hass.config_entries.flow.async_abort(result["flow_id"])

    await phone.wait_for("pairing_failed")
    assert not phone.paired
    # The device may have become a card before we knew whose address it was.
    await hass.async_block_till_done()
    for card in flows(hass):
        hass.config_entries.flow.async_abort(card["flow_id"])
    await phone.wait_for("link_down")

    phone.accept = "auto"
    result = await wait_progress(hass, await by_address(hass, phone))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_closed_after_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A pairing that never became an entry is ended."""
    result = await by_address(hass, phone)
    await phone.wait_for("pairing_requested")
    await phone.accept_pairing()
    await hass.async_block_till_done()

    hass.config_entries.flow.async_abort(result["flow_id"])

    await phone.wait_for("unpaired")
    assert not phone.paired


async def test_closed_while_searching(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Closing the dialogue ends the search."""
    result = await start_user(hass)
    await go(hass, result, next_step_id="kde_connect_scan")

    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()

    assert not flows(hass)


async def test_device_asks_while_chosen(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, pause: Pause
) -> None:
    """When both users ask, ours has to compare the key of the other's request."""
    phone.answers_udp = True
    pause(phone)
    result = await search(hass)
    await phone.request_pairing()
    card = await wait_flow(hass, "integration_discovery", phone.device_id)
    await wait_step(hass, card, "kde_connect_accept")

    result = await go(hass, result, device=phone.device_id)
    assert result["step_id"] == "kde_connect_accept"
    assert shown(result)["key"] == phone.verification_key

    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await phone.wait_for("paired")
    # The card of the same device has gone, and has taken nothing with it.
    assert not flows(hass)
    await hass.async_block_till_done()
    assert ours.device_id in phone.paired


async def test_two_flows_about_one_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The flow that is quicker makes the entry, the other one does no harm."""
    first = await by_address(hass, phone)
    await phone.wait_for("pairing_requested")
    second = await by_address(hass, phone)
    assert second["step_id"] == "kde_connect_pair"

    first = await wait_progress(hass, first, phone.accept_pairing())
    assert first["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert not flows(hass)
    assert ours.device_id in phone.paired
    await wait_connected(hass, "pixel")


async def test_other_flow_is_closed(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A request that another flow takes back can be made again."""
    first = await by_address(hass, phone)
    await phone.wait_for("pairing_requested")
    second = await by_address(hass, phone)

    hass.config_entries.flow.async_abort(first["flow_id"])
    result = await wait_progress(hass, second)
    assert result["step_id"] == "kde_connect_retry"
    assert result["errors"] == {"base": "pairing_canceled"}

    await phone.wait_for("pairing_failed")
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_pairing_that_never_became_an_entry(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device that is paired already does not have to be asked again."""
    await by_address(hass, phone)
    await phone.wait_for("pairing_requested")
    await phone.accept_pairing()
    await hass.async_block_till_done()

    result = await by_address(hass, phone)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_connected(hass, "pixel")
    assert ours.device_id in phone.paired
