"""The part of the Xbox flow in which a user signs in to Xbox Live.

The user goes to Microsoft's page in the browser, which Microsoft then sends back to Home
Assistant; the flow waits for that.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import callback
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2Implementation
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
)

from ...application_credentials import async_applications
from ...protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ...protocols.oauth import OAuthError
from ...protocols.smartglass.tokens import Tokens
from ...protocols.smartglass.xbox_live import XblError, XErr
from .. import FamilyFlow
from .account import async_redeem
from .const import FAMILY_KEY

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None

CONF_APPLICATION: Final = "application"

CREDENTIALS_URL: Final = "https://my.home-assistant.io/redirect/application_credentials"
"""Where applications are entered in this Home Assistant."""

_ACCOUNT_PROBLEMS: Final = {
    XErr.BANNED: "xbox_account_banned",
    XErr.NO_PROFILE: "xbox_account_no_profile",
    XErr.TERMS_NOT_ACCEPTED: "xbox_account_terms",
    XErr.COUNTRY_NOT_ALLOWED: "xbox_account_country",
    XErr.ADULT_VERIFICATION: "xbox_account_age",
    XErr.AGE_VERIFICATION: "xbox_account_age",
    XErr.CHILD_WITHOUT_FAMILY: "xbox_account_child",
}
_APPLICATION_ERRORS: Final = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""What OAuth says when the application, not the user, has no permission."""


class SignInFlow(FamilyFlow):
    """From a user who wants to sign in to tokens for a console."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a sign-in."""
        super().__init__(host)
        self._implementation: AbstractOAuth2Implementation | None = None
        # What the browser brought back, until it is used.
        self._returned: Mapping[str, Any] | None = None
        self._sign_in_problem = "sign_in_failed"
        self._sign_in_code = "?"

    @abstractmethod
    async def async_signed_in(
        self, implementation_domain: str, token: dict[str, Any], tokens: Tokens
    ) -> ConfigFlowResult:
        """Go on with a user who has signed in.

        The first two are for `sign_in_data`; the tokens are for the console.
        """

    @callback
    def sign_in_failed(self, problem: str) -> ConfigFlowResult:
        """Tell why the sign-in is good for nothing, and offer another try.

        `problem` is the key of a text among the flow's errors.
        """
        self._sign_in_problem = problem
        return self.host.async_show_form(
            step_id="xbox_sign_in_failed",
            errors={"base": problem},
            description_placeholders={"code": self._sign_in_code},
        )

    async def async_step_xbox_sign_in(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose the application, if there are several."""
        try:
            implementations = await async_applications(self.host.hass, FAMILY_KEY)
        except ImplementationUnavailableError:
            return self.sign_in_failed("sign_in_unreachable")
        if not implementations:
            # Home Assistant's frontend knows this reason, and asks for an application.
            return self.host.async_abort(
                reason="missing_credentials",
                description_placeholders={"credentials_url": CREDENTIALS_URL},
            )
        chosen = (user_input or {}).get(CONF_APPLICATION)
        if len(implementations) == 1:
            chosen = next(iter(implementations))
        if chosen in implementations:
            self._implementation = implementations[chosen]
            return await self.async_step_xbox_authorize()
        select = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=key, label=implementation.name)
                    for key, implementation in implementations.items()
                ]
            )
        )
        return self.host.async_show_form(
            step_id="xbox_sign_in",
            data_schema=probatio.Schema({probatio.Required(CONF_APPLICATION): select}),
        )

    async def async_step_xbox_authorize(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Send the user to Microsoft, and go on when the browser comes back."""
        if user_input is not None:
            self._returned = user_input
            return self.host.async_external_step_done(next_step_id="xbox_authorized")
        if self._implementation is None:
            return await self.async_step_xbox_sign_in()
        try:
            url = await self._implementation.async_generate_authorize_url(
                self.host.flow_id
            )
        except NoURLAvailableError, RuntimeError:
            # Without My Home Assistant the browser's address is needed, to come back to.
            return self.sign_in_failed("sign_in_no_address")
        return self.host.async_external_step(step_id="xbox_authorize", url=url)

    async def async_step_xbox_authorized(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Make tokens of what the browser brought back."""
        returned, self._returned = self._returned, None
        if self._implementation is None or returned is None:
            return await self.async_step_xbox_sign_in()
        if (error := returned.get("error")) is not None:
            return self.sign_in_failed(_refusal(str(error)))
        try:
            token, xsts = await async_redeem(
                self.host.hass, self._implementation, returned
            )
        except RumpusError as err:
            if isinstance(err, XblError) and err.code is not None:
                self._sign_in_code = str(int(err.code))
            return self.sign_in_failed(sign_in_problem(err))
        return await self.async_signed_in(
            self._implementation.domain, token, xsts.tokens
        )

    async def async_step_xbox_sign_in_failed(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Try again."""
        if user_input is not None:
            return await self.async_step_xbox_sign_in()
        return self.sign_in_failed(self._sign_in_problem)


def sign_in_problem(error: RumpusError) -> str:
    """Return the key of the text, among the flow's errors, that explains an error."""
    match error:
        case XblError(code=None):
            return "xbox_account_refused"
        case XblError(code=XErr() as code):
            return _ACCOUNT_PROBLEMS[code]
        case XblError():
            return "xbox_account_unknown"
        case OAuthError():
            return _refusal(error.error)
        case PeerTimeoutError():
            return "sign_in_timed_out"
        case DisconnectedError():
            return "sign_in_unreachable"
        case ProtocolError():
            return "sign_in_not_understood"
        case _:
            return "sign_in_failed"


def _refusal(error: str) -> str:
    """Return the key of the text for an error that OAuth has a name for."""
    if error == "access_denied":
        return "sign_in_denied"
    return "sign_in_application" if error in _APPLICATION_ERRORS else "sign_in_failed"
