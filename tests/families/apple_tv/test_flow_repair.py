"""Pairing again what counts no more, other addresses, options, and the end of an entry."""

from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir

from ..common import wait_until
from .common import (
    PATIENCE,
    STORE,
    add_entry,
    flows,
    go,
    links_of,
    look,
    pair,
    secrets_of,
    set_up,
    shown,
    through,
    wait_connected,
    wait_links,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY


async def only_flow(hass: HomeAssistant) -> ConfigFlowResult:
    """Return the only flow there is, as the frontend shows it."""
    (flow,) = flows(hass)
    return await look(hass, flow)


async def reconfigure(
    hass: HomeAssistant, entry: ConfigEntry, choice: str
) -> ConfigFlowResult:
    """Begin to change an entry."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "apple_tv_reconfigure"
    assert shown(result)["name"] == entry.title
    return await go(hass, result, next_step_id=choice)


async def check_changed(
    hass: HomeAssistant, result: ConfigFlowResult, reason: str
) -> None:
    """Make sure that an entry was changed, and is set up anew."""
    assert result["type"] is FlowResultType.ABORT, result
    assert result["reason"] == reason
    await hass.async_block_till_done()


# Pairings that count no more


@pytest.mark.parametrize(
    ("lost", "label", "kept"),
    [
        ("companion", "Companion", "airplay"),
        ("airplay", "AirPlay", "companion"),
    ],
)
async def test_reauth(
    hass: HomeAssistant, apple_tv: FakeAppleTv, lost: Any, label: str, kept: str
) -> None:
    """Only the pairing that was lost is made again; meanwhile the other goes on."""
    entry = await add_entry(hass, apple_tv)
    before = await secrets_of(hass, entry)
    apple_tv.desk.unpair(lost)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))
    await wait_links(entry, "up", kept)
    assert links_of(entry)[lost] == "refused"

    result = await only_flow(hass)
    assert result["step_id"] == "apple_tv_reauth"
    assert shown(result)["protocol"] == label
    result = await through(hass, await go(hass, result), "apple_tv_look")
    assert result["step_id"] == f"apple_tv_pin_{lost}"
    schema = result["data_schema"]
    assert schema is not None
    assert list(schema.schema) == ["pin"]
    result = await go(hass, result, pin="1234")

    await check_changed(hass, result, "reauth_successful")
    after = await secrets_of(hass, entry)
    assert after[kept] == before[kept]
    assert after[lost] != before[lost]
    await wait_links(entry)
    assert not flows(hass)


async def test_reauth_of_both(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device that was reset knows none of them."""
    entry = await add_entry(hass, apple_tv)
    apple_tv.desk.new_identity()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry, "refused")
    await wait_until(hass, lambda: flows(hass))

    result = await only_flow(hass)
    result = await through(hass, await go(hass, result), "apple_tv_look")
    while result["type"] is FlowResultType.FORM:
        result = await go(hass, result, pin="1234")
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            result = await through(hass, result, "apple_tv_begin")
    await check_changed(hass, result, "reauth_successful")
    await wait_links(entry)
    assert not flows(hass)


async def test_reauth_that_is_not_needed_any_more(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A device may have had a moment of weakness."""
    entry = await add_entry(hass, apple_tv)
    known = dict(apple_tv.desk.pairings["companion"])
    apple_tv.desk.unpair("companion")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))

    apple_tv.desk.pairings["companion"].update(known)
    await wait_links(entry)
    await hass.async_block_till_done()
    assert not flows(hass)


async def test_reauth_by_hand(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Without a word about which, all that was paired is paired again."""
    entry = await set_up(hass, apple_tv)
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await entry.start_reauth_flow(hass)
    assert shown(result)["protocol"] == "AirPlay, Companion"
    result = await through(hass, await go(hass, result), "apple_tv_look")
    result = await through(hass, await go(hass, result, pin="1234"), "apple_tv_begin")
    await check_changed(hass, await go(hass, result, pin="1234"), "reauth_successful")
    await wait_links(entry)


async def test_reauth_of_what_is_not_offered(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """What is in the way now is explained."""
    entry = await set_up(hass, apple_tv)
    apple_tv.properties[AIRPLAY]["acl"] = "1"
    result = await entry.start_reauth_flow(hass)
    result = await through(hass, await go(hass, result), "apple_tv_look")
    assert result["step_id"] == "apple_tv_only_home"
    result = await go(hass, result, next_step_id="apple_tv_without")
    result = await through(hass, result, "apple_tv_begin")
    assert result["step_id"] == "apple_tv_pin_companion"


async def test_homepod_that_lets_nobody_in(
    hass: HomeAssistant, homepod: FakeAppleTv
) -> None:
    """There is nothing to be paired: the user is told what to change."""
    homepod.desk.errors[("setup", 2)] = 2
    entry = await add_entry(hass, homepod)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry, "refused")
    registry = ir.async_get(hass)
    issue_id = f"apple_tv_access_restricted_{entry.entry_id}"
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"name": "Kitchen"}
    assert not flows(hass)

    homepod.desk.errors.clear()
    await wait_links(entry)
    assert registry.async_get_issue(DOMAIN, issue_id) is None


