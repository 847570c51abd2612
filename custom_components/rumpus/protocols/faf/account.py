"""The official services that lead to the lobby: OAuth and the signed address of its gateway."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
import ipaddress
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from ..errors import ProtocolError
from ..oauth import MAX_TOKEN, OAuthToken, redeem
from ..web_service import REFUSED, as_object, as_text, read_answer, read_json, request
from .errors import GatewayRefusedError

SCOPES: Final = ("openid", "offline", "public_profile", "lobby")
"""What an application has to be allowed (the FAF reference, section 6.2)."""

MAX_URL: Final = 4096
"""Characters of the address of the gateway."""
MAX_PLAYER_ID: Final = 2**31 - 1
"""The largest id of a player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the services are (the FAF reference, sections 2.2 and 6.2)."""

    authorize: str = "https://hydra.faforever.com/oauth2/auth"
    token: str = "https://hydra.faforever.com/oauth2/token"  # noqa: S105
    access: str = "https://user.faforever.com/lobby/access"


OFFICIAL: Final = Endpoints()


def decode_access(status: int, body: bytes) -> str:
    """Return the signed address of an answer (the FAF reference, section 2.2).

    Raises GatewayRefusedError for a refusal, ProtocolError for what makes no sense and
    for an address that is neither encrypted nor on this machine.
    """
    if status in REFUSED:
        raise GatewayRefusedError("The account has no access to the lobby")
    answer = read_answer(status, body)
    inner = answer.get("data")
    if "accessUrl" not in answer and isinstance(inner, dict):
        answer = inner
    url = as_text(answer.get("accessUrl"), MAX_URL)
    if not _is_safe(url):
        raise ProtocolError("The address of the lobby is not a safe one")
    return url


def player_id_of(access_token: str) -> int | None:
    """Return whose token that is; None when it does not tell (section 6.2).

    The signature is not looked at: that is for the lobby to do.
    """
    parts = access_token.split(".")
    if len(access_token) > MAX_TOKEN or len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = as_object(read_json(base64.b64decode(padded, b"-_", validate=True)))
    except ProtocolError, binascii.Error, ValueError:
        return None
    subject = claims.get("sub")
    if isinstance(subject, str) and subject.isascii() and subject.isdecimal():
        subject = int(subject) if len(subject) <= 10 else None
    if isinstance(subject, bool) or not isinstance(subject, int):
        return None
    return subject if 0 < subject <= MAX_PLAYER_ID else None


class FafAccount:
    """The services that turn a user's permission into a way into the lobby.

    Every method raises PeerTimeoutError or DisconnectedError when a service cannot be
    reached or is out of order, ProtocolError when its answer makes no sense.
    """

    def __init__(
        self, session: aiohttp.ClientSession, endpoints: Endpoints = OFFICIAL
    ) -> None:
        """Use a session, which stays the caller's."""
        self._session = session
        self._endpoints = endpoints

    async def oauth_token(self, form: Mapping[str, str]) -> OAuthToken:
        """Redeem a code or a refresh token (the FAF reference, section 6.2).

        Raises OAuthError when that is refused.
        """
        return await redeem(self._session, self._endpoints.token, form)

    async def lobby_url(self, access_token: str) -> str:
        """Return the address for one connection to the lobby (section 2.2).

        It is a credential, and counts for a short time. Raises GatewayRefusedError when
        the token does not count or the account has no access.
        """
        return decode_access(
            *await request(
                self._session,
                "GET",
                self._endpoints.access,
                {"Authorization": f"Bearer {access_token}"},
            )
        )


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "wss":
        return bool(host)
    if parts.scheme != "ws":
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
