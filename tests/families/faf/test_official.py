"""The official lobby: behind a gateway, and with a machine proof."""

from collections.abc import AsyncIterator
from pathlib import Path
import time

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import (
    LOGIN,
    add_entry,
    coordinator_of,
    flows,
    wait_data,
    wait_signed_in,
    wait_until,
)
from .conftest import stop
from custom_components.rumpus import application_credentials
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.store import (
    OAuthSecret,
    Secrets,
    async_get_store,
)
from custom_components.rumpus.protocols.faf.account import Endpoints
from tests.fakes.faf_helper import check_proof, make_helper
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_login import make_token
from tests.fakes.faf_web import CLIENT_ID, FakeFafWeb

APPLICATION = "rumpus_faf"


@pytest.fixture
async def web(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeFafWeb]:
    """FAF's services and the lobby behind them, which wants a proof."""
    lobby = FakeLobby(gateway_key="banana")
    lobby.add_account(LOGIN)
    lobby.proof_check = check_proof
    async with lobby, FakeFafWeb(lobby, login=LOGIN) as services:
        places = Endpoints(
            authorize=services.authorize_url,
            token=services.token_url,
            access=services.access_url,
        )
        monkeypatch.setattr(application_credentials, "faf_endpoints", lambda: places)
        assert await async_setup_component(hass, DOMAIN, {})
        await async_import_client_credential(
            hass, DOMAIN, ClientCredential(CLIENT_ID, "none"), APPLICATION
        )
        yield services
        await stop(hass)
    assert services.complaints == []


async def entry_for(
    hass: HomeAssistant, web: FakeFafWeb, helper: Path | None = None
) -> MockConfigEntry:
    """Return an entry whose user has signed in, not set up yet."""
    token = web.permit()
    oauth = OAuthSecret.from_token({**token, "expires_at": time.time() + 3600})
    data = LobbyData(
        server=ServerKind.OFFICIAL,
        account=AccountKind.OAUTH,
        login=LOGIN,
        player_id=web.lobby.account(LOGIN).id,
        helper=None if helper is None else str(helper),
        implementation=APPLICATION,
    )
    return await add_entry(hass, data, Secrets(oauth=oauth))


def secret_of(hass: HomeAssistant, entry: MockConfigEntry) -> OAuthSecret:
    """Return the sign-in of an entry as it is kept."""
    oauth = async_get_store(hass).record(str(entry.unique_id)).secrets.oauth
    assert oauth is not None
    return oauth


async def test_with_a_helper(
    hass: HomeAssistant,
    web: FakeFafWeb,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With what makes the proof we are signed in, and no secret is in the log."""
    entry = await entry_for(hass, web, make_helper(tmp_path / "helper"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    assert coordinator_of(entry).data.players_online == 1
    device = coordinator_of(entry).registry_device
    assert device is not None
    assert device.configuration_url == "https://www.faforever.com"
    ours = [record.getMessage() for record in caplog.records if "rumpus" in record.name]
    assert not any(secret in line for line in ours for secret in web.given)


async def test_without_a_helper(hass: HomeAssistant, web: FakeFafWeb) -> None:
    """Without, we only look whether it is there, and that the sign-in counts."""
    entry = await entry_for(hass, web)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_data(entry, lambda state: state.is_connected)
    coordinator = coordinator_of(entry)
    assert coordinator.client is None
    assert coordinator.data.latency is not None
    assert not web.lobby.seen("signed_in")
    assert web.count("access") == 1

    web.revoke()
    await coordinator.async_refresh()
    assert not coordinator.data.is_connected
    await wait_until(hass, lambda: flows(hass))
    assert [flow["context"]["source"] for flow in flows(hass)] == [SOURCE_REAUTH]


async def test_token_that_the_lobby_refuses(
    hass: HomeAssistant, web: FakeFafWeb, tmp_path: Path
) -> None:
    """A token that should have counted gets another try with a fresh one."""
    entry = await entry_for(hass, web, make_helper(tmp_path / "helper"))
    first = secret_of(hass, entry)
    web.lobby.mischief.refuse_login = True
    assert await hass.config_entries.async_setup(entry.entry_id)
    await web.lobby.wait_for("login_refused")
    web.lobby.mischief.refuse_login = False
    await wait_signed_in(entry)
    assert secret_of(hass, entry).refresh_token != first.refresh_token
    assert web.is_current(secret_of(hass, entry).refresh_token)
    assert not flows(hass)


async def test_account_that_the_lobby_refuses(
    hass: HomeAssistant, web: FakeFafWeb, tmp_path: Path
) -> None:
    """Who is refused with a fresh token has to sign in again."""
    web.lobby.mischief.refuse_login = True
    entry = await entry_for(hass, web, make_helper(tmp_path / "helper"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))
    assert len(web.lobby.seen("login_refused")) == 2


async def test_token_that_has_expired(
    hass: HomeAssistant, web: FakeFafWeb, tmp_path: Path
) -> None:
    """What has expired is renewed before it is used."""
    entry = await entry_for(hass, web, make_helper(tmp_path / "helper"))
    old = secret_of(hass, entry)
    stale = make_token(web.lobby.account(LOGIN).id, -10.0)
    await async_get_store(hass).async_keep(
        str(entry.unique_id),
        Secrets(oauth=OAuthSecret(stale, old.refresh_token, time.time() - 10)),
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_signed_in(entry)
    assert web.count("token") == 1


async def test_services_are_out_of_order(
    hass: HomeAssistant, web: FakeFafWeb, tmp_path: Path
) -> None:
    """When the gateway does not give an address, another is asked for later."""
    web.faults["access"] = "unavailable"
    entry = await entry_for(hass, web, make_helper(tmp_path / "helper"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await web.wait_asked("access", 2)
    assert not flows(hass)
    web.faults.clear()
    await wait_signed_in(entry)
