"""What keeps us out of a lobby, and what the user can do about it."""

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .common import (
    LOGIN,
    NAME,
    PATIENCE,
    add_entry,
    coordinator_of,
    data_of,
    flows,
    set_up,
    wait_data,
    wait_signed_in,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.faf import link, troubles
from custom_components.rumpus.families.faf.const import AccountKind
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.client import ClientStatus
from custom_components.rumpus.protocols.faf.events import (
    Disconnected,
    LobbyEvent,
    Stopped,
)
from custom_components.rumpus.protocols.faf.login import hash_password
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.fakes import faf_login
from tests.fakes.faf_lobby import FakeLobby


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return our issues by the keys of their texts."""
    return {
        str(issue.translation_key): issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    }


async def kicked(hass: HomeAssistant, lobby: FakeLobby) -> MockConfigEntry:
    """Return an entry whose account somebody else has signed in with."""
    entry = await set_up(hass, lobby)
    lobby.kick(LOGIN)
    await wait_data(entry, lambda state: state.is_signed_out_elsewhere)
    await hass.async_block_till_done()
    return entry


async def start_fix(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> tuple[Any, dict[str, Any]]:
    """Begin to repair what there is to repair; returns who talks, and the first step."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": issues(hass)["faf_signed_out"].issue_id},
    )
    assert answer.status == HTTPStatus.OK
    return client, await answer.json()


async def test_signed_out_elsewhere(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Who is thrown out stays away, also when Home Assistant starts anew."""
    entry = await kicked(hass, lobby)
    state = coordinator_of(entry).data
    assert not state.is_connected
    issue = issues(hass)["faf_signed_out"]
    assert issue.is_fixable
    assert issue.translation_placeholders == {"name": NAME}
    lobby.mark()

    await hass.config_entries.async_unload(entry.entry_id)
    assert not issues(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    coordinator = coordinator_of(entry)
    assert coordinator.data.is_signed_out_elsewhere
    assert coordinator.client is not None
    assert coordinator.client.status is ClientStatus.OFFLINE
    assert "faf_signed_out" in issues(hass)
    assert len(lobby.seen("signed_in")) == 1


@pytest.mark.parametrize("is_kicked", [True, False])
async def test_signed_out_at_the_end(
    hass: HomeAssistant,
    lobby: FakeLobby,
    monkeypatch: pytest.MonkeyPatch,
    is_kicked: bool,
) -> None:
    """Who is thrown out while the entry is let go stays away, too."""
    entry = await set_up(hass, lobby)
    client = coordinator_of(entry).client
    assert client is not None
    stop, lost = client.stop, asyncio.Event()

    async def stop_late() -> None:
        if not lost.is_set():
            if is_kicked:
                lobby.kick(LOGIN)
            else:
                lobby.drop(LOGIN)
            async with asyncio.timeout(PATIENCE):
                await lost.wait()
        await stop()

    def on_event(event: LobbyEvent) -> None:
        if isinstance(event, Disconnected):
            lost.set()

    client.subscribe(on_event)
    monkeypatch.setattr(client, "stop", stop_late)
    # HA ends the tasks of an entry that is unloaded; here the lobby is quicker.
    await coordinator_of(entry).async_stop()
    assert await hass.config_entries.async_unload(entry.entry_id)
    record = async_get_store(hass).record(str(entry.unique_id))
    assert record.is_signed_out is is_kicked
    assert not issues(hass)


async def test_sign_in_again(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """The user says when nobody plays any more."""
    entry = await kicked(hass, lobby)
    await coordinator_of(entry).async_sign_in_again()
    await wait_signed_in(entry)
    assert not coordinator_of(entry).data.is_signed_out_elsewhere
    assert not issues(hass)
    store = async_get_store(hass)
    assert not store.record(str(entry.unique_id)).is_signed_out
    # There is nothing to be done any more.
    await coordinator_of(entry).async_sign_in_again()
    assert len(lobby.seen("signed_in")) == 2


async def test_sign_in_again_too_late(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """An entry that is let go does not sign in any more."""
    entry = await kicked(hass, lobby)
    coordinator = coordinator_of(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await coordinator.async_sign_in_again()
    assert coordinator.client is not None
    assert coordinator.client.status is ClientStatus.OFFLINE


async def test_fix(
    hass: HomeAssistant, lobby: FakeLobby, hass_client: ClientSessionGenerator
) -> None:
    """The issue asks, and signs in."""
    entry = await kicked(hass, lobby)
    client, step = await start_fix(hass, hass_client)
    assert (step["type"], step["step_id"]) == ("form", "confirm")
    assert step["description_placeholders"] == {"name": NAME}
    answer = await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json={})
    assert (await answer.json())["type"] == "create_entry"
    await wait_signed_in(entry)
    assert not issues(hass)


async def test_fix_of_an_entry_that_is_not_loaded(
    hass: HomeAssistant, lobby: FakeLobby, hass_client: ClientSessionGenerator
) -> None:
    """It may sign in when it is set up the next time."""
    entry = await kicked(hass, lobby)
    client, step = await start_fix(hass, hass_client)
    await hass.config_entries.async_unload(entry.entry_id)
    answer = await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json={})
    assert (await answer.json())["type"] == "create_entry"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)


async def test_fix_of_an_entry_that_is_gone(
    hass: HomeAssistant, lobby: FakeLobby, hass_client: ClientSessionGenerator
) -> None:
    """What is gone needs no repair."""
    entry = await kicked(hass, lobby)
    client, step = await start_fix(hass, hass_client)
    await hass.config_entries.async_remove(entry.entry_id)
    answer = await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json={})
    result = await answer.json()
    assert (result["type"], result["reason"]) == ("abort", "entry_removed")


async def test_fix_fails(
    hass: HomeAssistant,
    lobby: FakeLobby,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be repaired is asked for again."""
    entry = await kicked(hass, lobby)
    coordinator = coordinator_of(entry)

    async def fail() -> None:
        raise HomeAssistantError("Not today")

    client, step = await start_fix(hass, hass_client)
    with monkeypatch.context() as patch:
        patch.setattr(coordinator, "async_sign_in_again", fail)
        answer = await client.post(
            f"/api/repairs/issues/fix/{step['flow_id']}", json={}
        )
    result = await answer.json()
    assert (result["type"], result["errors"]) == ("form", {"base": "fix_failed"})
    answer = await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json={})
    assert (await answer.json())["type"] == "create_entry"
    await wait_signed_in(entry)


