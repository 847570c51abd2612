"""Showing a TV on phones, and changing how."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .common import go, shown, start_user, wait_state
from .tvs import (
    OTHER_ID,
    PHONES,
    PLAYER,
    REMOTE,
    add_player,
    end_of,
    key_of,
    link,
    pair,
    set_up_tv,
    tv_entry,
)
from custom_components.rumpus.families.kde_connect import flow_tv as flow_module
from custom_components.rumpus.families.kde_connect.tv_data import MAX_COMMAND
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
def tv_key(hass_storage: dict[str, Any]) -> Credentials:
    """The TV's id and key."""
    return key_of(hass_storage)


@pytest.fixture
async def entry(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> MockConfigEntry:
    """A TV that is set up, and linked with a phone that is not paired."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)
    await link(phone, entry)
    return entry


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the fields of a form show at first."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(key): (key.description or {}).get("suggested_value")
        for key in schema.schema
    }


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to show a TV."""
    return await go(hass, await start_user(hass), next_step_id="kde_connect_tv")


def add_tv(hass: HomeAssistant) -> None:
    """Add a TV of another integration: its player and its remote."""
    other = MockConfigEntry(domain="roku")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("roku", "1")}
    )
    registry = er.async_get(hass)
    for domain, object_id in (("media_player", "kitchen"), ("remote", "living_room")):
        registry.async_get_or_create(
            domain,
            "roku",
            "1",
            suggested_object_id=object_id,
            device_id=device.id,
            config_entry=other,
        )
    hass.states.async_set("media_player.radio", "idle", {"device_class": "speaker"})
    hass.states.async_set(
        PLAYER, "idle", {"device_class": "tv", "friendly_name": "Kitchen: TV!"}
    )
    hass.states.async_set(REMOTE, "on")


# A new TV


async def test_user(
    hass: HomeAssistant,
    ours: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
) -> None:
    """The user chooses a player; remote and name are suggested."""
    add_tv(hass)
    result = await begin(hass)
    assert result["step_id"] == "kde_connect_tv"
    assert suggested(result) == {"media_player": PLAYER}

    result = await go(hass, result, media_player=PLAYER)
    assert result["step_id"] == "kde_connect_tv_details"
    assert suggested(result) == {"name": "Kitchen TV", "remote": REMOTE}

    result = await go(hass, result, name="?!", remote=REMOTE)
    assert result["errors"] == {"name": "invalid_name"}
    result = await go(hass, result, name="Kitchen TV", remote=REMOTE)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Kitchen TV"
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state.value == "loaded"
    stored = hass_storage[f"rumpus.kde_connect.tv.{entry.unique_id}"]["data"]
    assert entry.data == {
        "family": "kde_connect",
        "kind": "tv",
        "device_id": stored["device_id"],
        "name": "Kitchen TV",
        "media_player": PLAYER,
        "remote": REMOTE,
        "phones": [],
    }
    assert "PRIVATE KEY" in stored["private_key"]
    assert end_of(entry).identity.name == "Kitchen TV"


async def test_user_without_a_remote(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nothing is suggested that is not there, and no remote is needed."""
    hass.states.async_set(PLAYER, "idle")
    result = await begin(hass)
    assert suggested(result) == {"media_player": None}

    result = await go(hass, result, media_player=PLAYER)
    assert suggested(result) == {"name": "kitchen", "remote": None}
    result = await go(hass, result, name="TV")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["remote"] is None


async def test_user_player_without_a_state(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A player that is only registered has no name to suggest."""
    add_player(hass, "cast")
    hass.states.async_remove(PLAYER)

    result = await go(hass, await begin(hass), media_player=PLAYER)

    assert suggested(result) == {"name": "", "remote": None}
    result = await go(hass, result, name="TV")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_tv_that_is_shown_already(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """There is one TV for each player at most, also when two flows are open."""
    add_tv(hass)
    result = await begin(hass)
    assert suggested(result) == {"media_player": None}
    hass.states.async_set("media_player.other", "idle")
    result = await go(hass, result, media_player="media_player.other")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "media_player": "media_player.other"}
    )
    result = await go(hass, result, name="TV")
    assert result["reason"] == "tv_shown_already"

    result = await begin(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "media_player": PLAYER}
    )
    result = await go(hass, result, media_player=PLAYER)
    assert result["reason"] == "tv_shown_already"


