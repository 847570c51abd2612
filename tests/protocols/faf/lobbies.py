"""Clients of the fake lobby on loopback, over each of its transports."""

from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib
from dataclasses import replace
from typing import Final

import aiohttp

from .script import AT_ONCE, LOGGER, Heard
from custom_components.rumpus.protocols.faf.client import LobbyClient
from custom_components.rumpus.protocols.faf.connection import Connector
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
from tests.fakes.faf_lobby import FakeLobby

WATCHER: Final = "watcher"
TIMING: Final = Timing(
    connect=5, session=5, proof=5, welcome=5, pong=5, silence=60, change=5
)
#: For what has to go wrong because of the time.
HASTY: Final = replace(
    TIMING, session=0.2, welcome=0.2, pong=0.2, silence=0.2, ping=0.3
)


def password(login: str = WATCHER, text: str = "secret") -> PasswordLogin:
    """Return a login by password."""
    return PasswordLogin(login, hash_password(text), AnyProof())


def token(lobby: FakeLobby, login: str = WATCHER) -> TokenLogin:
    """Return a login by a token, a new one for each attempt."""

    async def source() -> str:
        return lobby.token_for(login)

    return TokenLogin(source, AnyProof())


class Entrance:
    """One transport of a lobby."""

    def __init__(
        self, lobby: FakeLobby, framing: Framing, session: aiohttp.ClientSession
    ) -> None:
        self.lobby = lobby
        self.framing = framing
        self.session = session

    def connector(
        self, url: str | Callable[[], Awaitable[str]] | None = None
    ) -> Connector:
        """Return what connects to the lobby."""
        if self.framing is Framing.WEBSOCKET:
            return WebSocketConnector(
                self.session, url or self.lobby.url, allow_plain=True
            )
        port = self.lobby.port_of(self.framing)
        return TcpConnector(self.lobby.address, port, self.framing)

    @contextlib.asynccontextmanager
    async def client(
        self,
        *,
        login: Login | None = None,
        timing: Timing = TIMING,
        connector: Connector | None = None,
    ) -> AsyncIterator[tuple[LobbyClient, Heard]]:
        """Give a client, not started yet, and what it tells."""
        client = LobbyClient(
            connector or self.connector(),
            login or password(),
            logger=LOGGER,
            name="lobby",
            timing=timing,
            backoff=AT_ONCE,
        )
        heard = Heard(client)
        try:
            yield client, heard
        finally:
            await client.stop()