@pytest.mark.parametrize(("family", "key"), [("faf", "juggle"), ("xbox", "anything")])
async def test_nothing_to_fix(hass: HomeAssistant, family: str, key: str) -> None:
    """Families say what they cannot repair."""
    with pytest.raises(HomeAssistantError) as caught:
        await (await async_get_family(hass, family)).async_fix_issue(
            hass, MockConfigEntry(domain=DOMAIN), key
        )
    assert caught.value.translation_key == "nothing_to_fix"


@pytest.mark.parametrize("trouble", ["faf_banned", "faf_proof_refused"])
async def test_let_in_no_more(
    hass: HomeAssistant, lobby: FakeLobby, trouble: str
) -> None:
    """Why there are no further attempts is told, until there is a way in again."""
    if trouble == "faf_banned":
        lobby.ban(LOGIN)
    else:
        lobby.mischief.refuse_proof = True
    entry = await add_entry(hass, data_of(lobby))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: trouble in issues(hass))
    assert not issues(hass)[trouble].is_fixable
    coordinator = coordinator_of(entry)
    assert coordinator.client is not None
    assert coordinator.client.status is ClientStatus.STOPPED
    assert not coordinator.data.is_signed_out_elsewhere
    assert not flows(hass)

    lobby.ban(LOGIN, None)
    lobby.mischief.reset()
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_signed_in(entry)
    assert not issues(hass)


@pytest.mark.parametrize(
    ("notice", "trouble", "told"),
    [
        (
            "No <b>passwords</b>, see [here](http://evil)",
            "faf_refused_why",
            "No passwords, see here http evil",
        ),
        ("", "faf_refused", ""),
    ],
    ids=["why", "silently"],
)
async def test_refused_again_and_again(
    hass: HomeAssistant,
    lobby: FakeLobby,
    monkeypatch: pytest.MonkeyPatch,
    notice: str,
    trouble: str,
    told: str,
) -> None:
    """It is tried on, but after a while the user hears of it, until we are let in."""
    monkeypatch.setattr(link, "BACKOFF", Backoff((0.01,), jitter=0))
    monkeypatch.setattr(faf_login, "_AWAY", notice)
    lobby.mischief.database_is_away = True
    entry = await add_entry(hass, data_of(lobby))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: bool(issues(hass)))
    assert len(lobby.seen("login_refused")) >= troubles.REFUSALS_TOLD
    assert list(issues(hass)) == [trouble]
    assert not issues(hass)[trouble].is_fixable
    placeholders = issues(hass)[trouble].translation_placeholders
    assert placeholders == {"name": NAME, "notice": told}
    assert not flows(hass)

    lobby.mischief.reset()
    await wait_signed_in(entry)
    assert not issues(hass)


async def test_helper_does_not_work(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """A program that is not there is told of."""
    entry = await add_entry(
        hass, replace(data_of(lobby), helper="/nowhere/rumpus-test-helper")
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: "faf_proof_failed" in issues(hass))
    # It is told once, however often it is tried again.
    coordinator = coordinator_of(entry)
    assert coordinator.client is not None
    stops: list[Stopped] = []
    coordinator.client.subscribe(
        lambda event: stops.append(event) if isinstance(event, Stopped) else None
    )
    coordinator.client.start()
    while not stops:
        await coordinator.client.wait_attempt()
    assert list(issues(hass)) == ["faf_proof_failed"]


async def test_wrong_password(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Who is refused is asked for another password, once."""
    entry = await add_entry(
        hass, data_of(lobby), Secrets(password_hash=hash_password("wrong"))
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))
    assert flows(hass)[0]["context"]["source"] == SOURCE_REAUTH
    assert not issues(hass)
    coordinator = coordinator_of(entry)
    assert coordinator.client is not None
    # Somebody gave the account this password in the meantime.
    lobby.add_account(LOGIN, password="wrong")
    coordinator.client.start()
    await wait_signed_in(entry)
    await hass.async_block_till_done()
    assert not flows(hass)


async def test_pasted_token(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """A token of a user's is used as it is, and asked for when it counts no more."""
    data = data_of(lobby, AccountKind.TOKEN)
    entry = await add_entry(hass, data, Secrets(token=lobby.token_for(LOGIN)))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    await async_get_store(hass).async_keep(
        data.unique_id, Secrets(token=lobby.token_for(LOGIN, lifetime=-10.0))
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await wait_until(hass, lambda: flows(hass))
