"""What can go wrong while a device is added, and the texts that say what to do about it."""

from typing import Final

from ...protocols.airplay.errors import PasswordRequiredError
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from ...protocols.hap.errors import (
    BackoffError,
    DeviceFullError,
    IdentityError,
    PairingBusyError,
    PairingUnavailableError,
    TooManyTriesError,
    WrongPinError,
)

_PAIRING: Final[tuple[tuple[type[Exception], str], ...]] = (
    (WrongPinError, "apple_tv_wrong_pin"),
    (BackoffError, "apple_tv_back_off"),
    (TooManyTriesError, "apple_tv_too_many_tries"),
    (PairingBusyError, "apple_tv_pairing_busy"),
    (PairingUnavailableError, "apple_tv_pairing_unavailable"),
    (DeviceFullError, "apple_tv_device_full"),
    (IdentityError, "apple_tv_identity"),
    (PasswordRequiredError, "apple_tv_password_required"),
    (AuthenticationError, "apple_tv_pairing_refused"),
    (UnsupportedError, "apple_tv_no_pairing"),
    (PeerTimeoutError, "apple_tv_pairing_no_answer"),
    (DisconnectedError, "apple_tv_pairing_ended"),
    (RumpusError, "apple_tv_not_understood"),
    (OSError, "apple_tv_pairing_ended"),
)
_CONNECTING: Final[tuple[tuple[type[Exception], str], ...]] = (
    (IdentityError, "apple_tv_identity"),
    (PasswordRequiredError, "apple_tv_password_required"),
    (AuthenticationError, "apple_tv_access_refused"),
    (PeerTimeoutError, "apple_tv_connect_no_answer"),
    (DisconnectedError, "apple_tv_connect_no_answer"),
    (RumpusError, "apple_tv_not_understood"),
    (OSError, "apple_tv_connect_no_answer"),
)


def pairing_problem(error: RumpusError | OSError) -> str:
    """Return the key of the text about a pairing that did not work."""
    return next(key for kind, key in _PAIRING if isinstance(error, kind))


def connecting_problem(error: RumpusError | OSError) -> str:
    """Return the key of the text about a connection that did not work."""
    return next(key for kind, key in _CONNECTING if isinstance(error, kind))
