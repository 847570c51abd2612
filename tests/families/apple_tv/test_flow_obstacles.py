"""What is in the way and can be changed on the device, and pairings of others."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    found,
    go,
    links_of,
    pair,
    secrets_of,
    shown,
    start_user,
    through,
    wait_links,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.takeover import (
    async_core_entry,
    core_credentials,
)
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.hap.credentials import TransientCredentials
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY, COMPANION


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Add the device until it has been looked at."""
    result = await go(hass, await start_user(hass), address="127.0.0.1")
    return await through(hass, await go(hass, result), "apple_tv_look")


async def look_again(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Have the device looked at once more."""
    result = await go(hass, result, next_step_id="apple_tv_look")
    return await through(hass, result, "apple_tv_look")


async def finish(
    hass: HomeAssistant, result: ConfigFlowResult, *protocols: str
) -> ConfigFlowResult:
    """Type the PINs of these protocols, which have to be all."""
    for protocol in protocols:
        assert result["step_id"] == f"apple_tv_pin_{protocol}"
        result = await go(hass, result, pin="1234")
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            result = await through(hass, result, "apple_tv_begin")
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    return result


# Obstacles


async def test_password(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """AirPlay cannot be used with one; it can be switched off."""
    apple_tv.properties[AIRPLAY]["pw"] = "true"
    result = await begin(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "apple_tv_password"
    assert result["menu_options"] == ["apple_tv_look", "apple_tv_without"]
    assert shown(result)["protocol"] == "AirPlay"
    result = await look_again(hass, result)
    assert result["step_id"] == "apple_tv_password"

    apple_tv.properties[AIRPLAY]["pw"] = "false"
    result = await look_again(hass, result)
    await finish(hass, result, "airplay", "companion")


async def test_without_what_wants_a_password(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """The rest works without it."""
    apple_tv.properties[AIRPLAY]["pw"] = "true"
    result = await go(hass, await begin(hass), next_step_id="apple_tv_without")
    result = await through(hass, result, "apple_tv_begin")
    result = await finish(hass, result, "companion")
    assert set(result["data"]["paired"]) == {"companion"}


async def test_only_home(hass: HomeAssistant, homepod: FakeAppleTv) -> None:
    """HomePods come with that setting: nothing is left until it is changed."""
    homepod.properties[AIRPLAY]["acl"] = "1"
    result = await begin(hass)
    assert result["step_id"] == "apple_tv_only_home"
    assert result["menu_options"] == ["apple_tv_look"]

    homepod.properties[AIRPLAY]["acl"] = "0"
    result = await look_again(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_only_home_for_all(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Each protocol has its own setting, and one explanation is for both."""
    apple_tv.properties[AIRPLAY]["acl"] = "1"
    apple_tv.properties[COMPANION]["rpFl"] = "0x36786"
    result = await begin(hass)
    assert result["step_id"] == "apple_tv_only_home"
    assert result["menu_options"] == ["apple_tv_look"]
    assert shown(result)["protocol"] == "AirPlay, Companion"

    apple_tv.properties[AIRPLAY]["acl"] = "0"
    result = await look_again(hass, result)
    assert result["menu_options"] == ["apple_tv_look", "apple_tv_without"]
    result = await go(hass, result, next_step_id="apple_tv_without")
    result = await through(hass, result, "apple_tv_begin")
    result = await finish(hass, result, "airplay")
    assert set(result["data"]["paired"]) == {"airplay"}


async def test_only_user(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device can be for its current user alone."""
    properties = apple_tv.properties[AIRPLAY]
    properties["act"] = "2"
    properties["flags"] = "0x0"
    result = await begin(hass)
    assert result["step_id"] == "apple_tv_only_user"
    del properties["act"]
    properties["flags"] = "0x244"
    await finish(hass, await look_again(hass, result), "airplay", "companion")


@pytest.mark.parametrize(
    "step_id", ["apple_tv_password", "apple_tv_only_home", "apple_tv_only_user"]
)
async def test_menus_that_are_opened_again(
    hass: HomeAssistant, apple_tv: FakeAppleTv, step_id: str
) -> None:
    """They show what is in the way then, if anything is."""
    apple_tv.properties[AIRPLAY]["pw"] = "true"
    result = await begin(hass)
    flow = hass.config_entries.flow._progress[result["flow_id"]]
    result = await getattr(flow, f"async_step_{step_id}")()
    assert result["step_id"] == "apple_tv_password"


# Pairings of the built-in integration


def core_entry(
    hass: HomeAssistant, identifiers: list[str], credentials: dict[str, Any]
) -> MockConfigEntry:
    """Return an entry of the built-in integration, which is not set up here."""
    entry = MockConfigEntry(
        domain="apple_tv",
        title="Living Room",
        unique_id=identifiers[0],
        data={
            "name": "Living Room",
            "address": "127.0.0.1",
            "credentials": credentials,
            "identifiers": identifiers,
        },
    )
    entry.add_to_hass(hass)
    return entry


async def test_take_over(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """With consent its pairings are used: no PIN is needed, and nothing changes there."""
    credentials = await pair(apple_tv)
    device = await found(apple_tv)
    entry = core_entry(
        hass,
        list(device.identifiers),
        {
            "3": credentials[AppleProtocol.AIRPLAY],
            "4": credentials[AppleProtocol.COMPANION],
            "5": credentials[AppleProtocol.AIRPLAY],
        },
    )
    before = dict(entry.data)
    result = await begin(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "apple_tv_take_over_offer"
    assert result["menu_options"] == ["apple_tv_take_over", "apple_tv_pair_anew"]
    assert shown(result)["protocol"] == "AirPlay, Companion"

    result = await go(hass, result, next_step_id="apple_tv_take_over")
    result = await through(hass, result, "apple_tv_take_over")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "apple_tv_taken_over"
    assert await secrets_of(hass, result["result"]) == {
        "airplay": credentials[AppleProtocol.AIRPLAY],
        "companion": credentials[AppleProtocol.COMPANION],
    }
    assert entry.data == before
    (ours,) = hass.config_entries.async_entries(DOMAIN)
    await wait_links(ours)
    assert links_of(ours) == {"airplay": "up", "companion": "up"}


async def test_take_over_what_works(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What does not work any more, or was never paired, is paired now."""
    credentials = await pair(apple_tv)
    apple_tv.desk.unpair("airplay")
    device = await found(apple_tv)
    core_entry(
        hass,
        list(device.identifiers),
        {
            "3": credentials[AppleProtocol.AIRPLAY],
            "4": credentials[AppleProtocol.COMPANION],
        },
    )
    result = await go(hass, await begin(hass), next_step_id="apple_tv_take_over")
    result = await through(hass, result, "apple_tv_take_over")
    result = await finish(hass, result, "airplay")
    assert result["description"] == "apple_tv_taken_over"
    stored = await secrets_of(hass, result["result"])
    assert stored["companion"] == credentials[AppleProtocol.COMPANION]
    assert stored["airplay"] != credentials[AppleProtocol.AIRPLAY]


async def test_take_over_of_nothing_that_works(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Then everything is paired."""
    credentials = await pair(apple_tv)
    apple_tv.desk.unpair()
    device = await found(apple_tv)
    core_entry(
        hass, list(device.identifiers), {"4": credentials[AppleProtocol.COMPANION]}
    )
    result = await go(hass, await begin(hass), next_step_id="apple_tv_take_over")
    result = await through(hass, result, "apple_tv_take_over")
    assert result["step_id"] == "apple_tv_take_over_failed"
    result = await go(hass, result, next_step_id="apple_tv_take_over")
    result = await through(hass, result, "apple_tv_take_over")
    assert result["step_id"] == "apple_tv_take_over_failed"

    result = await go(hass, result, next_step_id="apple_tv_pair_anew")
    result = await through(hass, result, "apple_tv_begin")
    result = await finish(hass, result, "airplay", "companion")
    assert result["description"] == "apple_tv_device"


async def test_no_take_over(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Whoever does not want it pairs."""
    credentials = await pair(apple_tv)
    device = await found(apple_tv)
    core_entry(
        hass, list(device.identifiers), {"4": credentials[AppleProtocol.COMPANION]}
    )
    result = await begin(hass)
    flow = hass.config_entries.flow._progress[result["flow_id"]]
    result = await flow.async_step_apple_tv_take_over_offer()  # type: ignore[attr-defined]
    assert result["step_id"] == "apple_tv_take_over_offer"
    result = await go(hass, result, next_step_id="apple_tv_pair_anew")
    result = await through(hass, result, "apple_tv_begin")
    result = await finish(hass, result, "airplay", "companion")
    stored = await secrets_of(hass, result["result"])
    assert stored["companion"] != credentials[AppleProtocol.COMPANION]


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        [],
        {},
        {"3": None, "5": None},
        {"4": "abc"},
        {"4": 7},
        {"3": str(TransientCredentials())},
        {"1": "0x0000000000000001"},
    ],
)
def test_entries_without_pairings(credentials: object) -> None:
    """There is nothing to be offered."""
    assert core_credentials({"credentials": credentials}) == {}


async def test_entries_of_others(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Another device's pairings are none of this one's."""
    credentials = await pair(apple_tv)
    stored = {"4": credentials[AppleProtocol.COMPANION]}
    core_entry(hass, ["11:22:33:44:55:66"], stored)
    ignored = MockConfigEntry(
        domain="apple_tv", source="ignore", unique_id="A", data={"credentials": stored}
    )
    ignored.add_to_hass(hass)
    bare = MockConfigEntry(
        domain="apple_tv", unique_id="B", data={"credentials": stored}
    )
    bare.add_to_hass(hass)
    assert async_core_entry(hass, ["A", "C"]) is None
    assert async_core_entry(hass, ["B"]) is bare
