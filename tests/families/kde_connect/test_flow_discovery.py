"""Discovered devices: by mDNS, by their broadcasts, and by their users' requests."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_IGNORE, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component

from .common import (
    data_of,
    flows,
    go,
    look,
    our_end,
    paired_entry,
    set_up,
    shown,
    wait_device,
    wait_flow,
    wait_lost,
    wait_progress,
    wait_step,
)
from custom_components.rumpus import cards
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import hub as hub_module
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect import pairing as pairing_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice


def service(device_id: str, **changes: Any) -> ZeroconfServiceInfo:
    """Return the mDNS service of a device."""
    addresses = changes.get("addresses", ["127.0.0.1"])
    return ZeroconfServiceInfo(
        ip_address=ip_address(addresses[0]),
        ip_addresses=[ip_address(address) for address in addresses],
        port=changes.get("port", 1716),
        hostname="pixel.local.",
        type=changes.get("type", "_kdeconnect._udp.local."),
        name=f"{device_id}._kdeconnect._udp.local.",
        properties={
            "id": device_id,
            "name": "Pixel",
            "type": "phone",
            "protocol": "8",
        }
        | changes.get("properties", {}),
    )


async def wait_change(device: RemoteDevice, check: Callable[[], bool]) -> None:
    """Wait for an event of a device after which the check is true."""
    happened = asyncio.Event()
    unsubscribe = device.subscribe(lambda _: happened.set())
    try:
        async with asyncio.timeout(5):
            while not check():
                await happened.wait()
                happened.clear()
    finally:
        unsubscribe()


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    """Begin a flow for a service."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "zeroconf"}, data=info
    )


async def listen(
    hass: HomeAssistant, phone: FakeDevice, our_udp_port: int
) -> ConfigFlowResult:
    """Listen without an entry, and hear a phone; return its card."""
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: None})
    phone.announce("127.0.0.1", our_udp_port)
    return await wait_flow(hass, "integration_discovery", phone.device_id)


async def test_zeroconf(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A service becomes a card, gets our datagram, and is paired with."""
    phone.answers_udp = True
    result = await discover(hass, service(phone.device_id, port=0))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "kde_connect_confirm"
    assert result["description_placeholders"] == {
        "name": "Pixel",
        "type": "Phone",
        "address": "127.0.0.1",
    }
    (flow,) = flows(hass)
    assert flow["context"]["title_placeholders"] == {"name": "Pixel"}

    await wait_device(hass, phone.device_id)
    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_pair"
    await phone.wait_for("pairing_requested")
    result = await wait_progress(hass, result, phone.accept_pairing())
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == data_of(phone, port=1716)


async def test_zeroconf_shows_the_authentic_name(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """What a service says counts only until the device itself has said it."""
    phone.answers_udp = True
    result = await discover(
        hass, service(phone.device_id, properties={"name": "Evil", "type": "tv"})
    )
    assert shown(result)["name"] == "Evil"
    assert shown(result)["type"] == "TV"

    await wait_device(hass, phone.device_id)
    result = await look(hass, result)
    assert shown(result)["name"] == "Pixel"

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Pixel"


async def test_zeroconf_device_does_not_answer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A service without its device stays a card, and works once the device is there."""
    result = await discover(hass, service(phone.device_id, port=phone.tcp_port))
    await phone.stop()

    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_confirm"
    assert result["errors"] == {"base": "cannot_connect"}

    await phone.start()
    await phone.call("127.0.0.1", our_end(hass).tcp_port)
    await wait_device(hass, phone.device_id)
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_zeroconf_address_of_another(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    our_udp_port: int,
) -> None:
    """Another device at the address is not taken for the one on the card."""
    result = await discover(hass, service(phone.device_id, port=computer.tcp_port))

    result = await go(hass, result)

    assert result["step_id"] == "kde_connect_confirm"
    assert result["errors"] == {"base": "cannot_connect"}
    assert not computer.events.seen("pairing_requested")
    await go(hass, result)
    phone.announce("127.0.0.1", our_udp_port)
    await wait_device(hass, phone.device_id)
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "changes",
    [
        {"properties": {"id": None}},
        {"properties": {"id": "short"}},
        {"properties": {"name": None}},
        {"properties": {"name": "!!!"}},
        {"addresses": ["fe80::1"]},
        {"type": "_other._tcp.local."},
    ],
)
async def test_zeroconf_unusable(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, changes: dict[str, Any]
) -> None:
    """A service that nothing can be made of is no card."""
    result = await discover(hass, service(phone.device_id, **changes))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "invalid_discovery"


