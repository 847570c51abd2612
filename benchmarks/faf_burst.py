"""What a login to a full lobby costs: time of the event loop in total, and at a stretch.

The lobby is the fake of the tests in a process of its own; the client is the real one. Every
callback of the loop is timed, from the welcome until all is in.
"""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass
import gc
import logging
import sys
import time
from typing import Final
from unittest.mock import patch

import aiohttp

from custom_components.rumpus.protocols.faf.client import LobbyClient
from custom_components.rumpus.protocols.faf.connection import Connector
from custom_components.rumpus.protocols.faf.events import (
    Connected,
    LobbyEvent,
    Refreshed,
)
from custom_components.rumpus.protocols.faf.login import PasswordLogin, hash_password
from custom_components.rumpus.protocols.faf.proof import AnyProof
from custom_components.rumpus.protocols.faf.transports import Framing, TcpConnector
from custom_components.rumpus.protocols.faf.websocket import WebSocketConnector
from tests.fakes.faf_lobby import FakeLobby

PLAYERS: Final = 1500
GAMES: Final = 300
RUNS: Final = 7
MAX_TOTAL: Final = 0.050  # seconds
MAX_STRETCH: Final = 0.010  # seconds

_LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Burst:
    """Seconds of processor time in callbacks of the loop: all of them, and the longest."""

    total: float
    stretch: float
    elapsed: float


@dataclass
class Watch:
    """Times every callback of the running loop, while it is on."""

    is_on: bool = False
    total: float = 0.0
    stretch: float = 0.0

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Put the clock around the callbacks of all loops."""
        real: Callable[[asyncio.Handle], object] = vars(asyncio.Handle)["_run"]

        def timed(handle: asyncio.Handle) -> object:
            begin = time.thread_time()
            try:
                return real(handle)
            finally:
                if self.is_on:
                    seconds = time.thread_time() - begin
                    self.total += seconds
                    self.stretch = max(self.stretch, seconds)

        with patch.object(asyncio.Handle, "_run", timed):
            yield


async def run() -> None:
    """Measure and print."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdout=-1, stdin=-1
    )
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        ports = [int(word) for word in (await server.stdout.readline()).split()]
        print(f"FAF login burst, {PLAYERS:,} players and {GAMES} games, best of {RUNS}")
        async with aiohttp.ClientSession() as session:
            connectors: dict[Framing, Connector] = {
                Framing.JSON: TcpConnector("127.0.0.1", ports[0], Framing.JSON),
                Framing.QDATASTREAM: TcpConnector(
                    "127.0.0.1", ports[1], Framing.QDATASTREAM
                ),
                Framing.WEBSOCKET: WebSocketConnector(
                    session, f"ws://127.0.0.1:{ports[2]}/", allow_plain=True
                ),
            }
            for framing, connector in connectors.items():
                bursts = [await _burst(connector) for _ in range(RUNS)]
                _print(framing, bursts)
    finally:
        server.stdin.close()
        await server.wait()


async def _burst(connector: Connector) -> Burst:
    """Log in once."""
    login = PasswordLogin("watcher", hash_password("secret"), AnyProof())
    client = LobbyClient(connector, login, logger=_LOGGER, name="lobby")
    is_in = asyncio.Event()
    begun = 0.0
    gc.collect()
    watch = Watch()
    with watch.installed():

        def take(event: LobbyEvent) -> None:
            nonlocal begun
            if isinstance(event, Connected):
                begun = time.perf_counter()
            elif isinstance(event, Refreshed):
                is_in.set()

        client.subscribe(take)
        watch.is_on = True
        client.start()
        async with asyncio.timeout(30):
            await is_in.wait()
        # What is left of the last message, too.
        await client.ping()
        watch.is_on = False
        elapsed = time.perf_counter() - begun
    lobby = client.lobby
    assert len(lobby.players) >= PLAYERS, len(lobby.players)
    assert len(lobby.games) == GAMES, len(lobby.games)
    await client.stop()
    return Burst(watch.total, watch.stretch, elapsed)


def _print(framing: Framing, bursts: list[Burst]) -> None:
    total = min(burst.total for burst in bursts)
    stretch = min(burst.stretch for burst in bursts)
    worst = max(burst.stretch for burst in bursts)
    elapsed = min(burst.elapsed for burst in bursts)
    print(
        f"{framing:<12} loop {total * 1000:5.1f} ms{_mark(total, MAX_TOTAL)},"
        f" longest slice {stretch * 1000:4.1f} ms{_mark(stretch, MAX_STRETCH)}"
        f" (worst run {worst * 1000:.1f} ms), in after {elapsed * 1000:.0f} ms"
    )


def _mark(seconds: float, limit: float) -> str:
    is_met = seconds < limit
    return f" ({limit * 1000:.0f} at most{'' if is_met else ', too slow'})"


async def serve() -> None:
    """Be the lobby, until nobody listens any more."""
    async with FakeLobby() as lobby:
        lobby.add_account("watcher", password="secret")  # noqa: S106
        lobby.crowd(PLAYERS, GAMES)
        lobby.flush()
        lobby.events.keep = False
        print(lobby.json_port, lobby.qds_port, lobby.websocket_port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
