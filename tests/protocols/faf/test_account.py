"""The official services, played on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
import json
import logging

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols import web_service
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf.account import (
    MAX_PLAYER_ID,
    MAX_URL,
    OFFICIAL,
    SCOPES,
    Endpoints,
    FafAccount,
    decode_access,
    player_id_of,
)
from custom_components.rumpus.protocols.faf.errors import GatewayRefusedError
from custom_components.rumpus.protocols.oauth import (
    MAX_ERROR,
    MAX_LIFETIME,
    MAX_TOKEN,
    OAuthError,
    OAuthToken,
    decode_token,
)
from custom_components.rumpus.protocols.web_service import (
    MAX_RESPONSE,
    MAX_RESPONSE_DEPTH,
)

SECRET = "very-secret-token"
URL = "wss://ws.example.com?verify=1700000000-%2FOGn"

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Services:
    """Answers with what a test wants, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[], Awaitable[web.StreamResponse]] | None = None
        self.status = 200
        self.body: object = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.requests.append((f"{request.method} {request.path}", form))
        self.headers.append(dict(request.headers))
        if self.answer is not None:
            return await self.answer()
        body = self.body
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(
            status=self.status,
            body=data,
            headers={"Location": "/elsewhere"} if 300 <= self.status < 400 else {},
        )


@pytest.fixture
async def services() -> AsyncIterator[tuple[Services, FafAccount]]:
    played = Services()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", played.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    endpoints = Endpoints(
        authorize=str(server.make_url("/auth")),
        token=str(server.make_url("/token")),
        access=str(server.make_url("/access")),
    )
    async with aiohttp.ClientSession() as session:
        yield played, FafAccount(session, endpoints)
    await server.close()


def jwt(claims: object) -> str:
    """Return a token that nobody has signed."""
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(claims).encode(), b"x"]
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts
    )


def test_official_services() -> None:
    assert OFFICIAL.authorize == "https://hydra.faforever.com/oauth2/auth"
    assert OFFICIAL.token == "https://hydra.faforever.com/oauth2/token"
    assert OFFICIAL.access == "https://user.faforever.com/lobby/access"
    assert SCOPES == ("openid", "offline", "public_profile", "lobby")


async def test_oauth(services: tuple[Services, FafAccount]) -> None:
    played, account = services
    played.body = {
        "access_token": SECRET,
        "refresh_token": f"{SECRET}-2",
        "expires_in": 3599,
        "token_type": "bearer",
    }
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "old one&=",
        "client_id": "rumpus",
    }
    token = await account.oauth_token(form)
    assert token == OAuthToken(
        access_token=SECRET, refresh_token=f"{SECRET}-2", expires_in=3599
    )
    assert SECRET not in repr(token)
    assert played.requests == [("POST /token", form)]


async def test_access(services: tuple[Services, FafAccount]) -> None:
    played, account = services
    for body in ({"accessUrl": URL}, {"data": {"accessUrl": URL}}):
        played.body = body
        assert await account.lobby_url(SECRET) == URL
    assert played.requests == [("GET /access", {})] * 2
    assert played.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert played.headers[0]["Accept"] == "application/json"


async def test_refusals(services: tuple[Services, FafAccount]) -> None:
    played, account = services
    played.status = 400
    played.body = {"error": "invalid_grant", "error_description": SECRET}
    with pytest.raises(OAuthError) as caught:
        await account.oauth_token({})
    assert caught.value.error == "invalid_grant"
    assert SECRET not in str(caught.value)
    for status in (401, 403):
        played.status = status
        with pytest.raises(GatewayRefusedError):
            await account.lobby_url(SECRET)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_out_of_order(status: int, services: tuple[Services, FafAccount]) -> None:
    played, account = services
    played.status = status
    for request in (account.oauth_token({}), account.lobby_url(SECRET)):
        with pytest.raises(DisconnectedError, match=str(status)):
            await request


@pytest.mark.parametrize("status", [204, 302, 404])
async def test_another_status(
    status: int, services: tuple[Services, FafAccount]
) -> None:
    played, account = services
    played.status = status
    with pytest.raises(ProtocolError):
        await account.lobby_url(SECRET)
    # Nobody else got the token.
    assert [request for request, _ in played.requests] == ["GET /access"]


