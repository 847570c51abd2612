"""Changing a lobby whose entry is signed in: it steps aside, and comes back."""

import asyncio
from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .common import (
    LOGIN,
    PASSWORD,
    PATIENCE,
    coordinator_of,
    flows,
    go,
    set_up,
    wait_data,
    wait_signed_in,
    wait_until,
)
from .flowing import assert_form, begin, place_of, submit
from tests.fakes.faf_lobby import FakeLobby


async def test_sign_in_again(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Trying does not throw the entry out, nor does the entry throw out the flow."""
    entry = await set_up(hass, lobby)
    result = await entry.start_reauth_flow(hass)
    result = await submit(hass, result, login=LOGIN, password=PASSWORD)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()

    await wait_signed_in(entry)
    assert lobby.seen("kicked") == []
    assert len(lobby.seen("signed_in", login=LOGIN)) == 3


async def test_entry_goes_on_after_a_wrong_password(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up(hass, lobby)
    result = await entry.start_reauth_flow(hass)
    result = await submit(hass, result, login=LOGIN, password="wrong")
    assert_form(result, "faf_reauth_password", "faf_password_refused")
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.LOADED
    await wait_signed_in(entry)
    assert lobby.seen("kicked") == []
    hass.config_entries.flow.async_abort(result["flow_id"])


async def test_entry_goes_on_when_the_flow_is_closed(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    entry = await set_up(hass, lobby)
    lobby.mark()
    release = lobby.mischief.hold("hello")
    result = await entry.start_reauth_flow(hass)
    result = await go(hass, result, login=LOGIN, password=PASSWORD)
    await lobby.wait_for("received", command="hello")
    assert entry.state is ConfigEntryState.NOT_LOADED

    hass.config_entries.flow.async_abort(result["flow_id"])
    release()
    await wait_until(hass, lambda: entry.state is ConfigEntryState.LOADED)

    assert flows(hass) == []
    await wait_signed_in(entry)


async def test_entry_goes_on_when_the_flow_is_closed_early(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry was about to step aside, which is not to be broken off."""
    entry = await set_up(hass, lobby)
    client = coordinator_of(entry).client
    assert client is not None
    stop, is_stopping, may_stop = client.stop, asyncio.Event(), asyncio.Event()

    async def stop_late() -> None:
        is_stopping.set()
        await may_stop.wait()
        await stop()

    monkeypatch.setattr(client, "stop", stop_late)
    result = await entry.start_reauth_flow(hass)
    result = await go(hass, result, login=LOGIN, password=PASSWORD)
    async with asyncio.timeout(PATIENCE):
        await is_stopping.wait()
    hass.config_entries.flow.async_abort(result["flow_id"])
    await asyncio.sleep(0)
    may_stop.set()
    await wait_until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await wait_signed_in(entry)
    assert len(lobby.seen("signed_in", login=LOGIN)) == 2


async def test_entry_goes_on_when_nobody_looks_at_the_end(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The account was fine, but the user has gone before hearing of it."""
    entry = await set_up(hass, lobby)
    done = asyncio.Event()

    @callback
    def on_event(event: Event[Any]) -> None:
        done.set()

    unsubscribe = hass.bus.async_listen("data_entry_flow_progressed", on_event)
    result = await entry.start_reauth_flow(hass)
    result = await go(hass, result, login=LOGIN, password=PASSWORD)
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    unsubscribe()
    assert entry.state is ConfigEntryState.NOT_LOADED

    hass.config_entries.flow.async_abort(result["flow_id"])
    await wait_until(hass, lambda: entry.state is ConfigEntryState.LOADED)
    await wait_signed_in(entry)


@pytest.mark.parametrize("act", ["disable", "remove"])
async def test_entry_that_shall_not_go_on(
    hass: HomeAssistant, lobby: FakeLobby, act: str
) -> None:
    """The user has done something else with it meanwhile."""
    entry = await set_up(hass, lobby)
    lobby.mark()
    lobby.mischief.hold("hello")
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, next_step_id="faf_account")
    result = await go(hass, result, next_step_id="faf_password")
    result = await go(hass, result, login=LOGIN, password=PASSWORD)
    await lobby.wait_for("received", command="hello")
    if act == "disable":
        await hass.config_entries.async_set_disabled_by(
            entry.entry_id, ConfigEntryDisabler.USER
        )
    else:
        await hass.config_entries.async_remove(entry.entry_id)

    if flows(hass):
        hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.NOT_LOADED
    assert len(lobby.seen("signed_in", login=LOGIN)) == 1


async def test_entities_follow_a_lobby_that_moves(
    hass: HomeAssistant,
    lobby: FakeLobby,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """They are the same ones at the new address, with what users have made of them."""
    entry = await set_up(hass, lobby, ("Rhiza",))

    def ids() -> dict[str, str]:
        found = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        return {one.id: one.entity_id for one in found}

    before = ids()
    assert before
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, next_step_id="faf_reconfigure_address")
    result = await submit(
        hass,
        result,
        host=lobby.address,
        framing="websocket",
        port=lobby.websocket_port,
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await wait_signed_in(entry)

    assert str(lobby.websocket_port) in str(entry.unique_id)
    assert ids() == before
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert len(devices) == 2
    assert lobby.seen("kicked") == []


async def test_new_entry_signs_in(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """What the flow leaves is all that an entry needs, and the flow is out of its way."""
    result = await begin(hass, "faf_own")
    result = await submit(hass, result, **place_of(lobby))
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=LOGIN, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_signed_in(result["result"])
    assert lobby.seen("kicked") == []


async def test_new_entry_looks(hass: HomeAssistant, lobby: FakeLobby) -> None:
    result = await begin(hass, "faf_own")
    result = await submit(hass, result, **place_of(lobby, "qdatastream"))
    result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await wait_data(result["result"], lambda state: state.is_connected)
    assert lobby.seen("signed_in") == []
