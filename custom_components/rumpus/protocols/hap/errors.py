"""Why a device does not pair with us, or is not the one that we know.

No text of these holds anything that a peer sent.
"""

from ..errors import AuthenticationError, ProtocolError, RumpusError


class PairingError(AuthenticationError):
    """The device did not pair. A further try has to begin on a new connection."""


class WrongPinError(PairingError):
    """The PIN is not the one on the screen (error 2), or can be none."""


class BackoffError(PairingError):
    """The device wants to be left alone for a while (error 3)."""

    def __init__(self, retry_after: float | None = None) -> None:
        """Tell the seconds to wait; None when the device did not say."""
        super().__init__("The device asks to wait before the next try")
        self.retry_after = retry_after


class DeviceFullError(PairingError):
    """The device has as many pairings as it can keep (error 4)."""


class TooManyTriesError(PairingError):
    """There were too many tries; a restart of the device helps (error 5)."""


class PairingUnavailableError(PairingError):
    """The device does not pair at present (error 6)."""


class PairingBusyError(PairingError):
    """The device is pairing with somebody already (error 7)."""


class PairingRefusedError(PairingError):
    """The device refused for a reason that it did not name, or that nobody knows."""

    def __init__(self, code: int) -> None:
        """Keep the number that the device gave as its reason."""
        super().__init__(f"The device refused the pairing (error {code})")
        self.code = code


class CredentialsRefusedError(AuthenticationError):
    """The device does not know our credentials (any more)."""


class VerificationUnavailableError(RumpusError):
    """The device cannot check credentials now: nothing is wrong with them.

    This is no AuthenticationError, so that a device which is busy does not make anybody
    pair again.
    """

    def __init__(self, code: int, retry_after: float | None = None) -> None:
        """Keep the number of the device's reason, and the seconds to wait if it said."""
        super().__init__(f"The device cannot check credentials now (error {code})")
        self.code = code
        self.retry_after = retry_after


class IdentityError(AuthenticationError):
    """The device is not the one that we paired with, or did not see the PIN."""


class InvalidCredentialsError(AuthenticationError):
    """Stored credentials are damaged, so they open nothing."""


class DecryptionError(ProtocolError):
    """What came was not encrypted with our keys. The connection is of no more use."""
