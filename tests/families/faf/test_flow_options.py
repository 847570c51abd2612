"""Choosing whom to follow."""

from typing import Any

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.selector import SelectSelector

from .common import (
    LOGIN,
    PASSWORD,
    add_entry,
    coordinator_of,
    data_of,
    set_up,
    set_up_status,
    shown,
    wait_data,
)
from custom_components.rumpus.families.faf import flow_options
from custom_components.rumpus.families.faf.options import MAX_FOLLOWED
from tests.fakes.faf_lobby import FakeLobby


def choices(result: ConfigFlowResult) -> tuple[list[str], list[str]]:
    """Return who is proposed, and who is chosen."""
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "faf_options"
    schema = result["data_schema"]
    assert schema is not None
    ((key, select),) = schema.schema.items()
    assert isinstance(select, SelectSelector)
    assert select.config["multiple"] is True
    assert select.config["custom_value"] is True
    options = [str(option) for option in select.config["options"]]
    return options, key.description["suggested_value"]


async def choose(
    hass: HomeAssistant, result: ConfigFlowResult, *players: str
) -> ConfigFlowResult:
    """Submit the form."""
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"players": list(players)}
    )


async def test_suggestions(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """First who is followed, then friends, then everybody else."""
    lobby.sign_on("Zed", "adam", "Bert", "Yoda", "two words")
    lobby.befriend(LOGIN, "Zed", "Bert")
    entry = await set_up(hass, lobby, ("Yoda", "Nobody"))
    await wait_data(entry, lambda state: state.players_online == 6)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(result) == (
        ["Yoda", "Nobody", "Bert", "Zed", "adam", LOGIN],
        ["Yoda", "Nobody"],
    )
    assert shown(result) == {"name": entry.title, "limit": "50", "players": ""}

    result = await choose(hass, result, "ADAM", " Offline ", "adam", "", "zED")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"players": ["adam", "Offline", "Zed"]}
    await hass.async_block_till_done()
    assert coordinator_of(entry).followed_keys == ("adam", "offline", "zed")


async def test_many_players(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list has an end; whoever is not in it can be typed."""
    monkeypatch.setattr(flow_options, "MAX_SUGGESTED", 4)
    lobby.sign_on(*(f"player{number}" for number in range(6)))
    entry = await set_up(hass, lobby, ("player5",))
    await wait_data(entry, lambda state: state.players_online == 7)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(result)[0] == ["player5", LOGIN, "player0", "player1"]


async def test_another_name(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Who is called otherwise by now is the same player, and no second one."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",))
    await wait_data(entry, lambda state: state.players_online == 2)
    lobby.rename("Rhiza", "Sprouto")
    await wait_data(entry, lambda state: state.followed["rhiza"].login == "Sprouto")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(result) == (["Rhiza", LOGIN], ["Rhiza"])

    result = await choose(hass, result, "sprouto", "Dostya", "Rhiza")
    assert result["data"] == {"players": ["Rhiza", "Dostya"]}


async def test_too_many(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """As many as are allowed can be followed, and not one more."""
    entry = await set_up(hass, lobby)
    names = [f"player{number}" for number in range(MAX_FOLLOWED + 1)]
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await choose(hass, result, *names)
    assert result["errors"] == {"players": "faf_too_many_players"}
    assert shown(result)["limit"] == str(MAX_FOLLOWED)
    assert choices(result)[1] == names

    result = await choose(hass, result, *names[1:], names[1].upper())
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"players": names[1:]}


@pytest.mark.parametrize("wrong", ["two words", "x" * 65, "tab\tbed"])
async def test_no_login(hass: HomeAssistant, lobby: FakeLobby, wrong: str) -> None:
    entry = await set_up(hass, lobby)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await choose(hass, result, "Rhiza", wrong)
    assert result["errors"] == {"players": "faf_invalid_players"}
    assert shown(result)["players"] == wrong[:64]

    result = await choose(hass, result, "Rhiza")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_entry_that_is_not_running(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Nobody can be proposed then, but everybody can be typed."""
    entry = await add_entry(hass, data_of(lobby), players=("Rhiza",))
    other: dict[str, Any] = {**entry.options, "later": 1}
    hass.config_entries.async_update_entry(entry, options=other)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(result) == (["Rhiza"], ["Rhiza"])

    result = await choose(hass, result, "Blackheart")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {"players": ["Blackheart"], "later": 1}


async def test_nobody_signs_in(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await set_up_status(hass, lobby)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "faf_no_sign_in"
    assert shown(result) == {"name": entry.title}


async def test_signed_out_elsewhere(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What was known stays of use."""
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby)
    await wait_data(entry, lambda state: state.players_online == 2)
    lobby.kick(LOGIN)
    await wait_data(entry, lambda state: state.is_signed_out_elsewhere)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "Rhiza" in choices(result)[0]
    assert PASSWORD not in str(result)
