"""Signing in to Xbox Live, from the flow to the tokens: real HTTP, a real callback."""

from collections.abc import AsyncIterator
from typing import Any, override
from unittest.mock import MagicMock

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers import config_entry_oauth2_flow
from homeassistant.setup import async_setup_component

from .signing_in import (
    APPLICATION,
    add_application,
    answer_from,
    come_back,
    sign_in,
    xbox_live_services,
)
from custom_components.rumpus import config_flow
from custom_components.rumpus.const import CONF_FAMILY, CONF_IMPLEMENTATION, DOMAIN
from custom_components.rumpus.families import FamilyListing
from custom_components.rumpus.families.xbox.account import sign_in_data
from custom_components.rumpus.families.xbox.sign_in import (
    CREDENTIALS_URL,
    SignInFlow,
    sign_in_problem,
)
from custom_components.rumpus.protocols import web_service
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.oauth import OAuthError
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from custom_components.rumpus.protocols.smartglass.xbox_live import (
    SCOPE,
    XblError,
    XErr,
)
from tests.fakes.xbox_live import Canned, FakeXboxLive, Fault

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf", "current_request_with_host")


class Flow(SignInFlow):
    """A flow of which nothing but the sign-in is wanted."""

    refusal: str | None = None
    signed_in: Tokens | None = None

    @override
    async def async_user(self) -> ConfigFlowResult:
        return await self.async_step_xbox_sign_in()

    @override
    async def async_signed_in(
        self, implementation_domain: str, token: dict[str, Any], tokens: Tokens
    ) -> ConfigFlowResult:
        if Flow.refusal is not None:
            return self.sign_in_failed(Flow.refusal)
        Flow.signed_in = tokens
        return self.host.async_create_entry(
            title="Xbox",
            data={"family": "xbox", **sign_in_data(implementation_domain, token)},
        )

    async_zeroconf = async_discovery = async_reauth = async_reconfigure = MagicMock()

    @override
    def async_remove(self) -> None:
        """Nothing was begun."""


class OnlyFamily:
    """The family that the flow is of."""

    def create_flow(self, host: config_flow.RumpusConfigFlow) -> Flow:
        return Flow(host)


@pytest.fixture(autouse=True)
def only_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the flow of the family be the one above."""

    async def async_get_family(hass: HomeAssistant, key: str) -> OnlyFamily:
        return OnlyFamily()

    async def async_setup_entry(*args: object) -> bool:
        return True

    monkeypatch.setattr(config_flow, "FAMILIES", {"xbox": FamilyListing()})
    monkeypatch.setattr(config_flow, "async_get_family", async_get_family)
    monkeypatch.setattr("custom_components.rumpus.async_setup_entry", async_setup_entry)
    monkeypatch.setattr(Flow, "refusal", None)
    monkeypatch.setattr(Flow, "signed_in", None)


@pytest.fixture
async def services(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeXboxLive]:
    async with xbox_live_services(monkeypatch) as services:
        yield services


@pytest.fixture
async def application(hass: HomeAssistant, services: FakeXboxLive) -> None:
    await add_application(hass, services)


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})


async def go_on(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


def assert_failed(result: ConfigFlowResult, problem: str) -> None:
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_sign_in_failed"
    assert result["errors"] == {"base": problem}


async def finish(
    hass: HomeAssistant,
    client: ClientSessionGenerator,
    services: FakeXboxLive,
    result: ConfigFlowResult,
) -> None:
    """Try again in the same flow, now that nothing is in the way."""
    services.faults.clear()
    result = await sign_in(hass, client, await go_on(hass, result, {}))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
async def test_sign_in(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    result = await begin(hass)
    assert result["step_id"] == "xbox_authorize"
    result = await sign_in(hass, hass_client_no_auth, result)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert services.requests == ["token", "user", "xsts"]
    ((userhash, xsts_token),) = services.accounts.items()
    assert Flow.signed_in == Tokens(userhash, xsts_token)
    data = result["data"]
    assert data["auth_implementation"] == APPLICATION
    assert data["token"]["xsts"]["token"] == xsts_token
    assert {data["token"]["access_token"], data["token"]["refresh_token"]} <= set(
        services.given
    )
    assert data["token"]["expires_at"] > 0
    own = [
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith("aiohttp")
    ]
    shown = "\n".join(own)
    tokens = [text for text in services.given if not text.startswith("code")]
    assert [text for text in tokens if text in shown] == []
    assert services.client_secret not in shown


@pytest.mark.usefixtures("application")
async def test_what_is_asked_of_microsoft(
    hass: HomeAssistant, services: FakeXboxLive
) -> None:
    result = await begin(hass)
    assert result["url"].startswith(services.authorize_url)
    query = URL(result["url"]).query
    assert query["scope"] == SCOPE == "Xboxlive.signin Xboxlive.offline_access"
    assert query["response_type"] == "code"
    assert query["approval_prompt"] == "auto"
    assert query["client_id"] == services.client_id


async def test_no_application(hass: HomeAssistant, services: FakeXboxLive) -> None:
    """The reason makes the frontend ask for one."""
    assert await async_setup_component(hass, "application_credentials", {})
    result = await begin(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "missing_credentials"
    assert result["description_placeholders"] == {"credentials_url": CREDENTIALS_URL}


@pytest.mark.usefixtures("application")
async def test_applications_of_others(
    hass: HomeAssistant, services: FakeXboxLive
) -> None:
    """One that an entry of another family signs in with is not Microsoft's."""
    await add_application(hass, services, "theirs", client_id="another")
    theirs = {CONF_FAMILY: "faf", CONF_IMPLEMENTATION: "theirs"}
    MockConfigEntry(domain=DOMAIN, data=theirs).add_to_hass(hass)
    result = await begin(hass)
    assert result["type"] is FlowResultType.EXTERNAL_STEP


