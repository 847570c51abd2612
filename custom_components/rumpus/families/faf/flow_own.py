"""The steps for a lobby on a server of one's own: its address, and how to sign in there."""

from dataclasses import replace
from typing import Final

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_TOKEN
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ...protocols.faf.account import player_id_of
from ...protocols.faf.login import hash_password
from .const import CONF_HELPER, CONF_LOGIN, AccountKind, ServerKind
from .data import LobbyData
from .flow_address import (
    Place,
    PlaceError,
    address_schema,
    known_values,
    read_place,
    typed_values,
)
from .flow_inputs import async_helper_problem, clean_login, is_token
from .flow_try import TrySteps, UserInput
from .store import Secrets

_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_PASSWORD_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_LOGIN): TextSelector(),
        probatio.Required(probatio.Secret(CONF_PASSWORD)): _SECRET,
        probatio.Optional(CONF_HELPER): TextSelector(),
    }
)
_TOKEN_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(probatio.Secret(CONF_TOKEN)): _SECRET,
        probatio.Optional(CONF_HELPER): TextSelector(),
    }
)


class OwnSteps(TrySteps):
    """From an address to a lobby that answers, and an account for it."""

    # The address

    async def async_step_faf_own(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask where the lobby is."""
        return await self._async_address("faf_own", user_input)

    async def async_step_faf_reconfigure_address(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask where the entry's lobby is now; the account stays."""
        return await self._async_address("faf_reconfigure_address", user_input)

    async def _async_address(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        errors = self.errors()
        values = known_values(self.lobby)
        if user_input is not None:
            self.problem = None
            try:
                place = read_place(user_input)
            except PlaceError as err:
                errors = {err.field: err.key}
                values = typed_values(user_input)
            else:
                return await self._async_found(step_id, place)
        return self.host.async_show_form(
            step_id=step_id,
            data_schema=self.host.add_suggested_values_to_schema(
                address_schema(values, errors), values
            ),
            errors=errors,
            description_placeholders=self.placeholders(),
        )

    async def _async_found(self, step_id: str, place: Place) -> ConfigFlowResult:
        """Look at the lobby that the user has named."""
        self.form = step_id
        if self.entry is None:
            # What was entered before about another lobby counts no more.
            self.lobby = LobbyData(server=ServerKind.OWN, account=AccountKind.NONE)
        self.lobby = replace(
            self.lobby,
            name=place.host,
            host=place.host,
            port=place.port,
            framing=place.framing,
            is_secure=place.is_secure,
            verify_certificate=place.verify_certificate,
            path=place.path,
        )
        if self.entry is None:
            self.after_look = "faf_account"
        else:
            self.abort_if_known()
            is_open = self.lobby.account is AccountKind.NONE
            self.after_look = "faf_finish" if is_open else "faf_try"
        return await self.async_step_faf_look()

    # The account

    async def async_step_faf_account(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose how to sign in, if at all."""
        return self.host.async_show_menu(
            step_id="faf_account",
            menu_options=["faf_password", "faf_token", "faf_no_account"],
            description_placeholders=self.placeholders(),
        )

    async def async_step_faf_no_account(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Only follow whether the lobby is there, which has just been looked at."""
        self.lobby = replace(
            self.lobby,
            account=AccountKind.NONE,
            login=None,
            player_id=None,
            helper=None,
        )
        self.secrets = Secrets()
        return await self.async_step_faf_finish()

    async def async_step_faf_password(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask for a name and a password."""
        return await self._async_password("faf_password", user_input)

    async def async_step_faf_reauth_password(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that the lobby does not accept the password any more, and ask for another."""
        return await self._async_password("faf_reauth_password", user_input)

    async def _async_password(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        errors = self.errors()
        if user_input is not None:
            self.problem = None
            login = clean_login(user_input[CONF_LOGIN])
            helper, problem = await self.async_helper(user_input)
            errors = {} if problem is None else {CONF_HELPER: problem}
            if login is None:
                errors[CONF_LOGIN] = "faf_invalid_login"
            if not errors:
                return await self._async_sign_in(
                    step_id,
                    replace(
                        self.lobby,
                        account=AccountKind.PASSWORD,
                        login=login,
                        player_id=None,
                        helper=helper,
                    ),
                    Secrets(password_hash=hash_password(user_input[CONF_PASSWORD])),
                )
        return self.host.async_show_form(
            step_id=step_id,
            data_schema=self.host.add_suggested_values_to_schema(
                _PASSWORD_SCHEMA, self.suggested(user_input, CONF_LOGIN, CONF_HELPER)
            ),
            errors=errors,
            description_placeholders=self.placeholders(),
        )

    async def async_step_faf_token(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask for a token that the server's owner has made."""
        return await self._async_pasted("faf_token", user_input)

    async def async_step_faf_reauth_token(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that the lobby does not accept the token any more, and ask for another."""
        return await self._async_pasted("faf_reauth_token", user_input)

    async def _async_pasted(
        self, step_id: str, user_input: UserInput
    ) -> ConfigFlowResult:
        errors = self.errors()
        if user_input is not None:
            self.problem = None
            token: str = user_input[CONF_TOKEN].strip()
            helper, problem = await self.async_helper(user_input)
            errors = {} if problem is None else {CONF_HELPER: problem}
            if not is_token(token):
                errors[CONF_TOKEN] = "faf_invalid_token"
            if not errors:
                return await self._async_sign_in(
                    step_id,
                    replace(
                        self.lobby,
                        account=AccountKind.TOKEN,
                        login=None,
                        player_id=player_id_of(token),
                        helper=helper,
                    ),
                    Secrets(token=token),
                )
        return self.host.async_show_form(
            step_id=step_id,
            data_schema=self.host.add_suggested_values_to_schema(
                _TOKEN_SCHEMA, self.suggested(user_input, CONF_HELPER)
            ),
            errors=errors,
            description_placeholders=self.placeholders(),
        )

    async def _async_sign_in(
        self, step_id: str, lobby: LobbyData, secrets: Secrets
    ) -> ConfigFlowResult:
        self.form, self.lobby, self.secrets = step_id, lobby, secrets
        if lobby.player_id is not None and self.is_other_account():
            return await self.async_show_other_account()
        self.abort_if_known()
        return await self.async_step_faf_try()

    # What others use as well

    async def async_helper(
        self, user_input: dict[str, str]
    ) -> tuple[str | None, str | None]:
        """Return the path of a helper that a user has typed, and what is wrong with it."""
        path = user_input.get(CONF_HELPER, "").strip()
        if not path:
            return None, None
        return path, await async_helper_problem(self.host.hass, path)

    def suggested(self, user_input: UserInput, *keys: str) -> dict[str, str]:
        """Return what stands in a form: what the user typed, or what is known."""
        if user_input is not None:
            return {key: user_input[key] for key in keys if key in user_input}
        known = {CONF_LOGIN: self.lobby.login, CONF_HELPER: self.lobby.helper}
        return {key: value for key in keys if (value := known[key]) is not None}
