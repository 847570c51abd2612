"""Repairing and changing an entry: the account, and the address."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ImplementationUnavailableError
from homeassistant.setup import async_setup_component

from .common import (
    PLAYER,
    add_entry,
    coordinator_of,
    data_of,
    flows,
    go,
    look,
    set_up,
    shown,
    start_user,
    wait_connected,
    wait_progress,
    wait_state,
    wait_until,
)
from .signing_in import (
    APPLICATION,
    add_application,
    sign_in,
    signed_in_token,
    xbox_live_services,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox import flow_connect
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_connect import ALLOW_AUTHENTICATED
from tests.fakes.xbox_live import FakeXboxLive, Fault

pytestmark = pytest.mark.usefixtures("current_request_with_host")


@pytest.fixture
async def services(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeXboxLive]:
    """Microsoft's services, and a console that believes them."""
    # Before there is a client: then nothing more can be added to the server.
    assert await async_setup_component(hass, DOMAIN, {})
    async with xbox_live_services(monkeypatch) as services:
        console.accounts = services.accounts
        yield services


@pytest.fixture
async def application(hass: HomeAssistant, services: FakeXboxLive) -> None:
    """The application of a user."""
    await add_application(hass, services)


async def try_again(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Choose to connect without an account, and wait for what comes of it."""
    result = await go(hass, result, next_step_id="xbox_connect")
    return await wait_progress(hass, result)


async def refused(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Wait for the question about an entry."""
    await wait_until(hass, lambda: flows(hass))
    (flow,) = flows(hass)
    assert flow["context"]["source"] == "reauth"
    return await look(hass, flow)


def is_done(result: ConfigFlowResult, reason: str = "reauth_successful") -> bool:
    """Tell whether an entry was repaired or changed."""
    return (result["type"], result.get("reason")) == (FlowResultType.ABORT, reason)


async def test_add_with_an_account(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """A console that lets nobody else in."""
    console.flags = ALLOW_AUTHENTICATED
    result = await start_user(hass, "xbox_address")
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    result = await wait_progress(hass, result)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_not_allowed"
    assert result["menu_options"] == ["xbox_connect", "xbox_sign_in"]
    assert shown(result)["name"] == "Living room"

    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.data == {
        **data_of(console),
        "auth_implementation": APPLICATION,
        "token": entry.data["token"],
    }
    await wait_connected(hass, entry)
    assert coordinator_of(entry).console.is_authenticated


async def test_console_does_not_accept_the_account(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """It says so, and another account may do."""
    console.flags = ALLOW_AUTHENTICATED
    console.accounts = {}
    result = await start_user(hass, "xbox_address")
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    result = await wait_progress(hass, result)
    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["step_id"] == "xbox_sign_in_failed"
    assert result["errors"] == {"base": "xbox_auth_failed"}

    console.accounts = services.accounts
    result = await sign_in(hass, hass_client_no_auth, await go(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_console_goes_during_the_sign_in(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new entry needs a console that is there; then it works."""
    console.flags = ALLOW_AUTHENTICATED
    result = await start_user(hass, "xbox_address")
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    result = await wait_progress(hass, result)
    result = await go(hass, result, next_step_id="xbox_sign_in")
    console.turn_off()
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["errors"] == {"base": "xbox_no_answer"}

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    console.turn_on()
    result = await go(hass, result)
    with monkeypatch.context() as patch:
        patch.setattr(Discoverer, "start", start)
        result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "xbox_cannot_search"


# Reauthentication


async def test_anonymous_is_refused_later(
    hass: HomeAssistant, console: FakeConsole, services: FakeXboxLive
) -> None:
    """The user switches it on again, and goes on without an account."""
    console.refuse(3)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await refused(hass, entry)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_reauth_no_application"
    assert result["menu_options"] == ["xbox_connect"]
    result = await try_again(hass, result)
    assert result["step_id"] == "xbox_not_allowed_no_application"

    # Home Assistant's own attempt is not quicker now.
    assert await hass.config_entries.async_unload(entry.entry_id)
    console.refuse(None)
    assert is_done(await try_again(hass, result))
    assert entry.data == data_of(console)


async def test_sign_in_instead(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """The user does not want that everybody can connect."""
    console.flags = ALLOW_AUTHENTICATED
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await refused(hass, entry)
    assert result["step_id"] == "xbox_reauth"
    assert result["menu_options"] == ["xbox_connect", "xbox_sign_in"]

    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)

    assert is_done(result)
    assert entry.data["auth_implementation"] == APPLICATION
    await hass.async_block_till_done()
    await wait_connected(hass, entry)
    assert coordinator_of(entry).console.is_authenticated


async def account_entry(
    hass: HomeAssistant, console: FakeConsole, services: FakeXboxLive
) -> MockConfigEntry:
    """Return an entry with an account, which the console knows."""
    token = await signed_in_token(hass, services)
    return add_entry(hass, console, auth_implementation=APPLICATION, token=token)


async def test_account_is_used(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """What is stored counts for a while: Microsoft is not asked."""
    console.flags = ALLOW_AUTHENTICATED
    entry = await account_entry(hass, console, services)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)

    assert services.requests == []
    diagnostics = str(coordinator_of(entry).diagnostics())
    assert not [text for text in services.given if text in diagnostics]


async def test_tokens_are_taken_back(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """Tokens that the console does not accept are replaced once, without a question."""
    console.flags = ALLOW_AUTHENTICATED
    entry = await account_entry(hass, console, services)
    console.refuse(6, times=1)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)

    assert "xsts" in services.requests
    assert not flows(hass)


async def test_account_is_refused(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """With new tokens, too: then the user is asked."""
    console.flags = ALLOW_AUTHENTICATED
    entry = await account_entry(hass, console, services)
    console.refuse(6)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await refused(hass, entry)
    assert result["step_id"] == "xbox_reauth_account"
    assert result["menu_options"] == ["xbox_connect", "xbox_sign_in"]

    # It is asleep by then: its next attempt tells.
    console.turn_off()
    console.refuse(None)
    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)
    assert is_done(result)
    await hass.async_block_till_done()
    console.turn_on()
    await wait_connected(hass, entry)


async def test_go_on_without_the_account(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
) -> None:
    """Its application is gone; the console lets everybody in."""
    entry = await account_entry(hass, console, services)
    console.refuse(6)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await refused(hass, entry)
    assert result["step_id"] == "xbox_reauth_account_no_application"
    assert result["menu_options"] == ["xbox_connect"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    console.refuse(None)

    assert is_done(await try_again(hass, result))

    assert entry.data == data_of(console)


async def test_applications_cannot_be_listed(
    hass: HomeAssistant,
    console: FakeConsole,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other way is open."""

    async def fail(hass: HomeAssistant, domain: str) -> dict[str, Any]:
        raise ImplementationUnavailableError

    monkeypatch.setattr(flow_connect, "async_get_implementations", fail)
    console.refuse(3)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await refused(hass, entry)

    assert result["step_id"] == "xbox_reauth_no_application"


# Reconfiguration


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, choice: str
) -> ConfigFlowResult:
    """Begin to change an entry."""
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_reconfigure"
    assert shown(result) == {"name": "Living room"}
    return await go(hass, result, next_step_id=choice)


async def test_new_address(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that no search finds is looked for where the user says."""
    entry = add_entry(hass, console, port=1)
    result = await reconfigure(hass, entry, "xbox_reconfigure_address")
    assert result["type"] is FlowResultType.FORM
    schema = result["data_schema"]
    assert schema is not None
    assert {key: key.description["suggested_value"] for key in schema.schema} == {
        "host": "127.0.0.1",
        "port": 1,
    }
    result = await go(hass, result, host="127.0.0.1", port=2)
    assert result["errors"] == {"base": "xbox_no_answer"}

    result = await go(hass, result, host="127.0.0.1", port=console.port)

    assert is_done(result, "reconfigure_successful")
    assert entry.data == data_of(console)


async def test_address_of_another_console(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """An entry stays with its console."""
    entry = add_entry(hass, console)
    async with FakeConsole("Attic", "F400000000000000") as other:
        result = await reconfigure(hass, entry, "xbox_reconfigure_address")
        result = await go(hass, result, host="127.0.0.1", port=other.port)

    assert is_done(result, "unique_id_mismatch")
    assert entry.data == data_of(console)


async def test_sign_in_later(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """An account is added to an entry that works without one, such as for recording."""
    entry = await set_up(hass, console)
    result = await reconfigure(hass, entry, "xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)

    assert is_done(result, "reconfigure_successful")
    await hass.async_block_till_done()
    await wait_connected(hass, entry)
    assert coordinator_of(entry).console.is_authenticated


async def test_sign_out(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """Nothing of the account is kept."""
    entry = await account_entry(hass, console, services)
    result = await reconfigure(hass, entry, "xbox_sign_out")
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_sign_out"

    result = await go(hass, result)

    assert is_done(result, "reconfigure_successful")
    assert entry.data == data_of(console)


async def test_no_internet(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """Without new tokens it is tried again, and nobody is asked to sign in."""
    entry = await account_entry(hass, console, services)
    console.refuse(6, times=1)
    services.faults["token"] = services.faults["user"] = Fault.UNAVAILABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("connect_answer", result=6)
    await hass.async_block_till_done()
    assert not flows(hass)

    services.faults.clear()
    await wait_connected(hass, entry)
    await wait_state(hass, PLAYER, "idle")


async def test_no_internet_and_no_tokens(
    hass: HomeAssistant,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """A console that lets everybody in does so without them."""
    entry = await account_entry(hass, console, services)
    token = {**entry.data["token"], "xsts": {}, "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    services.faults["token"] = Fault.UNAVAILABLE
    console.refuse(3, times=1)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("connect_answer", result=3)
    # That is no reason to ask for an account: there is one.
    await hass.async_block_till_done()
    assert not flows(hass)

    await wait_connected(hass, entry)

    assert not coordinator_of(entry).console.is_authenticated
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            "button",
            "press",
            {"entity_id": "button.living_room_record_that"},
            blocking=True,
        )
    assert caught.value.translation_key == "xbox_account_not_used"


async def test_sign_in_counts_no_more(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    console: FakeConsole,
    services: FakeXboxLive,
    application: None,
) -> None:
    """A console that lets everybody in is used without it, and the user is asked."""
    entry = await account_entry(hass, console, services)
    token = {**entry.data["token"], "xsts": {}, "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    services.revoke()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)
    await wait_state(hass, PLAYER, "idle")
    result = await refused(hass, entry)
    assert result["step_id"] == "xbox_reauth_account"

    result = await go(hass, result, next_step_id="xbox_sign_in")
    result = await sign_in(hass, hass_client_no_auth, result)

    assert is_done(result)
    await hass.async_block_till_done()
    await wait_connected(hass, entry)
    assert coordinator_of(entry).console.is_authenticated
    assert not flows(hass)
