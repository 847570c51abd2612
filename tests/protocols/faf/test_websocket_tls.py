"""Lobbies behind TLS: real handshakes, and what is wrong with those that fail."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import socket
import ssl
from typing import Any, cast, override
from unittest.mock import Mock

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest

from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.faf.errors import (
    CertificateFlaw,
    NoTlsError,
    NoWebSocketError,
    PlainRedirectError,
    UntrustedError,
)
from custom_components.rumpus.protocols.faf.login import PasswordLogin, hash_password
from custom_components.rumpus.protocols.faf.probe import probe, try_login
from custom_components.rumpus.protocols.faf.proof import AnyProof
from custom_components.rumpus.protocols.faf.websocket import (
    WebSocketConnector,
    _problem_of,
)
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_tls import FakeAuthority, self_signed

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> FakeAuthority:
    """Whom our side trusts."""
    return FakeAuthority()


@pytest.fixture
async def session(
    authority: FakeAuthority, socket_enabled: None
) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=authority.client())
    async with asyncio.timeout(30), aiohttp.ClientSession(connector=connector) as one:
        yield one


async def fails(session: aiohttp.ClientSession, url: str, name: str) -> RumpusError:
    """Return why there is no connection; nothing of the address is in it."""
    connector = WebSocketConnector(session, url, name=name, allow_plain=True)
    with pytest.raises(RumpusError) as raised:
        await connector.connect()
    assert raised.value.__context__ is None
    assert HOST not in str(raised.value)
    return raised.value


async def test_trusted(
    session: aiohttp.ClientSession, authority: FakeAuthority
) -> None:
    """All of a sign-in goes through TLS, and to the path."""
    lobby = FakeLobby()
    lobby.tls, lobby.websocket_path = authority.server(HOST), "/a%20b/lobby"
    async with lobby:
        lobby.add_account("watcher", password="secret", id=7)
        assert lobby.url == f"wss://{HOST}:{lobby.websocket_port}/a%20b/lobby"
        connector = WebSocketConnector(session, lobby.url)
        assert connector.name == f"{HOST}:{lobby.websocket_port}"
        assert (await probe(connector)).latency > 0
        login = PasswordLogin("watcher", hash_password("secret"), AnyProof())
        assert (await try_login(connector, login)).player.id == 7
        connection = await connector.connect()
        assert connection.is_connected()
        connection.abort()
        with pytest.raises(DisconnectedError):
            await connection.read_message()


@pytest.mark.parametrize(
    ("kind", "flaw"),
    [
        ("self-signed", CertificateFlaw.ISSUER),
        ("stranger", CertificateFlaw.ISSUER),
        ("address", CertificateFlaw.NAME),
        ("expired", CertificateFlaw.DATE),
    ],
)
async def test_untrusted(
    session: aiohttp.ClientSession,
    authority: FakeAuthority,
    kind: str,
    flaw: CertificateFlaw,
) -> None:
    lobby = FakeLobby()
    lobby.tls = {
        "self-signed": lambda: self_signed(HOST),
        "stranger": lambda: FakeAuthority().server(HOST),
        "address": lambda: authority.server("lobby.example", "127.0.0.2"),
        "expired": lambda: authority.server(HOST, is_expired=True),
    }[kind]()
    async with lobby:
        error = await fails(session, lobby.url, "lobby")
        assert isinstance(error, UntrustedError)
        assert error.flaw is flaw
        assert str(flaw) in str(error)
        # Without the check it is good enough.
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False)
        ) as careless:
            await probe(WebSocketConnector(careless, lobby.url))
    assert lobby.seen("received", command="ask_session")


class EverythingHere(AbstractResolver):
    """Finds every name on this computer."""

    @override
    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=HOST, port=port, family=family, proto=0, flags=0
            )
        ]

    @override
    async def close(self) -> None:
        """There is nothing to close."""


async def test_names(authority: FakeAuthority, socket_enabled: None) -> None:
    """The certificate of one name is not that of another."""
    connector = aiohttp.TCPConnector(ssl=authority.client(), resolver=EverythingHere())
    lobby = FakeLobby()
    lobby.tls = authority.server("lobby.example")
    async with lobby, aiohttp.ClientSession(connector=connector) as session:
        url = f"wss://lobby.example:{lobby.websocket_port}/"
        await probe(WebSocketConnector(session, url))
        url = f"wss://other.example:{lobby.websocket_port}/"
        error = await fails(session, url, "lobby")
    assert isinstance(error, UntrustedError)
    assert error.flaw is CertificateFlaw.NAME
    assert "example" not in str(error)


async def test_plain_where_tls_is_expected(session: aiohttp.ClientSession) -> None:
    async with FakeLobby() as lobby:
        url = lobby.url.replace("ws://", "wss://")
        assert isinstance(await fails(session, url, "lobby"), NoTlsError)


async def test_tls_where_plain_is_expected(
    session: aiohttp.ClientSession, authority: FakeAuthority
) -> None:
    """Others are let in meanwhile."""
    lobby = FakeLobby()
    lobby.tls = authority.server(HOST)
    async with lobby:
        _, writer = await asyncio.open_connection(HOST, lobby.websocket_port)
        url = lobby.url.replace("wss://", "ws://")
        assert isinstance(await fails(session, url, "lobby"), NoWebSocketError)
        await probe(WebSocketConnector(session, lobby.url))
        writer.close()
        await writer.wait_closed()


async def test_gone_in_the_middle_of_a_greeting(
    authority: FakeAuthority, socket_enabled: None
) -> None:
    """A lobby that stops does not wait for those who have not said anything yet."""
    lobby = FakeLobby()
    lobby.tls = authority.server(HOST)
    async with asyncio.timeout(10):
        async with lobby:
            reader, writer = await asyncio.open_connection(HOST, lobby.websocket_port)
        # Cut, or closed: both are an end.
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


async def test_another_path(
    session: aiohttp.ClientSession, authority: FakeAuthority
) -> None:
    lobby = FakeLobby()
    lobby.tls, lobby.websocket_path = authority.server(HOST), "/lobby"
    async with lobby:
        url = f"wss://{HOST}:{lobby.websocket_port}/"
        error = await fails(session, url, "lobby")
    assert isinstance(error, NoWebSocketError)
    assert "404" in str(error)


async def test_hangs_up(session: aiohttp.ClientSession) -> None:
    """Something is there, but it does not even refuse."""

    async def hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await fails(session, f"ws://{HOST}:{port}/", "lobby")
        assert isinstance(error, NoWebSocketError)
        error = await fails(session, f"wss://{HOST}:{port}/", "lobby")
        assert type(error) is DisconnectedError


@contextlib.asynccontextmanager
async def leading(target: str, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Lead everybody who comes to another address; yields where, without the scheme."""

    async def lead_on(request: web.Request) -> web.Response:
        raise web.HTTPFound(target)

    runner = web.ServerRunner(web.Server(cast(Any, lead_on)), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, ssl_context=tls).start()
    try:
        _, port, *_ = runner.addresses[0]
        yield f"://{HOST}:{port}/"
    finally:
        await runner.cleanup()


