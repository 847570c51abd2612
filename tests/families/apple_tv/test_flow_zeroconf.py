"""Cards of discovered devices: one for each, and none for what is of no use."""

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_IGNORE, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .common import (
    add_entry,
    coordinator_of,
    flows,
    found,
    go,
    set_up,
    shown,
    through,
    wait_connected,
    wait_links,
)
from custom_components.rumpus import cards
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv import flow_check
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.services import FoundDevice
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY, COMPANION, RAOP


def service(
    fake: FakeAppleTv, kind: str, address: str = "127.0.0.1", **changes: Any
) -> ZeroconfServiceInfo:
    """Return a service of a device as Home Assistant discovers it."""
    name = (
        f"{fake.device_id.replace(':', '')}@{fake.name}" if kind == RAOP else fake.name
    )
    type_ = f"{kind.removesuffix('.local')}.local."
    return ZeroconfServiceInfo(
        **{
            "ip_address": ip_address(address),
            "ip_addresses": [ip_address(address)],
            "port": fake.port_of(kind),
            "hostname": f"{fake.host}.local.",
            "type": type_,
            "name": f"{name}.{type_}",
            "properties": dict(fake.properties[kind]),
            **changes,
        }
    )


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> ConfigFlowResult:
    """Begin a flow as Home Assistant does for what it has discovered."""
    key = DiscoveryKey(domain="zeroconf", key=(info.type, info.name), version=1)
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "zeroconf", "discovery_key": key}, data=info
    )


async def add(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Add a discovered device."""
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "apple_tv_confirm"
    result = await through(hass, await go(hass, result), "apple_tv_look")
    for protocol in ("airplay", "companion"):
        assert result["step_id"] == f"apple_tv_pin_{protocol}"
        result = await go(hass, result, pin="1234")
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            result = await through(hass, result, "apple_tv_begin")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    return result


@pytest.mark.parametrize("kind", [AIRPLAY, COMPANION, RAOP])
async def test_found_by_any_service(
    hass: HomeAssistant, apple_tv: FakeAppleTv, kind: str
) -> None:
    """Whichever comes first, it is the same device with all that it has."""
    result = await discover(hass, service(apple_tv, kind))
    assert shown(result) == {
        "name": "Living Room",
        "model": "Apple TV 4K (gen 3)",
        "version": "tvOS 26.1",
        "address": "127.0.0.1",
    }
    (card,) = flows(hass)
    assert card["context"]["title_placeholders"] == {
        "name": "Living Room, Apple TV 4K (gen 3)"
    }
    device = await found(apple_tv)
    result = await add(hass, result)
    assert result["result"].unique_id == device.identifier
    assert result["data"]["identifiers"] == list(device.identifiers)


async def test_joined_into_one_card(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """All services of a device come at once, and again later."""
    results = await asyncio.gather(
        *(
            discover(hass, service(apple_tv, kind))
            for kind in (RAOP, COMPANION, AIRPLAY)
        )
    )
    kinds = [result["type"] for result in results]
    assert kinds.count(FlowResultType.FORM) == 1
    aborted = [one for one in results if one["type"] is FlowResultType.ABORT]
    assert {one["reason"] for one in aborted} == {"already_in_progress"}

    # The same device at another address as well, as with two network cards.
    late = await discover(hass, service(apple_tv, AIRPLAY, "127.0.0.9"))
    assert late["reason"] == "already_in_progress"
    assert len(flows(hass)) == 1
    await add(hass, next(one for one in results if one not in aborted))


async def test_joined_without_being_asked(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that answers no questions is known by what it announced."""

    async def nothing(*args: object, **kwargs: object) -> FoundDevice | None:
        return None

    device = await found(apple_tv)
    monkeypatch.setattr(flow_check, "async_look", nothing)
    results = await asyncio.gather(
        *(discover(hass, service(apple_tv, kind)) for kind in (COMPANION, AIRPLAY))
    )
    (card,) = [one for one in results if one["type"] is FlowResultType.FORM]
    result = await add(hass, card)
    assert result["result"].unique_id == device.identifier
    assert set(result["data"]["paired"]) == {"airplay", "companion"}


async def test_card_that_is_taken_away(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A device that comes back gets a card again."""
    result = await discover(hass, service(apple_tv, AIRPLAY))
    hass.config_entries.flow.async_abort(result["flow_id"])
    result = await discover(hass, service(apple_tv, COMPANION))
    assert result["step_id"] == "apple_tv_confirm"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (AIRPLAY, {"model": "Mac14,3"}),
        (AIRPLAY, {"model": "Sonos One"}),
        (AIRPLAY, {"model": "AirPort10,115"}),
        (COMPANION, {"rpMd": "iPad8,1"}),
        (COMPANION, {"rpMd": "MacBookPro18,2"}),
        (RAOP, {"am": "AudioUnit1,1"}),
    ],
)
async def test_things_of_others(
    hass: HomeAssistant, apple_tv: FakeAppleTv, kind: str, changes: dict[str, str]
) -> None:
    """Computers, tablets and speakers announce the same services."""
    properties = {**apple_tv.properties[kind], **changes}
    result = await discover(hass, service(apple_tv, kind, properties=properties))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "apple_tv_other_maker"


async def test_no_card_for_what_is_too_old(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An Apple TV 3 has AirPlay, and nothing in it for us."""

    async def nothing(*args: object, **kwargs: object) -> FoundDevice | None:
        return None

    monkeypatch.setattr(flow_check, "async_look", nothing)
    properties = {
        **apple_tv.properties[AIRPLAY],
        "model": "AppleTV3,2",
        "osvers": "8.4.4",
    }
    result = await discover(hass, service(apple_tv, AIRPLAY, properties=properties))
    assert result["reason"] == "apple_tv_too_old"
    assert not flows(hass)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "_mediaremotetv._tcp.local."},
        {"ip_addresses": []},
        {"ip_addresses": [ip_address("fe80::1")]},
        {"properties": {}},
        {"properties": {"deviceid": "x" * 1000, "model": "AppleTV14,1"}},
        {"port": None},
    ],
)
async def test_announcements_of_no_use(
    hass: HomeAssistant, apple_tv: FakeAppleTv, changes: dict[str, Any]
) -> None:
    """Anybody can announce anything; there is no card for it."""
    apple_tv.power.sink()  # nothing answers questions
    result = await discover(hass, service(apple_tv, AIRPLAY, **changes))
    assert result["type"] is FlowResultType.ABORT
    assert not flows(hass)


