"""What goes wrong with a device, in words that say what to do next."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ...const import DOMAIN
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
NO_SPECIAL: Final[Mapping[type[RumpusError], str]] = {}


def error_key(error: RumpusError) -> str:
    """Return the key of the text that explains an error."""
    return next(key for kind, key in _KEYS if isinstance(error, kind))


@contextmanager
def apple_tv_errors(
    name: str, special: Mapping[type[RumpusError], str] = NO_SPECIAL
) -> Iterator[None]:
    """Turn the protocols' errors into ones that tell the user what to do about a device.

    `special` has the keys of texts that say more than the usual ones about what was tried.
    Raises ServiceValidationError for what the device cannot do, HomeAssistantError for
    everything else.
    """
    try:
        yield
    except RumpusError as err:
        kind = (
            ServiceValidationError
            if isinstance(err, UnsupportedError)
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
    """Raise ServiceValidationError with a text of ours about a device."""
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"name": name, **placeholders},
    )


def check_connected(coordinator: AppleTvCoordinator) -> None:
    """Raise HomeAssistantError unless there is a link to the device."""
    if not coordinator.data.is_connected:
        with apple_tv_errors(coordinator.entry.title):
            raise DisconnectedError("There is no link")
