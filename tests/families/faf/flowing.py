"""What the tests of the lobby's flow share: a user who goes through it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section

from ..common import go, wait_progress
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf import link
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.timing import Timing
from tests.fakes.faf_lobby import FakeLobby

WATCHER = "Watcher"
WATCHER_ID = 4711
PASSWORD = "correct horse"
STORE = "rumpus.faf"

QUICK = Timing(
    connect=5.0,
    session=5.0,
    proof=10.0,
    welcome=5.0,
    pong=5.0,
    silence=5.0,
)
"""As with a lobby far away, but nobody waits for minutes when something is wrong."""
HURRY = Timing(connect=0.3, session=0.3, proof=0.5, welcome=0.3, pong=0.3)
"""For a lobby that is not going to answer."""


def keep_entries_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let entries do nothing: only the flow is of interest."""

    async def succeed(*args: object) -> bool:
        return True

    monkeypatch.setattr("custom_components.rumpus.async_setup_entry", succeed)
    monkeypatch.setattr("custom_components.rumpus.async_unload_entry", succeed)
    monkeypatch.setattr(link, "TIMING", QUICK)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing any longer."""
    monkeypatch.setattr(link, "TIMING", HURRY)


async def begin(hass: HomeAssistant, choice: str) -> ConfigFlowResult:
    """Begin to add a lobby, the official one or one's own."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await go(hass, result, next_step_id="faf_user")
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "faf_user"
    assert result["menu_options"] == ["faf_official", "faf_own"]
    return await go(hass, result, next_step_id=choice)


def place_of(lobby: FakeLobby, framing: str = "json") -> dict[str, Any]:
    """Return what a user types to reach a lobby."""
    return {
        "host": lobby.address,
        "framing": framing,
        "port": lobby.port_of(framing),
    }


async def look_at(hass: HomeAssistant, **place: object) -> ConfigFlowResult:
    """Type an address; return what comes after the look at it."""
    result = await begin(hass, "faf_own")
    assert result["step_id"] == "faf_own"
    return await submit(hass, result, **place)


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: object
) -> ConfigFlowResult:
    """Submit a form, and wait for the end of what it begins."""
    result = await go(hass, result, **user_input)
    if result["type"] is not FlowResultType.SHOW_PROGRESS:
        return result
    assert result["progress_action"] in {"faf_look", "faf_try"}
    return await wait_progress(hass, result)


async def choose_account(
    hass: HomeAssistant, lobby: FakeLobby, choice: str, framing: str = "json"
) -> ConfigFlowResult:
    """Go to the form, or to the end, of one way to sign in."""
    result = await look_at(hass, **place_of(lobby, framing))
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "faf_account"
    assert result["menu_options"] == ["faf_password", "faf_token", "faf_no_account"]
    return await go(hass, result, next_step_id=choice)


def assert_form(
    result: ConfigFlowResult, step_id: str, problem: str | None = None
) -> None:
    """Make sure that a form is shown, with an error or without."""
    assert result["type"] is FlowResultType.FORM, result
    assert result["step_id"] == step_id
    assert result["errors"] == ({} if problem is None else {"base": problem})


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what stands in the fields of a form; a part that is empty is left out."""
    schema = result["data_schema"]
    assert schema is not None
    values: dict[str, Any] = {
        str(key): (key.description or {}).get("suggested_value")
        for key, kind in schema.schema.items()
        if not isinstance(kind, section)
    }
    for key, kind in schema.schema.items():
        if isinstance(kind, section):
            inner = suggested({**result, "data_schema": kind.schema})
            if any(value is not None for value in inner.values()):
                values[str(key)] = inner
    return values


def data_of(
    lobby: FakeLobby, framing: str = "json", **changes: object
) -> dict[str, Any]:
    """Return the data of an entry for a fake lobby and the watcher's password."""
    data = {
        "family": "faf",
        "server": "own",
        "account": "password",
        "name": lobby.address,
        **place_of(lobby, framing),
        "login": WATCHER,
        "player_id": WATCHER_ID,
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


async def add_entry(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    secrets: Secrets | None = None,
    options: Mapping[str, Any] | None = None,
) -> MockConfigEntry:
    """Return an entry with what proves who it is; it is set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=data["name"],
        unique_id=LobbyData.from_entry(data).unique_id,
        data=data,
        options=options or {},
    )
    entry.add_to_hass(hass)
    if secrets is not None:
        await async_get_store(hass).async_keep(entry.unique_id or "", secrets)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def stored(hass_storage: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is in the private file, by the unique ids of the entries."""
    lobbies: dict[str, Any] = hass_storage[STORE]["data"]["lobbies"]
    return lobbies


def write_helper(folder: Path, text: str, name: str = "faf-uid") -> Path:
    """Write a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


PROOF: Callable[[int], str] = "proof-of-a-machine-{:012d}-0123456789".format
PROVE = 'printf "proof-of-a-machine-%012d-0123456789" "$1"'
"""What a good helper says, and the script that says it."""
