"""The official lobby: real HTTP, a real way back from the browser, a real gateway."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from homeassistant.components.application_credentials import DOMAIN as CREDENTIALS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from ..common import go, shown
from .flowing import (
    PROOF,
    PROVE,
    WATCHER,
    WATCHER_ID,
    add_entry,
    assert_form,
    begin,
    keep_entries_quiet,
    stored,
    suggested,
    write_helper,
)
from .signing_in import (
    APPLICATION,
    GATEWAY_KEY,
    add_application,
    faf_services,
    official_data,
    sign_in,
    to_browser,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.flow_sign_in import CREDENTIALS_URL
from custom_components.rumpus.families.faf.store import OAuthSecret, Secrets
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_web import FakeFafWeb

pytestmark = pytest.mark.usefixtures(
    "mock_async_zeroconf", "socket_enabled", "current_request_with_host"
)

UNIQUE_ID = f"faf:faforever.com:{WATCHER_ID}"
OLD = Secrets(oauth=OAuthSecret("old access", "old refresh", 0.0))


@pytest.fixture(autouse=True)
def only_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_entries_quiet(monkeypatch)


@pytest.fixture
async def lobby(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[FakeLobby]:
    async with FakeLobby(gateway_key=GATEWAY_KEY) as fake:
        fake.add_account(WATCHER, id=WATCHER_ID)
        fake.add_account("Other", id=12)
        yield fake


@pytest.fixture
async def services(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeFafWeb]:
    async with faf_services(monkeypatch, lobby, WATCHER) as services:
        yield services


@pytest.fixture
async def application(hass: HomeAssistant, services: FakeFafWeb) -> None:
    await add_application(hass, services)


@pytest.fixture
async def helper(hass: HomeAssistant, lobby: FakeLobby, tmp_path: Path) -> Path:
    """A program that makes the proof, which the lobby checks."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    lobby.proof_check = lambda session, proof: proof == PROOF(session)
    return await hass.async_add_executor_job(write_helper, tmp_path, PROVE)


# Signing in


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("shape", ["flat", "data"])
async def test_without_a_helper(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    services: FakeFafWeb,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    shape: Any,
) -> None:
    """The sign-in is checked, and the lobby looked at: nobody logs in to it."""
    caplog.set_level("DEBUG")
    services.access_shape = shape
    result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "FAF lobby"
    assert result["description"] == "faf_status_only"
    assert result["data"] == official_data()
    assert result["result"].unique_id == UNIQUE_ID
    assert services.requests == ["authorize", "token", "access"]
    assert lobby.seen("received", command="ask_session")
    assert lobby.seen("received", command="auth") == []
    oauth = stored(hass_storage)[UNIQUE_ID]["oauth"]
    assert services.is_current(oauth["refresh_token"])
    assert oauth["access_token"] in services.given
    assert oauth["expires_at"] > 1e9
    assert not any(text in json.dumps(dict(result["data"])) for text in services.given)
    own = "\n".join(
        record.getMessage()
        for record in caplog.records
        # The tests' own stand-in for files tells all that is written.
        if not record.name.startswith(("aiohttp", "pytest_homeassistant"))
    )
    secrets = [text for text in services.given if not text.startswith("ory_code")]
    assert [text for text in secrets if text in own] == []


@pytest.mark.usefixtures("application")
async def test_with_a_helper(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    helper: Path,
) -> None:
    """With the machine proof the lobby lets us in."""
    result = await to_browser(hass, helper)
    result = await sign_in(hass, hass_client_no_auth, result)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "faf_lobby"
    assert result["data"] == official_data(login=WATCHER, helper=str(helper))
    assert len(lobby.seen("signed_in", login=WATCHER)) == 1


@pytest.mark.usefixtures("application")
async def test_what_is_asked_of_faf(hass: HomeAssistant, services: FakeFafWeb) -> None:
    result = await to_browser(hass)
    assert result["url"].startswith(services.authorize_url)
    query = URL(result["url"]).query
    assert query["scope"] == "openid offline public_profile lobby"
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["client_id"] == services.client_id
    assert "client_secret" not in query


