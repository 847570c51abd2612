"""The fake lobby behind TLS, and at a path."""

import ssl

import aiohttp
import pytest

from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_script_client import WebSocketClient
from tests.fakes.faf_tls import FakeAuthority, self_signed

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOST = "127.0.0.1"


async def refusal(lobby: FakeLobby, context: ssl.SSLContext, path: str = "/") -> object:
    """Return the status that a client gets, or what is wrong with the certificate."""
    url = f"wss://{HOST}:{lobby.websocket_port}{path}"
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, ssl=context):
                return 101
        except aiohttp.WSServerHandshakeError as err:
            return err.status
        except aiohttp.ClientConnectorCertificateError as err:
            return getattr(err.certificate_error, "verify_message", None)


async def test_certificates() -> None:
    """Only who trusts the authority, and asks for the right host, gets in."""
    authority, lobby = FakeAuthority(), FakeLobby()
    lobby.tls = authority.server("lobby.example", HOST)
    async with lobby:
        assert lobby.url.startswith("wss://")
        assert await refusal(lobby, authority.client()) == 101
        strange = FakeAuthority().client()
        assert "local issuer" in str(await refusal(lobby, strange))
        lobby.tls = self_signed(HOST)
        await lobby.restart()
        assert "self-signed" in str(await refusal(lobby, authority.client()))
        lobby.tls = authority.server("lobby.example")
        await lobby.restart()
        assert "IP address mismatch" in str(await refusal(lobby, authority.client()))
        lobby.tls = authority.server(HOST, is_expired=True)
        await lobby.restart()
        assert "expired" in str(await refusal(lobby, authority.client()))


async def test_paths() -> None:
    """Nothing else is there, and what is encoded is something else."""
    authority, lobby = FakeAuthority(), FakeLobby()
    lobby.tls, lobby.websocket_path = authority.server(HOST), "/a%2Fb"
    async with lobby:
        for path, status in ("/a%2Fb", 101), ("/a%2Fb?x=1", 101), ("/a/b", 404):
            assert await refusal(lobby, authority.client(), path) == status
        for path in "/", "/ws":
            assert await refusal(lobby, authority.client(), path) == 404


async def test_a_path_without_tls() -> None:
    lobby = FakeLobby()
    lobby.websocket_path = "/lobby"
    lobby.add_account("watcher", password="secret")
    async with lobby, WebSocketClient(lobby) as client:
        assert lobby.url == f"ws://{HOST}:{lobby.websocket_port}/lobby"
        await client.sign_in("watcher")
        await lobby.wait_for("signed_in", login="watcher")
