"""The TCP listener: its port, its limits, and how it stops (section 12.1)."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace
import logging
import socket
from typing import override

import pytest

from .support import (
    LOOPBACK,
    PATIENCE,
    RawCaller,
    hold_port,
    our_credentials,
    our_identity,
    turns,
)
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.kdeconnect import (
    handshake as handshake_module,
    listener as listener_module,
)
from custom_components.rumpus.protocols.kdeconnect.discovery import Network
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    ClearIdentityProtocol,
)
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.listener import (
    MAX_UNFINISHED,
    MAX_UNFINISHED_PER_HOST,
    Listener,
)
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Ours:
    """A listener and what it reports."""

    def __init__(self) -> None:
        self.known_hosts: set[str] = set()
        self.refused_ids: set[str] = set()
        self.links: asyncio.Queue[Link] = asyncio.Queue()
        self.listener: Listener

    def _admit(self, identity: Identity) -> None:
        if identity.device_id in self.refused_ids:
            raise ProtocolError("not this one")

    async def make(self, ports: range) -> Listener:
        """Make one for these ports."""
        return Listener(
            Network(LOOPBACK, tcp_ports=ports),
            await TlsContexts(our_credentials()).client(),
            identity=our_identity,
            is_known=self.known_hosts.__contains__,
            admit=self._admit,
            linked=self.links.put_nowait,
        )

    async def next(self) -> Link:
        """Return the next link."""
        async with asyncio.timeout(PATIENCE):
            return await self.links.get()


@pytest.fixture
async def ours() -> AsyncIterator[Ours]:
    ours = Ours()
    ours.listener = await ours.make(range(1716, 1765))
    await ours.listener.start()
    yield ours
    await ours.listener.stop()
    while not ours.links.empty():
        ours.links.get_nowait().abort()


# Ports


# Other programs, such as more of these tests, may take any of them at any moment.
PORTS = range(1716, 1765)


async def test_first_free_port_is_taken() -> None:
    with hold_port(PORTS) as other:
        first = other.getsockname()[1]
        listener = await Ours().make(range(first, PORTS.stop))
        await listener.start()
        assert listener.port in range(first + 1, PORTS.stop)
        await listener.stop()


async def test_no_free_port_is_an_error() -> None:
    with hold_port(PORTS) as other:
        port = other.getsockname()[1]
        listener = await Ours().make(range(port, port + 1))
        with pytest.raises(OSError, match="in use"):
            await listener.start()
        assert listener.port == 0
        await listener.stop()


async def test_port_that_somebody_gets_first_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system lets two programs bind a port, as long as only one of them listens."""
    listener = await Ours().make(PORTS)
    serve = asyncio.Server.start_serving
    refused: list[int] = []

    async def start_serving(server: asyncio.Server) -> None:
        if not refused:
            refused.append(server.sockets[0].getsockname()[1])
            raise OSError("address already in use")
        await serve(server)

    monkeypatch.setattr(asyncio.Server, "start_serving", start_serving)
    await listener.start()
    assert refused[0] < listener.port
    await listener.stop()


async def test_no_port_at_all_is_an_error() -> None:
    listener = await Ours().make(range(0))
    with pytest.raises(OSError, match="no port"):
        await listener.start()


# Links


async def test_finished_links_are_reported(ours: Ours) -> None:
    async with RawCaller.open(ours.listener.port) as caller:
        await caller.link()
        link = await ours.next()
        assert link.identity.device_id == caller.credentials.device_id
        link.abort()
        await turns(3)
        assert not ours.listener._unfinished
        assert not ours.listener._tasks


async def test_refused_callers_are_cut_and_only_logged(
    ours: Ours, caplog: pytest.LogCaptureFixture
) -> None:
    async with RawCaller.open(ours.listener.port) as caller:
        ours.refused_ids.add(caller.credentials.device_id)
        caller.writer.write(caller.identity())
        assert await caller.closed() == b""
    assert "No link with 127.0.0.1: not this one" in caplog.text
    assert all(record.levelno < logging.WARNING for record in caplog.records)
    assert not ours.listener._unfinished


# Limits


async def silent(
    ours: Ours, stack: contextlib.AsyncExitStack, source: str
) -> RawCaller:
    """Connect and say nothing."""
    return await stack.enter_async_context(
        RawCaller.open(ours.listener.port, source=source)
    )


async def test_unfinished_connections_of_one_host_are_bounded(ours: Ours) -> None:
    """MAX_UNFINISHED_PER_HOST, also for the host of a paired device."""
    ours.known_hosts.add(LOOPBACK)
    async with contextlib.AsyncExitStack() as stack:
        callers = [
            await silent(ours, stack, LOOPBACK) for _ in range(MAX_UNFINISHED_PER_HOST)
        ]
        one_more = await silent(ours, stack, LOOPBACK)
        assert await one_more.closed() == b""
        # Another host has places of its own, and those that hold one may finish.
        other = await silent(ours, stack, "127.0.0.2")
        await other.link()
        (await ours.next()).abort()
        for caller in callers:
            await caller.link()
            (await ours.next()).abort()
        # Then there are places again.
        await (await silent(ours, stack, LOOPBACK)).link()
        (await ours.next()).abort()


