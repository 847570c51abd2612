"""The lobby over a WebSocket: native servers, bridges, gateways, and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib
import json
import logging
import socket
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import aiohttp
from aiohttp import web
import pytest

from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.faf import websocket as websocket_module
from custom_components.rumpus.protocols.faf.connection import Connection, Connector
from custom_components.rumpus.protocols.faf.protocol import OversizedMessageError
from custom_components.rumpus.protocols.faf.text import MalformedMessageError
from custom_components.rumpus.protocols.faf.websocket import (
    MAX_WAITING,
    WebSocketConnection,
    WebSocketConnector,
    _parse,
)
from custom_components.rumpus.protocols.json_lines import JsonObject

HOST = "127.0.0.1"
SECRET = "1700000000-%2FOGnjObQvgxl%3D"

type Play = Callable[[web.WebSocketResponse], Awaitable[None]]


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        yield session


@contextlib.asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[Any]],
) -> AsyncIterator[str]:
    """Answer all requests that way; the address has a credential in it."""
    server = web.Server(cast(Any, handler))
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    _, port, *_ = runner.addresses[0]
    try:
        yield f"ws://{HOST}:{port}?verify={SECRET}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def lobby(
    session: aiohttp.ClientSession, play: Play
) -> AsyncIterator[WebSocketConnection]:
    """Connect to a lobby that behaves that way."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(timeout=0.1)
        await response.prepare(request)
        await play(response)
        return response

    async with serving(handle) as url:
        connection = await WebSocketConnector(session, url).connect()
        try:
            yield connection
        finally:
            await connection.close()


# Messages over real connections.


async def test_messages_both_ways(session: aiohttp.ClientSession) -> None:
    received: list[Any] = []

    async def play(peer: web.WebSocketResponse) -> None:
        await peer.send_str('{"n":1}')
        await peer.send_str('{"n":2}\n')
        await peer.send_bytes(b'{"n":3}\n{"n":4}\n{"n"')
        await peer.send_bytes(b":5}\n")
        received.append(await peer.receive_str())
        received.append(await peer.receive_str())
        await peer.send_str('{"n":6}')

    async with lobby(session, play) as connection:
        connected: Connection = connection
        for number in range(1, 6):
            assert await connected.read_message() == {"n": number}
        connected.write_message({"command": "ping"})
        await connected.send_message({"text": "\u00e9"})
        assert await connected.read_message() == {"n": 6}
        assert received == ['{"command":"ping"}\n', '{"text":"\\u00e9"}\n']
        with pytest.raises(DisconnectedError, match="by the peer"):
            await connected.read_message()
        assert not connected.is_connected()
        with pytest.raises(DisconnectedError):
            await connected.read_message()
        with pytest.raises(DisconnectedError):
            connected.write_message({})


async def test_a_large_burst(session: aiohttp.ClientSession) -> None:
    burst: JsonObject = {
        "players": [{"id": n, "login": "x" * 50} for n in range(20_000)]
    }

    async def play(peer: web.WebSocketResponse) -> None:
        await peer.send_str(json.dumps(burst))

    async with lobby(session, play) as connection:
        assert await connection.read_message() == burst


async def test_any_frame_is_a_sign_of_life(session: aiohttp.ClientSession) -> None:
    ponged: list[bytes] = []

    async def play(peer: web.WebSocketResponse) -> None:
        steps: list[Callable[[], Awaitable[None]]] = [
            lambda: peer.ping(b"secret"),
            peer.pong,
            lambda: peer.send_str("{}"),
            lambda: peer.send_bytes(b"half"),
        ]
        for step in steps:
            await step()
            answer = await peer.receive()
            if answer.type is aiohttp.WSMsgType.PONG:
                ponged.append(answer.data)
                await peer.receive()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(timeout=0.1, autoping=False)
        await response.prepare(request)
        await play(response)
        return response

    async with serving(handle) as url:
        connection = await WebSocketConnector(session, url).connect()
        for _ in range(4):
            connection.last_heard = 0.0
            assert isinstance(await connection._read_frame(), bytes)
            assert connection.last_heard > 0
            await connection.send_message({})
        assert ponged == [b"secret"]
        await connection.close()


