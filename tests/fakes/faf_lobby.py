"""A fake Forged Alliance Forever lobby: three transports on one state.

It behaves as the FAF reference says, bad manners included, and shares no code with the
integration. In a test (add the `socket_enabled` fixture)::

    async with FakeLobby() as lobby:
        lobby.add_account("watcher", password="secret")
        # a client connects to lobby.address and lobby.json_port, lobby.qds_port or
        # lobby.url, and signs in with lobby.token_for("watcher") or the password
        await lobby.wait_for("signed_in", login="watcher")
        uid = lobby.host_game("Rhiza", title="Setons", map_name="scmp_009")
        lobby.launch(uid)
        lobby.flush()  # tell of it now; otherwise after `report_interval` seconds

- Players do not need a client: `sign_on` lets somebody be online by themselves, and the
  other methods do to them what their client would.
- `wait_for` remembers: it returns what happened before the call too, each thing once,
  oldest first; `mark()` lets it forget. `events.all` has everything, `seen` what fits.
- `mischief` has the switches for everything that a server should not do.

As a program: `python -m tests.fakes.faf_program --help`.
"""

import asyncio
from collections.abc import Callable, Sequence
import ssl
import time
from types import TracebackType
from typing import Final, Self, override

from aiohttp import web

from tests.fakes.faf_core import Core
from tests.fakes.faf_deeds import Deeds
from tests.fakes.faf_dispatch import Dispatcher
from tests.fakes.faf_events import EventKind, FafEvent, FafEventLog
from tests.fakes.faf_framing import MAX_LINE, JsonLink, Link, QdsLink
from tests.fakes.faf_games import Games
from tests.fakes.faf_gateway import is_signed
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_listener import Listener
from tests.fakes.faf_login import SCOPES, LoginDesk, make_token
from tests.fakes.faf_matchmaker import Matchmaker
from tests.fakes.faf_mischief import Mischief
from tests.fakes.faf_models import Account, FakeQueue, Player
from tests.fakes.faf_party import Parties
from tests.fakes.faf_session import Session
from tests.fakes.faf_social import Social
from tests.fakes.faf_traffic import GameTraffic
from tests.fakes.faf_websocket import WebSocketMode, WebSocketServer

__all__ = ["QUEUES", "Account", "FakeLobby", "FakeQueue", "Player"]

QUEUES: Final = (
    ("ladder1v1", 1, "ladder_1v1", "ladder1v1"),
    ("tmm2v2", 2, "tmm_2v2", "faf"),
    ("tmm4v4_full_share", 4, "tmm_4v4_full_share", "faf"),
)