@pytest.mark.usefixtures("application")
async def test_several_applications(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
) -> None:
    await add_application(hass, services, "expired", client_id="another")
    result = await begin(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_sign_in"
    schema = result["data_schema"]
    assert schema is not None
    (select,) = schema.schema.values()
    assert select.config["options"] == [
        {"value": APPLICATION, "label": APPLICATION},
        {"value": "expired", "label": "expired"},
    ]
    result = await go_on(hass, result, {"application": APPLICATION})
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
async def test_user_denies(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
) -> None:
    services.user_denies = True
    result = await sign_in(hass, hass_client_no_auth, await begin(hass))
    assert_failed(result, "sign_in_denied")
    services.user_denies = False
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("state", ["", "x.y.z", None])
async def test_wrong_state(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    state: str | None,
) -> None:
    """Whoever sends a browser back without our state does not get anywhere."""
    result = await begin(hass)
    answer = await answer_from(hass, result)
    forged = {"code": "forged"} | ({} if state is None else {"state": state})
    assert await come_back(hass_client_no_auth, forged) == (
        200 if state is None else 400
    )
    assert services.requests == []

    assert await come_back(hass_client_no_auth, answer) == 200
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
async def test_code_that_does_not_count(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
) -> None:
    result = await begin(hass)
    answer = await answer_from(hass, result)
    assert await come_back(hass_client_no_auth, {**answer, "code": "old"}) == 200
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert_failed(result, "sign_in_failed")
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    "returned",
    [{}, {"code": "x"}, {"code": "x", "state": {}}, {"code": "x", "state": 1}],
)
async def test_half_an_answer(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    returned: dict[str, Any],
) -> None:
    result = await go_on(hass, await begin(hass), returned)
    assert result["type"] is FlowResultType.EXTERNAL_STEP_DONE
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert_failed(result, "sign_in_not_understood")
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.parametrize(
    "change", [{"client_secret": "expired"}, {"client_id": "another"}]
)
async def test_application_that_does_not_count(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    change: dict[str, str],
) -> None:
    await add_application(hass, services, **change)
    result = await begin(hass)
    with_right_id = services.client_id
    services.client_id = change.get("client_id", with_right_id)
    answer = await answer_from(hass, result)
    services.client_id = with_right_id
    await come_back(hass_client_no_auth, answer)
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert_failed(result, "sign_in_application")

    await add_application(hass, services, "right")
    result = await go_on(hass, result, {})
    assert result["step_id"] == "xbox_sign_in"
    result = await go_on(hass, result, {"application": "right"})
    result = await sign_in(hass, hass_client_no_auth, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("service", ["token", "user", "xsts"])
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault.UNAVAILABLE, "sign_in_unreachable"),
        (Fault.HANG_UP, "sign_in_unreachable"),
        (Fault.GARBAGE, "sign_in_not_understood"),
        (Canned(b"x" * 70_000), "sign_in_not_understood"),
        (Fault.SLOW, "sign_in_timed_out"),
    ],
)
async def test_service_out_of_order(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    fault: Fault,
    problem: str,
) -> None:
    services.faults[service] = fault
    with monkeypatch.context() as patch:
        if fault is Fault.SLOW:
            patch.setattr(web_service, "REQUEST_TIMEOUT", 0.1)
        result = await sign_in(hass, hass_client_no_auth, await begin(hass))
    assert_failed(result, problem)
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (XErr.BANNED, "xbox_account_banned"),
        (XErr.NO_PROFILE, "xbox_account_no_profile"),
        (XErr.TERMS_NOT_ACCEPTED, "xbox_account_terms"),
        (XErr.COUNTRY_NOT_ALLOWED, "xbox_account_country"),
        (XErr.ADULT_VERIFICATION, "xbox_account_age"),
        (XErr.AGE_VERIFICATION, "xbox_account_age"),
        (XErr.CHILD_WITHOUT_FAMILY, "xbox_account_child"),
        (2148916199, "xbox_account_unknown"),
    ],
)
async def test_account_that_is_not_accepted(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    code: int,
    problem: str,
) -> None:
    services.xerr = int(code)
    result = await sign_in(hass, hass_client_no_auth, await begin(hass))
    assert_failed(result, problem)
    assert result["description_placeholders"] == {"code": str(int(code))}
    services.xerr = None
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
async def test_console_does_not_accept_the_account(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Flow, "refusal", "xbox_auth_failed")
    result = await sign_in(hass, hass_client_no_auth, await begin(hass))
    assert_failed(result, "xbox_auth_failed")
    monkeypatch.setattr(Flow, "refusal", None)
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
async def test_no_address_to_come_back_to(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(hass: HomeAssistant) -> str:
        raise RuntimeError("No header in request")

    with monkeypatch.context() as patch:
        patch.setattr(config_entry_oauth2_flow, "async_get_redirect_uri", nowhere)
        result = await begin(hass)
    assert_failed(result, "sign_in_no_address")
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
async def test_provider_out_of_order(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    services: FakeXboxLive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unavailable(hass: HomeAssistant, domain: str) -> None:
        raise ImplementationUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(
            "custom_components.rumpus.application_credentials.async_get_implementations",
            unavailable,
        )
        result = await begin(hass)
    assert_failed(result, "sign_in_unreachable")
    await finish(hass, hass_client_no_auth, services, result)


@pytest.mark.usefixtures("application")
async def test_steps_out_of_order(hass: HomeAssistant, services: FakeXboxLive) -> None:
    """Nothing is taken for an answer of Microsoft's that is none."""
    host = config_flow.RumpusConfigFlow()
    host.hass, host.flow_id, host.handler = hass, "flow", DOMAIN
    for step in ("xbox_authorize", "xbox_authorized"):
        result = await getattr(Flow(host), f"async_step_{step}")()
        assert result["type"] is FlowResultType.EXTERNAL_STEP
        assert result["step_id"] == "xbox_authorize"
    assert_failed(await Flow(host).async_step_xbox_sign_in_failed(), "sign_in_failed")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (XblError(), "xbox_account_refused"),
        (OAuthError("unauthorized_client"), "sign_in_application"),
        (OAuthError("invalid_grant"), "sign_in_failed"),
        (PeerTimeoutError(""), "sign_in_timed_out"),
        (DisconnectedError(""), "sign_in_unreachable"),
        (ProtocolError(""), "sign_in_not_understood"),
        (RumpusError(""), "sign_in_failed"),
    ],
)
def test_problems(error: RumpusError, problem: str) -> None:
    assert sign_in_problem(error) == problem


def test_every_reason_of_xbox_live_is_explained() -> None:
    assert {sign_in_problem(XblError(code))[:13] for code in XErr} == {"xbox_account_"}
