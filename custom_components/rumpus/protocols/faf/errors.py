"""What can go wrong with a lobby besides its connection.

No text of any of these holds a token, a password or the machine proof.
"""

from enum import StrEnum

from ..errors import AuthenticationError, DisconnectedError, ProtocolError, RumpusError


class CertificateFlaw(StrEnum):
    """What is wrong with a certificate, in words for the log."""

    ISSUER = "nobody whom we trust has signed it"
    NAME = "it is made out to another name"
    DATE = "it is not valid today"
    OTHER = "something else is wrong with it"


class UntrustedError(DisconnectedError):
    """The certificate of a lobby, or of the gateway in front, cannot be trusted.

    `flaw` says why; nothing of the certificate itself is kept.
    """

    def __init__(self, flaw: CertificateFlaw = CertificateFlaw.OTHER) -> None:
        """Take the reason."""
        super().__init__(f"The certificate cannot be trusted: {flaw}")
        self.flaw = flaw


class NoTlsError(DisconnectedError):
    """What answers does not speak TLS, or none that we accept."""


class NoWebSocketError(DisconnectedError):
    """Something takes the connection, but opens no WebSocket (section 2)."""


class PlainRedirectError(ProtocolError):
    """A secure address leads on to a connection without TLS, which is not used."""


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
