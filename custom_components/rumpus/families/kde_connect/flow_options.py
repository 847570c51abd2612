"""What the user allows and offers a device."""

from collections.abc import Mapping
from typing import Any, Final, override

import probatio

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.helpers import selector

from .. import FamilyOptions
from .const import CONF_OUTGOING
from .options import Option

_SENT: Final[Mapping[Option, str]] = {
    Option.NOTIFICATIONS: "notification",
    Option.CALLERS: "telephony",
    Option.MESSAGES: "sms.messages",
    Option.CONTACTS: "contacts.response_vcards",
    Option.CLIPBOARD: "clipboard",
    Option.STORAGE: "sftp",
}
"""What a device says that it may send when an option makes sense for it."""


class KdeConnectOptions(FamilyOptions):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        """Begin with the choice of what to change."""
        return self.host.async_show_menu(
            step_id="kde_connect_options", menu_options=["kde_connect_private"]
        )

    async def async_step_kde_connect_private(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say which private content Home Assistant may read."""
        if user_input is not None:
            return self.finish(user_input)
        fields = [
            option for option, sent in _SENT.items() if _sends(self.host.entry, sent)
        ]
        return self.host.async_show_form(
            step_id="kde_connect_private",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        option.value,
                        default=bool(self.host.entry.options.get(option)),
                    ): selector.BooleanSelector()
                    for option in fields
                }
            ),
        )

    def finish(self, changes: Mapping[str, Any]) -> ConfigFlowResult:
        """Store the changed options; the others stay."""
        return self.host.async_create_entry(data={**self.host.entry.options, **changes})


def _sends(entry: ConfigEntry, packet_type: str) -> bool:
    """Tell whether a device may send packets of a type; an empty list is an unknown one."""
    outgoing = entry.data[CONF_OUTGOING]
    return not outgoing or f"kdeconnect.{packet_type}" in outgoing
