"""The sign-in that an entry has: tokens from it, renewed when they have to be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
import time
import traceback
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.application_credentials import (
    DOMAIN as CREDENTIALS_DOMAIN,
    ClientCredential,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestConnectionError,
    UnknownImplementationError,
)
from homeassistant.helpers import config_entry_oauth2_flow
from homeassistant.setup import async_setup_component

from .signing_in import (
    APPLICATION,
    add_application,
    signed_in_token,
    xbox_live_services,
)
from custom_components.rumpus.application_credentials import (
    FAF_URL,
    PORTAL_URL,
    async_get_auth_implementation,
    async_get_description_placeholders,
    endpoints,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox import account
from custom_components.rumpus.families.xbox.account import (
    async_redeem,
    async_tokens,
    is_signed_in,
    sign_in_data,
    signed_out,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.oauth import OAuthError
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from custom_components.rumpus.protocols.smartglass.xbox_live import (
    OFFICIAL,
    RENEW_BEFORE,
    XblError,
    XErr,
    XstsToken,
)
from tests.fakes.xbox_live import Canned, FakeXboxLive, Fault

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf")


@pytest.fixture
async def services(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeXboxLive]:
    async with xbox_live_services(monkeypatch) as services:
        await add_application(hass, services)
        yield services


@pytest.fixture
async def entry(hass: HomeAssistant, services: FakeXboxLive) -> MockConfigEntry:
    """An entry whose user signed in just now."""
    token = await signed_in_token(hass, services)
    entry = MockConfigEntry(
        domain=DOMAIN, data={"family": "xbox", **sign_in_data(APPLICATION, token)}
    )
    entry.add_to_hass(hass)
    return entry


def change(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> None:
    """Change the token of an entry."""
    token = {**entry.data["token"], **changes}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})


def end_soon(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """Let both tokens be at their end: the XSTS token counts for some minutes still."""
    services.expire_access_tokens()
    change(hass, entry, expires_at=time.time() - 1)
    end_soon_xsts(hass, services, entry)


def end_soon_xsts(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """Let the XSTS token be at its end."""
    soon = XstsToken.from_json(entry.data["token"]["xsts"])
    xsts = {
        **soon.to_json(),
        "expires_at": (
            soon.expires_at
            - timedelta(seconds=services.xsts_lifetime)
            + RENEW_BEFORE / 2
        ).isoformat(),
    }
    change(hass, entry, xsts=xsts)


async def test_without_a_sign_in(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data={"family": "xbox"})
    assert not is_signed_in(entry.data)
    assert await async_tokens(hass, entry) is None


async def test_signing_out(entry: MockConfigEntry) -> None:
    assert is_signed_in(entry.data)
    assert signed_out(entry.data) == {"family": "xbox"}


async def test_token_of_the_entry(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """No service is asked as long as the token counts: the internet may be away."""
    tokens = await async_tokens(hass, entry)
    assert tokens == Tokens(services.userhash, services.accounts[services.userhash])
    assert services.requests == []


async def test_renewal(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """Everything new is stored, since the old refresh token does not count any more."""
    old = entry.data["token"]
    end_soon(hass, services, entry)
    tokens = await async_tokens(hass, entry)
    assert tokens == Tokens(services.userhash, services.accounts[services.userhash])
    assert await async_tokens(hass, entry) == tokens
    assert services.requests == ["token", "user", "xsts"]
    new = entry.data["token"]
    assert new["refresh_token"] != old["refresh_token"]
    assert new["access_token"] != old["access_token"]
    assert new["expires_at"] > time.time()
    assert new["xsts"]["token"] != old["xsts"]["token"]
    assert entry.data["auth_implementation"] == APPLICATION

    end_soon(hass, services, entry)
    assert await async_tokens(hass, entry) != tokens


async def test_one_renewal_for_all(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    end_soon(hass, services, entry)
    first, *others = await asyncio.gather(
        *(async_tokens(hass, entry) for _ in range(5))
    )
    assert first is not None
    assert others == [first] * 4
    assert services.requests == ["token", "user", "xsts"]


async def test_refused_tokens(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """The console has the last word."""
    refused = await async_tokens(hass, entry)
    tokens = await async_tokens(hass, entry, refused=refused)
    assert tokens is not None
    assert tokens != refused
    assert await async_tokens(hass, entry) == tokens
    assert services.requests == ["user", "xsts"]


async def test_access_token_that_should_have_counted(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """A clock that is wrong costs no sign-in."""
    services.expire_access_tokens()
    refused = await async_tokens(hass, entry)
    assert await async_tokens(hass, entry, refused=refused) != refused
    assert services.requests == ["user", "token", "user", "xsts"]
    assert entry.data["token"]["expires_at"] > time.time()


@pytest.mark.parametrize(
    "stored", [None, {}, {"token": "", "userhash": "", "expires_at": ""}, "xsts"]
)
async def test_xsts_token_that_is_none(
    hass: HomeAssistant,
    services: FakeXboxLive,
    entry: MockConfigEntry,
    stored: object,
) -> None:
    change(hass, entry, xsts=stored)
    tokens = await async_tokens(hass, entry)
    assert tokens == Tokens(services.userhash, services.accounts[services.userhash])


# When it does not work

FAULTS: list[tuple[Fault | Canned, type[RumpusError]]] = [
    (Fault.UNAVAILABLE, DisconnectedError),
    (Fault.HANG_UP, DisconnectedError),
    (Fault.GARBAGE, ProtocolError),
    (Fault.SLOW, PeerTimeoutError),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("service", ["token", "user", "xsts"])
async def test_services_out_of_order(
    hass: HomeAssistant,
    services: FakeXboxLive,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    fault: Fault,
    error: type[RumpusError],
) -> None:
    """The last minutes of the old token are used, and then it is tried again later."""
    # A time-out must not come between the services and a refresh token.
    (end_soon if service == "token" else end_soon_xsts)(hass, services, entry)
    services.faults[service] = fault
    stored = entry.data["token"]["xsts"]
    with monkeypatch.context() as patch:
        if fault is Fault.SLOW:
            patch.setattr(
                "custom_components.rumpus.protocols.web_service.REQUEST_TIMEOUT",
                0.1,
            )
        old = await async_tokens(hass, entry)
        assert old == Tokens(stored["userhash"], stored["token"])
        with pytest.raises(error) as problem:
            await async_tokens(hass, entry, refused=old)
    assert not isinstance(problem.value, AuthenticationError)
    assert not hass.config_entries.flow.async_progress()

    services.faults.clear()
    assert await async_tokens(hass, entry, refused=old) != old


async def test_permission_taken_back(
    hass: HomeAssistant,
    services: FakeXboxLive,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    end_soon(hass, services, entry)
    services.revoke()
    with pytest.raises(OAuthError) as problem:
        await async_tokens(hass, entry)
    assert problem.value.error == "invalid_grant"
    shown = caplog.text + "".join(traceback.format_exception(problem.value))
    assert [secret for secret in services.given if secret in shown] == []


async def test_new_password(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """The access token does not count any more before its time."""
    services.revoke()
    refused = await async_tokens(hass, entry)
    with pytest.raises(OAuthError):
        await async_tokens(hass, entry, refused=refused)
    assert services.requests == ["user", "token"]


async def test_account_that_is_not_accepted(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    end_soon(hass, services, entry)
    services.xerr = XErr.TERMS_NOT_ACCEPTED
    with pytest.raises(XblError) as problem:
        await async_tokens(hass, entry)
    assert problem.value.code is XErr.TERMS_NOT_ACCEPTED
    assert services.requests == ["token", "user", "xsts"]


async def test_application_is_gone(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    end_soon(hass, services, entry)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "another"}
    )
    with pytest.raises(AuthenticationError, match=UnknownImplementationError.__name__):
        await async_tokens(hass, entry)


@pytest.mark.parametrize("token", [{}, None, {"expires_at": 0}, {"expires_at": "x"}])
async def test_sign_in_that_is_none(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry, token: object
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    with pytest.raises(AuthenticationError):
        await async_tokens(hass, entry)


async def test_other_implementations(
    hass: HomeAssistant,
    services: FakeXboxLive,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that raises what Home Assistant's own do."""
    end_soon(hass, services, entry)

    async def fails(*args: object) -> None:
        raise OAuth2TokenRequestConnectionError(domain=DOMAIN)

    monkeypatch.setattr(
        config_entry_oauth2_flow.OAuth2Session, "async_ensure_token_valid", fails
    )
    refused = await async_tokens(hass, entry)
    with pytest.raises(DisconnectedError, match="OAuth2TokenRequestConnectionError"):
        await async_tokens(hass, entry, refused=refused)


