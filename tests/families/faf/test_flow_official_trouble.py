"""What can be in the way of the official lobby: the browser, FAF's services, the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers import config_entry_oauth2_flow

from ..common import go, look, shown
from .flowing import (
    PROOF,
    PROVE,
    WATCHER,
    WATCHER_ID,
    assert_form,
    begin,
    hurry,
    keep_entries_quiet,
    submit,
    suggested,
    write_helper,
)
from .signing_in import (
    APPLICATION,
    GATEWAY_KEY,
    add_application,
    answer_from,
    come_back,
    faf_services,
    finish,
    go_on,
    official_data,
    sign_in,
    to_browser,
)
from custom_components.rumpus import application_credentials
from custom_components.rumpus.config_flow import RumpusConfigFlow
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.flow import FafFlow
from custom_components.rumpus.protocols import web_service
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_web import FakeFafWeb, Fault

pytestmark = pytest.mark.usefixtures(
    "mock_async_zeroconf", "socket_enabled", "current_request_with_host"
)


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


# What can go wrong in the browser and at the sign-in service


@pytest.mark.usefixtures("application")
async def test_user_denies(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
) -> None:
    services.user_denies = True
    result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_denied")
    services.user_denies = False
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("invalid_scope", "faf_sign_in_application"),
        ("unauthorized_client", "faf_sign_in_application"),
        ("server_error", "faf_sign_in_failed"),
    ],
)
async def test_page_refuses(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    error: str,
    problem: str,
) -> None:
    result = await to_browser(hass)
    answer = await answer_from(hass, result)
    refusal = {"state": answer["state"], "error": error}
    assert await come_back(hass_client_no_auth, refusal) == 200
    result = await go_on(hass, result)
    assert_form(result, "faf_sign_in_failed", problem)
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_code_that_does_not_count(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    result = await to_browser(hass)
    answer = await answer_from(hass, result)
    assert await come_back(hass_client_no_auth, {**answer, "code": "old"}) == 200
    result = await go_on(hass, result)
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_failed")
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    "returned",
    [{}, {"code": "x"}, {"code": "x", "state": {}}, {"code": "x", "state": 1}],
)
async def test_half_an_answer(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    returned: dict[str, Any],
) -> None:
    result = await go(hass, await to_browser(hass), **returned)
    assert result["type"] is FlowResultType.EXTERNAL_STEP_DONE
    result = await look(hass, result)
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_not_understood")
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.parametrize(
    "change", [{"client_id": "other"}, {"client_secret": "made up"}]
)
async def test_application_that_does_not_count(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    change: dict[str, str],
) -> None:
    await add_application(hass, services, "wrong", **change)
    right = services.client_id
    services.client_id = change.get("client_id", right)
    result = await to_browser(hass, application="wrong")
    answer = await answer_from(hass, result)
    services.client_id = right
    assert await come_back(hass_client_no_auth, answer) == 200
    result = await go_on(hass, result)
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_application")

    await add_application(hass, services)
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("unavailable", "faf_sign_in_unreachable"),
        ("throttled", "faf_sign_in_unreachable"),
        ("hang_up", "faf_sign_in_unreachable"),
        ("silent", "faf_sign_in_timed_out"),
        ("garbage", "faf_sign_in_not_understood"),
        ("empty", "faf_sign_in_not_understood"),
        ("list", "faf_sign_in_not_understood"),
    ],
)
async def test_sign_in_service_out_of_order(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    problem: str,
) -> None:
    services.faults["token"] = fault
    with monkeypatch.context() as patch:
        if fault == "silent":
            patch.setattr(web_service, "REQUEST_TIMEOUT", 0.1)
        result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_sign_in_failed", problem)
    assert (await look(hass, result))["errors"] == {"base": problem}
    services.faults.clear()
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_token_of_nobody(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token that does not say whose it is does not make an entry."""

    def permit() -> JsonObject:
        return {"access_token": "opaque", "refresh_token": "x", "expires_in": 60}

    with monkeypatch.context() as patch:
        patch.setattr(services, "_new_tokens", permit)
        result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_not_understood")
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_no_address_to_come_back_to(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(hass: HomeAssistant) -> str:
        raise RuntimeError("No header in request")

    with monkeypatch.context() as patch:
        patch.setattr(config_entry_oauth2_flow, "async_get_redirect_uri", nowhere)
        result = await to_browser(hass)
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_no_address")
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_applications_out_of_order(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both when they are listed and when one of them is none."""

    async def unavailable(hass: HomeAssistant, domain: str) -> dict[str, object]:
        raise ImplementationUnavailableError

    async def strange(hass: HomeAssistant, domain: str) -> dict[str, object]:
        return {APPLICATION: hass}

    for provide in (unavailable, strange):
        with monkeypatch.context() as patch:
            patch.setattr(application_credentials, "async_get_implementations", provide)
            result = await begin(hass, "faf_official")
            flow: Any = hass.config_entries.flow._progress[result["flow_id"]]
            steps: FafFlow = flow._family_flow
            result = await steps.async_step_faf_sign_in({"application": APPLICATION})
            assert_form(result, "faf_sign_in_failed", "faf_sign_in_unreachable")

    result = await begin(hass, "faf_official")
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_steps_out_of_order(hass: HomeAssistant) -> None:
    """Nothing is taken for an answer of FAF's that is none."""
    host = RumpusConfigFlow()
    host.hass, host.flow_id, host.handler = hass, "flow", DOMAIN
    for step in ("faf_authorize", "faf_authorized"):
        result = await getattr(FafFlow(host), f"async_step_{step}")()
        assert result["step_id"] == "faf_sign_in"
    result = await FafFlow(host).async_step_faf_sign_in_failed()
    assert_form(result, "faf_sign_in_failed", "faf_sign_in_failed")
    result = await FafFlow(host).async_discovery({})
    assert result["reason"] == "invalid_discovery"


# What can go wrong on the way into the lobby


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("unavailable", "faf_official_unreachable"),
        ("throttled", "faf_official_unreachable"),
        ("hang_up", "faf_official_unreachable"),
        ("silent", "faf_official_unreachable"),
        ("garbage", "faf_official_not_understood"),
        ("empty", "faf_official_not_understood"),
        ("list", "faf_official_not_understood"),
    ],
)
async def test_access_service_out_of_order(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    problem: str,
) -> None:
    """Another attempt needs no other sign-in."""
    services.faults["access"] = fault
    with monkeypatch.context() as patch:
        if fault == "silent":
            patch.setattr(web_service, "REQUEST_TIMEOUT", 0.1)
        result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_retry", problem)

    services.faults.clear()
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert services.count("token") == 1


