"""The application that FAF has given, as Home Assistant's own helpers use it."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.components.application_credentials import ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations

from .signing_in import APPLICATION, GATEWAY_KEY, add_application, faf_services
from custom_components.rumpus.application_credentials import (
    FafImplementation,
    XboxLiveImplementation,
    async_faf_implementation,
    async_get_auth_implementation,
    faf_endpoints,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.faf.account import OFFICIAL
from custom_components.rumpus.protocols.oauth import OAuthError
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_web import FakeFafWeb

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf")


@pytest.fixture
async def services(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeFafWeb]:
    async with FakeLobby(gateway_key=GATEWAY_KEY) as lobby:
        lobby.add_account("Watcher", id=4711)
        async with faf_services(monkeypatch, lobby, "Watcher") as services:
            await add_application(hass, services)
            yield services


async def implementation_of(hass: HomeAssistant) -> FafImplementation:
    """Return what the application of the user makes."""
    found = (await async_get_implementations(hass, DOMAIN))[APPLICATION]
    # Which service an application is for is not known at first.
    assert isinstance(found, XboxLiveImplementation)
    return await async_faf_implementation(hass, found)


async def test_application(hass: HomeAssistant, services: FakeFafWeb) -> None:
    implementation = await implementation_of(hass)
    assert implementation.name == APPLICATION
    assert implementation.domain == APPLICATION
    assert implementation.client_id == services.client_id
    assert implementation.client_secret == ""
    assert implementation.extra_authorize_data["code_challenge_method"] == "S256"
    # Every way through the browser has a secret of its own.
    other = await implementation_of(hass)
    assert implementation.code_verifier != other.code_verifier
    assert implementation.code_verifier not in repr(implementation)


@pytest.mark.parametrize(
    ("entered", "secret"), [("None", ""), (" none ", ""), ("nonesuch", "nonesuch")]
)
async def test_secret(hass: HomeAssistant, entered: str, secret: str) -> None:
    application = await async_get_auth_implementation(
        hass, APPLICATION, ClientCredential("id", entered)
    )
    implementation = await async_faf_implementation(hass, application)
    assert implementation.client_secret == secret


async def test_renewal(hass: HomeAssistant, services: FakeFafWeb) -> None:
    """Each refresh token counts once, and what else is kept stays."""
    implementation = await implementation_of(hass)
    old = {**services.permit(), "other": 1}
    fresh = await implementation.async_refresh_token(old)
    assert fresh["access_token"] != old["access_token"]
    assert services.is_current(fresh["refresh_token"])
    assert fresh["expires_in"] == 3600
    assert fresh["expires_at"] > 1e9
    assert fresh["other"] == 1

    with pytest.raises(OAuthError) as caught:
        await implementation.async_refresh_token(old)
    assert caught.value.error == "invalid_grant"
    assert str(old["refresh_token"]) not in str(caught.value)


async def test_code(hass: HomeAssistant, services: FakeFafWeb) -> None:
    implementation = await implementation_of(hass)
    with pytest.raises(OAuthError):
        await implementation.async_resolve_external_data(
            {"code": "made up", "state": {"redirect_uri": "https://example.com"}}
        )
    with pytest.raises(ProtocolError):
        await implementation.async_resolve_external_data({"code": "made up"})


async def test_no_application(hass: HomeAssistant) -> None:
    with pytest.raises(ImplementationUnavailableError):
        await async_faf_implementation(hass, hass)  # type: ignore[arg-type]


def test_official_services() -> None:
    assert faf_endpoints() is OFFICIAL
    assert OFFICIAL.authorize == "https://hydra.faforever.com/oauth2/auth"
