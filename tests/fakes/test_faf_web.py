"""FAF's web services and the helper for machine proofs, as fakes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import stat
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt
import pytest

from tests.fakes.faf_gateway import is_signed, sign
from tests.fakes.faf_helper import Conduct, check_proof, make_helper, proof_of
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_login import make_token
from tests.fakes.faf_script_client import WebSocketClient
from tests.fakes.faf_web import CLIENT_ID, FakeFafWeb, challenge_of

pytestmark = pytest.mark.usefixtures("socket_enabled")

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BACK = "https://home.example/auth/external/callback"


@pytest.fixture
async def web() -> AsyncIterator[FakeFafWeb]:
    lobby = FakeLobby(gateway_key="banana")
    lobby.add_account("watcher", id=7)
    async with lobby, FakeFafWeb(lobby, login="watcher") as web:
        yield web


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def authorization(**more: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "openid offline public_profile lobby",
        "state": "12345678",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | more


async def authorize(
    web: FakeFafWeb, session: aiohttp.ClientSession, **more: str
) -> dict[str, list[str]]:
    async with session.get(
        web.authorize_url, params=authorization(**more), allow_redirects=False
    ) as response:
        assert response.status == 302
        location = response.headers["Location"]
    assert location.startswith(BACK)
    return parse_qs(urlsplit(location).query)


async def post(
    web: FakeFafWeb, session: aiohttp.ClientSession, **form: str
) -> tuple[int, JsonObject]:
    async with session.post(web.token_url, data=form) as response:
        return response.status, await response.json()


def exchange(code: str, /, **more: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    } | more


def test_pkce_vector() -> None:
    assert challenge_of(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_signature_vector() -> None:
    token = sign("banana", "/", 1_700_000_000)
    assert token == "1700000000-%2FOGnjObQvgxlHbeSy4b4d5e5BnYQKDWR5YbP1T%2BUK4Y%3D"
    assert sign("banana", "", 1_700_000_000) == token
    assert is_signed("banana", "/", token, 1_700_000_010, 60)
    assert not is_signed("banana", "/", token, 1_700_000_100, 60)
    assert not is_signed("banana", "/ws", token, 1_700_000_010, 60)
    assert not is_signed("apple", "/", token, 1_700_000_010, 60)
    assert not is_signed("banana", "/", "garbage", 1_700_000_010, 60)


async def test_sign_in_and_refresh(
    web: FakeFafWeb, session: aiohttp.ClientSession
) -> None:
    answer = await authorize(web, session)
    assert answer["state"] == ["12345678"]
    (code,) = answer["code"]
    status, tokens = await post(web, session, **exchange(code))
    assert status == 200
    assert tokens["expires_in"] == 3600
    first = str(tokens["refresh_token"])
    assert web.is_current(first)
    # A code is good once.
    assert (await post(web, session, **exchange(code)))[0] == 400

    refresh = {"grant_type": "refresh_token", "client_id": CLIENT_ID}
    status, tokens = await post(web, session, refresh_token=first, **refresh)
    second = str(tokens["refresh_token"])
    assert (status, web.is_current(first), web.is_current(second)) == (200, False, True)
    # And so is a refresh token; who tries an old one loses the new one, too.
    status, refused = await post(web, session, refresh_token=first, **refresh)
    assert (status, refused["error"]) == (400, "invalid_grant")
    assert not web.is_current(second)
    await web.wait_asked("token")
    assert web.count("token") == 4


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example"}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_refused_tokens(
    web: FakeFafWeb, session: aiohttp.ClientSession, form: dict[str, str], error: str
) -> None:
    (code,) = (await authorize(web, session))["code"]
    status, refused = await post(web, session, **exchange(code, **form))
    assert status in (400, 401)
    assert refused["error"] == error


@pytest.mark.parametrize(
    "query",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"scope": "openid"},
        {"scope": "lobby"},
        {"state": ""},
        {"client_id": "x"},
        {"response_type": "token"},
    ],
)
async def test_refused_authorizations(
    web: FakeFafWeb, session: aiohttp.ClientSession, query: dict[str, str]
) -> None:
    async with session.get(web.authorize_url, params=authorization(**query)) as answer:
        assert answer.status == 400
    assert len(web.complaints) == 1


async def test_user_denies(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    web.user_denies = True
    assert (await authorize(web, session))["error"] == ["access_denied"]


async def test_not_a_form(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    async with session.post(web.token_url, json={}) as answer:
        assert answer.status == 400
    assert web.complaints == ["token: not a form"]


async def access(
    web: FakeFafWeb, session: aiohttp.ClientSession, token: object
) -> tuple[int, JsonObject]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with session.get(web.access_url, headers=headers) as response:
        return response.status, await response.json() if response.status == 200 else {}


@pytest.mark.parametrize("shape", ["flat", "data"])
async def test_signed_address(
    web: FakeFafWeb, session: aiohttp.ClientSession, shape: Literal["flat", "data"]
) -> None:
    web.access_shape = shape
    tokens = web.permit()
    status, answer = await access(web, session, tokens["access_token"])
    assert status == 200
    data = answer["data"] if shape == "data" else answer
    assert isinstance(data, dict)
    url = str(data["accessUrl"])
    assert url.startswith(f"ws://127.0.0.1:{web.lobby.websocket_port}?verify=")
    async with WebSocketClient(web.lobby, url.replace("?", "/?")) as client:
        await client.auth(str(tokens["access_token"]))
        await client.expect("welcome")
    assert set(web.given) > {str(tokens["access_token"]), str(tokens["refresh_token"])}


async def test_gateway_refuses(web: FakeFafWeb) -> None:
    for url in (
        web.lobby.url,
        f"{web.lobby.url}?verify=garbage",
        f"{web.lobby.url}ws?verify={sign('banana', '/', 1)}",
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            async with WebSocketClient(web.lobby, url):
                pass
        assert error.value.status == 403
    assert len(web.lobby.seen("refused_connection", reason="403")) == 3


async def test_access_refused(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    assert (await access(web, session, "garbage"))[0] == 401
    assert (await access(web, session, make_token(7, -1)))[0] == 401
    assert (await access(web, session, make_token(7, scopes=["openid"])))[0] == 403
    async with session.get(web.access_url) as answer:
        assert answer.status == 400
    async with session.get(
        web.access_url, headers={"Authorization": "Bearer x", "Accept": "text/html"}
    ) as answer:
        assert answer.status == 400
    token = web.permit()["access_token"]
    assert (await access(web, session, token))[0] == 200
    web.revoke()
    assert (await access(web, session, token))[0] == 401


async def test_revoke(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    tokens = web.permit()
    web.revoke()
    status, refused = await post(
        web,
        session,
        grant_type="refresh_token",
        client_id=CLIENT_ID,
        refresh_token=str(tokens["refresh_token"]),
    )
    assert (status, refused["error"]) == (400, "invalid_grant")


async def test_keys(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{web.url}/.well-known/jwks.json") as answer:
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    token = web.lobby.token_for("watcher")
    claims = jwt.decode(token, keys.keys[0], algorithms=["RS256"])
    assert (claims["sub"], claims["scp"][-1]) == ("7", "lobby")


async def test_faults(web: FakeFafWeb, session: aiohttp.ClientSession) -> None:
    for fault, status in {
        "unavailable": 503,
        "throttled": 429,
        "forbidden": 403,
        "garbage": 200,
        "empty": 200,
        "list": 200,
    }.items():
        web.faults["access"] = fault  # type: ignore[assignment]
        async with session.get(web.access_url) as answer:
            assert answer.status == status
    web.faults["access"] = "hang_up"
    with pytest.raises(aiohttp.ClientError):
        await session.get(web.access_url)
    web.faults["access"] = "silent"
    asking = asyncio.create_task(session.get(web.access_url))
    await web.wait_asked("access", 8)
    await web.stop()
    with pytest.raises(aiohttp.ClientError):
        await asking


@pytest.mark.parametrize("conduct", get_args(Conduct.__value__))
async def test_helper(tmp_path: Path, conduct: Conduct) -> None:
    path = make_helper(tmp_path / "faf-uid", conduct)
    assert path.stat().st_mode & stat.S_IXUSR
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        path, "4294967294", stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    if conduct in ("stuck", "endless"):
        assert await process.stdout.readline()
        process.kill()
    output, complaints = await process.communicate()
    text = output.decode(errors="replace").strip()
    assert check_proof(4294967294, text) is (conduct in ("good", "noisy", "failing"))
    assert (process.returncode == 0) is (conduct not in ("failing", "stuck", "endless"))
    assert bool(complaints) is (conduct == "noisy")
    assert (text == proof_of(4294967294)) is check_proof(4294967294, text)
