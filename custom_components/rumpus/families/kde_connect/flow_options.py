"""What the user allows and offers a device."""

from collections.abc import Mapping
from typing import Any, Final, override

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers import selector

from .features.share_folder import FolderError, default_folder, usable_folder
from .flow_options_offers import OffersSteps
from .options import (
    CONF_MAX_FILE_SIZE,
    CONF_SHARE_FOLDER,
    DEFAULT_MAX_FILE_SIZE,
    MAX_MAX_FILE_SIZE,
    Option,
)
from .permissions import PRIVATE, makes_sense, may_send

_FILES_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(
            Option.RECEIVE_FILES.value, default=False
        ): selector.BooleanSelector(),
        probatio.Optional(CONF_SHARE_FOLDER): selector.TextSelector(),
        probatio.Required(
            CONF_MAX_FILE_SIZE, default=DEFAULT_MAX_FILE_SIZE
        ): selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=1,
                max=MAX_MAX_FILE_SIZE,
                mode=selector.NumberSelectorMode.BOX,
                unit_of_measurement="MiB",
            )
        ),
    }
)


class KdeConnectOptions(OffersSteps):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        """Begin with the choice of what to change."""
        menu = ["kde_connect_private"] if self._private else []
        if may_send(self.host.entry.data, "share.request"):
            menu.append("kde_connect_files")
        if self.can_be_offered:
            menu.append("kde_connect_offers")
        if not menu:
            return self.host.async_abort(reason="nothing_to_choose")
        return self.host.async_show_menu(
            step_id="kde_connect_options", menu_options=menu
        )

    @property
    def _private(self) -> list[Option]:
        """The permissions that make sense for the device."""
        return [
            option for option in PRIVATE if makes_sense(self.host.entry.data, option)
        ]

    async def async_step_kde_connect_private(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say which private content Home Assistant may read."""
        if user_input is not None:
            return self.finish(user_input)
        return self.host.async_show_form(
            step_id="kde_connect_private",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        option.value,
                        default=bool(self.host.entry.options.get(option)),
                    ): selector.BooleanSelector()
                    for option in self._private
                }
            ),
        )

    async def async_step_kde_connect_files(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say whether the device may store files here, and where."""
        hass, entry = self.host.hass, self.host.entry
        media_dirs = dict(hass.config.media_dirs)
        errors: dict[str, str] = {}
        default = ""
        try:
            if user_input is not None and not user_input[Option.RECEIVE_FILES]:
                # No folder is needed for that.
                return self.finish(_tidy(user_input))
            default = str(default_folder(media_dirs, entry.data[CONF_NAME]))
            if user_input is not None:
                return self.finish(await self._async_checked(user_input, default))
        except FolderError as err:
            errors[CONF_SHARE_FOLDER] = str(err)
        schema = self.host.add_suggested_values_to_schema(
            _FILES_SCHEMA, user_input or entry.options
        )
        return self.host.async_show_form(
            step_id="kde_connect_files",
            data_schema=schema,
            errors=errors,
            description_placeholders={"folder": default},
        )

    async def _async_checked(
        self, user_input: dict[str, Any], default: str
    ) -> dict[str, Any]:
        """Return what to store; raises FolderError when the folder cannot be used."""
        changes = _tidy(user_input)
        hass, folder = self.host.hass, changes[CONF_SHARE_FOLDER]
        path = await hass.async_add_executor_job(
            usable_folder, dict(hass.config.media_dirs), folder or default
        )
        if folder:
            # Without a folder of its own the device's name may change.
            changes[CONF_SHARE_FOLDER] = str(path)
        return changes

    @override
    def finish(self, changes: Mapping[str, Any]) -> ConfigFlowResult:
        """Store the changed options; the others stay."""
        return self.host.async_create_entry(data={**self.host.entry.options, **changes})


def _tidy(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return what the user has said about files as it is stored."""
    return {
        **user_input,
        CONF_SHARE_FOLDER: user_input.get(CONF_SHARE_FOLDER, "").strip(),
        CONF_MAX_FILE_SIZE: int(user_input[CONF_MAX_FILE_SIZE]),
    }
