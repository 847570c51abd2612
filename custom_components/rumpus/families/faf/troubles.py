"""What keeps a lobby from letting us in, told to the user who alone can change it."""

from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...names import plain_text
from ...protocols.errors import AuthenticationError, RumpusError
from ...protocols.faf.errors import (
    BannedError,
    KickedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)
from .const import MAX_EVENT_TEXT

SIGNED_OUT: Final = "faf_signed_out"
"""Another program has signed in; the user says when we may do so again."""

ISSUES: Final[tuple[tuple[type[RumpusError], str], ...]] = (
    (KickedError, SIGNED_OUT),
    (BannedError, "faf_banned"),
    (ProofRefusedError, "faf_proof_refused"),
    (ProofFailedError, "faf_proof_failed"),
)
"""What a new sign-in would not help against."""

REFUSED: Final = "faf_refused"
REFUSED_WHY: Final = "faf_refused_why"
"""The lobby does not let us in, and may say why; it is tried again all the same."""
REFUSALS_TOLD: Final = 5
"""Attempts that the lobby refuses until that is told: most of it passes in a minute or two."""


class Troubles:
    """Tells each trouble once, until we are signed in again."""

    def __init__(self, hass: HomeAssistant, entry: RumpusConfigEntry) -> None:
        """Begin without any."""
        self._hass = hass
        self._entry = entry
        self._told: set[str] = set()
        self._refusals = 0

    @callback
    def tell(self, error: RumpusError) -> None:
        """Tell the user what to do about an error, if there is anything to do."""
        key = next((key for kind, key in ISSUES if isinstance(error, kind)), "")
        if not key and not isinstance(error, AuthenticationError):
            return
        if key in self._told:
            return
        self._told.add(key)
        if not key:
            self._entry.async_start_reauth(self._hass)
            return
        self._create_issue(key)

    @callback
    def tell_refusal(self, error: Exception) -> None:
        """Tell the user when the lobby goes on refusing us with a notice."""
        if not isinstance(error, RefusedError):
            return
        self._refusals += 1
        if self._refusals == REFUSALS_TOLD:
            # Dialogs know markup.
            notice = plain_text(error.notice, MAX_EVENT_TEXT)
            key = REFUSED_WHY if notice else REFUSED
            self._told.add(key)
            self._create_issue(key, notice=notice)

    @callback
    def _create_issue(self, key: str, **placeholders: str) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(key),
            data={"entry_id": self._entry.entry_id, "key": key},
            is_fixable=key == SIGNED_OUT,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"name": self._entry.title, **placeholders},
        )

    @callback
    def forget(self) -> None:
        """Take back what was told: there is nothing to be answered any more."""
        if "" in self._told:
            for flow in list(
                self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})
            ):
                self._hass.config_entries.flow.async_abort(flow["flow_id"])
        self.forget_issues()

    @callback
    def forget_issues(self) -> None:
        """Take back the issues when the entry is let go; a flow that runs may go on."""
        for key in self._told - {""}:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))
        self._told.clear()
        self._refusals = 0

    def _issue_id(self, key: str) -> str:
        return f"{key}_{self._entry.entry_id}"
