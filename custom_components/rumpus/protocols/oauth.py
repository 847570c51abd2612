"""OAuth 2: a user's permission, and how it is redeemed and renewed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import aiohttp

from .errors import AuthenticationError, ProtocolError
from .web_service import as_object, as_text, read_answer, read_json, request

MAX_TOKEN: Final = 16 * 1024
"""Characters of a token; real ones have up to 3 KiB."""
MAX_LIFETIME: Final = 366 * 86_400
"""Seconds that an access token may count; real ones do for an hour."""
MAX_ERROR: Final = 64
"""Characters of the name of an error."""


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

    A refresh token may count once only: the new one has to be stored before anything else.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


async def redeem(
    session: aiohttp.ClientSession, url: str, form: Mapping[str, str]
) -> OAuthToken:
    """Return what a code or a refresh token is worth.

    Raises OAuthError when that is refused, else as `web_service.request` does.
    """
    return decode_token(
        *await request(
            session,
            "POST",
            url,
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
        )
    )


def decode_token(status: int, body: bytes) -> OAuthToken:
    """Return the token of an answer.

    Raises OAuthError for a refusal, ProtocolError for what makes no sense.
    """
    if 400 <= status < 500:
        raise OAuthError(as_text(as_object(read_json(body)).get("error"), MAX_ERROR))
    answer = read_answer(status, body)
    lifetime = answer.get("expires_in")
    try:
        # Some services of Microsoft give it as a text.
        expires_in = int(lifetime) if isinstance(lifetime, int | str) else 0
    except ValueError:
        expires_in = 0
    if not 0 < expires_in <= MAX_LIFETIME:
        raise ProtocolError("A token without a lifetime")
    return OAuthToken(
        access_token=as_text(answer.get("access_token"), MAX_TOKEN),
        refresh_token=as_text(answer.get("refresh_token"), MAX_TOKEN),
        expires_in=expires_in,
    )
