"""Consoles that are discovered: by our searches, by DHCP and by SSDP."""

from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_IGNORE, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
from homeassistant.setup import async_setup_component

from .common import (
    add_entry,
    data_of,
    discover,
    flows,
    go,
    set_up,
    shown,
    wait_connected,
    wait_progress,
    wait_until,
)
from custom_components import rumpus
from custom_components.rumpus import cards
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox import hub as hub_module
from custom_components.rumpus.families.xbox.hub import HubLease, async_get_hub
from custom_components.rumpus.protocols.smartglass.discovery import (
    DiscoveredConsole,
    Discoverer,
)
from custom_components.rumpus.protocols.smartglass.enums import PrimaryDeviceFlag
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_connect import PENDING_FLAG

DHCP = DhcpServiceInfo(ip="127.0.0.1", hostname="xbox-one", macaddress="0011")
SSDP = SsdpServiceInfo(
    ssdp_usn="uuid:1",
    ssdp_st="upnp:rootdevice",
    upnp={"manufacturer": "Microsoft Corporation", "modelName": "Xbox One"},
    ssdp_location="http://127.0.0.1:49152/description.xml",
)


@pytest.fixture
async def lease(hass: HomeAssistant, console: FakeConsole) -> HubLease:
    """A share of the hub, which is running therefore."""
    return await async_get_hub(hass).async_lease()


async def wait_card(hass: HomeAssistant, live_id: str) -> ConfigFlowResult:
    """Wait for the card of a console."""

    def find() -> list[ConfigFlowResult]:
        return [
            flow for flow in flows(hass) if flow["context"].get("unique_id") == live_id
        ]

    await wait_until(hass, find)
    return find()[0]


async def confirm(
    hass: HomeAssistant, result: ConfigFlowResult, console: FakeConsole
) -> None:
    """Add what a card offers."""
    assert result["step_id"] == "xbox_confirm"
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert shown(result) == {
        "name": console.name,
        "model": "Xbox One",
        "address": "127.0.0.1",
    }
    result = await wait_progress(hass, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == data_of(console)


def answer(number: int) -> DiscoveredConsole:
    """Return what somebody makes up."""
    return DiscoveredConsole(
        address="10.6.6.6",
        port=5050,
        name=f"Console {number}",
        console_uuid=None,
        flags=PrimaryDeviceFlag(6),
        device_type=1,
        live_id=f"FD{number:014d}",
        certificate=b"",
    )


async def test_card(hass: HomeAssistant, console: FakeConsole, lease: HubLease) -> None:
    """A console that answers a search is shown once, however often it answers."""
    card = await wait_card(hass, console.live_id)
    assert card["context"]["source"] == "integration_discovery"
    assert card["context"]["title_placeholders"] == {"name": "Living room"}
    await console.wait_for("discovery_request")
    await lease.discoverer.find(console.address, console.port)
    await hass.async_block_till_done()
    assert len(flows(hass)) == 1

    await lease.async_release()
    await confirm(hass, card, console)
    await hass.async_block_till_done()
    assert not flows(hass)


async def test_listens_when_the_configuration_says_so(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the key in the YAML configuration, though there is no entry."""
    monkeypatch.setattr(rumpus, "FAMILIES", ("xbox",))
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: {}})

    await wait_card(hass, console.live_id)


async def test_cannot_listen(
    hass: HomeAssistant,
    console: FakeConsole,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing else has to fail because of that."""

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    monkeypatch.setattr(rumpus, "FAMILIES", ("xbox",))
    monkeypatch.setattr(Discoverer, "start", start)
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: {}})

    assert "Xbox consoles cannot be searched for: no network" in caplog.text


@pytest.mark.parametrize("source", ["dhcp", "ssdp"])
async def test_hints(hass: HomeAssistant, console: FakeConsole, source: str) -> None:
    """They only give an address: who is there is asked for."""
    result = await discover(hass, source, DHCP if source == "dhcp" else SSDP)
    assert result["type"] is FlowResultType.FORM
    assert async_get_hub(hass).discoverer is None

    await confirm(hass, result, console)


async def test_one_card_for_a_console(
    hass: HomeAssistant, console: FakeConsole, lease: HubLease
) -> None:
    """However it is found."""
    await wait_card(hass, console.live_id)

    for source, info in (("dhcp", DHCP), ("ssdp", SSDP)):
        result = await discover(hass, source, info)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_in_progress"
    result = await discover(hass, "integration_discovery", data_of(console))
    assert result["reason"] == "already_in_progress"
    await lease.async_release()