async def test_goes_on_behind_what_is_no_message_of_a_peer(
    session: aiohttp.ClientSession,
) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        await peer.send_str("nope\n")
        await peer.send_str('{"n":1}')

    async with lobby(session, play) as connection:
        with pytest.raises(MalformedMessageError):
            await connection.read_message()
        assert await connection.read_message() == {"n": 1}


async def test_a_flood_lets_others_have_their_turn(
    session: aiohttp.ClientSession,
) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        await peer.send_bytes(b"{}\n" * 5000)

    async with lobby(session, play) as connection:
        await connection.read_message()
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        for _ in range(4999):
            await connection.read_message()
        counting.cancel()
        assert turns > 50


# What goes wrong.


async def test_limit_frame(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_module, "MAX_FRAME", 1000)

    async def play(peer: web.WebSocketResponse) -> None:
        await peer.send_str(f'{{"n":"{"x" * 990}"}}')
        with contextlib.suppress(OSError):
            await peer.send_str("x" * 2000)
        await peer.receive()

    async with lobby(session, play) as connection:
        await connection.read_message()
        with pytest.raises(OversizedMessageError, match="1000"):
            await connection.read_message()
        assert not connection.is_connected()


async def test_limit_of_many_frames(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_module, "MAX_BUFFER", 1000)

    async def play(peer: web.WebSocketResponse) -> None:
        with contextlib.suppress(OSError):
            for _ in range(11):
                await peer.send_bytes(b"x" * 100)
        await peer.receive()

    async with lobby(session, play) as connection:
        with pytest.raises(OversizedMessageError):
            await connection.read_message()
        assert not connection.is_connected()


async def test_a_frame_that_is_none(session: aiohttp.ClientSession) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        assert peer._req is not None
        assert peer._req.transport is not None
        peer._req.transport.write(b"\xff\xff\xff")
        await peer.receive()

    async with lobby(session, play) as connection:
        with pytest.raises(DisconnectedError, match="lost"):
            await connection.read_message()


async def test_a_connection_that_is_lost(session: aiohttp.ClientSession) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        assert peer._req is not None
        assert peer._req.transport is not None
        peer._req.transport.abort()

    async with lobby(session, play) as connection:
        with pytest.raises(DisconnectedError):
            await connection.read_message()
        with pytest.raises(DisconnectedError):
            await connection.send_message({})


async def stall(peer: web.WebSocketResponse) -> None:
    """Read nothing any more, and little of what has come."""
    assert peer._req is not None
    transport = peer._req.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    await asyncio.Event().wait()


def fill(connection: WebSocketConnection) -> None:
    """Write until the system takes nothing more."""
    while connection._sender is None:
        connection.write_message({"n": "x" * 100_000})


async def test_limit_bytes_that_wait(session: aiohttp.ClientSession) -> None:
    async with lobby(session, stall) as connection:
        with pytest.raises(DisconnectedError, match="less than"):
            while True:
                connection.write_message({"n": "x" * 1_000_000})
        assert not connection.is_connected()


async def test_limit_frames_that_wait(session: aiohttp.ClientSession) -> None:
    async with lobby(session, stall) as connection:
        fill(connection)
        waiting = len(connection._outgoing)
        for _ in range(MAX_WAITING - waiting):
            connection.write_message({})
        with pytest.raises(DisconnectedError, match="less than"):
            connection.write_message({})


async def test_limit_time_that_a_peer_may_take_nothing(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_module, "STALL_TIMEOUT", 0.05)
    async with lobby(session, stall) as connection:
        fill(connection)
        with pytest.raises(DisconnectedError):
            await connection.send_message({})
        assert not connection.is_connected()


async def test_closing_has_an_end(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket_module, "CLOSE_TIMEOUT", 0.05)
    async with lobby(session, stall) as connection:
        fill(connection)
        await connection.close()
        assert connection._sender is None
        await connection.close()