def _http(lobby: FakeLobby) -> str:
    return lobby.url.replace("ws", "http", 1)


async def test_leads_to_plain(
    session: aiohttp.ClientSession, authority: FakeAuthority
) -> None:
    """Nothing is said over it, though the gateway may be trusted."""
    async with (
        FakeLobby() as lobby,
        leading(_http(lobby), authority.server(HOST)) as place,
    ):
        connector = WebSocketConnector(session, f"wss{place}", allow_plain=True)
        with pytest.raises(PlainRedirectError, match="without TLS"):
            await connector.connect()
        await lobby.wait_for("closed")
        assert lobby.seen("received") == []


@pytest.mark.parametrize("is_plain_between", [True, False])
async def test_leads_on(
    session: aiohttp.ClientSession, authority: FakeAuthority, is_plain_between: bool
) -> None:
    """Over a plain step anybody could have led us to a server with a good certificate."""
    tls = authority.server(HOST)
    lobby = FakeLobby()
    lobby.tls = tls
    scheme, between = ("http", None) if is_plain_between else ("https", tls)
    async with (
        lobby,
        leading(_http(lobby), between) as second,
        leading(f"{scheme}{second}", tls) as first,
    ):
        connector = WebSocketConnector(session, f"wss{first}")
        if not is_plain_between:
            await probe(connector)
            return
        with pytest.raises(PlainRedirectError):
            await connector.connect()
        await lobby.wait_for("closed")
        assert lobby.seen("received") == []


async def test_leads_from_plain_to_tls(
    session: aiohttp.ClientSession, authority: FakeAuthority
) -> None:
    """Who asks for no TLS may get it."""
    lobby = FakeLobby()
    lobby.tls = authority.server(HOST)
    async with lobby, leading(_http(lobby), None) as place:
        await probe(WebSocketConnector(session, f"ws{place}", allow_plain=True))
    assert lobby.seen("received", command="ask_session")


def _verification(code: int | None) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "secret.example")
    if code is not None:
        error.verify_code = code
    return error


def _key() -> Any:
    return Mock(host="secret.example", port=1, ssl=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), PeerTimeoutError),
        (aiohttp.ServerTimeoutError(), PeerTimeoutError),
        (_verification(66), UntrustedError),
        (_verification(None), UntrustedError),
        (ssl.SSLError(1, "secret.example"), NoTlsError),
        (aiohttp.ClientConnectorSSLError(_key(), OSError(1, "")), NoTlsError),
        (aiohttp.ClientConnectorError(_key(), OSError(1, "")), DisconnectedError),
        (aiohttp.ServerDisconnectedError("secret.example"), NoWebSocketError),
        (aiohttp.ClientOSError(104, "secret.example"), NoWebSocketError),
        (aiohttp.ClientResponseError(Mock(), ()), NoWebSocketError),
        (
            aiohttp.WSServerHandshakeError(Mock(), (), status=400),
            NoWebSocketError,
        ),
        (
            aiohttp.WSServerHandshakeError(Mock(), (), status=401),
            AuthenticationError,
        ),
        (aiohttp.ClientPayloadError("secret.example"), DisconnectedError),
        (ValueError("secret.example"), DisconnectedError),
        (OSError(1, "secret.example"), DisconnectedError),
    ],
)
def test_kinds(error: Exception, kind: type[RumpusError]) -> None:
    """Each is told as what it is, without the address."""
    problem = _problem_of(error)
    assert type(problem) is kind
    assert "secret" not in str(problem)
    if isinstance(problem, UntrustedError):
        assert problem.flaw is CertificateFlaw.OTHER


def test_flaws_of_aiohttp() -> None:
    """Its error has the one that knows what is wrong."""
    error = aiohttp.ClientConnectorCertificateError(_key(), _verification(62))
    problem = _problem_of(error)
    assert isinstance(problem, UntrustedError)
    assert problem.flaw is CertificateFlaw.NAME


def test_families_of_errors() -> None:
    """Whoever knows nothing of TLS takes them for what they are to it."""
    for gone in UntrustedError, NoTlsError, NoWebSocketError:
        assert issubclass(gone, DisconnectedError)
    assert issubclass(PlainRedirectError, ProtocolError)
    assert UntrustedError().flaw is CertificateFlaw.OTHER