async def test_hint_of_a_known_console(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """It tells where the console is now, if nobody is connected to it."""
    entry = add_entry(hass, console, host="10.0.0.9")

    result = await discover(hass, "dhcp", DHCP)

    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "127.0.0.1"


async def test_hint_of_a_connected_console(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Anybody can answer in its name: it stays where its session is."""
    entry = await set_up(hass, console)
    data = dict(entry.data)
    async with FakeConsole(credentials=console.credentials) as forger:
        discoverer = async_get_hub(hass).discoverer
        assert discoverer is not None
        discoverer.network = replace(discoverer.network, port=forger.port)

        result = await discover(hass, "dhcp", DHCP)

    assert result["reason"] == "already_configured"
    assert entry.data == data


async def test_hint_of_a_console_that_is_missed(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """It counts once there is a session, which nobody but the console can give."""
    entry = add_entry(hass, console, port=1)
    console.mute_connects = True
    lease = await async_get_hub(hass).async_lease(offers=False)
    discoverer = lease.discoverer
    discoverer.network = replace(discoverer.network, targets=())
    assert await hass.config_entries.async_setup(entry.entry_id)

    result = await discover(hass, "dhcp", DHCP)

    assert result["reason"] == "already_configured"
    await console.wait_for("connect_request")
    assert entry.data["port"] == 1
    console.mute_connects = False
    await discover(hass, "dhcp", DHCP)
    await wait_connected(hass, entry)
    assert entry.data["port"] == console.port
    await lease.async_release()


@pytest.mark.parametrize(
    "location",
    [None, "", "nonsense", "http://[fe80::1]/x", "http://[x/", "http://xbox.lan/x"],
)
async def test_ssdp_without_an_address(
    hass: HomeAssistant, console: FakeConsole, location: str | None
) -> None:
    """There is nobody to ask."""
    result = await discover(hass, "ssdp", replace(SSDP, ssdp_location=location))

    assert result["reason"] == "invalid_discovery"


async def test_hint_of_something_else(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """What has such a name, and does not answer, is no console that is on."""
    console.turn_off()

    result = await discover(hass, "dhcp", DHCP)

    assert result["reason"] == "xbox_no_answer"


async def test_hint_of_a_console_that_starts(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """It gets an address before it has a certificate."""
    console.flags |= PENDING_FLAG

    result = await discover(hass, "dhcp", DHCP)

    assert result["reason"] == "xbox_not_ready"


async def test_hint_without_a_network(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can be asked."""

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    monkeypatch.setattr(Discoverer, "start", start)

    assert (await discover(hass, "dhcp", DHCP))["reason"] == "xbox_no_answer"


async def test_card_of_a_console_that_has_moved(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The last answer counts."""
    result = await discover(hass, "integration_discovery", data_of(console, port=1))
    lease = await async_get_hub(hass).async_lease()
    await lease.discoverer.find(console.address, console.port)

    await confirm(hass, result, console)
    await lease.async_release()


async def test_max_cards(
    hass: HomeAssistant,
    console: FakeConsole,
    lease: HubLease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_CARDS: one whose console has not answered of late gives way, others do not."""
    monkeypatch.setattr(cards, "MAX_CARDS", 3)
    hub = async_get_hub(hass)
    await wait_card(hass, console.live_id)
    for number in range(5):
        hub._on_heard(answer(number))
    await wait_card(hass, "FD00000000000000")
    await wait_card(hass, "FD00000000000001")
    assert {flow["context"]["unique_id"] for flow in flows(hass)} == {
        console.live_id,
        "FD00000000000000",
        "FD00000000000001",
    }
    assert (await discover(hass, "dhcp", DHCP))["reason"] == "too_many_discovered"

    console.turn_off()
    monkeypatch.setattr(hub_module, "CARD_SECONDS", 0.0)
    hub._on_heard(answer(7))
    await wait_card(hass, "FD00000000000007")
    assert len(flows(hass)) == 3
    await lease.async_release()


async def test_max_cards_of_what_was_heard_before_the_start(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_CARDS counts then, too."""
    monkeypatch.setattr(cards, "MAX_CARDS", 0)

    result = await discover(hass, "integration_discovery", data_of(console))

    assert result["reason"] == "too_many_discovered"


async def test_max_heard(
    hass: HomeAssistant,
    console: FakeConsole,
    lease: HubLease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_HEARD: strangers are not remembered without end."""
    monkeypatch.setattr(hub_module, "MAX_HEARD", 3)
    monkeypatch.setattr(cards, "MAX_CARDS", 0)
    hub = async_get_hub(hass)
    for number in range(5):
        hub._on_heard(answer(number))

    assert hub.heard("FD00000000000000") is None
    assert hub.heard("FD00000000000004") is not None
    await lease.async_release()


@pytest.mark.parametrize("live_id", [None, "", "F" * 65, "FD 00", "FD\n00", "FDÄ0"])
async def test_unusable_answers(
    hass: HomeAssistant, console: FakeConsole, lease: HubLease, live_id: str | None
) -> None:
    """What cannot be an identifier is no console for us."""
    hub = async_get_hub(hass)
    await wait_card(hass, console.live_id)

    hub._on_heard(replace(answer(1), live_id=live_id))
    await hass.async_block_till_done()

    assert len(flows(hass)) == 1
    await lease.async_release()


async def test_ignored(
    hass: HomeAssistant, console: FakeConsole, lease: HubLease
) -> None:
    """A console that the user does not want to see is not shown."""
    MockConfigEntry(
        domain=DOMAIN, unique_id=console.live_id, source=SOURCE_IGNORE
    ).add_to_hass(hass)
    found = await lease.discoverer.find(console.address, console.port)
    async_get_hub(hass)._on_heard(found)
    await hass.async_block_till_done()

    assert not [
        flow
        for flow in flows(hass)
        if flow["context"].get("unique_id") == console.live_id
    ]
    await lease.async_release()