async def test_application_with_a_secret(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
) -> None:
    services.client_secret = "from FAF"
    await add_application(hass, services, client_secret="from FAF")
    result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_no_application(hass: HomeAssistant, services: FakeFafWeb) -> None:
    """The reason makes the frontend ask for one."""
    assert await async_setup_component(hass, CREDENTIALS, {})
    result = await go(hass, await begin(hass, "faf_official"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "missing_credentials"
    assert shown(result) == {"credentials_url": CREDENTIALS_URL}


async def test_applications_of_others(
    hass: HomeAssistant, services: FakeFafWeb
) -> None:
    """What an Xbox console is signed in with is no application of FAF."""
    await add_application(hass, services, "microsoft", client_id="its")
    await add_application(hass, services)
    await add_application(hass, services, "another", client_id="more")
    MockConfigEntry(
        domain=DOMAIN, data={"family": "xbox", "auth_implementation": "microsoft"}
    ).add_to_hass(hass)
    result = await go(hass, await begin(hass, "faf_official"))
    assert result["step_id"] == "faf_sign_in"
    assert shown(result) == {"credentials_url": CREDENTIALS_URL}
    assert suggested(result) == {"application": None}
    schema = result["data_schema"]
    assert schema is not None
    (select,) = schema.schema.values()
    assert [option["value"] for option in select.config["options"]] == [
        APPLICATION,
        "another",
    ]


@pytest.mark.usefixtures("application")
async def test_only_one_application(hass: HomeAssistant) -> None:
    """It is proposed, but not taken for granted."""
    result = await go(hass, await begin(hass, "faf_official"))
    assert suggested(result) == {"application": APPLICATION}


@pytest.mark.usefixtures("application")
async def test_helper_that_cannot_be_used(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    result = await go(hass, await begin(hass, "faf_official"), helper="faf-uid")
    assert result["step_id"] == "faf_official"
    assert result["errors"] == {"helper": "faf_helper_not_absolute"}
    assert suggested(result) == {"helper": "faf-uid"}

    result = await go(hass, result, helper=" ")
    result = await go(hass, result, application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
async def test_account_that_has_an_entry(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    helper: Path,
) -> None:
    """It is not tried: that would throw the entry out."""
    await add_entry(hass, official_data(), OLD)
    result = await to_browser(hass, helper)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert lobby.seen("connected") == []


# Changing it later


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("with_helper", [True, False])
async def test_sign_in_again(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    hass_storage: dict[str, Any],
    helper: Path,
    with_helper: bool,
) -> None:
    more = {"helper": str(helper), "login": WATCHER} if with_helper else {}
    entry = await add_entry(hass, official_data(**more), OLD)
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "faf_reauth"
    assert shown(result)["login"] == (WATCHER if with_helper else f"#{WATCHER_ID}")

    services.login = "Other"
    result = await go(hass, await go(hass, result), application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert_form(result, "faf_sign_in_failed", "faf_other_account")
    assert stored(hass_storage)[UNIQUE_ID]["oauth"]["access_token"] == "old access"

    services.login = WATCHER
    result = await go(hass, await go(hass, result), application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data == official_data(**more)
    oauth = stored(hass_storage)[UNIQUE_ID]["oauth"]
    assert services.is_current(oauth["refresh_token"])


@pytest.mark.usefixtures("application")
async def test_reconfigure(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    hass_storage: dict[str, Any],
    helper: Path,
) -> None:
    """A helper and another account at once."""
    await add_application(hass, services, "another", client_id="more")
    entry = await add_entry(hass, official_data(), OLD)
    result = await entry.start_reconfigure_flow(hass)
    assert_form(result, "faf_reconfigure_official")
    assert shown(result)["name"] == "FAF lobby"

    services.login = "Other"
    result = await go(hass, result, helper=str(helper))
    assert suggested(result) == {"application": APPLICATION}
    result = await go(hass, result, application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == official_data(login="Other", player_id=12, helper=str(helper))
    assert entry.unique_id == "faf:faforever.com:12"
    assert list(stored(hass_storage)) == ["faf:faforever.com:12"]


@pytest.mark.usefixtures("application")
async def test_reconfigure_without_the_helper(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, helper: Path
) -> None:
    """The name of the account stays known."""
    entry = await add_entry(hass, official_data(login=WATCHER, helper=str(helper)), OLD)
    result = await entry.start_reconfigure_flow(hass)
    assert suggested(result) == {"helper": str(helper)}
    result = await go(hass, await go(hass, result), application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == official_data(login=WATCHER)
