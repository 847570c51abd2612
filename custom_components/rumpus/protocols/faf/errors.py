"""What can go wrong with a lobby besides its connection.

No text of any of these holds a token, a password or the machine proof.
"""

from ..errors import AuthenticationError, RumpusError


class LoginRefusedError(AuthenticationError):
    """The lobby knows no such login: `authentication_failed` (the FAF reference, 6.1)."""


class ProofRefusedError(AuthenticationError):
    """The lobby has hung up on a login, as it does on a bad machine proof (section 6.3)."""


class ProofFailedError(RumpusError):
    """The helper that makes the machine proof is missing, failed, or took too long."""


class BannedError(AuthenticationError):
    """The account is banned.

    `notice` is what the lobby says about it, without HTML.
    """

    def __init__(self, notice: str = "") -> None:
        """Take the text, which is shown to the user and is in no log."""
        super().__init__("The account is banned from the lobby")
        self.notice = notice


class KickedError(RumpusError):
    """The lobby has thrown us out, mostly since the account is used elsewhere (section 10).

    `notice` is the reason that it gives, without HTML; there may be none.
    """

    def __init__(self, notice: str = "") -> None:
        """Take the reason, which is shown to the user and is in no log."""
        super().__init__("The lobby has ended this login, and there must be no other")
        self.notice = notice


class GatewayRefusedError(AuthenticationError):
    """The gateway in front of the lobby lets this account not pass (section 2.2)."""


class RefusedError(RumpusError):
    """The lobby refuses what was asked of it, with a notice (section 5).

    `notice` is its text, without HTML.
    """

    def __init__(self, notice: str = "") -> None:
        """Take the text, which is shown to the user and is in no log."""
        super().__init__("The lobby refuses that")
        self.notice = notice
