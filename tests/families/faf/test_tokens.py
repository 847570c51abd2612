"""The sign-in to FAF of an entry, and the tokens that come of it."""

import asyncio
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.setup import async_setup_component

from .common import add_entry
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf import tokens
from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.store import (
    OAuthSecret,
    Secrets,
    async_get_store,
)
from custom_components.rumpus.families.faf.tokens import TokenSource
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf.account import OFFICIAL
from custom_components.rumpus.protocols.faf.errors import GatewayRefusedError
from custom_components.rumpus.protocols.oauth import OAuthError

URL = "wss://ws.faforever.com/?verify=1700000000-abc"
FRESH = {"access_token": "fresh", "refresh_token": "next", "expires_in": 3600}
APPLICATION = "rumpus_faf"


@pytest.fixture
def web(aioclient_mock: AiohttpClientMocker) -> Any:
    """FAF's services."""
    return aioclient_mock


@pytest.fixture
async def application(hass: HomeAssistant) -> None:
    """An application that the user has entered."""
    assert await async_setup_component(hass, DOMAIN, {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential("client-id", "none"), APPLICATION
    )


async def entry_with(hass: HomeAssistant, secrets: Secrets) -> MockConfigEntry:
    """Return an entry for the official lobby, not set up."""
    data = LobbyData(
        server=ServerKind.OFFICIAL,
        account=AccountKind.OAUTH,
        login="ha_user",
        player_id=9001,
        implementation=APPLICATION,
    )
    return await add_entry(hass, data, secrets)


def source_of(hass: HomeAssistant, entry: MockConfigEntry) -> TokenSource:
    """Return what gives the tokens of an entry."""
    return TokenSource(hass, entry, async_get_store(hass), str(entry.unique_id))


async def expired(hass: HomeAssistant) -> tuple[MockConfigEntry, TokenSource]:
    """Return an entry whose access token counts no more."""
    secret = OAuthSecret("stale", "first", time.time() + tokens.EXPIRY_MARGIN - 1)
    entry = await entry_with(hass, Secrets(oauth=secret))
    return entry, source_of(hass, entry)


def kept(hass: HomeAssistant, entry: MockConfigEntry) -> OAuthSecret:
    """Return the sign-in that is kept."""
    oauth = async_get_store(hass).record(str(entry.unique_id)).secrets.oauth
    assert oauth is not None
    return oauth


async def test_token_that_counts(hass: HomeAssistant, web: Any) -> None:
    """Nobody is asked while a token counts."""
    secret = OAuthSecret("good", "first", time.time() + 3600)
    entry = await entry_with(hass, Secrets(oauth=secret))
    assert await source_of(hass, entry).async_token() == "good"
    assert not web.mock_calls


async def test_pasted_token(hass: HomeAssistant) -> None:
    """A token of the user's is given as it is."""
    entry = await entry_with(hass, Secrets(token="pasted"))
    assert await source_of(hass, entry).async_token() == "pasted"


async def test_without_a_sign_in(hass: HomeAssistant) -> None:
    """Who has not signed in has to."""
    entry = await entry_with(hass, Secrets())
    source = source_of(hass, entry)
    with pytest.raises(AuthenticationError):
        await source.async_token()


@pytest.mark.usefixtures("application")
async def test_renewal(
    hass: HomeAssistant,
    web: Any,
    hass_storage: dict[str, Any],
) -> None:
    """A new token is asked for once, and kept before anybody has it."""
    web.post(OFFICIAL.token, json=FRESH)
    entry, source = await expired(hass)
    found = await asyncio.gather(source.async_token(), source.async_token())
    assert set(found) == {"fresh"}
    assert web.call_count == 1
    form = web.mock_calls[0][2].decode()
    assert "refresh_token=first" in form
    assert "client_id=client-id" in form
    assert "secret" not in form
    stored = hass_storage["rumpus.faf"]["data"]["lobbies"][entry.unique_id]["oauth"]
    assert stored["refresh_token"] == "next"
    assert kept(hass, entry).expires_at == pytest.approx(time.time() + 3600, abs=60)
    assert await source.async_token() == "fresh"
    assert web.call_count == 1


@pytest.mark.usefixtures("application")
async def test_nobody_waits_any_more(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What FAF has given is not lost when the connection it is for is given up."""
    entry, source = await expired(hass)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def redeem(old: OAuthSecret) -> OAuthSecret:
        asked.set()
        await answer.wait()
        return OAuthSecret("fresh", "next", time.time() + 3600)

    monkeypatch.setattr(source, "_async_redeem", redeem)
    task = hass.async_create_task(source.async_token())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer.set()
    await hass.async_block_till_done()
    assert kept(hass, entry).refresh_token == "next"
    assert await source.async_token() == "fresh"


@pytest.mark.usefixtures("application")
async def test_refused(hass: HomeAssistant, web: Any) -> None:
    """A refresh token that counts no more is an error that only the user can mend."""
    web.post(OFFICIAL.token, status=400, json={"error": "invalid_grant"})
    entry, source = await expired(hass)
    with pytest.raises(OAuthError):
        await source.async_token()
    assert kept(hass, entry).refresh_token == "first"


@pytest.mark.usefixtures("application")
async def test_out_of_order(hass: HomeAssistant, web: Any) -> None:
    """What may work later costs nothing."""
    web.post(OFFICIAL.token, status=502)
    entry, source = await expired(hass)
    with pytest.raises(DisconnectedError):
        await source.async_token()
    web.clear_requests()
    web.post(OFFICIAL.token, json=FRESH)
    assert await source.async_token() == "fresh"
    assert kept(hass, entry).refresh_token == "next"


@pytest.mark.usefixtures("application")
async def test_signed_out_meanwhile(hass: HomeAssistant) -> None:
    """A sign-in that is gone by the time that it is needed is not there."""
    entry, source = await expired(hass)
    waiting = hass.async_create_task(source.async_token(), eager_start=True)
    await async_get_store(hass).async_keep(str(entry.unique_id), Secrets())
    with pytest.raises(AuthenticationError):
        await waiting


async def test_application_is_gone(hass: HomeAssistant) -> None:
    """Without the application that the user has signed in with there is no way."""
    assert await async_setup_component(hass, DOMAIN, {})
    _, source = await expired(hass)
    with pytest.raises(AuthenticationError):
        await source.async_token()


async def test_application_cannot_be_asked_for(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant may not know the application for a while."""

    async def fail(*args: object) -> None:
        raise ImplementationUnavailableError

    monkeypatch.setattr(tokens, "async_get_config_entry_implementation", fail)
    _, source = await expired(hass)
    with pytest.raises(DisconnectedError):
        await source.async_token()


@pytest.mark.usefixtures("application")
async def test_answer_that_is_not_complete(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a token is none."""

    class Half:
        async def async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
            return {"access_token": "fresh"}

    async def half(*args: object) -> Half:
        return Half()

    monkeypatch.setattr(tokens, "async_faf_implementation", half)
    _, source = await expired(hass)
    with pytest.raises(ProtocolError):
        await source.async_token()


@pytest.mark.usefixtures("application")
async def test_address(hass: HomeAssistant, web: Any) -> None:
    """The address of the gateway is asked for with the token."""
    web.get(OFFICIAL.access, json={"accessUrl": URL})
    secret = OAuthSecret("good", "first", time.time() + 3600)
    entry = await entry_with(hass, Secrets(oauth=secret))
    assert await source_of(hass, entry).async_url() == URL
    assert web.mock_calls[0][3]["Authorization"] == "Bearer good"


@pytest.mark.usefixtures("application")
async def test_address_is_refused(hass: HomeAssistant, web: Any) -> None:
    """A token that should have counted gets another try with a fresh one."""
    web.get(OFFICIAL.access, status=401)
    web.post(OFFICIAL.token, json=FRESH)
    secret = OAuthSecret("good", "first", time.time() + 3600)
    entry = await entry_with(hass, Secrets(oauth=secret))
    with pytest.raises(GatewayRefusedError):
        await source_of(hass, entry).async_url()
    headers = [call[3].get("Authorization") for call in web.mock_calls]
    assert headers == ["Bearer good", None, "Bearer fresh"]
