"""What tests with a sign-in at FAF share: its services, an application, and a browser."""

from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from homeassistant.components.application_credentials import (
    DATA_COMPONENT,
    DOMAIN as CREDENTIALS_DOMAIN,
)
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.setup import async_setup_component

from ..common import go, look, shown, wait_progress
from .flowing import WATCHER_ID, assert_form, begin
from custom_components.rumpus import application_credentials
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.flow_sign_in import RULES_URL
from custom_components.rumpus.protocols.faf.account import Endpoints
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_web import FakeFafWeb

APPLICATION = "faf"
GATEWAY_KEY = "banana"


@contextlib.asynccontextmanager
async def faf_services(
    monkeypatch: pytest.MonkeyPatch, lobby: FakeLobby, login: str
) -> AsyncIterator[FakeFafWeb]:
    """Run FAF's services, and let the integration find them."""
    async with FakeFafWeb(lobby, login=login) as services:
        places = Endpoints(
            authorize=services.authorize_url,
            token=services.token_url,
            access=services.access_url,
        )
        monkeypatch.setattr(application_credentials, "faf_endpoints", lambda: places)
        yield services
        assert services.complaints == []


async def add_application(
    hass: HomeAssistant,
    services: FakeFafWeb,
    name: str = APPLICATION,
    **changes: str,
) -> None:
    """Enter an application, as a user does who got no secret."""
    assert await async_setup_component(hass, CREDENTIALS_DOMAIN, {})
    # It cannot be set up when the web server runs already.
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.data[DATA_COMPONENT].async_create_item(
        {
            "domain": DOMAIN,
            "auth_domain": name,
            "name": name,
            "client_id": services.client_id,
            "client_secret": "none",
            **changes,
        }
    )


async def answer_from(hass: HomeAssistant, result: ConfigFlowResult) -> dict[str, str]:
    """Sign in on FAF's page; return what it sends the browser back with."""
    assert result["type"] is FlowResultType.EXTERNAL_STEP
    assert result["step_id"] == "faf_authorize"
    session = async_get_clientsession(hass)
    async with session.get(result["url"], allow_redirects=False) as response:
        assert response.status == 302
        back = URL(response.headers["Location"])
    assert str(back.with_query(None)) == "https://example.com/auth/external/callback"
    return dict(back.query)


async def come_back(client: ClientSessionGenerator, answer: dict[str, str]) -> int:
    """Let the browser come back to Home Assistant; return the status it gets."""
    response = await (await client()).get("/auth/external/callback", params=answer)
    return response.status


async def go_on(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Go on when the browser has come back, to the end of what that begins."""
    result = await look(hass, result)
    if result["type"] is not FlowResultType.SHOW_PROGRESS:
        return result
    assert result["progress_action"] == "faf_try"
    return await wait_progress(hass, result)


async def sign_in(
    hass: HomeAssistant, client: ClientSessionGenerator, result: ConfigFlowResult
) -> ConfigFlowResult:
    """Sign in, from the step that sends the user away to the one after the attempt."""
    assert await come_back(client, await answer_from(hass, result)) == 200
    return await go_on(hass, result)


def official_data(**changes: object) -> dict[str, Any]:
    """Return the data of an entry that the watcher has signed in for."""
    data = {
        "family": "faf",
        "server": "official",
        "account": "oauth",
        "name": "FAF lobby",
        "player_id": WATCHER_ID,
        "auth_implementation": APPLICATION,
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


async def to_browser(
    hass: HomeAssistant,
    helper: Path | None = None,
    application: str = APPLICATION,
) -> ConfigFlowResult:
    """Begin to add the official lobby, up to the page of FAF."""
    result = await begin(hass, "faf_official")
    assert_form(result, "faf_official")
    assert shown(result)["rules_url"] == RULES_URL
    more = {} if helper is None else {"helper": str(helper)}
    result = await go(hass, result, **more)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "faf_sign_in"
    return await go(hass, result, application=application)


async def finish(
    hass: HomeAssistant, client: ClientSessionGenerator, result: ConfigFlowResult
) -> None:
    """Sign in again in the same flow, now that nothing is in the way."""
    result = await go(hass, result)
    result = await go(hass, result, application=APPLICATION)
    result = await sign_in(hass, client, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
