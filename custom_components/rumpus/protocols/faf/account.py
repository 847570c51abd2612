"""The official services that lead to the lobby: OAuth and the signed address of its gateway."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
import ipaddress
from typing import Final
from urllib.parse import urlencode, urlsplit

import aiohttp

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from ..json_lines import JsonObject, JsonValue, decode_json
from .errors import GatewayRefusedError

SCOPES: Final = ("openid", "offline", "public_profile", "lobby")
"""What an application has to be allowed (the FAF reference, section 6.2)."""

REQUEST_TIMEOUT: Final = 10.0
"""Seconds that one request may take, its answer included."""
MAX_RESPONSE: Final = 64 * 1024
"""Bytes of an answer; real ones have less than 8 KiB."""
MAX_RESPONSE_DEPTH: Final = 8
"""Lists and objects inside each other in an answer, or in a token."""
MAX_TOKEN: Final = 16 * 1024
"""Characters of a token; real ones have about 1 KiB."""
MAX_LIFETIME: Final = 366 * 86_400
"""Seconds that an access token may count; the official ones do for an hour."""
MAX_ERROR: Final = 64
"""Characters of the name of an OAuth error."""
MAX_URL: Final = 4096
"""Characters of the address of the gateway."""
MAX_PLAYER_ID: Final = 2**31 - 1
"""The largest id of a player."""

_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the services are (the FAF reference, sections 2.2 and 6.2)."""

    authorize: str = "https://hydra.faforever.com/oauth2/auth"
    token: str = "https://hydra.faforever.com/oauth2/token"  # noqa: S105
    access: str = "https://user.faforever.com/lobby/access"


OFFICIAL: Final = Endpoints()


class OAuthError(AuthenticationError):
    """A code, a refresh token, or the application itself is refused.

    `error` is the name that OAuth has for it, such as invalid_grant or invalid_client.
    """

    def __init__(self, error: str) -> None:
        """Take the name, which is shown."""
        super().__init__(f"The sign-in is refused: {error}")
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthToken:
    """A user's permission: for some seconds by itself, and for what brings the next one.

    Each refresh token counts once: the new one has to be stored before anything else.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


def decode_oauth(status: int, body: bytes) -> OAuthToken:
    """Return the token of an answer (the FAF reference, section 6.2).

    Raises OAuthError for a refusal, ProtocolError for what makes no sense.
    """
    if 400 <= status < 500:
        raise OAuthError(_text(_object(_json(body)).get("error"), MAX_ERROR))
    answer = _answer(status, body)
    expires_in = answer.get("expires_in")
    if not isinstance(expires_in, int) or not 0 < expires_in <= MAX_LIFETIME:
        raise ProtocolError("A token without a lifetime")
    return OAuthToken(
        access_token=_text(answer.get("access_token"), MAX_TOKEN),
        refresh_token=_text(answer.get("refresh_token"), MAX_TOKEN),
        expires_in=expires_in,
    )


def decode_access(status: int, body: bytes) -> str:
    """Return the signed address of an answer (the FAF reference, section 2.2).

    Raises GatewayRefusedError for a refusal, ProtocolError for what makes no sense and
    for an address that is neither encrypted nor on this machine.
    """
    if status in _REFUSED:
        raise GatewayRefusedError("The account has no access to the lobby")
    answer = _answer(status, body)
    inner = answer.get("data")
    if "accessUrl" not in answer and isinstance(inner, dict):
        answer = inner
    url = _text(answer.get("accessUrl"), MAX_URL)
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
        claims = _object(_json(base64.b64decode(padded, b"-_", validate=True)))
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
        return decode_oauth(
            *await self._request(
                "POST",
                self._endpoints.token,
                {"Content-Type": "application/x-www-form-urlencoded"},
                urlencode(form).encode(),
            )
        )

    async def lobby_url(self, access_token: str) -> str:
        """Return the address for one connection to the lobby (section 2.2).

        It is a credential, and counts for a short time. Raises GatewayRefusedError when
        the token does not count or the account has no access.
        """
        return decode_access(
            *await self._request(
                "GET",
                self._endpoints.access,
                {"Authorization": f"Bearer {access_token}"},
            )
        )

    async def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> tuple[int, bytes]:
        """Return the status and the body of the answer.

        Errors of aiohttp do not go on: they hold the request.
        """
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT),
                self._session.request(
                    method,
                    url,
                    data=body,
                    headers={"Accept": "application/json", **headers},
                    # Nobody else is to get the tokens.
                    allow_redirects=False,
                ) as response,
            ):
                if response.status >= 500 or response.status in _LATER:
                    problem = f"The service is out of order: {response.status}"
                else:
                    return response.status, await _read(response.content)
        except TimeoutError:
            raise PeerTimeoutError("The service did not answer in time") from None
        except aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError:
            problem = "The service cannot be reached"
        except (aiohttp.ClientError, ValueError) as err:
            raise ProtocolError(f"No usable answer: {type(err).__name__}") from None
        raise DisconnectedError(problem)


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_RESPONSE:
            raise MessageTooLargeError(f"An answer of more than {MAX_RESPONSE} bytes")
    return bytes(body)


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


def _json(body: bytes) -> JsonValue:
    return decode_json(body, max_depth=MAX_RESPONSE_DEPTH)


def _answer(status: int, body: bytes) -> JsonObject:
    if status != HTTPStatus.OK:
        raise ProtocolError(f"The service answered with status {status}")
    return _object(_json(body))


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise ProtocolError("An answer without an object that has to be there")
    return value


def _text(value: JsonValue, limit: int) -> str:
    """Return a text of printable ASCII: it goes into headers, addresses and logs."""
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise ProtocolError("An answer without a text that has to be there")
    if not (value.isascii() and value.isprintable()):
        raise ProtocolError("An answer with characters that cannot be")
    return value
