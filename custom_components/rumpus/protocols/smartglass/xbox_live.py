"""Signing in to Xbox Live, for consoles that let nobody in without an account.

An OAuth access token of Microsoft is exchanged for a user token, and that for the XSTS token
that a console wants (the SmartGlass reference, section 14).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final, Self

import aiohttp

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from ..json_lines import JsonObject, JsonValue, encode_json
from ..oauth import MAX_TOKEN, OAuthToken, redeem
from ..web_service import REFUSED, as_object, as_text, read_answer, read_json, request
from .tokens import Tokens

SCOPE: Final = "Xboxlive.signin Xboxlive.offline_access"
"""What an application has to be allowed: to sign in, also when the user is not there."""

MAX_USERHASH: Final = 64
"""Characters of a userhash; real ones are decimal numbers of 20 digits."""
MAX_GAMERTAG: Final = 64
"""Characters of a gamertag; Xbox Live allows 16."""
RENEW_BEFORE: Final = timedelta(minutes=10)
"""How long before its end an XSTS token is replaced."""


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
        stored = as_object(value)
        return cls(
            userhash=as_text(stored.get("userhash"), MAX_USERHASH),
            token=as_text(stored.get("token"), MAX_TOKEN),
            expires_at=_time(stored.get("expires_at")),
            gamertag=_gamertag(stored.get("gamertag")),
        )


def decode_user_token(status: int, body: bytes) -> str:
    """Return the user token of an answer (the SmartGlass reference, section 14.2).

    Raises XblError for a refusal, ProtocolError for what makes no sense.
    """
    return as_text(_xbl_answer(status, body).get("Token"), MAX_TOKEN)


def decode_xsts(status: int, body: bytes) -> XstsToken:
    """Return the XSTS token of an answer (the SmartGlass reference, section 14.3).

    Raises XblError for a refusal, ProtocolError for what makes no sense.
    """
    answer = _xbl_answer(status, body)
    claims = as_object(answer.get("DisplayClaims")).get("xui")
    user = as_object(claims[0] if isinstance(claims, list) and claims else None)
    return XstsToken(
        userhash=as_text(user.get("uhs"), MAX_USERHASH),
        token=as_text(answer.get("Token"), MAX_TOKEN),
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
        return await redeem(self._session, self._endpoints.token, form)

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
        return await request(
            self._session,
            "POST",
            url,
            {"Content-Type": "application/json", "x-xbl-contract-version": "1"},
            encode_json(body),
        )


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


def _xbl_answer(status: int, body: bytes) -> JsonObject:
    if status in REFUSED:
        raise XblError(_xerr(body))
    return read_answer(status, body)


def _time(value: JsonValue) -> datetime:
    """Read a time such as 2026-11-22T08:00:00.1234567Z; without a zone it is in UTC."""
    try:
        time = datetime.fromisoformat(as_text(value, 64))
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
        answer = read_json(body)
    except ProtocolError:
        return None  # often there is no body
    code = answer.get("XErr") if isinstance(answer, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    return XErr(code) if code in XErr else code
