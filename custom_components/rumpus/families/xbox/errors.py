"""What goes wrong with a console, in words that say what to do next."""

from typing import TYPE_CHECKING, Final

from ...error_texts import ErrorTexts, refuse
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from ...protocols.smartglass.enums import ConnectResult
from ...protocols.smartglass.errors import (
    ChannelError,
    ConnectRefusedError,
    ConsoleMismatchError,
    RejectedError,
    StumpError,
    TextNotOpenError,
    TitleNotLaunchedError,
    WakeTimeoutError,
)

__all__ = ["check_connected", "error_key", "refuse", "xbox_errors"]

if TYPE_CHECKING:
    from .coordinator import XboxCoordinator

_REFUSALS: Final = {
    ConnectResult.FAILURE_UNKNOWN: "xbox_refused_unknown",
    ConnectResult.FAILURE_ANONYMOUS_CONNECTIONS_DISABLED: "xbox_refused_anonymous",
    ConnectResult.FAILURE_DEVICE_LIMIT_EXCEEDED: "xbox_refused_limit",
    ConnectResult.FAILURE_SMARTGLASS_DISABLED: "xbox_refused_disabled",
    ConnectResult.FAILURE_USER_SIGN_IN_TIMED_OUT: "xbox_refused_nobody",
    ConnectResult.FAILURE_USER_SIGN_IN_REQUIRED: "xbox_refused_nobody",
}
_KEYS: Final[tuple[tuple[type[RumpusError], str], ...]] = (
    (TitleNotLaunchedError, "xbox_title_not_launched"),
    (TextNotOpenError, "xbox_no_text_field"),
    (StumpError, "xbox_tv_failed"),
    (ChannelError, "xbox_channel_closed"),
    (RejectedError, "xbox_rejected"),
    (WakeTimeoutError, "xbox_wake_timed_out"),
    (ConsoleMismatchError, "xbox_other_console"),
    (UnsupportedError, "xbox_not_supported"),
    (DisconnectedError, "xbox_not_connected"),
    (PeerTimeoutError, "xbox_timed_out"),
    (AuthenticationError, "xbox_refused"),
    (RumpusError, "xbox_failed"),
)
"""Texts by the error that they explain, those that are more special first."""


def error_key(error: RumpusError) -> str:
    """Return the key of the text that explains an error."""
    if isinstance(error, ConnectRefusedError):
        for result, key in _REFUSALS.items():
            if error.result == result:
                return key
    return next(key for kind, key in _KEYS if isinstance(error, kind))


xbox_errors: Final = ErrorTexts(
    error_key,
    lambda err: (
        isinstance(err, UnsupportedError) and not isinstance(err, TitleNotLaunchedError)
    ),
)
"""Turns errors into ones that tell the user what to do about a console."""


def check_connected(coordinator: XboxCoordinator) -> None:
    """Raise HomeAssistantError unless there is a session with the console."""
    if not coordinator.data.is_connected:
        with xbox_errors(coordinator.entry.title):
            raise DisconnectedError("There is no session")
