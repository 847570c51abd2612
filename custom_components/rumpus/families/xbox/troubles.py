"""What keeps a console from letting us in, told to the user who alone can change it."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...protocols.errors import AuthenticationError
from ...protocols.smartglass.enums import ConnectResult
from ...protocols.smartglass.errors import ConnectRefusedError

ISSUES: Final = {
    ConnectResult.FAILURE_DEVICE_LIMIT_EXCEEDED: "xbox_device_limit",
    ConnectResult.FAILURE_SMARTGLASS_DISABLED: "xbox_smartglass_disabled",
    ConnectResult.FAILURE_USER_SIGN_IN_TIMED_OUT: "xbox_sign_in_required",
    ConnectResult.FAILURE_USER_SIGN_IN_REQUIRED: "xbox_sign_in_required",
}
"""What is done on the console, by the result that tells it; the others need a new sign-in."""


class Troubles:
    """Tells each trouble once, until there is a session again."""

    def __init__(self, hass: HomeAssistant, entry: RumpusConfigEntry) -> None:
        """Begin without any."""
        self._hass = hass
        self._entry = entry
        self._told: set[str] = set()

    @callback
    def tell(self, error: AuthenticationError) -> None:
        """Tell the user what to do about an error."""
        key = ""
        if isinstance(error, ConnectRefusedError):
            if error.result == ConnectResult.FAILURE_UNKNOWN:
                return  # nobody knows what to do
            key = next(
                (key for code, key in ISSUES.items() if error.result == code), ""
            )
        if key in self._told:
            return
        self._told.add(key)
        if key:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id(key),
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=key,
                translation_placeholders={"name": self._entry.title},
            )
        else:
            self._entry.async_start_reauth(self._hass)

    @callback
    def forget(self) -> None:
        """Take back what was told."""
        for key in self._told - {""}:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))
        self._told.clear()

    def _issue_id(self, key: str) -> str:
        return f"{key}_{self._entry.entry_id}"
