"""Microsoft's sign-in and Xbox Live, as far as a console's tokens need them, on loopback.

Real HTTP, and nothing of the program under test: a request that the real services would not
understand is answered with status 400 and noted in `complaints`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import json
import secrets
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web

SCOPES = {"Xboxlive.signin", "Xboxlive.offline_access"}


class Fault(StrEnum):
    """How a service fails."""

    UNAVAILABLE = "unavailable"  # status 503
    THROTTLED = "throttled"  # status 429
    GARBAGE = "garbage"  # status 200, and no JSON
    SLOW = "slow"  # no answer as long as the fake runs
    HANG_UP = "hang_up"  # closes the connection instead of an answer
    CUT_OFF = "cut_off"  # closes it in the middle of one
    REDIRECT = "redirect"  # status 307, to where everybody listens


@dataclass(frozen=True)
class Canned:
    """An answer that does not depend on the request."""

    body: object = field(default_factory=dict)  # bytes as they are, else as JSON
    status: int = 200


@dataclass
class FakeXboxLive:
    """Knows one user of one application.

    `accounts` has the XSTS token that counts by userhash, always: a fake console may be given
    this very mapping.
    """

    client_id: str = "11111111-2222-3333-4444-555555555555"
    client_secret: str = "secret of the application"  # empty for a public client
    userhash: str = "1234567890123456789"
    gamertag: str | None = "PlayerOne"
    token_length: int = 2600
    access_lifetime: float = 3600.0
    xsts_lifetime: float = 16 * 3600.0

    user_denies: bool = False
    xerr: int | None = None
    faults: dict[str, Fault | Canned] = field(default_factory=dict)  # by service
    pad_to: dict[str, int] = field(default_factory=dict)  # bytes of good answers

    accounts: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)  # services, as they were asked
    complaints: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list, repr=False)  # every secret
    redirected: int = 0  # requests that went where REDIRECT leads

    def __post_init__(self) -> None:
        self._codes: dict[str, str] = {}  # redirect address by code
        self._refresh_tokens: set[str] = set()
        self._access_tokens: dict[str, datetime] = {}
        self._user_tokens: set[str] = set()
        self._stopping = asyncio.Event()
        self._asked = asyncio.Event()
        self._held: dict[str, asyncio.Event] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/oauth20_authorize.srf"

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth20_token.srf"

    @property
    def user_url(self) -> str:
        return f"{self.url}/user/authenticate"

    @property
    def xsts_url(self) -> str:
        return f"{self.url}/xsts/authorize"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/oauth20_authorize.srf", self._authorize)
        for service, path, handler in (
            ("token", "/oauth20_token.srf", self._token),
            ("user", "/user/authenticate", self._user),
            ("xsts", "/xsts/authorize", self._xsts),
        ):
            app.router.add_post(path, self._service(service, handler))
        app.router.add_route("*", "/elsewhere", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        self._stopping.set()
        for held in self._held.values():
            held.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.stop()

    # What a test does to it

    def revoke(self) -> None:
        """Take the user's permission back, as after a new password."""
        self._refresh_tokens.clear()
        self._access_tokens.clear()

    def expire_access_tokens(self) -> None:
        for token in self._access_tokens:
            self._access_tokens[token] = datetime.now(UTC)

    def permit(self) -> dict[str, Any]:
        """Return what the token service would, without the way through a browser."""
        return self._new_tokens()

    def hold(self, service: str) -> Callable[[], None]:
        """Let a service wait with its answers until what is returned is called."""
        self._held[service] = asyncio.Event()
        return self._held[service].set

    async def wait_asked(self, service: str) -> None:
        """Wait until a service was asked, also if it was before."""
        async with asyncio.timeout(5):
            while service not in self.requests:
                self._asked.clear()
                await self._asked.wait()

    def count(self, service: str) -> int:
        return self.requests.count(service)

    # The services

    def _service(
        self,
        name: str,
        handler: Callable[[web.Request], Awaitable[dict[str, Any] | web.Response]],
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self.requests.append(name)
            self._asked.set()
            if name in self._held:
                await self._held[name].wait()
            if (fault := self.faults.get(name)) is not None:
                return await self._fail(request, fault)
            answer = await handler(request)
            if isinstance(answer, web.Response):
                return answer
            body = json.dumps(answer).encode()
            body += b" " * (self.pad_to.get(name, 0) - len(body))
            return web.Response(body=body, content_type="application/json")

        return serve

    async def _fail(
        self, request: web.Request, fault: Fault | Canned
    ) -> web.StreamResponse:
        match fault:
            case Canned(body=bytes(body), status=status):
                return web.Response(
                    body=body, status=status, content_type="application/json"
                )
            case Canned(body=body, status=status):
                return web.json_response(body, status=status)
            case Fault.UNAVAILABLE:
                return web.Response(status=503)
            case Fault.THROTTLED:
                return web.Response(status=429)
            case Fault.GARBAGE:
                return web.Response(text="<html>", content_type="application/json")
            case Fault.REDIRECT:
                return web.Response(
                    status=307, headers={"Location": f"{self.url}/elsewhere"}
                )
            case Fault.SLOW:
                await self._stopping.wait()
                return web.Response(status=503)
        if fault is Fault.CUT_OFF:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"Token": ')
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def _elsewhere(self, request: web.Request) -> web.Response:
        self.redirected += 1
        return web.json_response({})

    async def _authorize(self, request: web.Request) -> web.Response:
        """Let the user sign in and decide, and send the browser back."""
        query = request.query
        if (
            query.get("client_id") != self.client_id
            or query.get("response_type") != "code"
            or set(query.get("scope", "").split()) != SCOPES
            or "redirect_uri" not in query
        ):
            return self._complain("authorize: not a request of the application")
        back = query["redirect_uri"]
        if self.user_denies:
            answer = {
                "error": "access_denied",
                "error_description": "The user has denied access.",
            }
        else:
            code = self._secret("code", 40)
            self._codes[code] = back
            answer = {"code": code}
        answer["state"] = query.get("state", "")
        return web.Response(
            status=302, headers={"Location": f"{back}?{urlencode(answer)}"}
        )

    async def _token(self, request: web.Request) -> dict[str, Any] | web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return self._complain("token: not a form")
        form = await request.post()
        if form.get("client_id") != self.client_id:
            return self._refuse("unauthorized_client")
        if form.get("client_secret", "") != self.client_secret:
            return self._refuse("invalid_client", 401)
        if set(str(form.get("scope", "")).split()) != SCOPES:
            return self._complain("token: another scope")
        match form.get("grant_type"):
            case "authorization_code":
                back = self._codes.pop(str(form.get("code")), None)
                if back is None or back != form.get("redirect_uri"):
                    return self._refuse("invalid_grant")
            case "refresh_token":
                refresh_token = str(form.get("refresh_token"))
                if refresh_token not in self._refresh_tokens:
                    return self._refuse("invalid_grant")
                self._refresh_tokens.discard(refresh_token)
            case _:
                return self._refuse("unsupported_grant_type")
        return self._new_tokens()

    def _new_tokens(self) -> dict[str, Any]:
        access_token = self._secret("access", 1200)
        refresh_token = self._secret("refresh", 400)
        self._access_tokens[access_token] = datetime.now(UTC) + timedelta(
            seconds=self.access_lifetime
        )
        self._refresh_tokens.add(refresh_token)
        return {
            "token_type": "bearer",
            "expires_in": int(self.access_lifetime),
            "scope": "XboxLive.signin XboxLive.offline_access",
            "access_token": access_token,
            "refresh_token": refresh_token,
            "user_id": "AAAAAAAAAAAAAAAAAAAAAFakeUser",
        }

    async def _user(self, request: web.Request) -> dict[str, Any] | web.Response:
        asked = await self._asked_for(
            request, "http://auth.xboxlive.com", {"AuthMethod", "SiteName", "RpsTicket"}
        )
        if asked is None:
            return self._complain("user: not a request for a user token")
        if (
            asked["AuthMethod"] != "RPS"
            or asked["SiteName"] != "user.auth.xboxlive.com"
            or not asked["RpsTicket"].startswith("d=")
        ):
            return self._complain("user: not the ticket of an application")
        expires = self._access_tokens.get(asked["RpsTicket"].removeprefix("d="))
        if expires is None or expires <= datetime.now(UTC):
            return web.Response(status=401)
        token = self._secret("user", 1800)
        self._user_tokens.add(token)
        return self._jwt(token, timedelta(days=14), {"uhs": self.userhash})

    async def _xsts(self, request: web.Request) -> dict[str, Any] | web.Response:
        asked = await self._asked_for(
            request, "http://xboxlive.com", {"UserTokens", "SandboxId"}
        )
        if asked is None or asked["SandboxId"] != "RETAIL":
            return self._complain("xsts: not a request for an XSTS token")
        if len(asked["UserTokens"]) != 1:
            return self._complain("xsts: not one user")
        if asked["UserTokens"][0] not in self._user_tokens:
            return web.Response(status=401)
        if self.xerr is not None:
            return web.json_response(
                {"Identity": "0", "XErr": self.xerr, "Message": "", "Redirect": ""},
                status=401,
            )
        token = self._secret("xsts", self.token_length)
        self.accounts[self.userhash] = token
        user = {"uhs": self.userhash, "xid": "2533274790000000"}
        if self.gamertag is not None:
            user["gtg"] = self.gamertag
        return self._jwt(token, timedelta(seconds=self.xsts_lifetime), user)

    async def _asked_for(
        self, request: web.Request, party: str, names: set[str]
    ) -> dict[str, Any] | None:
        """Return the properties that are asked for, None for what is no such request."""
        if (
            request.headers.get("x-xbl-contract-version") != "1"
            or request.content_type != "application/json"
        ):
            return None
        body = await request.json()
        if body.get("RelyingParty") != party or body.get("TokenType") != "JWT":
            return None
        properties: dict[str, Any] = body["Properties"]
        return properties if properties.keys() == names else None

    @staticmethod
    def _jwt(token: str, lifetime: timedelta, user: dict[str, str]) -> dict[str, Any]:
        issued = datetime.now(UTC)
        return {
            "IssueInstant": f"{issued:%Y-%m-%dT%H:%M:%S.%f}7Z",
            "NotAfter": f"{issued + lifetime:%Y-%m-%dT%H:%M:%S.%f}7Z",
            "Token": token,
            "DisplayClaims": {"xui": [user]},
        }

    def _secret(self, kind: str, length: int) -> str:
        """Return a text that is to be found nowhere but in requests and answers."""
        secret = f"{kind}.{secrets.token_hex(length // 2)}"[:length]
        self.given.append(secret)
        return secret

    def _complain(self, complaint: str) -> web.Response:
        self.complaints.append(complaint)
        return web.json_response({"error": "invalid_request"}, status=400)

    @staticmethod
    def _refuse(error: str, status: int = 400) -> web.Response:
        return web.json_response(
            {"error": error, "error_description": "Not in this world."}, status=status
        )
