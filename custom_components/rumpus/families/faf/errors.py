"""What goes wrong with a lobby, in words that say what to do next."""

from typing import TYPE_CHECKING, Final, NoReturn

from homeassistant.exceptions import HomeAssistantError

from ...const import DOMAIN
from ...error_texts import ErrorTexts, refuse
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from ...protocols.faf.errors import (
    BannedError,
    KickedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)

__all__ = ["check_signed_in", "error_key", "faf_errors", "not_signed_in", "refuse"]

if TYPE_CHECKING:
    from .coordinator import FafCoordinator

_KEYS: Final[tuple[tuple[type[RumpusError], str], ...]] = (
    (KickedError, "faf_signed_out_elsewhere"),
    (BannedError, "faf_account_banned"),
    (ProofRefusedError, "faf_proof_not_accepted"),
    (ProofFailedError, "faf_proof_not_made"),
    (RefusedError, "faf_command_refused"),
    (UnsupportedError, "faf_not_supported"),
    (DisconnectedError, "faf_not_connected"),
    (PeerTimeoutError, "faf_timed_out"),
    (AuthenticationError, "faf_sign_in_refused"),
    (RumpusError, "faf_failed"),
)
"""Texts by the error that they explain, those that are more special first."""


def error_key(error: RumpusError) -> str:
    """Return the key of the text that explains an error."""
    return next(key for kind, key in _KEYS if isinstance(error, kind))


faf_errors: Final = ErrorTexts(error_key)
"""Turns errors into ones that tell the user what to do about a lobby."""


def not_signed_in(name: str) -> NoReturn:
    """Raise HomeAssistantError: a lobby cannot be asked for anything now."""
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="faf_not_connected",
        translation_placeholders={"name": name},
    )


def check_signed_in(coordinator: FafCoordinator) -> None:
    """Raise HomeAssistantError unless we are signed in to the lobby."""
    if not coordinator.data.is_signed_in:
        not_signed_in(coordinator.device_name)
