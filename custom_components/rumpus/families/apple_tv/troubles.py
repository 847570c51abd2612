"""What keeps a device from letting us in, told to the user who alone can change it."""

from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...protocols.apple.const import AppleProtocol
from ...protocols.errors import AuthenticationError

CONF_PROTOCOLS: Final = "protocols"
"""Key of the data of a reauth flow: the protocols that are to be paired again."""
ACCESS_ISSUE: Final = "apple_tv_access_restricted"
"""For devices that need no pairing, and let us in no more all the same."""


class Troubles:
    """Tells each trouble once, until the link in question is there again."""

    def __init__(self, hass: HomeAssistant, entry: RumpusConfigEntry) -> None:
        """Begin without any."""
        self._hass = hass
        self._entry = entry
        self._refused: dict[AppleProtocol, bool] = {}

    @property
    def to_pair(self) -> list[AppleProtocol]:
        """The protocols whose pairing counts no more."""
        return [protocol for protocol, is_paired in self._refused.items() if is_paired]

    @callback
    def tell(
        self, protocol: AppleProtocol, error: AuthenticationError, *, is_paired: bool
    ) -> None:
        """Tell the user what to do about a link that was refused."""
        if protocol in self._refused:
            return
        self._refused[protocol] = is_paired
        if not is_paired:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id,
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=ACCESS_ISSUE,
                translation_placeholders={"name": self._entry.title},
            )
            return
        self._entry.async_start_reauth(
            self._hass, data={CONF_PROTOCOLS: [one.value for one in self.to_pair]}
        )

    @callback
    def forget(self, protocol: AppleProtocol) -> None:
        """Take back what was told of a link that is there again."""
        is_paired = self._refused.pop(protocol, None)
        if is_paired and not self.to_pair:
            # There is nothing to be answered any more.
            flows: list[Any] = list(
                self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})
            )
            for flow in flows:
                self._hass.config_entries.flow.async_abort(flow["flow_id"])
        elif is_paired is False:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    @callback
    def forget_all(self) -> None:
        """Take back the issue when the entry is let go; a flow that runs may go on."""
        if not all(self._refused.values()):
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
        self._refused.clear()

    @property
    def _issue_id(self) -> str:
        return f"{ACCESS_ISSUE}_{self._entry.entry_id}"