@pytest.mark.usefixtures("application")
async def test_unsafe_address(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeFafWeb,
) -> None:
    services.access_scheme = "http"
    result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_retry", "faf_official_not_understood")

    services.access_scheme = "ws"
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("obstacle", ["access", "scope", "gateway"])
async def test_no_permission(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    services: FakeFafWeb,
    obstacle: str,
) -> None:
    """Only another account, or another permission, helps."""
    granted: Any = services.scopes
    without: Any = ("openid", "offline")
    if obstacle == "access":
        services.faults["access"] = "forbidden"
    elif obstacle == "scope":
        services.scopes = without
    else:
        lobby.mischief.status = 403
    result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_sign_in_failed", "faf_no_permission")

    services.faults.clear()
    services.scopes = granted
    lobby.mischief.reset()
    await finish(hass, hass_client_no_auth, result)


@pytest.mark.usefixtures("application")
async def test_lobby_does_not_run(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
) -> None:
    result = await to_browser(hass)
    answer = await answer_from(hass, result)
    await lobby.stop()
    await come_back(hass_client_no_auth, answer)
    result = await go_on(hass, result)
    assert_form(result, "faf_retry", "faf_official_unreachable")

    await lobby.start()
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
async def test_lobby_is_silent(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lobby.mischief.silent = True
    with monkeypatch.context() as patch:
        hurry(patch)
        result = await sign_in(hass, hass_client_no_auth, await to_browser(hass))
    assert_form(result, "faf_retry", "faf_official_unreachable")

    lobby.mischief.reset()
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("obstacle", ["ban", "login"])
async def test_account_that_is_not_let_in(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    services: FakeFafWeb,
    helper: Path,
    obstacle: str,
) -> None:
    """Another one can be signed in with."""
    if obstacle == "ban":
        lobby.ban(WATCHER)
    else:
        lobby.mischief.refuse_login = True
    result = await to_browser(hass, helper)
    result = await sign_in(hass, hass_client_no_auth, result)
    problem = {"ban": "faf_banned", "login": "faf_sign_in_refused"}[obstacle]
    assert_form(result, "faf_sign_in_failed", problem)
    notice = "You are banned from FAF." if obstacle == "ban" else ""
    assert shown(result)["notice"] == notice

    lobby.mischief.reset()
    services.login = "Other"
    result = await go(hass, result)
    result = await go(hass, result, application=APPLICATION)
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == official_data(
        login="Other", player_id=12, helper=str(helper)
    )


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("obstacle", ["proof", "end", "helper", "kick"])
async def test_without_the_helper_after_all(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    lobby: FakeLobby,
    helper: Path,
    obstacle: str,
) -> None:
    """Whatever is wrong with the proof: without it there is something left."""

    def mangle(message: JsonObject) -> JsonObject:
        if message.get("command") == "welcome":
            return {"command": "notice", "style": "kick"}
        return message

    match obstacle:
        case "proof":
            lobby.proof_check = lambda session, proof: False
        case "end":
            lobby.mischief.end_login = True
        case "helper":
            await hass.async_add_executor_job(write_helper, helper.parent, "exit 3")
        case _:
            lobby.mischief.mangle = mangle
    result = await to_browser(hass, helper)
    result = await sign_in(hass, hass_client_no_auth, result)
    problem = {
        "proof": "faf_proof_refused",
        "end": "faf_proof_refused",
        "helper": "faf_helper_failed",
        "kick": "faf_kicked",
    }[obstacle]
    assert_form(result, "faf_retry", problem)
    assert suggested(result) == {"helper": str(helper)}

    result = await submit(hass, result, helper="faf-uid")
    assert result["errors"] == {"helper": "faf_helper_not_absolute"}
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == official_data()
