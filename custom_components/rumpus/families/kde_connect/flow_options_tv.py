"""What the keys of a TV do, and which phones may press them."""

from typing import Any, Final, override

import probatio

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ...protocols.kdeconnect.plugins.mousepad import TvKey
from .. import FamilyOptions
from .const import CONF_DEVICE_ID
from .tv import TvCoordinator
from .tv_data import (
    CONF_PHONES,
    CONF_REMOTE_DEVICE,
    KEY_OPTION,
    MAX_COMMAND,
    TvSettings,
)
from .tv_keys import keyboard

type UserInput = dict[str, Any] | None

_TEXT: Final = TextSelector()


class TvOptions(FamilyOptions):
    """The steps for a TV in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        """Begin with the choice of what to change."""
        steps = ["kde_connect_tv_keys"]
        if self._phones:
            steps.append("kde_connect_tv_phones")
        return self.host.async_show_menu(
            step_id="kde_connect_tv_options", menu_options=steps
        )

    async def async_step_kde_connect_tv_keys(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user say what each key sends."""
        entry = self.host.entry
        settings = TvSettings.from_entry(entry.data, {})
        presets = keyboard(self.host.hass, settings)
        errors: dict[str, str] = {}
        if user_input is not None:
            given = {
                name: text
                for name, value in user_input.items()
                if (text := value.strip())
            }
            errors = {
                name: "too_long"
                for name, text in given.items()
                if len(text) > MAX_COMMAND
            }
            if not errors:
                # What is as preset stays so when the remote is changed for another.
                return self.host.async_create_entry(
                    data={
                        name: text
                        for name, text in given.items()
                        if name == CONF_REMOTE_DEVICE
                        or text != presets.name_of(TvKey(name.removeprefix(KEY_OPTION)))
                    }
                )
        fields = {probatio.Optional(f"{KEY_OPTION}{key}"): _TEXT for key in TvKey}
        if settings.remote is not None:
            fields[probatio.Optional(CONF_REMOTE_DEVICE)] = _TEXT
        shown = {f"{KEY_OPTION}{key}": presets.name_of(key) for key in TvKey}
        return self.host.async_show_form(
            step_id="kde_connect_tv_keys",
            data_schema=self.host.add_suggested_values_to_schema(
                probatio.Schema(fields), user_input or {**shown, **entry.options}
            ),
            errors=errors,
        )

    async def async_step_kde_connect_tv_phones(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user remove phones."""
        entry = self.host.entry
        if user_input is not None:
            if entry.state is not ConfigEntryState.LOADED:
                return self.host.async_abort(reason="tv_not_loaded")
            tv: TvCoordinator = entry.runtime_data
            for device_id in user_input[CONF_PHONES]:
                await tv.async_remove_phone(device_id)
            return self.host.async_create_entry(data=dict(entry.options))
        phones = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=device_id, label=name)
                    for device_id, name in self._phones.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        return self.host.async_show_form(
            step_id="kde_connect_tv_phones",
            data_schema=probatio.Schema(
                {probatio.Required(CONF_PHONES, default=list): phones}
            ),
        )

    @property
    def _phones(self) -> dict[str, str]:
        """The names of the paired phones by their ids."""
        return {
            phone[CONF_DEVICE_ID]: phone[CONF_NAME]
            for phone in self.host.entry.data[CONF_PHONES]
        }
