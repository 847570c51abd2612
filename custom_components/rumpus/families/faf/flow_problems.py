"""What can be in the way while a lobby is added or changed, and the texts about it."""

from dataclasses import dataclass
from typing import Final

from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ...protocols.faf.errors import (
    BannedError,
    CertificateFlaw,
    GatewayRefusedError,
    KickedError,
    NoTlsError,
    NoWebSocketError,
    PlainRedirectError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
    UntrustedError,
)
from ...protocols.oauth import OAuthError
from .const import MAX_EVENT_TEXT, AccountKind
from .data import LobbyData

_APPLICATION_ERRORS: Final = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""What OAuth says when the application, not the user, has no permission."""

_UNTRUSTED: Final = {
    CertificateFlaw.ISSUER: "faf_certificate_issuer",
    CertificateFlaw.NAME: "faf_certificate_name",
    CertificateFlaw.DATE: "faf_certificate_date",
    CertificateFlaw.OTHER: "faf_certificate_other",
}

_LOGIN_REFUSED: Final = {
    AccountKind.PASSWORD: "faf_password_refused",
    AccountKind.TOKEN: "faf_token_refused",
}

ANOTHER_SIGN_IN: Final = frozenset(
    {
        "faf_banned",
        "faf_no_permission",
        "faf_other_account",
        "faf_sign_in_refused",
    }
)
"""What another sign-in with FAF may help against, and nothing else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The key of a text among the flow's errors, and what the lobby says itself."""

    key: str
    notice: str = ""


def problem_of(
    error: RumpusError, lobby: LobbyData, *, is_connected: bool = False
) -> Problem:
    """Return what is to be told of an attempt that has failed.

    `is_connected` says whether anything had accepted the connection by then.
    """
    match error:
        case BannedError(notice=notice):
            return Problem("faf_banned", notice[:MAX_EVENT_TEXT])
        case RefusedError(notice=notice):
            key = "faf_refused_why" if notice else "faf_refused"
            return Problem(key, notice[:MAX_EVENT_TEXT])
        case KickedError():
            return Problem("faf_kicked")
        case ProofRefusedError():
            return Problem(
                "faf_proof_wanted" if lobby.helper is None else "faf_proof_refused"
            )
        case ProofFailedError():
            return Problem("faf_helper_failed")
        case GatewayRefusedError() if lobby.is_official:
            return Problem("faf_no_permission")
        case GatewayRefusedError():
            return Problem("faf_gateway_refused")
        case AuthenticationError():
            return Problem(_LOGIN_REFUSED.get(lobby.account, "faf_sign_in_refused"))
        case _:
            return Problem(_obstacle(error, lobby, is_connected=is_connected))


def _obstacle(error: RumpusError, lobby: LobbyData, *, is_connected: bool) -> str:
    """Return the text about a lobby that cannot be spoken with, whoever we are."""
    is_silent = isinstance(error, PeerTimeoutError)
    is_gone = isinstance(error, DisconnectedError)
    if lobby.is_official:
        if is_silent or is_gone:
            return "faf_official_unreachable"
        return "faf_official_not_understood"
    match error:
        case UntrustedError(flaw=flaw):
            return _UNTRUSTED[flaw]
        case NoTlsError():
            return "faf_no_tls"
        case NoWebSocketError():
            return "faf_no_websocket"
        case PlainRedirectError():
            return "faf_leads_to_plain"
    if is_silent:
        return "faf_silent" if is_connected else "faf_no_answer"
    if is_gone:
        return "faf_hung_up" if is_connected else "faf_unreachable"
    return "faf_not_a_lobby"


def sign_in_problem(error: RumpusError) -> str:
    """Return the text about what FAF's sign-in has not done."""
    match error:
        case OAuthError():
            return refusal(error.error)
        case PeerTimeoutError():
            return "faf_sign_in_timed_out"
        case DisconnectedError():
            return "faf_sign_in_unreachable"
        case ProtocolError():
            return "faf_sign_in_not_understood"
        case _:
            return "faf_sign_in_failed"


def refusal(error: str) -> str:
    """Return the text about an error that OAuth has a name for."""
    if error == "access_denied":
        return "faf_sign_in_denied"
    return (
        "faf_sign_in_application"
        if error in _APPLICATION_ERRORS
        else "faf_sign_in_failed"
    )
