"""What goes wrong with a device, in words that say what to do next."""

from typing import TYPE_CHECKING, Final

from ...error_texts import ErrorTexts, refuse
from ...protocols.companion.errors import CommandFailedError, NoTextFieldError
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from ...protocols.hap.errors import IdentityError
from ...protocols.mrp.errors import CommandRejectedError

__all__ = ["apple_tv_errors", "check_connected", "error_key", "refuse"]

if TYPE_CHECKING:
    from .coordinator import AppleTvCoordinator

_KEYS: Final[tuple[tuple[type[RumpusError], str], ...]] = (
    (NoTextFieldError, "apple_tv_no_text_field"),
    (CommandFailedError, "apple_tv_rejected"),
    (CommandRejectedError, "apple_tv_rejected"),
    (IdentityError, "apple_tv_other_device"),
    (UnsupportedError, "apple_tv_not_supported"),
    (DisconnectedError, "apple_tv_not_connected"),
    (PeerTimeoutError, "apple_tv_timed_out"),
    (AuthenticationError, "apple_tv_refused"),
    (RumpusError, "apple_tv_failed"),
)
"""Texts by the error that they explain, those that are more special first."""


def error_key(error: RumpusError) -> str:
    """Return the key of the text that explains an error."""
    return next(key for kind, key in _KEYS if isinstance(error, kind))


apple_tv_errors: Final = ErrorTexts(error_key)
"""Turns errors into ones that tell the user what to do about a device."""


def check_connected(coordinator: AppleTvCoordinator) -> None:
    """Raise HomeAssistantError unless there is a link to the device."""
    if not coordinator.data.is_connected:
        with apple_tv_errors(coordinator.entry.title):
            raise DisconnectedError("There is no link")
