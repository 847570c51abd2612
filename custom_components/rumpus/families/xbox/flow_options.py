"""What a user can choose about a console."""

from typing import Any, Final, override

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from .. import FamilyOptions
from .options import (
    CONF_PRESS_MS,
    CONF_RECORD_SECONDS,
    CONF_TV_REMOTE,
    DEFAULT_PRESS_MS,
    DEFAULT_RECORD_SECONDS,
    MAX_PRESS_MS,
    MAX_RECORD_SECONDS,
    MIN_PRESS_MS,
    MIN_RECORD_SECONDS,
)


def _number(low: int, high: int, unit: str) -> selector.NumberSelector:
    return selector.NumberSelector(
        selector.NumberSelectorConfig(
            min=low,
            max=high,
            mode=selector.NumberSelectorMode.BOX,
            unit_of_measurement=unit,
        )
    )


_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_RECORD_SECONDS, default=DEFAULT_RECORD_SECONDS): _number(
            MIN_RECORD_SECONDS, MAX_RECORD_SECONDS, "s"
        ),
        probatio.Required(CONF_PRESS_MS, default=DEFAULT_PRESS_MS): _number(
            MIN_PRESS_MS, MAX_PRESS_MS, "ms"
        ),
        probatio.Required(CONF_TV_REMOTE, default=True): selector.BooleanSelector(),
    }
)


class XboxOptionsSteps(FamilyOptions):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        return await self.async_step_xbox_options()

    async def async_step_xbox_options(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say how buttons are pressed and what else there is."""
        if user_input is not None:
            return self.host.async_create_entry(
                data={
                    **self.host.entry.options,
                    CONF_RECORD_SECONDS: int(user_input[CONF_RECORD_SECONDS]),
                    CONF_PRESS_MS: int(user_input[CONF_PRESS_MS]),
                    CONF_TV_REMOTE: user_input[CONF_TV_REMOTE],
                }
            )
        return self.host.async_show_form(
            step_id="xbox_options",
            data_schema=self.host.add_suggested_values_to_schema(
                _SCHEMA, self.host.entry.options
            ),
        )
