"""The peers, the fake lobby, and our own clients."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
import logging
from typing import Final

import aiohttp

from .environment import peer_command
from custom_components.rumpus.protocols.faf.client import ClientStatus, LobbyClient
from custom_components.rumpus.protocols.faf.connection import Connector
from custom_components.rumpus.protocols.faf.events import LobbyEvent, Refreshed
from custom_components.rumpus.protocols.faf.login import (
    Login,
    PasswordLogin,
    TokenLogin,
    hash_password,
)
from custom_components.rumpus.protocols.faf.proof import AnyProof
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.faf.transports import Framing, TcpConnector
from custom_components.rumpus.protocols.faf.websocket import WebSocketConnector
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.e2e.shapes import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.interop.report import CheckError
from tests.interop.smartglass.program import Program

HOST: Final = "127.0.0.1"
LOGIN: Final = "watcher"
PASSWORD: Final = "correct horse"
TOKEN: Final = "a.token.of-theirs"
_PATIENCE: Final = 15.0
_SOON: Final = Backoff((0.05,))
# What clients warn of is what the checks are about.
_LOGGER: Final = logging.getLogger(__name__)
_LOGGER.setLevel(logging.ERROR)


class Ours:
    """Our client, and what it told."""

    def __init__(self, client: LobbyClient) -> None:
        """Listen."""
        self.client = client
        self.events: list[LobbyEvent] = []
        self._changed = asyncio.Event()
        client.subscribe(self._happened)

    def _happened(self, event: LobbyEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, what: str, look: Callable[[], bool]) -> None:
        """Wait until something is so. Raises CheckError."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not look():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as err:
            kinds = [type(event).__name__ for event in self.events[-8:]]
            raise CheckError(
                f"never {what}; {self.client.status}, {self.client.last_error!r}, {kinds}"
            ) from err

    def count(self, kind: type[LobbyEvent]) -> int:
        """Return how often something was told."""
        return sum(isinstance(event, kind) for event in self.events)

    async def happened(self, kind: type[LobbyEvent], times: int = 1) -> None:
        """Wait until something was told so often."""
        await self.until(
            f"{times} of {kind.__name__}", lambda: self.count(kind) >= times
        )

    async def knows(self, games: int) -> None:
        """Wait until it knows so many games."""
        lobby = self.client.lobby
        await self.until(f"{games} games", lambda: len(lobby.games) == games)

    async def online(self, times: int = 1) -> None:
        """Wait until it has logged in so often."""
        await self.until(
            "online",
            lambda: (
                self.count(Refreshed) >= times
                and self.client.status is ClientStatus.ONLINE
            ),
        )


class World:
    """Two peers, a fake lobby, and a session for WebSockets."""

    def __init__(self) -> None:
        """Nothing runs."""
        self.qt = Program("Qt", peer_command("qt_program"))
        self.websockets = Program("websockets", peer_command("websocket_program"))
        self.fake = FakeLobby(HOST)
        self.qt_port = 0
        self.websocket_port = 0
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Run everything."""
        self.fake.add_account(LOGIN, password=PASSWORD, id=7)
        await self.fake.start()
        self._session = aiohttp.ClientSession()
        await self.qt.start()
        await self.websockets.start()
        self.qt_port = _number(await self.qt.do("listen"))
        self.websocket_port = _number(await self.websockets.do("listen"))

    async def stop(self) -> None:
        """End it."""
        await self.qt.stop()
        await self.websockets.stop()
        if self._session is not None:
            await self._session.close()
        await self.fake.stop()

    def connector(self, peer: Program, path: str = "/") -> Connector:
        """Return what connects to a peer's lobby."""
        if peer is self.qt:
            return TcpConnector(HOST, self.qt_port, Framing.QDATASTREAM)
        assert self._session is not None
        return WebSocketConnector(
            self._session, f"ws://{HOST}:{self.websocket_port}{path}"
        )

    @contextlib.asynccontextmanager
    async def ours(
        self, peer: Program, login: Login | None = None, timing: Timing | None = None
    ) -> AsyncIterator[Ours]:
        """Run our client with a peer's lobby."""
        peer.mark()
        client = LobbyClient(
            self.connector(peer),
            login or token_login(),
            logger=_LOGGER,
            name="lobby",
            timing=timing,
            backoff=_SOON,
        )
        ours = Ours(client)
        client.start()
        try:
            yield ours
        finally:
            await client.stop()
            await peer.wait("lost")


def token_login() -> TokenLogin:
    """Return a login with a token."""

    async def token() -> str:
        return TOKEN

    return TokenLogin(token, AnyProof())


def password_login() -> PasswordLogin:
    """Return a login with a password."""
    return PasswordLogin(LOGIN, hash_password(PASSWORD), AnyProof())


def require(is_so: bool, what: str) -> None:
    """Raise CheckError unless something is so."""
    if not is_so:
        raise CheckError(what)


def _number(answer: JsonObject) -> int:
    port = answer["port"]
    assert isinstance(port, int)
    return port
