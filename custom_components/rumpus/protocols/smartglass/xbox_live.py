"""Signing in to Xbox Live, for consoles that let nobody in without an account.

An OAuth access token of Microsoft is exchanged for a user token, and that for the XSTS token
that a console wants (the SmartGlass reference, section 14).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from ..json_lines import JsonObject, JsonValue, decode_json, encode_json
from .tokens import Tokens

SCOPE: Final = "Xboxlive.signin Xboxlive.offline_access"
"""What an application has to be allowed: to sign in, also when the user is not there."""

REQUEST_TIMEOUT: Final = 10.0
"""Seconds that one request may take, its answer included."""
MAX_RESPONSE: Final = 64 * 1024
"""Bytes of an answer; real ones have less than 8 KiB."""
MAX_RESPONSE_DEPTH: Final = 8
"""Lists and objects inside each other in an answer."""
MAX_TOKEN: Final = 16 * 1024
"""Characters of a token; real ones have up to 3 KiB."""
MAX_USERHASH: Final = 64
"""Characters of a userhash; real ones are decimal numbers of 20 digits."""
MAX_GAMERTAG: Final = 64
"""Characters of a gamertag; Xbox Live allows 16."""
MAX_LIFETIME: Final = 366 * 86_400
"""Seconds that an access token may count; Microsoft's do for an hour."""
MAX_ERROR: Final = 64
"""Characters of the name of an OAuth error."""
RENEW_BEFORE: Final = timedelta(minutes=10)
"""How long before its end an XSTS token is replaced."""

_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where Microsoft's services are (the SmartGlass reference, sections 14.1 to 14.3)."""

    authorize: str = "https://login.live.com/oauth20_authorize.srf"
    token: str = "https://login.live.com/oauth20_token.srf"  # noqa: S105
    user: str = "https://user.auth.xboxlive.com/user/authenticate"
    xsts: str = "https://xsts.auth.xboxlive.com/xsts/authorize"


OFFICIAL: Final = Endpoints()


class XErr(IntEnum):
    """Why Xbox Live does not accept an account (the SmartGlass reference, section 14.3)."""

    BANNED = 2148916227
    NO_PROFILE = 2148916233
    TERMS_NOT_ACCEPTED = 2148916234
    COUNTRY_NOT_ALLOWED = 2148916235
    ADULT_VERIFICATION = 2148916236
    AGE_VERIFICATION = 2148916237
    CHILD_WITHOUT_FAMILY = 2148916238


class OAuthError(AuthenticationError):
    """Microsoft refuses a code, a refresh token, or the application itself.

    `error` is the name that OAuth has for it, such as invalid_grant or invalid_client.
    """

    def __init__(self, error: str) -> None:
        """Take the name, which is shown."""
        super().__init__(f"Microsoft refuses to sign in: {error}")
        self.error = error