async def test_issue_goes_with_the_entry(
    hass: HomeAssistant, homepod: FakeAppleTv
) -> None:
    """Nothing is left to be changed."""
    homepod.desk.errors[("setup", 2)] = 2
    entry = await add_entry(hass, homepod)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry, "refused")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not ir.async_get(hass).issues


# Changing an entry


async def test_other_address(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What is found there has to be the same device."""
    entry = await add_entry(hass, apple_tv, address="127.0.0.99")
    result = await reconfigure(hass, entry, "apple_tv_reconfigure_address")
    assert result["step_id"] == "apple_tv_reconfigure_address"
    result = await go(hass, result, address=" 127.0.0.1 ")
    await check_changed(hass, result, "reconfigure_successful")
    assert entry.data["address"] == "127.0.0.1"
    await wait_links(entry)


async def test_address_of_another_device(
    hass: HomeAssistant, apple_tv: FakeAppleTv, homepod: FakeAppleTv
) -> None:
    """That would be another entry."""
    entry = await set_up(hass, apple_tv)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "identifiers": ["A"]}
    )
    result = await reconfigure(hass, entry, "apple_tv_reconfigure_address")
    result = await go(hass, result, address="127.0.0.1")
    assert result["errors"] == {"address": "apple_tv_wrong_device"}


async def test_no_device_at_the_address(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """The user may try another one."""
    entry = await set_up(hass, apple_tv)
    await apple_tv.mdns.stop()
    result = await reconfigure(hass, entry, "apple_tv_reconfigure_address")
    result = await go(hass, result, address="127.0.0.1")
    assert result["errors"] == {"address": "apple_tv_no_answer"}
    await apple_tv.mdns.start(apple_tv.address, apple_tv.mdns_port)
    result = await go(hass, result, address="127.0.0.1")
    await check_changed(hass, result, "reconfigure_successful")


async def test_pairing_more(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What was left out at first can be paired later, and the rest stays."""
    credentials = await pair(apple_tv, (AppleProtocol.COMPANION,))
    entry = await set_up(hass, apple_tv, credentials=credentials)
    assert links_of(entry) == {"companion": "up"}

    result = await reconfigure(hass, entry, "apple_tv_reconfigure_pair")
    assert result["type"] is FlowResultType.FORM
    result = await go(hass, result, protocols=[])
    assert result["errors"] == {"protocols": "apple_tv_nothing_chosen"}
    result = await go(hass, result, protocols=["airplay"])
    result = await through(hass, result, "apple_tv_look")
    assert result["step_id"] == "apple_tv_pin_airplay"
    result = await go(hass, result, pin="1234")
    await check_changed(hass, result, "reconfigure_successful")
    stored = await secrets_of(hass, entry)
    assert stored["companion"] == credentials[AppleProtocol.COMPANION]
    await wait_links(entry)
    assert links_of(entry) == {"airplay": "up", "companion": "up"}


async def test_pairing_what_is_not_there(
    hass: HomeAssistant, homepod: FakeAppleTv
) -> None:
    """A HomePod takes no remote controls."""
    entry = await set_up(hass, homepod)
    result = await reconfigure(hass, entry, "apple_tv_reconfigure_pair")
    result = await go(hass, result, protocols=["companion"])
    result = await through(hass, result, "apple_tv_look")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "apple_tv_nothing_to_pair"
    await wait_connected(entry)


async def test_options(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A changed option sets the entry up anew."""
    entry = await set_up(hass, apple_tv)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "apple_tv_options"
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"start_off": True}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"start_off": True}
    await hass.async_block_till_done()
    await wait_links(entry)


# The end


async def test_removed_entry_leaves_nothing(
    hass: HomeAssistant, apple_tv: FakeAppleTv, hass_storage: dict[str, Any]
) -> None:
    """No credentials, no apps, no ears."""
    entry = await set_up(hass, apple_tv)
    await wait_until_stored(hass, hass_storage)

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert STORE not in hass_storage
    assert async_get_hub(hass).watcher is None
    await apple_tv.wait_for("companion_lost", timeout=PATIENCE)


async def wait_until_stored(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Wait until there is something in the file."""
    while STORE not in hass_storage:
        await hass.async_block_till_done()