async def test_too_many_tvs(
    hass: HomeAssistant,
    ours: Credentials,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each TV announces itself, so there is a limit."""
    monkeypatch.setattr(flow_module, "MAX_TVS", 1)

    result = await begin(hass)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "too_many_tvs"
    assert shown(result) == {"tvs": "1"}


# Changing one


async def test_reconfigure(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """The entities and the name can be changed; key and phones stay."""
    await pair(hass, phone, entry)
    phone.answers_udp = True
    hass.states.async_set("media_player.den", "idle")
    other = tv_entry(
        hass, tv_key, tv_id=OTHER_ID, media_player="media_player.x", device_id=None
    )
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "kde_connect_tv_reconfigure"
    assert suggested(result) == {
        "name": "Living room",
        "media_player": PLAYER,
        "remote": REMOTE,
    }

    result = await go(hass, result, name="!", media_player="media_player.den")
    assert result["errors"] == {"name": "invalid_name"}
    hass.config_entries.async_update_entry(
        other, data={**other.data, "media_player": "media_player.den"}
    )
    result = await go(hass, result, name="Den", media_player="media_player.den")
    assert result["errors"] == {"media_player": "tv_shown_already"}
    hass.config_entries.async_update_entry(
        other, data={**other.data, "media_player": "media_player.x"}
    )
    hass.config_entries.flow.async_abort(result["flow_id"])
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, name="Den", media_player="media_player.den")

    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.title == "Den"
    assert entry.data["media_player"] == "media_player.den"
    assert entry.data["remote"] is None
    assert end_of(entry).identity.name == "Den"
    assert end_of(entry).credentials.device_id == tv_key.device_id
    await wait_state(hass, PHONES, "1")


async def test_reconfigure_keeps_the_title_of_the_user(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """A title that is not the name is the user's."""
    hass.config_entries.async_update_entry(entry, title="Mine")
    result = await entry.start_reconfigure_flow(hass)

    result = await go(hass, result, name="Den", media_player=PLAYER, remote=REMOTE)

    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.title == "Mine"


async def options(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Go on in an options flow."""
    return await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )


async def test_options_of_keys(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """The form shows what the keys send; only what differs from the preset is kept."""
    er.async_get(hass).async_get_or_create(
        "remote", "roku", "1", suggested_object_id="living_room"
    )
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["menu_options"] == ["kde_connect_tv_keys"]
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")
    form = suggested(result)
    assert form["key_up"] == "up"
    assert form["key_backspace"] == "backspace"
    assert form["key_close"] is None
    assert "remote_device" in form

    result = await options(hass, result, key_up="u" * (MAX_COMMAND + 1))
    assert result["errors"] == {"key_up": "too_long"}
    result = await options(
        hass,
        result,
        key_up=" page_up ",
        key_down="down",
        key_left=" ",
        key_close="power",
        remote_device="Box",
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "key_up": "page_up",
        "key_close": "power",
        "remote_device": "Box",
    }
    await hass.async_block_till_done()
    assert entry.runtime_data.settings.remote_device == "Box"
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")
    assert suggested(result)["key_up"] == "page_up"
    result = await options(hass, result)
    assert entry.options == {}


async def test_options_without_a_remote(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """There is no device of a remote that is not there."""
    entry = tv_entry(hass, tv_key, remote=None)
    await set_up_tv(hass, entry)

    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")

    assert "remote_device" not in suggested(result)


async def test_options_of_phones(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The user removes a phone, which is told so."""
    await pair(hass, phone, entry)
    await wait_state(hass, PHONES, "1")
    tv = entry.runtime_data
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "kde_connect_tv_phones" in result["menu_options"]
    result = await options(hass, result, next_step_id="kde_connect_tv_phones")

    result = await options(hass, result, phones=[phone.device_id])

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await phone.wait_for("unpaired")
    assert entry.data["phones"] == []
    await wait_state(hass, PHONES, "0")
    await tv.async_remove_phone(phone.device_id)  # a second time is nothing


async def test_options_of_phones_of_a_tv_that_is_not_loaded(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """Nobody could be told then."""
    entry = tv_entry(hass, tv_key, phone)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_phones")

    result = await options(hass, result, phones=[phone.device_id])

    assert result["reason"] == "tv_not_loaded"
    assert len(entry.data["phones"]) == 1