class XblError(AuthenticationError):
    """Xbox Live does not accept a token or the account that it is for.

    `code` says why, if Xbox Live did; one that is not known stays a number.
    """

    def __init__(self, code: XErr | int | None = None) -> None:
        """Take the code."""
        match code:
            case None:
                reason = "the token"
            case XErr():
                reason = f"the account: {code.name.lower().replace('_', ' ')}"
            case _:
                reason = f"the account: error {code}"
        super().__init__(f"Xbox Live does not accept {reason}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthToken:
    """A user's permission: for some seconds by itself, and for what brings the next one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class XstsToken:
    """What a console takes for a proof, until it expires (in UTC)."""

    userhash: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: datetime
    gamertag: str | None = field(default=None, repr=False)

    def is_valid(self, when: datetime) -> bool:
        """Tell whether a console accepts it at that time."""
        return when < self.expires_at

    @property
    def tokens(self) -> Tokens:
        """What goes into the request to connect."""
        return Tokens(userhash=self.userhash, xsts_token=self.token)

    def to_json(self) -> JsonObject:
        """Return what `from_json` reads."""
        return {
            "userhash": self.userhash,
            "token": self.token,
            "expires_at": self.expires_at.isoformat(),
            "gamertag": self.gamertag,
        }

    @classmethod
    def from_json(cls, value: JsonValue) -> Self:
        """Read what `to_json` returned; raises ProtocolError for anything else."""
        stored = _object(value)
        return cls(
            userhash=_text(stored.get("userhash"), MAX_USERHASH),
            token=_text(stored.get("token"), MAX_TOKEN),
            expires_at=_time(stored.get("expires_at")),
            gamertag=_gamertag(stored.get("gamertag")),
        )


def decode_oauth(status: int, body: bytes) -> OAuthToken:
    """Return the OAuth token of an answer (the SmartGlass reference, section 14.1).

    Raises OAuthError for a refusal, ProtocolError for what makes no sense.
    """
    if 400 <= status < 500:
        raise OAuthError(_text(_object(_json(body)).get("error"), MAX_ERROR))
    answer = _answer(status, body)
    lifetime = answer.get("expires_in")
    try:
        # Some services of Microsoft give it as a text.
        expires_in = int(lifetime) if isinstance(lifetime, int | str) else 0
    except ValueError:
        expires_in = 0
    if not 0 < expires_in <= MAX_LIFETIME:
        raise ProtocolError("A token without a lifetime")
    return OAuthToken(
        access_token=_text(answer.get("access_token"), MAX_TOKEN),
        refresh_token=_text(answer.get("refresh_token"), MAX_TOKEN),
        expires_in=expires_in,
    )


def decode_user_token(status: int, body: bytes) -> str:
    """Return the user token of an answer (the SmartGlass reference, section 14.2).

    Raises XblError for a refusal, ProtocolError for what makes no sense.
    """
    return _text(_xbl_answer(status, body).get("Token"), MAX_TOKEN)


def decode_xsts(status: int, body: bytes) -> XstsToken:
    """Return the XSTS token of an answer (the SmartGlass reference, section 14.3).

    Raises XblError for a refusal, ProtocolError for what makes no sense.
    """
    answer = _xbl_answer(status, body)
    claims = _object(answer.get("DisplayClaims")).get("xui")
    user = _object(claims[0] if isinstance(claims, list) and claims else None)
    return XstsToken(
        userhash=_text(user.get("uhs"), MAX_USERHASH),
        token=_text(answer.get("Token"), MAX_TOKEN),
        expires_at=_time(answer.get("NotAfter")),
        gamertag=_gamertag(user.get("gtg")),
    )


class XboxLive:
    """The three services that make an XSTS token of a user's permission.

    Every method raises PeerTimeoutError or DisconnectedError when a service cannot be reached
    or is out of order, ProtocolError when its answer makes no sense.
    """

    def __init__(
        self, session: aiohttp.ClientSession, endpoints: Endpoints = OFFICIAL
    ) -> None:
        """Use a session, which stays the caller's."""
        self._session = session
        self._endpoints = endpoints

    async def oauth_token(self, form: Mapping[str, str]) -> OAuthToken:
        """Redeem a code or a refresh token (the SmartGlass reference, section 14.1).

        Raises OAuthError when Microsoft refuses.
        """
        return decode_oauth(
            *await self._post(
                self._endpoints.token,
                urlencode(form).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
        )

    async def user_token(self, access_token: str) -> str:
        """Return the user token for an OAuth access token (section 14.2).

        Raises XblError when that is not accepted.
        """
        return decode_user_token(
            *await self._exchange(
                self._endpoints.user,
                {
                    "RelyingParty": "http://auth.xboxlive.com",
                    "TokenType": "JWT",
                    "Properties": {
                        "AuthMethod": "RPS",
                        "SiteName": "user.auth.xboxlive.com",
                        "RpsTicket": f"d={access_token}",
                    },
                },
            )
        )

    async def authorize(self, user_token: str) -> XstsToken:
        """Return the XSTS token for a user token (section 14.3).

        Raises XblError when that or its account is not accepted.
        """
        return decode_xsts(
            *await self._exchange(
                self._endpoints.xsts,
                {
                    "RelyingParty": "http://xboxlive.com",
                    "TokenType": "JWT",
                    "Properties": {"UserTokens": [user_token], "SandboxId": "RETAIL"},
                },
            )
        )

    async def sign_in(self, access_token: str) -> XstsToken:
        """Return the XSTS token for an OAuth access token; raises XblError."""
        return await self.authorize(await self.user_token(access_token))

    async def _exchange(self, url: str, body: JsonObject) -> tuple[int, bytes]:
        return await self._post(
            url,
            encode_json(body),
            {"Content-Type": "application/json", "x-xbl-contract-version": "1"},
        )

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Return the status and the body of the answer.

        Errors of aiohttp do not go on: they hold the request.
        """
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT),
                self._session.post(
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
        except aiohttp.ClientError as err:
            raise ProtocolError(f"No usable answer: {type(err).__name__}") from None
        raise DisconnectedError(problem)


type Renewal = Callable[[], Awaitable[XstsToken]]
type TaskFactory = Callable[[Coroutine[Any, Any, XstsToken]], asyncio.Task[XstsToken]]


class XstsKeeper:
    """Gives an XSTS token, and has it renewed only when it has to be.

    Where the token is kept, its owner says. A renewal that has begun is not given up when
    those who wait for it are cancelled: it may have used up a refresh token.
    """

    def __init__(
        self,
        stored: Callable[[], XstsToken | None],
        renew: Renewal,
        *,
        create_task: TaskFactory = asyncio.create_task,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what reads the stored token, and what gets and stores a new one."""
        self._stored = stored
        self._renew = renew
        self._create_task = create_task
        self._now = now
        self._task: asyncio.Task[XstsToken] | None = None

    async def get(self, *, refused: Tokens | None = None) -> XstsToken:
        """Return a valid token, never the one that a console has just refused.

        Raises what the renewal does. When that cannot reach its services the old token is
        returned as long as it is valid.
        """
        token = self._stored()
        if token is not None and token.tokens == refused:
            token = None
        if token is not None and token.is_valid(self._now() + RENEW_BEFORE):
            return token
        try:
            return await self._renewed()
        except DisconnectedError, PeerTimeoutError, ProtocolError:
            if token is None or not token.is_valid(self._now()):
                raise
            return token

    async def _renewed(self) -> XstsToken:
        """Wait for the one renewal that is under way."""
        if self._task is None or self._task.done():
            self._task = self._create_task(self._run())
            # All who wait may have gone when it fails.
            self._task.add_done_callback(_look_at)
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            raise DisconnectedError("The renewal was given up") from None

    async def _run(self) -> XstsToken:
        return await self._renew()


def _look_at(task: asyncio.Task[XstsToken]) -> None:
    """Let asyncio know that the error of a task is known."""
    if not task.cancelled():
        task.exception()


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_RESPONSE:
            raise MessageTooLargeError(f"An answer of more than {MAX_RESPONSE} bytes")
    return bytes(body)


def _json(body: bytes) -> JsonValue:
    return decode_json(body, max_depth=MAX_RESPONSE_DEPTH)


def _answer(status: int, body: bytes) -> JsonObject:
    if status != HTTPStatus.OK:
        raise ProtocolError(f"The service answered with status {status}")
    return _object(_json(body))


def _xbl_answer(status: int, body: bytes) -> JsonObject:
    if status in _REFUSED:
        raise XblError(_xerr(body))
    return _answer(status, body)


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise ProtocolError("An answer without an object that has to be there")
    return value


def _text(value: JsonValue, limit: int) -> str:
    """Return a text of printable ASCII: it goes into headers, packets and logs."""
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise ProtocolError("An answer without a text that has to be there")
    if not (value.isascii() and value.isprintable()):
        raise ProtocolError("An answer with characters that cannot be")
    return value


def _time(value: JsonValue) -> datetime:
    """Read a time such as 2026-11-22T08:00:00.1234567Z; without a zone it is in UTC."""
    try:
        time = datetime.fromisoformat(_text(value, 64))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError, OverflowError:
        raise ProtocolError("An answer with a time that is none") from None


def _gamertag(value: JsonValue) -> str | None:
    """Return a gamertag to show, None when there is no proper one."""
    if not isinstance(value, str) or len(value) > MAX_GAMERTAG:
        return None
    return value if value.strip() and value.isprintable() else None


def _xerr(body: bytes) -> XErr | int | None:
    """Return why an account is refused, if the answer tells."""
    try:
        answer = _json(body)
    except ProtocolError:
        return None  # often there is no body
    code = answer.get("XErr") if isinstance(answer, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    return XErr(code) if code in XErr else code
