"""Connecting to lobbies over TCP."""

import asyncio
import socket

import pytest

from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.faf import (
    QDataStreamProtocol,
    SimpleJsonProtocol,
)
from custom_components.rumpus.protocols.faf.connection import Connector
from custom_components.rumpus.protocols.faf.transports import (
    CONNECT_TIMEOUT,
    DEFAULT_PORTS,
    READ_AHEAD,
    Framing,
    TcpConnector,
    format_address,
)
from custom_components.rumpus.protocols.json_lines import JsonObject

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("framing", "protocol"),
    [(Framing.JSON, SimpleJsonProtocol), (Framing.QDATASTREAM, QDataStreamProtocol)],
)
async def test_connects(
    framing: Framing,
    protocol: type[SimpleJsonProtocol | QDataStreamProtocol],
    socket_enabled: None,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = protocol(reader, writer)
        await peer.send_message({"heard": await peer.read_message()})
        await peer.close()

    async with (
        asyncio.timeout(10),
        await asyncio.start_server(serve, HOST, 0) as server,
    ):
        port = server.sockets[0].getsockname()[1]
        connector: Connector = TcpConnector(HOST, port, framing)
        assert connector.name == f"{HOST}:{port}"
        connection = await connector.connect()
        assert isinstance(connection, protocol)
        # Much longer than asyncio's own bound for a line.
        message: JsonObject = {"command": "ask_session", "long": "x" * 500_000}
        await connection.send_message(message)
        assert await connection.read_message() == {"heard": message}
        with pytest.raises(DisconnectedError):
            await connection.read_message()
        await connection.close()


async def test_limit_of_what_is_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a login brings has room, and a lobby that says more has to wait."""
    limits: list[int] = []

    async def connect(host: str, port: int, *, limit: int) -> None:
        limits.append(limit)
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(DisconnectedError):
        await TcpConnector(HOST, 1).connect()
    assert limits == [READ_AHEAD] == [1024 * 1024]


@pytest.mark.parametrize(
    ("framing", "port"),
    [(Framing.JSON, 8002), (Framing.QDATASTREAM, 8001), (Framing.WEBSOCKET, 8003)],
)
def test_usual_ports(framing: Framing, port: int) -> None:
    assert DEFAULT_PORTS[framing] == port
    if framing is not Framing.WEBSOCKET:
        assert TcpConnector("lobby", framing=framing).name == f"lobby:{port}"


def test_websockets_are_not_for_tcp() -> None:
    with pytest.raises(ValueError, match="websocket"):
        TcpConnector(HOST, 1, Framing.WEBSOCKET)


def test_addresses() -> None:
    assert format_address("lobby", 1) == "lobby:1"
    assert format_address("::1", 1) == "[::1]:1"


async def test_nobody_there(socket_enabled: None) -> None:
    with socket.socket() as closed:
        closed.bind((HOST, 0))  # and never listens
        connector = TcpConnector(HOST, closed.getsockname()[1])
        with pytest.raises(DisconnectedError, match="Cannot connect"):
            await connector.connect()


async def test_no_address(socket_enabled: None) -> None:
    with pytest.raises(DisconnectedError, match="not an address"):
        await TcpConnector("a\0b", 1).connect()


async def test_limit_time_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **kwargs: object) -> None:
        await asyncio.Event().wait()

    assert CONNECT_TIMEOUT == 15
    monkeypatch.setattr(asyncio, "open_connection", never)
    async with asyncio.timeout(5):
        with pytest.raises(PeerTimeoutError):
            await TcpConnector(HOST, 1, timeout=0.01).connect()


async def test_kernel_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: object, **kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", fail)
    with pytest.raises(DisconnectedError, match="OSError"):
        await TcpConnector(HOST, 1).connect()
