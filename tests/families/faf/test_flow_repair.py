"""Signing in again, and changing a lobby on a server of one's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from ..common import go, shown
from .flowing import (
    PASSWORD,
    WATCHER,
    WATCHER_ID,
    add_entry,
    assert_form,
    data_of,
    keep_entries_quiet,
    place_of,
    stored,
    submit,
    suggested,
)
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.login import hash_password
from tests.fakes.faf_lobby import FakeLobby

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf", "socket_enabled")


@pytest.fixture(autouse=True)
def only_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_entries_quiet(monkeypatch)


@pytest.fixture
async def lobby(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[FakeLobby]:
    async with FakeLobby() as fake:
        fake.add_account(WATCHER, password=PASSWORD, id=WATCHER_ID)
        fake.add_account("Other", password="other", id=12)
        yield fake


async def reauth(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Begin to sign in again."""
    return await entry.start_reauth_flow(hass)


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, choice: str
) -> ConfigFlowResult:
    """Begin to change an entry."""
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "faf_reconfigure"
    assert result["menu_options"] == ["faf_reconfigure_address", "faf_account"]
    assert shown(result)["name"] == entry.title
    return await go(hass, result, next_step_id=choice)


def assert_done(result: ConfigFlowResult, reason: str) -> None:
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason


# Signing in again


async def test_password_again(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """Whoever signs in on purpose takes the account back from other programs, too."""
    entry = await add_entry(hass, data_of(lobby), Secrets(password_hash="old"))
    unique_id = str(entry.unique_id)
    await async_get_store(hass).async_set_signed_out(unique_id, True)
    result = await reauth(hass, entry)
    assert_form(result, "faf_reauth_password")
    texts = shown(result)
    assert texts["name"] == entry.title
    assert texts["login"] == WATCHER
    assert texts["address"] == f"127.0.0.1:{lobby.json_port}"
    assert suggested(result) == {"login": WATCHER, "password": None, "helper": None}

    result = await submit(hass, result, login=WATCHER, password="wrong")
    assert_form(result, "faf_reauth_password", "faf_password_refused")
    assert stored(hass_storage)[unique_id]["password_hash"] == "old"

    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_done(result, "reauth_successful")
    assert entry.data == data_of(lobby)
    kept = stored(hass_storage)[unique_id]
    assert kept["password_hash"] == hash_password(PASSWORD)
    assert kept["is_signed_out"] is False


async def test_password_of_somebody_else(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await add_entry(hass, data_of(lobby), Secrets(password_hash="old"))
    result = await reauth(hass, entry)
    result = await submit(hass, result, login="Other", password="other")
    assert_form(result, "faf_reauth_password", "faf_other_account")
    assert shown(result)["login"] == WATCHER

    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_done(result, "reauth_successful")


async def test_account_with_a_new_name(hass: HomeAssistant, lobby: FakeLobby) -> None:
    entry = await add_entry(hass, data_of(lobby), Secrets(password_hash="old"))
    lobby.rename(WATCHER, "Lookout")
    result = await reauth(hass, entry)
    result = await submit(hass, result, login="Lookout", password=PASSWORD)
    assert_done(result, "reauth_successful")
    assert entry.data == data_of(lobby, login="Lookout")


async def test_token_again(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """The token of somebody else is not tried: they may be playing."""
    entry = await add_entry(hass, data_of(lobby, account="token"), Secrets(token="old"))
    result = await reauth(hass, entry)
    assert_form(result, "faf_reauth_token")
    assert shown(result)["login"] == WATCHER

    result = await submit(hass, result, token=lobby.token_for("Other"))
    assert_form(result, "faf_reauth_token", "faf_other_account")
    assert lobby.seen("signed_in") == []

    result = await submit(hass, result, token=lobby.token_for(WATCHER, lifetime=-9))
    assert_form(result, "faf_reauth_token", "faf_token_refused")

    token = lobby.token_for(WATCHER)
    result = await submit(hass, result, token=token)
    assert_done(result, "reauth_successful")
    assert stored(hass_storage)[str(entry.unique_id)]["token"] == token


# Another address


async def test_address(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """The account stays, and nothing is left under the address before."""
    entry = await add_entry(
        hass, data_of(lobby, port=1), Secrets(password_hash=hash_password(PASSWORD))
    )
    old = str(entry.unique_id)
    async_get_store(hass).keep_player_ids(old, {"rhiza": 5})
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    assert_form(result, "faf_reconfigure_address")
    assert suggested(result) == {**place_of(lobby), "port": 1}

    result = await submit(hass, result, host="a b", framing="json")
    assert result["errors"] == {"host": "faf_invalid_host"}
    result = await submit(hass, result, host="127.0.0.1", framing="json", port=1)
    assert_form(result, "faf_reconfigure_address", "faf_unreachable")

    result = await submit(hass, result, **place_of(lobby, "websocket"))
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, "websocket")
    new = f"faf:127.0.0.1:{lobby.websocket_port}:{WATCHER_ID}"
    assert entry.unique_id == new
    assert list(stored(hass_storage)) == [new]
    assert stored(hass_storage)[new]["password_hash"] == hash_password(PASSWORD)
    # It is another door of the same lobby.
    assert stored(hass_storage)[new]["player_ids"] == {"rhiza": 5}


async def test_address_of_another_lobby(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """Its players are other ones."""
    entry = await add_entry(
        hass,
        data_of(lobby, host="127.0.0.2"),
        Secrets(password_hash=hash_password(PASSWORD)),
    )
    async_get_store(hass).keep_player_ids(str(entry.unique_id), {"rhiza": 5})
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place_of(lobby))
    assert_done(result, "reconfigure_successful")
    (kept,) = stored(hass_storage).values()
    assert kept["player_ids"] == {}


async def test_address_of_a_lobby_without_the_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The form of the account follows, in which another one can be entered."""
    entry = await add_entry(
        hass, data_of(lobby, port=1), Secrets(password_hash="unknown there")
    )
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place_of(lobby))
    assert_form(result, "faf_password", "faf_password_refused")

    result = await submit(hass, result, login="Other", password="other")
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, login="Other", player_id=12)


async def test_address_after_the_token_was_lost(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The private file may be gone: what was in it is asked for."""
    entry = await add_entry(hass, data_of(lobby, port=1, account="token"))
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place_of(lobby))
    assert_form(result, "faf_token", "faf_token_refused")

    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, account="token")


async def test_address_without_an_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    nobody: dict[str, Any] = {"account": "none", "login": None, "player_id": None}
    entry = await add_entry(hass, data_of(lobby, port=1, **nobody))
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place_of(lobby))
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, **nobody)
    assert entry.unique_id == f"faf:127.0.0.1:{lobby.json_port}:status"


