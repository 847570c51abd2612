"""The config flow of the lobby: which server, how to sign in, and what to change later."""

from collections.abc import Mapping
from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.helpers.typing import DiscoveryInfoType

from .const import AccountKind
from .flow_sign_in import SignInSteps
from .flow_try import UserInput


class FafFlow(SignInSteps):
    """Everything between a lobby that is somewhere and an entry for it."""

    @override
    async def async_user(self) -> ConfigFlowResult:
        return await self.async_step_faf_user()

    @override
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        return self.host.async_abort(reason="invalid_discovery")

    @override
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        await self.async_begin_with(entry)
        match self.lobby.account:
            case AccountKind.PASSWORD:
                return await self.async_step_faf_reauth_password()
            case AccountKind.TOKEN:
                return await self.async_step_faf_reauth_token()
            case _:
                return await self.async_step_faf_reauth()

    @override
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        await self.async_begin_with(entry)
        if self.lobby.is_official:
            return await self.async_step_faf_reconfigure_official()
        return await self.async_step_faf_reconfigure()

    async def async_step_faf_user(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose between the official lobby and a server of one's own."""
        return self.host.async_show_menu(
            step_id="faf_user", menu_options=["faf_official", "faf_own"]
        )

    async def async_step_faf_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose what to change about a server of one's own."""
        return self.host.async_show_menu(
            step_id="faf_reconfigure",
            menu_options=["faf_reconfigure_address", "faf_account"],
            description_placeholders=self.placeholders(),
        )
