"""What a user can choose about a lobby."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlowResult

from .. import FamilyOptions


class FafOptionsSteps(FamilyOptions):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        return await self.async_step_faf_options()

    async def async_step_faf_options(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say which players are followed."""
        raise NotImplementedError
