"""An entry behind TLS: it signs in, loses trust, and is changed to and fro."""

import asyncio
from dataclasses import replace
import logging

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    LOGIN,
    PASSWORD,
    PATIENCE,
    add_entry,
    coordinator_of,
    data_of,
    go,
    set_up,
    wait_data,
    wait_signed_in,
    wait_until,
)
from .flowing import assert_form, submit, suggested
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families.faf.const import AccountKind
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.events import AttemptFailed, LobbyEvent
from custom_components.rumpus.protocols.faf.transports import Framing
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_tls import FakeAuthority, self_signed

pytestmark = pytest.mark.usefixtures("trusting")

REASON = "The certificate cannot be trusted: nobody whom we trust has signed it"


async def set_up_secure(
    hass: HomeAssistant,
    lobby: FakeLobby,
    authority: FakeAuthority,
    account: AccountKind = AccountKind.PASSWORD,
) -> MockConfigEntry:
    """Return an entry of a lobby behind TLS, at a path, that is connected."""
    lobby.tls = authority.server(lobby.address)
    lobby.websocket_path = "/lobby"
    await lobby.restart()
    data = replace(
        data_of(lobby, account, Framing.WEBSOCKET), is_secure=True, path="/lobby"
    )
    secrets = Secrets() if account is AccountKind.NONE else None
    entry = await add_entry(hass, data, secrets)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_data(entry, lambda state: state.is_connected)
    if account is not AccountKind.NONE:
        await wait_signed_in(entry)
    await hass.async_block_till_done()
    return entry


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says about certificates, debugging aside."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno > logging.DEBUG and "certificate" in record.getMessage()
    ]


async def wait_attempts(entry: MockConfigEntry, count: int) -> None:
    """Wait until some more attempts have failed."""
    client = coordinator_of(entry).client
    assert client is not None
    failures: asyncio.Queue[LobbyEvent] = asyncio.Queue()
    unsubscribe = client.subscribe(failures.put_nowait)
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                assert isinstance(await failures.get(), AttemptFailed)
    finally:
        unsubscribe()


async def test_loses_trust(
    hass: HomeAssistant,
    lobby: FakeLobby,
    authority: FakeAuthority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is as if the lobby were gone; the reason is told once each time."""
    entry = await set_up_secure(hass, lobby, authority)
    good = lobby.tls
    for _ in range(2):
        caplog.clear()
        lobby.tls = self_signed(lobby.address)
        await lobby.restart()
        connections = len(lobby.seen("connected"))
        await wait_data(entry, lambda state: not state.is_connected)
        await wait_attempts(entry, 3)
        assert not coordinator_of(entry).data.is_signed_in
        assert warnings(caplog) == [f"Cannot connect to {entry.title}: {REASON}"]
        assert len(lobby.seen("connected")) == connections
        facts = await async_get_config_entry_diagnostics(hass, entry)
        assert facts["session"]["last_error"] == "UntrustedError"

        lobby.tls = good
        await lobby.restart()
        await wait_signed_in(entry)
    assert hass.config_entries.flow.async_progress() == []


async def test_loses_trust_without_an_account(
    hass: HomeAssistant,
    lobby: FakeLobby,
    authority: FakeAuthority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up_secure(hass, lobby, authority, AccountKind.NONE)
    good, lobby.tls = lobby.tls, self_signed(lobby.address)
    await lobby.restart()
    for _ in range(2):
        await coordinator_of(entry).async_refresh()
        assert not coordinator_of(entry).data.is_connected
    assert warnings(caplog) == [f"{entry.title} does not answer: {REASON}"]

    lobby.tls = good
    await lobby.restart()
    await coordinator_of(entry).async_refresh()
    assert coordinator_of(entry).data.is_connected


async def test_reconfigure_to_tls(
    hass: HomeAssistant, lobby: FakeLobby, authority: FakeAuthority
) -> None:
    """A gateway takes the place of the lobby: it stays the same one, with its players."""
    lobby.add_account("Rhiza")
    lobby.sign_on("Rhiza")
    entry = await set_up(hass, lobby, ("Rhiza",), framing=Framing.WEBSOCKET)
    unique_id, player = entry.unique_id, lobby.account("Rhiza").id
    assert "ssl" not in entry.data
    store = async_get_store(hass)
    await wait_until(
        hass, lambda: store.record(str(unique_id)).player_ids == {"rhiza": player}
    )

    lobby.tls = authority.server(lobby.address)
    await lobby.restart()
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, next_step_id="faf_reconfigure_address")
    assert_form(result, "faf_reconfigure_address")
    place = suggested(result)
    assert "more_options" not in place
    result = await submit(hass, result, **place)
    assert_form(result, "faf_reconfigure_address", "faf_no_websocket")
    result = await submit(
        hass, result, **{**place, "more_options": {"ssl": True, "verify_ssl": True}}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()

    await wait_signed_in(entry)
    assert entry.data["ssl"] is True
    assert entry.unique_id == unique_id
    assert entry.options == {"players": ["Rhiza"]}
    assert store.record(str(unique_id)).player_ids == {"rhiza": player}
    assert set(coordinator_of(entry).data.followed) == {"rhiza"}


async def test_reconfigure_a_secure_one(
    hass: HomeAssistant, lobby: FakeLobby, authority: FakeAuthority
) -> None:
    """What was chosen stands in the form, and can be taken back."""
    entry = await set_up_secure(hass, lobby, authority)
    lobby.tls = lobby.websocket_path = None
    await lobby.restart()
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, next_step_id="faf_reconfigure_address")
    place = suggested(result)
    assert place["more_options"] == {"ssl": True, "verify_ssl": True, "path": "/lobby"}
    result = await submit(hass, result, **place)
    assert_form(result, "faf_reconfigure_address", "faf_no_tls")
    result = await submit(
        hass, result, **{**place, "more_options": {"ssl": False, "verify_ssl": True}}
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()

    await wait_signed_in(entry)
    assert entry.data == data_of(lobby, framing=Framing.WEBSOCKET).to_entry() | {
        "name": lobby.address
    }
    assert entry.unique_id == data_of(lobby, framing=Framing.WEBSOCKET).unique_id


async def test_repair(
    hass: HomeAssistant, lobby: FakeLobby, authority: FakeAuthority
) -> None:
    """Nobody signs in again where the certificate is bad, and nothing else changes."""
    entry = await set_up_secure(hass, lobby, authority)
    data, good = dict(entry.data), lobby.tls
    lobby.tls = self_signed(lobby.address)
    await lobby.restart()
    signed_in = len(lobby.seen("signed_in"))
    result = await entry.start_reauth_flow(hass)
    result = await submit(hass, result, login=LOGIN, password=PASSWORD)
    assert_form(result, "faf_reauth_password", "faf_certificate_issuer")
    assert len(lobby.seen("signed_in")) == signed_in

    lobby.tls = good
    await lobby.restart()
    result = await submit(hass, result, login=LOGIN, password=PASSWORD)
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await wait_signed_in(entry)
    assert entry.data == data


async def test_diagnostics(
    hass: HomeAssistant, lobby: FakeLobby, authority: FakeAuthority
) -> None:
    """How it is spoken with, but not where."""
    entry = await set_up_secure(hass, lobby, authority)
    facts = await async_get_config_entry_diagnostics(hass, entry)
    assert facts["lobby"] == {
        "server": "own",
        "account": "password",
        "framing": "websocket",
        "is_secure": True,
        "verify_certificate": True,
        "has_path": True,
        "has_helper": False,
        "is_status_only": False,
    }
    assert "/lobby" not in str(facts)