async def test_implementation_that_does_not_answer(
    hass: HomeAssistant,
    services: FakeXboxLive,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end_soon(hass, services, entry)

    async def waits(*args: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(
        config_entry_oauth2_flow.OAuth2Session, "async_ensure_token_valid", waits
    )
    monkeypatch.setattr(account, "OAUTH_TIMEOUT", 0)
    change(hass, entry, xsts=None)
    with pytest.raises(PeerTimeoutError):
        await async_tokens(hass, entry)


@pytest.mark.parametrize("answer", [{}, {"expires_in": "soon"}, {"expires_in": 1}])
async def test_implementation_with_half_an_answer(
    hass: HomeAssistant,
    services: FakeXboxLive,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
) -> None:
    implementation = await async_get_auth_implementation(
        hass, APPLICATION, ClientCredential("id", "")
    )

    async def answers(external_data: object) -> dict[str, Any]:
        return answer

    monkeypatch.setattr(implementation, "async_resolve_external_data", answers)
    with pytest.raises(ProtocolError):
        await async_redeem(hass, implementation, {})


# What happens meanwhile


async def test_new_sign_in_meanwhile(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """What a renewal brings late does not replace it."""
    refused = await async_tokens(hass, entry)
    services.faults["xsts"] = Fault.SLOW
    renewal = hass.async_create_task(async_tokens(hass, entry, refused=refused))
    await services.wait_asked("xsts")
    hass.config_entries.async_update_entry(entry, data=signed_out(entry.data))
    await services.stop()
    with pytest.raises(DisconnectedError):
        await renewal
    assert entry.data == {"family": "xbox"}


async def test_entry_removed_meanwhile(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """The token that was on its way still is returned, and stored nowhere."""
    refused = await async_tokens(hass, entry)
    old = entry.data
    release = services.hold("xsts")
    renewal = hass.async_create_task(async_tokens(hass, entry, refused=refused))
    await services.wait_asked("xsts")
    await hass.config_entries.async_remove(entry.entry_id)
    release()
    assert await renewal != refused
    assert entry.data == old


async def test_unloading_waits_for_a_renewal(
    hass: HomeAssistant, services: FakeXboxLive, entry: MockConfigEntry
) -> None:
    """A refresh token that is used up would be lost otherwise."""
    end_soon(hass, services, entry)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    release = services.hold("token")
    asking = hass.async_create_task(async_tokens(hass, entry))
    await services.wait_asked("token")
    asking.cancel()
    old = entry.data["token"]["refresh_token"]
    ending = hass.async_create_task(entry._async_process_on_unload(hass))
    release()
    await ending
    assert entry.data["token"]["refresh_token"] != old
    assert await async_tokens(hass, entry) is not None
    assert services.requests == ["token", "user", "xsts"]


# What is told about the application


def test_official_services() -> None:
    assert endpoints() is OFFICIAL


async def test_dialog_for_the_application(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, CREDENTIALS_DOMAIN, {})
    hass.config.components.add("my")
    assert await async_get_description_placeholders(hass) == {
        "portal_url": PORTAL_URL,
        "faf_url": FAF_URL,
        "no_secret": "none",
        "redirect_url": "https://my.home-assistant.io/redirect/oauth",
    }


@pytest.mark.parametrize(
    ("external", "redirect"),
    [
        ("https://home.example", "https://home.example/auth/external/callback"),
        (None, "https://…/auth/external/callback"),
    ],
)
async def test_dialog_without_my_home_assistant(
    hass: HomeAssistant, external: str | None, redirect: str
) -> None:
    hass.config.external_url = external
    hass.config.internal_url = "http://192.0.2.7:8123"
    placeholders = await async_get_description_placeholders(hass)
    assert placeholders["redirect_url"] == redirect


async def test_application_without_a_secret(
    hass: HomeAssistant, services: FakeXboxLive
) -> None:
    """Microsoft refuses one where there should be none."""
    services.client_secret = ""
    implementation = await async_get_auth_implementation(
        hass, APPLICATION, ClientCredential(services.client_id, "")
    )
    token = services.permit()
    assert await implementation.async_refresh_token(token) != token
