"""What tests with a sign-in share: Microsoft's services, an application, and a browser."""

from collections.abc import AsyncIterator
import contextlib
import time
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

from custom_components.rumpus import application_credentials
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.protocols.smartglass.xbox_live import Endpoints
from tests.fakes.xbox_live import FakeXboxLive

APPLICATION = "my_application"


@contextlib.asynccontextmanager
async def xbox_live_services(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FakeXboxLive]:
    """Run Microsoft's services, and let the integration find them."""
    async with FakeXboxLive() as services:
        places = Endpoints(
            authorize=services.authorize_url,
            token=services.token_url,
            user=services.user_url,
            xsts=services.xsts_url,
        )
        monkeypatch.setattr(application_credentials, "endpoints", lambda: places)
        yield services
        assert services.complaints == []


async def add_application(
    hass: HomeAssistant,
    services: FakeXboxLive,
    name: str = APPLICATION,
    **changes: str,
) -> None:
    """Enter an application, as a user does."""
    assert await async_setup_component(hass, CREDENTIALS_DOMAIN, {})
    await hass.data[DATA_COMPONENT].async_create_item(
        {
            "domain": DOMAIN,
            "auth_domain": name,
            "name": name,
            "client_id": services.client_id,
            "client_secret": services.client_secret,
            **changes,
        }
    )


async def answer_from(hass: HomeAssistant, result: ConfigFlowResult) -> dict[str, str]:
    """Sign in on Microsoft's page; return what it sends the browser back with."""
    assert result["type"] is FlowResultType.EXTERNAL_STEP
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


async def sign_in(
    hass: HomeAssistant, client: ClientSessionGenerator, result: ConfigFlowResult
) -> ConfigFlowResult:
    """Sign in, from the step that sends the user away to the one after it."""
    assert await come_back(client, await answer_from(hass, result)) == 200
    return await hass.config_entries.flow.async_configure(result["flow_id"])


async def signed_in_token(
    hass: HomeAssistant, services: FakeXboxLive
) -> dict[str, Any]:
    """Return the token of a user who has signed in, without the way through a flow."""

    granted = services.permit()
    xsts = await application_credentials.async_get_xbox_live(hass).sign_in(
        granted["access_token"]
    )
    services.requests.clear()
    return {
        **granted,
        "expires_at": time.time() + granted["expires_in"],
        "xsts": xsts.to_json(),
    }
