"""FAF's sign-in and its lobby's signed addresses, on loopback (sections 2.2 and 6.2).

Real HTTP: a request that the real services would not understand is answered with status
400 and noted in `complaints`. The lobby that the addresses lead to is told the key::

    lobby = FakeLobby(gateway_key="banana")
    async with lobby, FakeFafWeb(lobby, login="watcher") as web:
        # authorize at web.authorize_url, get tokens at web.token_url and an address
        # at web.access_url
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
import hashlib
import secrets
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import urlencode

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
import jwt

from tests.fakes.faf_dispatch import LoginError
from tests.fakes.faf_gateway import sign
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_listener import Listener
from tests.fakes.faf_login import KEY_ID, SCOPES, check_token, make_token, signing_key

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby

type Fault = Literal[
    "unavailable",  # status 503
    "throttled",  # status 429
    "garbage",  # status 200, and no JSON
    "empty",  # status 200, and an object without anything
    "list",  # status 200, and no object
    "hang_up",  # the connection is closed instead of an answer
    "silent",  # no answer as long as the fake runs
    "forbidden",  # status 403
]
type Service = Literal["authorize", "token", "access", "keys"]

CLIENT_ID: Final = "rumpus-test"


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class FakeFafWeb:
    """Knows one application; whoever `login` is signs in."""

    def __init__(
        self,
        lobby: FakeLobby,
        *,
        login: str,
        client_id: str = CLIENT_ID,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Port 0 is any free one. The lobby needs a `gateway_key`, and the account."""
        self.lobby = lobby
        self.login = login
        self.client_id = client_id
        self.client_secret = ""  # none: the application is public
        self.access_lifetime = 3600.0
        self.user_denies = False
        self.scopes = SCOPES  # that the user grants
        self.access_shape: Literal["flat", "data"] = "flat"
        self.access_scheme = "ws"
        self.faults: dict[Service, Fault] = {}
        self.requests: list[Service] = []
        self.complaints: list[str] = []
        self.given: list[str] = []  # every secret
        self.url = ""
        self._address = address
        self._port = port
        self._codes: dict[str, tuple[str, str]] = {}  # redirect and challenge
        self._refresh_tokens: set[str] = set()
        self._is_revoked = False
        self._asked = asyncio.Event()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._listener: Listener | None = None

    # --- life ---

    async def start(self) -> None:
        """Listen. Raises OSError."""
        app = web.Application()
        app.router.add_get("/oauth2/auth", self._service("authorize", self._authorize))
        app.router.add_post("/oauth2/token", self._service("token", self._token))
        app.router.add_get("/lobby/access", self._service("access", self._access))
        app.router.add_get("/.well-known/jwks.json", self._service("keys", self._keys))
        self._stopping.clear()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        assert self._runner.server is not None
        self._listener = Listener(self._runner.server)
        self._port = self._listener.start(self._address, self._port)
        self.url = f"http://{self._address}:{self._port}"

    async def stop(self) -> None:
        """Listen no more; `start` may follow, at the same port."""
        self._stopping.set()
        if self._listener is not None:
            await self._listener.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        await asyncio.sleep(0)  # the sockets are closed now

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def authorize_url(self) -> str:
        """Where the browser goes."""
        return f"{self.url}/oauth2/auth"

    @property
    def token_url(self) -> str:
        """Where tokens are."""
        return f"{self.url}/oauth2/token"

    @property
    def access_url(self) -> str:
        """Where addresses of the lobby are."""
        return f"{self.url}/lobby/access"

    # --- what a test does ---

    def permit(self) -> JsonObject:
        """Return what the token service would, without the way through a browser."""
        return self._new_tokens()

    def revoke(self) -> None:
        """Take the user's permission back, as after a new password."""
        self._refresh_tokens.clear()
        self._is_revoked = True

    def is_current(self, refresh_token: str) -> bool:
        """Whether a refresh token is still good."""
        return refresh_token in self._refresh_tokens

    async def wait_asked(self, service: Service, times: int = 1) -> None:
        """Wait until a service was asked so often, also before."""
        async with asyncio.timeout(5):
            while self.count(service) < times:
                self._asked.clear()
                await self._asked.wait()

    def count(self, service: Service) -> int:
        """Return how often a service was asked."""
        return self.requests.count(service)

    # --- the services ---

    def _service(
        self,
        name: Service,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self.requests.append(name)
            self._asked.set()
            if (fault := self.faults.get(name)) is not None:
                return await self._fail(request, fault)
            return await handler(request)

        return serve

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        match fault:
            case "unavailable":
                return web.Response(status=503)
            case "throttled":
                return web.Response(status=429, headers={"Retry-After": "60"})
            case "forbidden":
                return web.Response(status=403)
            case "garbage":
                return web.Response(text="<html>", content_type="application/json")
            case "empty":
                return web.json_response({})
            case "list":
                return web.json_response([1])
            case "silent":
                await self._stopping.wait()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """Let the user sign in and decide, and send the browser back."""
        query = request.query
        if (
            query.get("client_id") != self.client_id
            or query.get("response_type") != "code"
            or query.get("code_challenge_method") != "S256"
            or len(query.get("code_challenge", "")) != 43
            or "lobby" not in query.get("scope", "").split()
            or "offline" not in query.get("scope", "").split()
            or "redirect_uri" not in query
            or len(query.get("state", "")) < 8
        ):
            return self._complain("authorize: not a request with PKCE for the lobby")
        back = query["redirect_uri"]
        if self.user_denies:
            answer = {
                "error": "access_denied",
                "error_description": "Not in this world",
            }
        else:
            code = self._secret("code")
            self._codes[code] = (back, query["code_challenge"])
            answer = {"code": code}
        answer["state"] = query["state"]
        return web.Response(
            status=302, headers={"Location": f"{back}?{urlencode(answer)}"}
        )

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/x-www-form-urlencoded":
            return self._complain("token: not a form")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("client_id") != self.client_id:
            return self._refuse("invalid_client", 401)
        if form.get("client_secret", "") != self.client_secret:
            return self._refuse("invalid_client", 401)
        match form.get("grant_type"):
            case "authorization_code":
                back, challenge = self._codes.pop(form.get("code", ""), ("", ""))
                if (
                    not back
                    or back != form.get("redirect_uri")
                    or challenge != challenge_of(form.get("code_verifier", ""))
                ):
                    return self._refuse("invalid_grant")
            case "refresh_token":
                token = form.get("refresh_token", "")
                if token not in self._refresh_tokens:
                    # An old one: somebody else may have the newer ones.
                    self._refresh_tokens.clear()
                    return self._refuse("invalid_grant")
                self._refresh_tokens.discard(token)
            case _:
                return self._refuse("unsupported_grant_type")
        return web.json_response(self._new_tokens())

    def _new_tokens(self) -> JsonObject:
        account = self.lobby.account(self.login)
        access_token = make_token(account.id, self.access_lifetime, self.scopes)
        refresh_token = self._secret("refresh")
        self.given.append(access_token)
        self._is_revoked = False
        self._refresh_tokens.add(refresh_token)
        return {
            "access_token": access_token,
            "expires_in": int(self.access_lifetime),
            "refresh_token": refresh_token,
            "scope": " ".join(self.scopes),
            "token_type": "bearer",
        }

    async def _access(self, request: web.Request) -> web.StreamResponse:
        """Give a signed address of the lobby."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            return self._complain("access: no token")
        if "application/json" not in request.headers.get("Accept", ""):
            return self._complain("access: another answer is wanted")
        try:
            check_token(token)
        except LoginError as error:
            return web.Response(status=403 if "permission" in str(error) else 401)
        if self._is_revoked:
            return web.Response(status=401)
        key = self.lobby.gateway_key
        assert key is not None
        verify = sign(key, "/", int(time.time()))
        self.given.append(verify)
        host = f"{self.lobby.address}:{self.lobby.websocket_port}"
        address = f"{self.access_scheme}://{host}?verify={verify}"
        answer: JsonObject = {"accessUrl": address}
        if self.access_shape == "data":
            answer = {"data": answer}
        return web.json_response(answer)

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        key: rsa.RSAPublicKey = signing_key().public_key()
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
        return web.json_response(
            {"keys": [{**jwk, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}
        )

    def _secret(self, kind: str) -> str:
        """Return a text that is to be found nowhere but in requests and answers."""
        secret = f"ory_{kind}_{secrets.token_urlsafe(40)}"
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
