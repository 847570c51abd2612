"""A console that lets nobody in without an account: from its refusal to a new sign-in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from .common import (
    LINK,
    add_entry,
    flows,
    go,
    start_user,
    wait_progress,
    wait_state,
    wait_until,
)
from .conftest import stop
from .signing_in import (
    APPLICATION,
    add_application,
    sign_in,
    signed_in_token,
    xbox_live_services,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.diagnostics import async_get_config_entry_diagnostics
from custom_components.rumpus.families.xbox.account import sign_in_data
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_live import FakeXboxLive, Fault

pytestmark = pytest.mark.usefixtures("current_request_with_host")


@pytest.fixture
async def services(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeXboxLive]:
    async with xbox_live_services(monkeypatch) as services:
        await add_application(hass, services)
        yield services


@pytest.fixture
async def console(
    hass: HomeAssistant, services: FakeXboxLive
) -> AsyncIterator[FakeConsole]:
    """A console that knows the account and allows nobody else."""
    async with FakeConsole(flags=2) as console:
        console.accounts = services.accounts
        yield console
        await stop(hass)


@pytest.fixture
async def rumpus(hass: HomeAssistant, loopback: None) -> None:
    """Be there before the server starts that the browser comes back to."""
    assert await async_setup_component(hass, DOMAIN, {})


@pytest.fixture
async def entry(
    hass: HomeAssistant, services: FakeXboxLive, console: FakeConsole, rumpus: None
) -> MockConfigEntry:
    """An entry, not set up, whose user signed in earlier."""
    token = await signed_in_token(hass, services)
    return add_entry(hass, console, **sign_in_data(APPLICATION, token))


async def refused(hass: HomeAssistant, console: FakeConsole) -> ConfigFlowResult:
    """Add a console by its address, up to its refusal, and choose to sign in."""
    result = await start_user(hass, "xbox_address")
    result = await go(hass, result, host=console.address, port=console.port)
    result = await wait_progress(hass, result)
    assert result["step_id"] == "xbox_not_allowed"
    return await go(hass, result, next_step_id="xbox_sign_in")


def let_end(hass: HomeAssistant, services: FakeXboxLive, entry: ConfigEntry) -> None:
    """Let the access token be at its end, and the XSTS token since an hour."""
    services.expire_access_tokens()
    token = entry.data["token"]
    end = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    token = {**token, "expires_at": 0, "xsts": {**token["xsts"], "expires_at": end}}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})


def assert_reserved(services: FakeXboxLive, text: str) -> None:
    """Check that nothing secret is to be read."""
    # The code, which counts once, is in the access log of the test's own server.
    tokens = [secret for secret in services.given if not secret.startswith("code")]
    private = [*tokens, services.userhash, services.client_secret]
    assert [secret for secret in private if secret in text] == []


@pytest.mark.usefixtures("rumpus")
async def test_sign_in_after_a_refusal(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    result = await refused(hass, console)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["auth_implementation"] == APPLICATION

    for _ in range(2):  # the flow, and after it the entry
        await console.wait_for("connected", anonymous=False)
        await console.wait_for("joined")
    await wait_state(hass, LINK, "on")
    assert services.requests == ["token", "user", "xsts"]
    entry = result["result"]
    assert_reserved(
        services, str(await async_get_config_entry_diagnostics(hass, entry))
    )
    assert_reserved(services, caplog.text)


@pytest.mark.usefixtures("rumpus")
async def test_account_that_the_console_does_not_know(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
) -> None:
    console.accounts = {}
    result = await refused(hass, console)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["step_id"] == "xbox_sign_in_failed"
    assert result["errors"] == {"base": "xbox_auth_failed"}

    console.accounts = services.accounts
    result = await sign_in(hass, hass_client_no_auth, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("rumpus")
async def test_console_that_does_not_answer_any_more(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
) -> None:
    """It is not Microsoft that is blamed."""
    result = await refused(hass, console)
    console.unplug()
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["step_id"] == "xbox_sign_in_failed"
    assert result["errors"] == {"base": "xbox_no_answer"}

    console.plug_in()
    result = await sign_in(hass, hass_client_no_auth, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_without_the_internet(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    """After a restart, too: the token that counts still is all that a session needs."""
    await services.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_state(hass, LINK, "on")
    await console.wait_for("connected", anonymous=False)
    assert services.requests == []


async def test_token_at_its_end(
    hass: HomeAssistant,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
) -> None:
    """Nobody notices."""
    let_end(hass, services, entry)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_state(hass, LINK, "on")
    await console.wait_for("connected", anonymous=False)
    assert services.requests == ["token", "user", "xsts"]
    assert flows(hass) == []


async def test_token_that_the_console_does_not_accept_any_more(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """Another one is tried before anybody is asked."""
    services.accounts.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_state(hass, LINK, "on")
    assert services.requests == ["user", "xsts"]
    assert flows(hass) == []


async def test_service_out_of_order_is_no_reason_to_sign_in(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """It is tried again, and works when it does."""
    let_end(hass, services, entry)
    services.faults["xsts"] = Fault.UNAVAILABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    await services.wait_asked("xsts")
    await hass.async_block_till_done()
    assert flows(hass) == []

    services.faults.clear()
    await wait_state(hass, LINK, "on")


async def test_permission_taken_back(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    console: FakeConsole,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The user is asked to sign in again, and then all is well."""
    caplog.set_level("DEBUG")
    let_end(hass, services, entry)
    services.revoke()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))
    (progress,) = flows(hass)
    assert progress["context"]["source"] == "reauth"

    result = await hass.config_entries.flow.async_configure(progress["flow_id"])
    assert result["step_id"] == "xbox_reauth_account"
    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    await wait_state(hass, LINK, "on")
    assert services.count("user") == services.count("xsts") == 1
    assert flows(hass) == []
    assert_reserved(services, caplog.text)