async def test_request_timeout(
    services: tuple[Services, FafAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    played, account = services
    gone = asyncio.Event()

    async def never() -> web.StreamResponse:
        await gone.wait()
        return web.Response()

    played.answer = never
    monkeypatch.setattr(web_service, "REQUEST_TIMEOUT", 0.1)
    with pytest.raises(PeerTimeoutError):
        await account.lobby_url(SECRET)
    gone.set()


async def test_max_response(services: tuple[Services, FafAccount]) -> None:
    played, account = services
    body = json.dumps({"accessUrl": URL}).encode()
    played.body = body + b" " * (MAX_RESPONSE - len(body))
    assert await account.lobby_url(SECRET) == URL
    played.body += b" "
    with pytest.raises(MessageTooLargeError):
        await account.lobby_url(SECRET)


async def test_unreachable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    endpoints = Endpoints(access="http://127.0.0.1:1/", token="http://[")
    async with aiohttp.ClientSession() as session:
        account = FafAccount(session, endpoints)
        with pytest.raises(DisconnectedError) as caught:
            await account.lobby_url(SECRET)
        assert caught.value.__context__ is None
        with pytest.raises(ProtocolError):
            await account.oauth_token({"refresh_token": SECRET})
    assert SECRET not in caplog.text


# Answers


def answer(**changes: object) -> bytes:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, **changes}
    return json.dumps(
        {key: value for key, value in body.items() if value != ...}
    ).encode()


def test_max_token() -> None:
    for key in ("access_token", "refresh_token"):
        decode_token(200, answer(**{key: MAX_TOKEN * "x"}))
        for wrong in ((MAX_TOKEN + 1) * "x", "", None, 5, "a\nb", "\u00e9"):
            with pytest.raises(ProtocolError):
                decode_token(200, answer(**{key: wrong}))


def test_max_lifetime() -> None:
    assert decode_token(200, answer(expires_in=MAX_LIFETIME)).expires_in == MAX_LIFETIME
    for wrong in (MAX_LIFETIME + 1, 0, -1, None, "soon", 2.5):
        with pytest.raises(ProtocolError):
            decode_token(200, answer(expires_in=wrong))


def test_max_error() -> None:
    with pytest.raises(OAuthError):
        decode_token(400, json.dumps({"error": MAX_ERROR * "x"}).encode())
    refusals: tuple[object, ...] = (
        *({"error": (MAX_ERROR + 1) * "x"}, {"error": "a\nb"}),
        *({}, []),
    )
    for wrong in refusals:
        with pytest.raises(ProtocolError):
            decode_token(400, json.dumps(wrong).encode())


def test_max_response_depth() -> None:
    deep: object = 1
    for _ in range(MAX_RESPONSE_DEPTH - 1):
        deep = [deep]
    decode_token(200, answer(more=deep))
    with pytest.raises(ProtocolError):
        decode_token(200, answer(more=[deep]))


def test_max_url() -> None:
    url = "wss://example.com/".ljust(MAX_URL, "x")
    assert decode_access(200, json.dumps({"accessUrl": url}).encode()) == url
    with pytest.raises(ProtocolError):
        decode_access(200, json.dumps({"accessUrl": f"{url}x"}).encode())


@pytest.mark.parametrize(
    "url",
    [
        "wss://ws.example.com?verify=x",
        "wss://ws.example.com:8443/",
        "ws://127.0.0.1:8003/?verify=x",
        "ws://localhost:8003",
        "ws://[::1]:8003",
    ],
)
def test_safe_addresses(url: str) -> None:
    assert decode_access(200, json.dumps({"accessUrl": url}).encode()) == url


@pytest.mark.parametrize(
    "url",
    [
        "ws://ws.example.com",
        "ws://192.0.2.1",
        "ws://127.0.0.1.example.com",
        "https://ws.example.com",
        "wss://",
        "wss://[",
        "/lobby",
        "secret",
    ],
)
def test_unsafe_addresses(url: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_access(200, json.dumps({"accessUrl": url}).encode())
    assert url not in str(caught.value)


@given(st.binary(max_size=64), st.sampled_from([200, 400, 401, 404]))
def test_any_answer(body: bytes, status: int) -> None:
    for decode in (decode_token, decode_access):
        with pytest.raises((ProtocolError, OAuthError, GatewayRefusedError)):
            decode(status, body)


# Whose token it is


@pytest.mark.parametrize("subject", ["9001", 9001])
def test_player_id(subject: object) -> None:
    assert player_id_of(jwt({"sub": subject, "scp": ["lobby"]})) == 9001


@pytest.mark.parametrize(
    "claims",
    [
        {},
        [],
        {"sub": None},
        {"sub": True},
        {"sub": "abc"},
        {"sub": "-5"},
        {"sub": "0"},
        {"sub": "\u0661"},
        {"sub": 5.0},
        {"sub": ["5"]},
        {"sub": "1" * 11},
        {"sub": MAX_PLAYER_ID + 1},
    ],
)
def test_no_player_id(claims: object) -> None:
    assert player_id_of(jwt(claims)) is None


def test_max_player_id() -> None:
    assert player_id_of(jwt({"sub": str(MAX_PLAYER_ID)})) == MAX_PLAYER_ID
    assert player_id_of(jwt({"sub": str(MAX_PLAYER_ID + 1)})) is None


def test_token_of_max_length() -> None:
    head, claims, _ = jwt({"sub": "5"}).split(".")
    signature = (MAX_TOKEN - len(head) - len(claims) - 2) * "x"
    assert player_id_of(f"{head}.{claims}.{signature}") == 5
    assert player_id_of(f"{head}.{claims}.{signature}x") is None


@given(st.text(max_size=64))
def test_any_token(token: str) -> None:
    assert player_id_of(token) is None
    assert player_id_of(f"a.{token}.b") is None


@given(st.integers(1, MAX_PLAYER_ID))
def test_any_player_id(player_id: int) -> None:
    assert player_id_of(jwt({"sub": str(player_id)})) == player_id