class FakeLobby(Deeds):
    """One server."""

    ping_interval = 45.0  # seconds between the server's pings
    verify_lifetime = 300.0  # seconds for which a signed address is good

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        websocket_port: int = 0,
        json_port: int = 0,
        qds_port: int = 0,
        websocket_mode: WebSocketMode = "lines",
        report_interval: float = 0.05,
        gateway_key: str | None = None,
        seed: int = 1,
    ) -> None:
        """Describe the server; `start` opens its ports, 0 for any free one.

        Changes are told of `report_interval` seconds after they happened; the real
        server takes a second. With a `gateway_key` only signed addresses open the
        WebSocket (see faf_web). `seed` decides about whatever is random.
        """
        self.address = address
        self.gateway_key = gateway_key
        self.core = core = Core(report_interval=report_interval, seed=seed)
        self.games = Games(core)
        self.matchmaker = Matchmaker(core, self.games)
        self.social = Social(core)
        self.parties = Parties(core, self.matchmaker)
        self.desk = LoginDesk(self)
        self.dispatcher = Dispatcher(core)
        for part in (
            *(self.desk, self.games, self.matchmaker),
            *(self.social, self.parties),
        ):
            self.dispatcher.add(part.handlers)
        self.dispatcher.game = GameTraffic(core, self.games, self.matchmaker).handle
        self._ports = {
            "websocket": websocket_port,
            "json": json_port,
            "qdatastream": qds_port,
        }
        self._websocket = WebSocketServer(self.serve, self._admit, core.random)
        self._websocket.mode = websocket_mode
        self._listeners: list[Listener] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._connections = 0
        self._is_running = False
        for name, size, rating_type, mod in QUEUES:
            core.queues[name] = FakeQueue(name, size, rating_type, mod)

    # --- life ---

    async def start(self) -> None:
        """Open the ports. Raises OSError."""
        self.core.is_shutting_down = False
        self._is_running = True
        try:
            self._listen("json", JsonLink)
            self._listen("qdatastream", QdsLink)
            self._ports["websocket"] = await self._websocket.start(
                self.address, self._ports["websocket"]
            )
        except OSError:
            await self.stop()
            raise
        self.matchmaker.start()
        self.core.later(self.ping_interval, self._ping)

    async def stop(self) -> None:
        """Cut everything; `start` may follow, on the same ports.

        Accounts, lists and ratings stay, players and games are gone. Raises what went
        wrong in the fake itself meanwhile.
        """
        self._is_running = False
        core = self.core
        for listener in self._listeners:
            await listener.stop()
        self._listeners.clear()
        await self._websocket.stop_listening()
        for session in tuple(core.sessions):
            session.abort("stopped")
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._websocket.stop()
        await asyncio.sleep(0)  # the sockets are closed now
        core.stop()
        core.players.clear()
        core.games.clear()
        for queue in core.queues.values():
            queue.searches.clear()
        failures, core.failures = core.failures, []
        if failures:
            raise ExceptionGroup("the fake lobby failed", failures)

    async def restart(self) -> None:
        """Stop, and start again at the same ports."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the ports are open."""
        return self._is_running

    @property
    def json_port(self) -> int:
        """Where lines of JSON are spoken."""
        return self._ports["json"]

    @property
    def qds_port(self) -> int:
        """Where QDataStream is spoken."""
        return self._ports["qdatastream"]

    @property
    def websocket_port(self) -> int:
        """Where WebSockets are opened."""
        return self._ports["websocket"]

    @property
    def url(self) -> str:
        """The address of the WebSocket, not signed."""
        scheme = "ws" if self.tls is None else "wss"
        path = self.websocket_path or "/"
        return f"{scheme}://{self.address}:{self.websocket_port}{path}"

    def port_of(self, transport: str) -> int:
        """Return the port of "websocket", "json" or "qdatastream"."""
        return self._ports[transport]

    @property
    def websocket_mode(self) -> WebSocketMode:
        """What new WebSockets are like."""
        return self._websocket.mode

    @websocket_mode.setter
    def websocket_mode(self, mode: WebSocketMode) -> None:
        self._websocket.mode = mode

    @property
    def websocket_path(self) -> str | None:
        """Where alone WebSockets are opened, from the next start; None: at / and /ws."""
        return self._websocket.path

    @websocket_path.setter
    def websocket_path(self, path: str | None) -> None:
        self._websocket.path = path

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What WebSockets are secure with, from the next start (see faf_tls)."""
        return self._websocket.tls

    @tls.setter
    def tls(self, tls: ssl.SSLContext | None) -> None:
        self._websocket.tls = tls

    # --- connections ---

    def _listen(self, transport: str, kind: type[JsonLink | QdsLink]) -> None:
        loop = asyncio.get_running_loop()

        async def connected(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            if self.mischief.refuse:
                self.events.emit(
                    "refused_connection", transport=transport, reason="refuse"
                )
                writer.transport.abort()
                return
            await self.serve(kind(reader, writer))

        def make() -> asyncio.StreamReaderProtocol:
            reader = asyncio.StreamReader(limit=MAX_LINE, loop=loop)
            return asyncio.StreamReaderProtocol(reader, connected, loop=loop)

        listener = Listener(make)
        self._ports[transport] = listener.start(self.address, self._ports[transport])
        self._listeners.append(listener)

    def _admit(self, request: web.Request) -> int | None:
        """Return the status that a WebSocket is refused with, or None."""
        status = 0 if self.mischief.refuse else self.mischief.status
        if status is None and self.gateway_key is not None:
            token = request.query.get("verify", "")
            if not is_signed(
                self.gateway_key, request.path, token, time.time(), self.verify_lifetime
            ):
                status = 403
        if status is not None:
            self.events.emit(
                "refused_connection", transport="websocket", reason=str(status)
            )
        return status

    async def serve(self, link: Link) -> None:
        """Serve a connection to its end."""
        if not self._is_running:
            link.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._connections += 1
        session = Session(self, link, self._connections)
        # Gone with the connection, or it would keep all of it for minutes.
        forget = self.core.later(self.desk.timeout, self.desk.expire, session)
        try:
            await session.run()
        finally:
            forget()
            self._tasks.discard(task)

    @override
    def connection_lost(self, player: Player) -> None:
        """Let somebody be offline, and no longer in anything."""
        self.matchmaker.stop_all(player)
        if player.party is not None and len(player.party.members) > 1:
            self.parties.leave(player)
        game = player.game
        if game is not None:
            if game.match is not None and game.stage in ("initializing", "lobby"):
                self.matchmaker.cancel(game, player)
            else:
                self.games.leave(game, player)
        self.core.forget(player)

    def _ping(self) -> None:
        self.core.broadcast({"command": "ping"})
        self.core.later(self.ping_interval, self._ping)

    @property
    def sessions(self) -> list[Session]:
        """All connections."""
        return [session for session in self.core.sessions if not session.is_closing]

    def session_of(self, login: str) -> Session:
        """Return the connection that somebody signed in on. Raises LookupError."""
        session = self.core.player(login).session
        if session is None:
            raise LookupError("online without a connection")
        return session

    def drop(self, login: str | None = None) -> None:
        """Cut connections, of somebody or all."""
        for session in self.sessions:
            if login is None or session.login == login:
                session.abort("cut")

    def send(self, message: JsonObject, login: str | None = None) -> None:
        """Send a message to somebody, or to all who are signed in."""
        for session, player in self.core.signed_in():
            if login is None or player.login == login:
                session.write(message)

    # --- events ---

    @property
    def events(self) -> FafEventLog:
        """What happened."""
        return self.core.events

    @property
    def mischief(self) -> Mischief:
        """The switches for what should not happen."""
        return self.core.mischief

    async def wait_for(
        self, kind: EventKind, timeout: float = 5, **fits: object
    ) -> FafEvent:
        """Return the oldest fitting event since the mark that was not returned yet."""
        return await self.events.wait_for(kind, timeout, **fits)

    def mark(self) -> None:
        """Let `wait_for` forget what happened so far."""
        self.events.mark()

    def seen(self, kind: EventKind, **fits: object) -> list[FafEvent]:
        """Return all fitting events so far."""
        return self.events.seen(kind, **fits)

    def flush(self) -> None:
        """Tell everybody now of what changed."""
        self.core.report()

    @property
    def report_interval(self) -> float:
        """Seconds between a change and the report of it."""
        return self.core.report_interval

    @report_interval.setter
    def report_interval(self, seconds: float) -> None:
        self.core.report_interval = seconds

    # --- accounts ---

    def token_for(
        self, login: str, lifetime: float = 3600.0, scopes: Sequence[str] = SCOPES
    ) -> str:
        """Return an access token of an account, which need not be online."""
        return make_token(self.core.account(login).id, lifetime, scopes)

    @property
    def proof_check(self) -> Callable[[int, str], bool] | None:
        """What decides about a session's number and a machine proof; None: any does."""
        return self.desk.proof_check

    @proof_check.setter
    def proof_check(self, check: Callable[[int, str], bool] | None) -> None:
        self.desk.proof_check = check
