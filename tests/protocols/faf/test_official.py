"""The whole way into an official lobby: OAuth, the gateway, the helper, the login."""

import base64
from collections.abc import AsyncIterator
import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from .lobbies import TIMING
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.faf.account import (
    SCOPES,
    Endpoints,
    FafAccount,
    player_id_of,
)
from custom_components.rumpus.protocols.faf.errors import (
    GatewayRefusedError,
    ProofFailedError,
    ProofRefusedError,
)
from custom_components.rumpus.protocols.faf.login import TokenLogin
from custom_components.rumpus.protocols.faf.probe import probe, try_login
from custom_components.rumpus.protocols.faf.proof import AnyProof, HelperProof
from custom_components.rumpus.protocols.faf.websocket import WebSocketConnector
from custom_components.rumpus.protocols.oauth import OAuthError, OAuthToken
from tests.fakes.faf_helper import check_proof, make_helper
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_web import CLIENT_ID, FakeFafWeb, Fault

pytestmark = pytest.mark.usefixtures("socket_enabled")

REDIRECT = "http://localhost"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture
async def lobby(socket_enabled: None) -> AsyncIterator[FakeLobby]:
    async with FakeLobby(gateway_key="banana") as fake:
        fake.add_account("watcher")
        fake.proof_check = check_proof
        yield fake


@pytest.fixture
async def web(lobby: FakeLobby) -> AsyncIterator[FakeFafWeb]:
    async with FakeFafWeb(lobby, login="watcher") as services:
        yield services
        assert services.complaints == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def account(web: FakeFafWeb, session: aiohttp.ClientSession) -> FafAccount:
    return FafAccount(
        session,
        Endpoints(
            authorize=web.authorize_url, token=web.token_url, access=web.access_url
        ),
    )


async def signed_in(
    web: FakeFafWeb, session: aiohttp.ClientSession, account: FafAccount
) -> OAuthToken:
    """Return a token as a browser gets it."""
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "scope": " ".join(SCOPES),
        "state": "some-state-of-ours",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    url = f"{web.authorize_url}?{urlencode(query)}"
    async with session.get(url, allow_redirects=False) as response:
        answer = parse_qs(urlsplit(response.headers["Location"]).query)
    return await account.oauth_token(
        {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
    )


def refresh(token: OAuthToken) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "refresh_token": token.refresh_token,
        "client_id": CLIENT_ID,
    }


async def test_the_whole_way(
    lobby: FakeLobby,
    web: FakeFafWeb,
    session: aiohttp.ClientSession,
    account: FafAccount,
    tmp_path: Path,
) -> None:
    token = await signed_in(web, session, account)
    assert player_id_of(token.access_token) == lobby.account("watcher").id

    async def access_token() -> str:
        return token.access_token

    async def url() -> str:
        return await account.lobby_url(token.access_token)

    connector = WebSocketConnector(session, url)
    helper = make_helper(tmp_path / "faf-uid")
    login = TokenLogin(access_token, HelperProof(helper))
    welcome = await try_login(connector, login, TIMING)
    assert welcome.player.login == "watcher"
    assert (await probe(connector, TIMING)).latency < 5
    # Without the helper there is everything but the login.
    with pytest.raises(ProofRefusedError):
        await try_login(connector, TokenLogin(access_token, AnyProof()), TIMING)
    missing = HelperProof(tmp_path / "missing")
    with pytest.raises(ProofFailedError):
        await try_login(connector, TokenLogin(access_token, missing), TIMING)


async def test_each_refresh_token_counts_once(
    web: FakeFafWeb, session: aiohttp.ClientSession, account: FafAccount
) -> None:
    first = await signed_in(web, session, account)
    second = await account.oauth_token(refresh(first))
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    with pytest.raises(OAuthError) as caught:
        await account.oauth_token(refresh(first))
    assert caught.value.error == "invalid_grant"


async def test_access_in_data(
    web: FakeFafWeb, session: aiohttp.ClientSession, account: FafAccount
) -> None:
    token = await signed_in(web, session, account)
    web.access_shape = "data"
    assert "verify=" in await account.lobby_url(token.access_token)
    web.access_scheme = "http"
    with pytest.raises(ProtocolError):
        await account.lobby_url(token.access_token)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unavailable", DisconnectedError),
        ("throttled", DisconnectedError),
        ("garbage", ProtocolError),
        ("empty", ProtocolError),
        ("list", ProtocolError),
        ("hang_up", DisconnectedError),
        ("forbidden", GatewayRefusedError),
    ],
)
async def test_faults(
    fault: Fault,
    expected: type[RumpusError],
    web: FakeFafWeb,
    session: aiohttp.ClientSession,
    account: FafAccount,
) -> None:
    token = await signed_in(web, session, account)
    web.faults["access"] = fault
    with pytest.raises(expected) as caught:
        await account.lobby_url(token.access_token)
    assert not any(secret in str(caught.value) for secret in web.given)


async def test_another_token(account: FafAccount) -> None:
    with pytest.raises(GatewayRefusedError):
        await account.lobby_url("a.b.c")