async def test_unfinished_connections_of_all_hosts_are_bounded(ours: Ours) -> None:
    """MAX_UNFINISHED, but a paired device always gets in."""
    ours.known_hosts.add("127.0.0.99")
    async with contextlib.AsyncExitStack() as stack:
        for number in range(MAX_UNFINISHED):
            await silent(
                ours, stack, f"127.0.0.{1 + number // MAX_UNFINISHED_PER_HOST}"
            )
        one_more = await silent(ours, stack, "127.0.0.98")
        assert await one_more.closed() == b""
        assert ours.listener._unfinished.total() == MAX_UNFINISHED
        paired = await silent(ours, stack, "127.0.0.99")
        await paired.link()
        (await ours.next()).abort()


async def test_unfinished_connections_end_by_time(
    ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2020-26164: whoever holds places for nothing loses them."""
    monkeypatch.setattr(handshake_module, "CLEAR_IDENTITY_TIMEOUT", 0.02)
    async with contextlib.AsyncExitStack() as stack:
        for caller in [
            await silent(ours, stack, LOOPBACK) for _ in range(MAX_UNFINISHED_PER_HOST)
        ]:
            assert await caller.closed() == b""
        await turns(5)
        assert not ours.listener._unfinished
        assert not ours.listener._tasks


async def test_waiting_connections_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BACKLOG: the system holds no more than that for us."""
    backlogs: list[int | None] = []
    listen = socket.socket.listen

    def watch(sock: socket.socket, backlog: int | None = None) -> None:
        backlogs.append(backlog)
        listen(sock, backlog or 0)

    monkeypatch.setattr(socket.socket, "listen", watch)
    listener = await Ours().make(range(1716, 1765))
    await listener.start()
    await listener.stop()
    assert set(backlogs) == {listener_module.BACKLOG}


class StubTransport(asyncio.Transport):
    """A connection from anywhere."""

    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 50000)})
        self.aborted = False

    @override
    def abort(self) -> None:
        self.aborted = True

    @override
    def pause_reading(self) -> None:
        pass


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860::8", ""])
async def test_connections_from_elsewhere_are_cut(ours: Ours, host: str) -> None:
    transport = StubTransport(host)
    ClearIdentityProtocol(ours.listener._accepted).connection_made(transport)
    assert transport.aborted
    assert not ours.listener._tasks


async def test_connection_that_never_was_is_ignored(ours: Ours) -> None:
    ours.listener._accepted(ClearIdentityProtocol(lambda _: None))
    assert not ours.listener._tasks


# The end


async def test_stop_cuts_what_is_no_link_yet(ours: Ours) -> None:
    async with contextlib.AsyncExitStack() as stack:
        silent_one = await silent(ours, stack, LOOPBACK)
        in_tls = await silent(ours, stack, LOOPBACK)
        in_tls.writer.write(in_tls.identity())
        await in_tls.reader.read(1)
        inside = await silent(ours, stack, LOOPBACK)
        inside.writer.write(inside.identity())
        await inside.start_tls()
        await inside.read()
        await ours.listener.stop()
        for caller in (silent_one, in_tls, inside):
            await caller.closed()
        assert not ours.listener._tasks
        assert not ours.listener._unfinished
        assert ours.links.empty()


async def test_connection_that_is_accepted_while_stopping_is_cut(ours: Ours) -> None:
    """The system had it ready, and asyncio tells us of it a little late."""
    await ours.listener.stop()
    transport = StubTransport(LOOPBACK)
    ClearIdentityProtocol(ours.listener._accepted).connection_made(transport)
    assert transport.aborted
    assert not ours.listener._tasks


@pytest.mark.parametrize("steps", range(6))
async def test_stop_at_any_moment_of_an_incoming_connection(
    ours: Ours, steps: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Asyncio accepts it in several steps, between which its server must not go away."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect_ex((LOOPBACK, ours.listener.port))
        await turns(steps)
        await ours.listener.stop()
        await turns(5)
        assert not ours.listener._tasks
        with contextlib.suppress(ConnectionError):
            assert await asyncio.get_running_loop().sock_recv(sock, 1) == b""
    assert "Error" not in caplog.text


async def test_stop_before_start_does_nothing() -> None:
    listener = await Ours().make(range(1716, 1765))
    await listener.stop()
    assert listener.port == 0


async def test_identity_is_asked_for_with_every_link() -> None:
    """It may have changed meanwhile."""
    ours = Ours()
    listener = await ours.make(range(1716, 1765))
    listener._identity = lambda: replace(our_identity(), name="New name")
    await listener.start()
    async with RawCaller.open(listener.port) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        body = (await caller.read())["body"]
        assert isinstance(body, dict)
        assert body["deviceName"] == "New name"
        await listener.stop()