async def test_names_do_not_make_links(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dialogs know markup, and anybody can choose a name."""

    async def nothing(*args: object, **kwargs: object) -> FoundDevice | None:
        return None

    monkeypatch.setattr(flow_check, "async_look", nothing)
    name = "[Free TV](https://example.com)\n<b>"
    info = service(apple_tv, AIRPLAY, name=f"{name}._airplay._tcp.local.")
    result = await discover(hass, info)
    assert shown(result)["name"] == "Free TV https example.com b"


async def test_flood_of_devices(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are never more cards than fit."""

    async def nothing(*args: object, **kwargs: object) -> FoundDevice | None:
        return None

    monkeypatch.setattr(flow_check, "async_look", nothing)
    results = await asyncio.gather(
        *(
            discover(
                hass,
                service(
                    apple_tv,
                    AIRPLAY,
                    f"127.0.1.{number}",
                    name=f"Device {number}._airplay._tcp.local.",
                    properties={
                        **apple_tv.properties[AIRPLAY],
                        "deviceid": f"00:11:22:33:44:{number:02X}",
                    },
                ),
            )
            for number in range(cards.MAX_CARDS + 10)
        )
    )
    reasons = [one["reason"] for one in results if one["type"] is FlowResultType.ABORT]
    assert reasons == ["too_many_discovered"] * 10
    assert len(flows(hass)) == cards.MAX_CARDS


# Devices that have an entry


async def test_entry_moves_at_once(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What is discovered at another port wakes the links, and is remembered."""
    entry = await set_up(hass, apple_tv)
    await apple_tv.restart(new_ports=True)
    for kind in (AIRPLAY, COMPANION):
        result = await discover(hass, service(apple_tv, kind))
        assert result["reason"] == "already_configured"
    await wait_links(entry)
    services = FoundDevice.from_dict(entry.data["found"])
    airplay = services.service(AppleProtocol.AIRPLAY)
    assert airplay is not None
    assert airplay.port == apple_tv.airplay_port


async def test_entry_is_told_what_was_announced(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """An address that anybody has announced is tried, and not believed without a link."""
    entry = await set_up(hass, apple_tv)
    result = await discover(hass, service(apple_tv, AIRPLAY, "127.0.0.77"))
    assert result["reason"] == "already_configured"
    assert entry.data["address"] == "127.0.0.1"
    assert coordinator_of(entry).data.is_connected


async def test_entry_that_is_not_set_up(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """It begins where its device is now."""
    entry = await add_entry(hass, apple_tv, address="127.0.0.99")
    result = await discover(hass, service(apple_tv, COMPANION))
    assert result["reason"] == "already_configured"
    assert entry.data["address"] == "127.0.0.1"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(entry)


@pytest.mark.parametrize("system", ["tvos_15"])
async def test_entry_known_by_its_address(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """On older systems Companion tells no identifier: it is the device of that address."""
    await add_entry(hass, apple_tv, credentials={})
    result = await discover(hass, service(apple_tv, COMPANION))
    assert result["reason"] == "already_configured"


@pytest.mark.parametrize("system", ["tvos_15"])
async def test_service_without_an_identifier(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """What it is, is asked for then."""
    result = await discover(hass, service(apple_tv, COMPANION))
    device = await found(apple_tv)
    result = await add(hass, result)
    assert result["result"].unique_id == device.identifier


async def test_other_device_at_the_same_address(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A new device may get the address of an old one."""
    entry = await add_entry(hass, apple_tv, credentials={})
    hass.config_entries.async_update_entry(
        entry, unique_id="A", data={**entry.data, "identifiers": ["A"]}
    )
    result = await discover(hass, service(apple_tv, AIRPLAY))
    assert result["step_id"] == "apple_tv_confirm"


async def test_ignored(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Whoever ignores a device sees it no more, by none of its services."""
    device = await found(apple_tv)
    MockConfigEntry(
        domain=DOMAIN, source=SOURCE_IGNORE, unique_id=device.identifier, data={}
    ).add_to_hass(hass)
    for kind in (AIRPLAY, COMPANION):
        result = await discover(hass, service(apple_tv, kind))
        assert result["reason"] == "already_configured"


async def test_own_discovery(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Home Assistant alone makes cards."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "integration_discovery"},
        data={"family": "apple_tv"},
    )
    assert result["reason"] == "invalid_discovery"
    assert async_get_hub(hass).watcher is None