async def test_zeroconf_unknown_type(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device of a kind that we never heard of can be added all the same."""
    result = await discover(
        hass,
        service(phone.device_id, port=phone.tcp_port, properties={"type": "fridge"}),
    )
    assert shown(result)["type"] == "Device"
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_zeroconf_ourselves(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Our own service is no device."""
    result = await discover(hass, service(ours.device_id))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "own_service"


async def test_zeroconf_cannot_listen(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a port a card would be of no use."""

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    monkeypatch.setattr(LocalPeer, "start", start)

    result = await discover(hass, service(phone.device_id))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "cannot_listen"


async def test_zeroconf_updates_the_address(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The service of a configured device tells where it is now."""
    entry = paired_entry(hass, ours, phone, host="127.0.0.9")

    result = await discover(hass, service(phone.device_id))

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "127.0.0.1"


async def test_closed_before_our_end_runs(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A card that is withdrawn while our end starts does not keep it running."""
    start = LocalPeer.start

    async def start_slowly(self: LocalPeer) -> None:
        await start(self)
        (flow,) = hass.config_entries.flow.async_progress_by_handler(
            DOMAIN, include_uninitialized=True
        )
        hass.config_entries.flow.async_abort(flow["flow_id"])

    monkeypatch.setattr(LocalPeer, "start", start_slowly)

    result = await discover(hass, service(phone.device_id))

    assert result["type"] is FlowResultType.ABORT
    assert hub_module.async_get_hub(hass).peer is None


async def test_broadcast(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A device that announces itself becomes one card, however often it does."""
    result = await listen(hass, phone, our_udp_port)
    assert result["step_id"] == "kde_connect_confirm"
    phone.drop_link()
    await wait_lost(hass, phone.device_id)
    await phone.call("127.0.0.1", our_end(hass).tcp_port)
    await wait_device(hass, phone.device_id)
    await hass.async_block_till_done()
    assert len(flows(hass)) == 1

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Pixel"


async def test_broadcast_device_gone_at_start(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A device that has gone before its card could be made gets none."""
    await listen(hass, phone, our_udp_port)
    (flow,) = flows(hass)
    hass.config_entries.flow.async_abort(flow["flow_id"])
    phone.drop_link()
    await wait_lost(hass, phone.device_id)

    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "integration_discovery"},
        data={"family": "kde_connect", "device_id": phone.device_id},
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_longer_there"


async def test_ignored(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """An ignored device gets no card, not even when it asks for pairing."""
    ignored = MockConfigEntry(
        domain=DOMAIN, unique_id=phone.device_id, source=SOURCE_IGNORE, data={}
    )
    ignored.add_to_hass(hass)
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: None})
    phone.announce("127.0.0.1", our_udp_port)
    await wait_device(hass, phone.device_id)

    await phone.request_pairing()
    await hass.async_block_till_done()
    assert not flows(hass)

    # Once it is not ignored any more it is offered again.
    await hass.config_entries.async_remove(ignored.entry_id)
    await wait_flow(hass, "integration_discovery", phone.device_id)


async def test_request_of_the_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """The user of a device asks: the card shows the key, submitting accepts."""
    card = await listen(hass, phone, our_udp_port)

    await phone.request_pairing()
    result = await wait_step(hass, card, "kde_connect_accept")

    assert result["description_placeholders"] == {
        "name": "Pixel",
        "type": "Phone",
        "address": "127.0.0.1",
        "key": phone.verification_key,
    }
    assert not phone.paired
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await phone.wait_for("paired")


async def test_request_makes_a_card(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A request shows a card again that the user has closed."""
    card = await listen(hass, phone, our_udp_port)
    hass.config_entries.flow.async_abort(card["flow_id"])

    await phone.request_pairing()

    card = await wait_flow(hass, "integration_discovery", phone.device_id)
    assert card["step_id"] == "kde_connect_accept"
    result = await go(hass, card)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_request_while_the_question_is_shown(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """A request that comes between showing and submitting is not accepted unseen."""
    card = await listen(hass, phone, our_udp_port)
    await phone.request_pairing()
    await wait_step(hass, card, "kde_connect_accept")
    before = await look(hass, card)

    # Another request, with another key, after the one that was shown.
    await phone.cancel_pairing()
    phone.clock_offset = 60
    await phone.request_pairing()
    device = await wait_device(hass, phone.device_id)
    old_key = shown(before)["key"]
    await wait_change(device, lambda: device.verification_key not in {old_key, None})
    result = await go(hass, before)

    assert result["step_id"] == "kde_connect_accept"
    assert shown(result)["key"] == phone.verification_key
    assert not phone.paired
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_request_taken_back(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """Submitting a request that is not valid any more leads back to the question."""
    card = await listen(hass, phone, our_udp_port)
    await phone.request_pairing()
    result = await wait_step(hass, card, "kde_connect_accept")
    device = await wait_device(hass, phone.device_id)
    await phone.cancel_pairing()
    await wait_change(device, lambda: device.verification_key is None)

    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_confirm"
    assert result["errors"] == {"base": "request_ended"}

    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_request_timed_out(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    our_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that nobody has answered becomes an ordinary card again."""
    monkeypatch.setattr(pairing_module, "PAIRING_TIMEOUT", 0.05)
    card = await listen(hass, phone, our_udp_port)
    device = await wait_device(hass, phone.device_id)
    await phone.request_pairing()
    result = await wait_step(hass, card, "kde_connect_accept")
    await wait_change(device, lambda: device.verification_key is None)

    result = await look(hass, result)

    assert result["step_id"] == "kde_connect_confirm"
    assert not result["errors"]
    monkeypatch.setattr(pairing_module, "PAIRING_TIMEOUT", 30)
    await phone.wait_for("pairing_failed")
    phone.accept = "auto"
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_device_goes_while_accepting(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    our_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A link that is lost at the moment of accepting leads back to the question."""
    card = await listen(hass, phone, our_udp_port)
    await phone.request_pairing()
    result = await wait_step(hass, card, "kde_connect_accept")

    async def accept_pairing(self: RemoteDevice) -> None:
        raise DisconnectedError("the link was lost")

    with monkeypatch.context() as patch:
        patch.setattr(RemoteDevice, "accept_pairing", accept_pairing)
        result = await go(hass, result)
    assert result["step_id"] == "kde_connect_confirm"
    assert result["errors"] == {"base": "connection_lost"}

    # The request is still there: its key is shown again before anything is accepted.
    result = await go(hass, result)
    assert result["step_id"] == "kde_connect_accept"
    result = await go(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_request_of_an_unpaired_entry(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    our_udp_port: int,
) -> None:
    """A device whose pairing has ended asks again: that is a repair, not a new device."""
    await set_up(hass, ours, computer, "tower")
    entry = paired_entry(hass, ours, phone, certificate="")
    phone.paired.clear()
    phone.announce("127.0.0.1", our_udp_port)
    await wait_device(hass, phone.device_id)
    assert not flows(hass)

    await phone.request_pairing()

    result = await wait_flow(hass, "reauth", phone.device_id)
    assert result["step_id"] == "kde_connect_accept"
    result = await go(hass, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    # Its port is known only once we have called it, which may be by now.
    assert {**entry.data, "port": None} == data_of(phone, port=None)


async def test_too_many_cards(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    our_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cards are bounded: that of a device that has gone gives way, others do not."""
    monkeypatch.setattr(cards, "MAX_CARDS", 1)
    await listen(hass, phone, our_udp_port)
    tcp_port = our_end(hass).tcp_port
    async with FakeDevice("phone", credentials=FakeCredentials.generate()) as second:
        await second.call("127.0.0.1", tcp_port)
        await wait_device(hass, second.device_id)
        await hass.async_block_till_done()
        (card,) = flows(hass)
        assert card["context"]["unique_id"] == phone.device_id

    await wait_lost(hass, second.device_id)
    phone.drop_link()
    await wait_lost(hass, phone.device_id)
    async with FakeDevice("phone", credentials=second.credentials) as second:
        await second.call("127.0.0.1", tcp_port)
        await wait_flow(hass, "integration_discovery", second.device_id)
        assert len(flows(hass)) == 1
