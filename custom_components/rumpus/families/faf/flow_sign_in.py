"""The part of the lobby's flow in which a user signs in with FAF.

The user goes to FAF's page in the browser, which then leads back to Home Assistant; the flow
waits for that.
"""

from collections.abc import Mapping
from dataclasses import replace
import time
from typing import TYPE_CHECKING, Any, Final

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ...application_credentials import (
    FafImplementation,
    async_applications,
    async_faf_implementation,
)
from ...protocols.errors import RumpusError
from ...protocols.faf.account import player_id_of
from .const import CONF_HELPER, FAMILY_KEY, AccountKind
from .flow_own import OwnSteps
from .flow_problems import Problem, refusal, sign_in_problem
from .flow_try import UserInput
from .store import OAuthSecret, Secrets

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

CONF_APPLICATION: Final = "application"

CREDENTIALS_URL: Final = "https://my.home-assistant.io/redirect/application_credentials"
"""Where applications are entered in this Home Assistant."""
RULES_URL: Final = "https://www.faforever.com/rules"
"""What FAF says about several accounts of one person."""

_HELPER_SCHEMA: Final = probatio.Schema(
    {probatio.Optional(CONF_HELPER): TextSelector()}
)


class SignInSteps(OwnSteps):
    """From a user who wants the official lobby to a permission that FAF has given."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a sign-in."""
        super().__init__(host)
        self._implementation: FafImplementation | None = None
        # What the browser brought back, until it is used.
        self._returned: Mapping[str, Any] | None = None

    # The helper

    async def async_step_faf_official(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell what the official lobby is like, and ask for a helper."""
        return await self._async_official("faf_official", user_input)

    async def async_step_faf_reconfigure_official(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user change the helper or the account."""
        return await self._async_official("faf_reconfigure_official", user_input)

    async def async_step_faf_retry(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell what went wrong, and let the user try again, with another helper or none."""
        return await self._async_official("faf_retry", user_input)

    async def _async_official(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        errors = self.errors()
        if user_input is not None:
            self.problem = None
            helper, problem = await self.async_helper(user_input)
            if problem is None:
                self.lobby = replace(self.lobby, helper=helper)
                if step_id == "faf_retry":
                    return await self.async_step_faf_try()
                return await self.async_step_faf_sign_in()
            errors = {CONF_HELPER: problem}
        return self.host.async_show_form(
            step_id=step_id,
            data_schema=self.host.add_suggested_values_to_schema(
                _HELPER_SCHEMA, self.suggested(user_input, CONF_HELPER)
            ),
            errors=errors,
            description_placeholders=self.placeholders(rules_url=RULES_URL),
        )

    async def async_step_faf_reauth(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that FAF does not accept the sign-in any more."""
        if user_input is not None:
            return await self.async_step_faf_sign_in()
        return self.host.async_show_form(
            step_id="faf_reauth", description_placeholders=self.placeholders()
        )

    # The way through the browser

    async def async_step_faf_sign_in(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose the application that FAF has given."""
        try:
            applications = await async_applications(self.host.hass, FAMILY_KEY)
            if not applications:
                # Home Assistant's frontend knows this reason, and asks for one.
                return self.host.async_abort(
                    reason="missing_credentials",
                    description_placeholders={"credentials_url": CREDENTIALS_URL},
                )
            chosen = applications.get((user_input or {}).get(CONF_APPLICATION, ""))
            if chosen is not None:
                self._implementation = await async_faf_implementation(
                    self.host.hass, chosen
                )
                return await self.async_step_faf_authorize()
        except ImplementationUnavailableError:
            return self.sign_in_failed("faf_sign_in_unreachable")
        select = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=key, label=application.name)
                    for key, application in applications.items()
                ],
                mode=SelectSelectorMode.LIST,
            )
        )
        # Even one is asked about: it may be there for something else.
        return self.host.async_show_form(
            step_id="faf_sign_in",
            data_schema=self.host.add_suggested_values_to_schema(
                probatio.Schema({probatio.Required(CONF_APPLICATION): select}),
                {CONF_APPLICATION: self._likely(applications)},
            ),
            description_placeholders={"credentials_url": CREDENTIALS_URL},
        )

    def _likely(self, applications: Mapping[str, object]) -> str | None:
        """Return the application to propose: the one in use, or the only one."""
        if self.lobby.implementation in applications:
            return self.lobby.implementation
        return next(iter(applications)) if len(applications) == 1 else None

    async def async_step_faf_authorize(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Send the user to FAF, and go on when the browser comes back."""
        if user_input is not None:
            self._returned = user_input
            return self.host.async_external_step_done(next_step_id="faf_authorized")
        if self._implementation is None:
            return await self.async_step_faf_sign_in()
        try:
            url = await self._implementation.async_generate_authorize_url(
                self.host.flow_id
            )
        except NoURLAvailableError, RuntimeError:
            # Without My Home Assistant the browser's address is needed, to come back to.
            return self.sign_in_failed("faf_sign_in_no_address")
        return self.host.async_external_step(step_id="faf_authorize", url=url)

    async def async_step_faf_authorized(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Make a permission of what the browser brought back, and try it."""
        returned, self._returned = self._returned, None
        if self._implementation is None or returned is None:
            return await self.async_step_faf_sign_in()
        if (error := returned.get("error")) is not None:
            return self.sign_in_failed(refusal(str(error)))
        try:
            token = await self._implementation.async_redeem(returned)
        except RumpusError as err:
            return self.sign_in_failed(sign_in_problem(err))
        if (player_id := player_id_of(token.access_token)) is None:
            return self.sign_in_failed("faf_sign_in_not_understood")
        self.secrets = Secrets(
            oauth=OAuthSecret(
                token.access_token, token.refresh_token, time.time() + token.expires_in
            )
        )
        self.lobby = replace(
            self.lobby,
            account=AccountKind.OAUTH,
            implementation=self._implementation.domain,
            login=self.lobby.login if player_id == self.lobby.player_id else None,
            player_id=player_id,
        )
        self.form = "faf_retry"
        if self.is_other_account():
            return await self.async_show_other_account()
        self.abort_if_known()
        return await self.async_step_faf_try()

    @callback
    def sign_in_failed(self, problem: str) -> ConfigFlowResult:
        """Tell why the sign-in is good for nothing, and offer another."""
        self.problem = Problem(problem)
        return self._show_failure()

    async def async_step_faf_sign_in_failed(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Sign in again."""
        if user_input is not None:
            self.problem = None
            return await self.async_step_faf_sign_in()
        return self._show_failure()

    @callback
    def _show_failure(self) -> ConfigFlowResult:
        return self.host.async_show_form(
            step_id="faf_sign_in_failed",
            errors=self.errors() or {"base": "faf_sign_in_failed"},
            description_placeholders=self.placeholders(),
        )
