"""What can go wrong with AirPlay, beyond what goes wrong with everything."""

from ..errors import AuthenticationError, RumpusError, UnsupportedError
from ..hap.errors import CredentialsRefusedError


class PasswordRequiredError(AuthenticationError):
    """The device wants a password (401), or only lets its own home in (403)."""


class RequestFailedError(RumpusError):
    """The device answered a request with an error."""

    def __init__(self, status: int) -> None:
        """Keep the status, a number as in HTTP."""
        super().__init__(f"The device answered with status {status}")
        self.status = status


def status_error(status: int) -> RumpusError | None:
    """Return what a status stands for: no error for 2xx (section 5.1)."""
    if 200 <= status < 300:
        return None
    if status == 470:
        return CredentialsRefusedError("The device wants to be paired with first")
    if status in {401, 403}:
        return PasswordRequiredError("The device does not let us in without password")
    if status in {404, 501}:
        return UnsupportedError("The device does not know this request")
    return RequestFailedError(status)
