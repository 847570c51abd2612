"""A console that lets nobody in without an account: from its refusal to a new sign-in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from .signing_in import (
    APPLICATION,
    add_application,
    sign_in,
    signed_in_token,
    xbox_live_services,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families.xbox import hub as hub_module
from custom_components.rumpus.families.xbox.account import sign_in_data
from custom_components.rumpus.protocols.smartglass.discovery import Network
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_live import FakeXboxLive, Fault

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf", "current_request_with_host")


@pytest.fixture
async def services(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeXboxLive]:
    async with xbox_live_services(monkeypatch) as services:
        await add_application(hass, services)
        yield services


@pytest.fixture
async def console(
    hass: HomeAssistant, services: FakeXboxLive, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeConsole]:
    """A console that knows the account and allows nobody else."""
    async with FakeConsole(flags=2) as console:
        console.accounts = services.accounts
        where = (console.address, console.port)
        network = Network(bind="127.0.0.1", port=console.port, targets=(where,))

        async def async_network(hass: HomeAssistant) -> Network:
            return network

        monkeypatch.setattr(hub_module, "async_network", async_network)
        # Before the server starts that the browser comes back to.
        assert await async_setup_component(hass, DOMAIN, {})
        yield console
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


@pytest.fixture
async def entry(
    hass: HomeAssistant, services: FakeXboxLive, console: FakeConsole
) -> MockConfigEntry:
    """An entry, not set up, whose user signed in earlier."""
    token = await signed_in_token(hass, services)
    data = {
        "family": "xbox",
        "live_id": console.live_id,
        "console_uuid": console.console_uuid.lower(),
        "name": console.name,
        "host": console.address,
        "port": console.port,
        **sign_in_data(APPLICATION, token),
    }
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id=console.live_id, title=console.name, data=data
    )
    entry.add_to_hass(hass)
    return entry


def let_end(
    hass: HomeAssistant, services: FakeXboxLive, entry: ConfigEntry, ago: timedelta
) -> None:
    """Let the access token be at its end, and the XSTS token since so long ago."""
    services.expire_access_tokens()
    token = entry.data["token"]
    end = (datetime.now(UTC) - ago).isoformat()
    token = {**token, "expires_at": 0, "xsts": {**token["xsts"], "expires_at": end}}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})


async def go_on(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Take a step, and wait for what it does meanwhile."""
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], user_input
    )
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    return result


async def choose(
    hass: HomeAssistant, result: ConfigFlowResult, option: str
) -> ConfigFlowResult:
    assert result["type"] is FlowResultType.MENU
    assert option in result["menu_options"]
    return await go_on(hass, result, {"next_step_id": option})


async def refused(hass: HomeAssistant, console: FakeConsole) -> ConfigFlowResult:
    """Add a console by its address, up to its refusal."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await choose(hass, result, "xbox_user")
    result = await choose(hass, result, "xbox_address")
    result = await go_on(hass, result, {"host": console.address, "port": console.port})
    assert result["step_id"] == "xbox_not_allowed"
    return result


async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_sign_in_after_a_refusal(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
) -> None:
    result = await choose(hass, await refused(hass, console), "xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["auth_implementation"] == APPLICATION

    await console.wait_for("joined")
    await console.wait_for("joined")  # the entry, after the flow
    assert services.requests == ["token", "user", "xsts"]
    entry = result["result"]
    shown = str(await async_get_config_entry_diagnostics(hass, entry))
    assert [secret for secret in services.given if secret in shown] == []
    assert services.userhash not in shown
    assert services.client_secret not in shown


async def test_account_that_the_console_does_not_know(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
) -> None:
    console.accounts = {}
    result = await choose(hass, await refused(hass, console), "xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["step_id"] == "xbox_sign_in_failed"
    assert result["type"] is FlowResultType.FORM

    console.accounts = services.accounts
    result = await sign_in(hass, hass_client_no_auth, await go_on(hass, result, {}))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_without_the_internet(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    """After a restart, too: the token that counts still is all that a session needs."""
    await services.stop()
    await set_up(hass, entry)
    await console.wait_for("joined")
    assert services.requests == []


async def test_token_at_its_end(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    """Nobody notices."""
    let_end(hass, services, entry, timedelta(hours=1))
    await set_up(hass, entry)
    await console.wait_for("joined")
    assert services.requests == ["token", "user", "xsts"]
    assert not hass.config_entries.flow.async_progress()


async def test_token_that_the_console_does_not_accept_any_more(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    """Another one is tried before anybody is asked."""
    services.accounts.clear()
    await set_up(hass, entry)
    await console.wait_for("joined")
    assert services.requests == ["user", "xsts"]
    assert not hass.config_entries.flow.async_progress()


async def test_service_out_of_order_is_no_reason_to_sign_in(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    let_end(hass, services, entry, timedelta(hours=1))
    services.faults["xsts"] = Fault.UNAVAILABLE
    await set_up(hass, entry)
    await services.wait_asked("xsts")
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress()


async def test_permission_taken_back(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The user is asked to sign in again, and then all is well."""
    let_end(hass, services, entry, timedelta(hours=1))
    services.revoke()
    await set_up(hass, entry)
    await services.wait_asked("token")
    await hass.async_block_till_done()
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["source"] == "reauth"

    services.requests.clear()
    result = await hass.config_entries.flow.async_configure(progress["flow_id"])
    assert result["step_id"] == "xbox_reauth_account"
    result = await choose(hass, result, "xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await console.wait_for("joined")
    await hass.async_block_till_done()
    assert services.requests == ["token", "user", "xsts"]
    assert not hass.config_entries.flow.async_progress()
    # The code, which counts once, is in the access log of the test's own server.
    tokens = [secret for secret in services.given if not secret.startswith("code")]
    assert [secret for secret in tokens if secret in caplog.text] == []