@pytest.mark.parametrize(
    ("title", "after"), [("127.0.0.1", "localhost"), ("My lobby", "My lobby")]
)
async def test_title(
    hass: HomeAssistant, lobby: FakeLobby, title: str, after: str
) -> None:
    """It follows the address, unless the user has chosen one."""
    entry = await add_entry(
        hass, data_of(lobby), Secrets(password_hash=hash_password(PASSWORD))
    )
    hass.config_entries.async_update_entry(entry, title=title)
    place = {**place_of(lobby), "host": "localhost"}
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place)
    assert_done(result, "reconfigure_successful")
    assert entry.title == after
    assert entry.data["name"] == "localhost"


async def test_address_of_another_entry(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await add_entry(hass, data_of(lobby), Secrets(password_hash="x"))
    entry = await add_entry(hass, data_of(lobby, port=1), Secrets(password_hash="x"))
    result = await reconfigure(hass, entry, "faf_reconfigure_address")
    result = await submit(hass, result, **place_of(lobby))
    assert_done(result, "already_configured")
    assert lobby.seen("connected") == []


# Another account


async def test_another_account(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """Who is followed in the lobby stays known."""
    entry = await add_entry(hass, data_of(lobby), Secrets(password_hash="x"))
    old = str(entry.unique_id)
    async_get_store(hass).keep_player_ids(old, {"rhiza": 5})
    result = await reconfigure(hass, entry, "faf_account")
    assert result["type"] is FlowResultType.MENU
    result = await go(hass, result, next_step_id="faf_token")
    token = lobby.token_for("Other")
    result = await submit(hass, result, token=token)

    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, account="token", login="Other", player_id=12)
    (kept,) = stored(hass_storage).values()
    assert list(stored(hass_storage)) == [entry.unique_id]
    assert kept["token"] == token
    assert kept["password_hash"] is None
    assert kept["player_ids"] == {"rhiza": 5}


async def test_account_of_another_entry(hass: HomeAssistant, lobby: FakeLobby) -> None:
    await add_entry(
        hass, data_of(lobby, login="Other", player_id=12), Secrets(password_hash="x")
    )
    entry = await add_entry(hass, data_of(lobby), Secrets(password_hash="x"))
    result = await reconfigure(hass, entry, "faf_account")
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login="other", password="other")
    assert_done(result, "already_configured")
    assert lobby.seen("connected") == []


async def test_no_account_any_more_and_one_again(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    entry = await add_entry(
        hass, data_of(lobby, helper="/helper"), Secrets(password_hash="x")
    )
    result = await reconfigure(hass, entry, "faf_account")
    result = await go(hass, result, next_step_id="faf_no_account")
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby, account="none", login=None, player_id=None)
    (kept,) = stored(hass_storage).values()
    assert kept["password_hash"] is None

    result = await reconfigure(hass, entry, "faf_account")
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_done(result, "reconfigure_successful")
    assert entry.data == data_of(lobby)
