"""What a user can choose about a device."""

from typing import Any, Final, override

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from .. import FamilyOptions
from .options import CONF_START_OFF

_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CONF_START_OFF, default=False): selector.BooleanSelector()}
)


class AppleTvOptionsSteps(FamilyOptions):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        return await self.async_step_apple_tv_options()

    async def async_step_apple_tv_options(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say how the device is treated."""
        if user_input is not None:
            return self.host.async_create_entry(
                data={
                    **self.host.entry.options,
                    CONF_START_OFF: user_input[CONF_START_OFF],
                }
            )
        return self.host.async_show_form(
            step_id="apple_tv_options",
            data_schema=self.host.add_suggested_values_to_schema(
                _SCHEMA, self.host.entry.options
            ),
        )