async def test_closing_ends_a_read(session: aiohttp.ClientSession) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        await peer.receive()

    async with lobby(session, play) as connection:
        for end in (connection.close, None):
            reading = asyncio.create_task(connection.read_message())
            await asyncio.sleep(0)
            if end is not None:
                await end()
            with pytest.raises(DisconnectedError):
                await reading


async def test_dropping_ends_a_read(session: aiohttp.ClientSession) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        await peer.receive()

    async with lobby(session, play) as connection:
        reading = asyncio.create_task(connection.read_message())
        await asyncio.sleep(0)
        connection.abort()
        assert not connection.is_connected()
        with pytest.raises(DisconnectedError):
            await reading


@pytest.mark.parametrize("what", ["pong", "message"])
async def test_what_has_come_is_read_though_nothing_can_be_sent(what: str) -> None:
    """It may be a kick, after which nobody may come back."""
    websocket = Mock(spec=aiohttp.ClientWebSocketResponse, closed=False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        websocket.get_extra_info.return_value = ours
        websocket.receive.side_effect = [
            aiohttp.WSMessage(aiohttp.WSMsgType.PING, b"", None),
            aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, b'{"n":1}\n{"n":2}', None),
            aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None),
        ]
        lost = aiohttp.ClientConnectionResetError()
        websocket.pong.side_effect = lost if what == "pong" else None
        websocket.send_str.side_effect = lost
        connection = WebSocketConnection(websocket)
        if what == "message":
            with pytest.raises(DisconnectedError):
                await connection.send_message({})
        assert await connection.read_message() == {"n": 1}
        assert not connection.is_connected()
        with pytest.raises(DisconnectedError):
            connection.write_message({})
        assert await connection.read_message() == {"n": 2}
        with pytest.raises(DisconnectedError):
            await connection.read_message()
        assert theirs.recv(1) == b""


async def test_a_kick_is_read_after_the_connection_is_lost(
    session: aiohttp.ClientSession,
) -> None:
    sent = asyncio.Event()

    async def play(peer: web.WebSocketResponse) -> None:
        texts = [f'{{"n":{number}}}'.encode() for number in range(50)]
        assert peer._req is not None
        assert peer._req.transport is not None
        # At once: what the system still holds when sending fails is lost.
        frames = [b"\x81" + bytes([len(text)]) + text for text in texts]
        peer._req.transport.write(b"".join(frames))
        peer._req.transport.abort()
        sent.set()

    async with lobby(session, play) as connection:
        await sent.wait()
        assert await connection.read_message() == {"n": 0}
        with pytest.raises(DisconnectedError):
            while True:
                await connection.send_message({})
        for number in range(1, 50):
            assert await connection.read_message() == {"n": number}
        with pytest.raises(DisconnectedError):
            await connection.read_message()


async def test_nothing_is_written_that_json_cannot_carry(
    session: aiohttp.ClientSession,
) -> None:
    async def play(peer: web.WebSocketResponse) -> None:
        await peer.receive()

    async with lobby(session, play) as connection:
        with pytest.raises(ProtocolError):
            connection.write_message(cast(Any, {"n": object()}))
        assert connection.is_connected()


# Connecting.


@pytest.mark.parametrize("status", [401, 403])
async def test_gateway_refuses(session: aiohttp.ClientSession, status: int) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(refuse) as url:
        with pytest.raises(AuthenticationError) as raised:
            await WebSocketConnector(session, url).connect()
        assert raised.value.__context__ is None
        assert raised.value.__cause__ is None


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_no_websocket(session: aiohttp.ClientSession, status: int) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(refuse) as url:
        with pytest.raises(DisconnectedError, match=str(status)) as raised:
            await WebSocketConnector(session, url).connect()
        assert raised.value.__context__ is None


