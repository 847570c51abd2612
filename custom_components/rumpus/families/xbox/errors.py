"""What goes wrong with a console, in words that say what to do next."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ...const import DOMAIN
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
NO_SPECIAL: Final[Mapping[type[RumpusError], str]] = {}


def error_key(error: RumpusError) -> str:
    """Return the key of the text that explains an error."""
    if isinstance(error, ConnectRefusedError):
        for result, key in _REFUSALS.items():
            if error.result == result:
                return key
    return next(key for kind, key in _KEYS if isinstance(error, kind))


@contextmanager
def xbox_errors(
    name: str, special: Mapping[type[RumpusError], str] = NO_SPECIAL
) -> Iterator[None]:
    """Turn the protocol's errors into ones that tell the user what to do about a console.

    `special` has the keys of texts that say more than the usual ones about what was tried.
    Raises ServiceValidationError for what the console cannot do, HomeAssistantError for
    everything else.
    """
    try:
        yield
    except RumpusError as err:
        kind = (
            ServiceValidationError
            if isinstance(err, UnsupportedError)
            and not isinstance(err, TitleNotLaunchedError)
            else HomeAssistantError
        )
        raise kind(
            translation_domain=DOMAIN,
            translation_key=next(
                (key for cause, key in special.items() if isinstance(err, cause)),
                error_key(err),
            ),
            translation_placeholders={"name": name},
        ) from err


def refuse(key: str, name: str, **placeholders: str) -> NoReturn:
    """Raise ServiceValidationError with a text of ours about a console."""
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"name": name, **placeholders},
    )


def check_connected(coordinator: XboxCoordinator) -> None:
    """Raise HomeAssistantError unless there is a session with the console."""
    if not coordinator.data.is_connected:
        with xbox_errors(coordinator.entry.title):
            raise DisconnectedError("There is no session")