async def test_nobody_there(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.socket() as closed:
        closed.bind((HOST, 0))  # and never listens
        url = f"ws://{HOST}:{closed.getsockname()[1]}?verify={SECRET}"
        with pytest.raises(DisconnectedError, match="Cannot connect") as raised:
            await WebSocketConnector(session, url).connect()
    assert raised.value.__context__ is None
    assert SECRET not in caplog.text


async def test_limit_time_to_connect(session: aiohttp.ClientSession) -> None:
    is_over = asyncio.Event()

    async def answer_late(request: web.Request) -> web.Response:
        await is_over.wait()
        return web.Response()

    async with serving(answer_late) as url:
        with pytest.raises(PeerTimeoutError) as raised:
            await WebSocketConnector(session, url, timeout=0.05).connect()
        is_over.set()
        assert raised.value.__context__ is None


async def test_asks_for_an_address_each_time(session: aiohttp.ClientSession) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        asked.append(request.path_qs)
        response = web.WebSocketResponse()
        await response.prepare(request)
        return response

    async with serving(handle) as url:
        urls = [f"{url}1", f"{url}2"]

        async def find() -> str:
            return urls.pop(0)

        connector: Connector = WebSocketConnector(session, find)
        assert connector.name == "gateway"
        for _ in range(2):
            await (await connector.connect()).close()
    # The credential as it was, and a path in front of it.
    assert asked == [f"/?verify={SECRET}1", f"/?verify={SECRET}2"]


async def test_what_finds_the_address_may_fail(session: aiohttp.ClientSession) -> None:
    async def find() -> str:
        raise AuthenticationError

    with pytest.raises(AuthenticationError):
        await WebSocketConnector(session, find).connect()


async def test_a_gateway_that_leads_to_a_plain_connection() -> None:
    websocket = Mock(spec=aiohttp.ClientWebSocketResponse, closed=False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        extra = {"socket": ours}
        websocket.get_extra_info.side_effect = extra.get
        session = Mock(spec=aiohttp.ClientSession)
        session.ws_connect = AsyncMock(return_value=websocket)
        connector = WebSocketConnector(session, "wss://lobby.invalid")
        with pytest.raises(ProtocolError, match="TLS"):
            await connector.connect()
        assert theirs.recv(1) == b""
        extra["ssl_object"] = cast(Any, object())
        assert isinstance(await connector.connect(), WebSocketConnection)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (
            "wss://ws.invalid?verify=a%2Fb%2Bc%3D",
            "wss://ws.invalid/?verify=a%2Fb%2Bc%3D",
        ),
        ("wss://ws.invalid", "wss://ws.invalid/"),
        ("wss://ws.invalid:444?a", "wss://ws.invalid:444/?a"),
        ("wss://ws.invalid/?a", "wss://ws.invalid/?a"),
        ("wss://ws.invalid/path?a=/", "wss://ws.invalid/path?a=/"),
        ("ws://127.0.0.1:8003?a", "ws://127.0.0.1:8003/?a"),
        ("ws://[::1]:8003/ws", "ws://[::1]:8003/ws"),
        ("ws://localhost/", "ws://localhost/"),
    ],
)
def test_addresses(given: str, used: str) -> None:
    assert str(_parse(given, allow_plain=False)) == used


@pytest.mark.parametrize(
    "url",
    [
        *("ws://lobby.invalid/?secret", "http://127.0.0.1/?secret"),
        *("https://lobby.invalid/?secret", "secret", "", "wss:///?secret"),
        *("wss://lobby.invalid:99999999/?secret", "wss://[secret/", "file:///secret"),
    ],
)
def test_addresses_that_must_not_be_used(url: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        _parse(url, allow_plain=False)
    assert "secret" not in repr(raised.value)
    assert raised.value.__context__ is None


def test_plain_connections_at_home() -> None:
    assert (
        str(_parse("ws://lobby.lan:8003", allow_plain=True)) == "ws://lobby.lan:8003/"
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"wss://ws.invalid?verify={SECRET}", "ws.invalid:443"),
        (f"ws://[::1]:8003/?verify={SECRET}", "[::1]:8003"),
        ("nonsense", "?:0"),
        ("wss://[nonsense", "?"),
    ],
)
def test_names_tell_nothing_but_the_host(url: str, name: str) -> None:
    session = Mock(spec=aiohttp.ClientSession)
    assert WebSocketConnector(session, url).name == name
    assert WebSocketConnector(session, url, name="FAF lobby").name == "FAF lobby"
