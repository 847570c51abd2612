"""A client of a lobby that stays logged in (the FAF reference, sections 5 to 10)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
import itertools
import logging
from typing import Final, override

from ..errors import AuthenticationError, DisconnectedError, ProtocolError, RumpusError
from ..json_lines import JsonObject
from ..reconnect import Backoff, Reconnector, TaskFactory
from .commands import Commands
from .connection import Connection, Connector
from .decode import decode_welcome
from .errors import (
    GatewayRefusedError,
    KickedError,
    ProofFailedError,
    ProofRefusedError,
)
from .events import (
    AttemptFailed,
    Connected,
    Disconnected,
    LobbyEvent,
    SocialChanged,
    Stopped,
    Updated,
)
from .handshake import USER_AGENT, Handshake, check_user_agent, connect
from .login import Login
from .session import Session
from .timing import Timing

BACKOFF: Final = Backoff((5, 10, 30, 60))
"""The gateway limits how often somebody may connect (section 5.1)."""
MAX_REFUSALS: Final = 3
"""Attempts in a row that may fail for a reason which can pass, but seldom does."""

_DOUBTFUL: Final = (ProofRefusedError, ProofFailedError, GatewayRefusedError)
_FINAL: Final = (AuthenticationError, KickedError)


class ClientStatus(StrEnum):
    """How far a client has come."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    SIGNING_IN = "signing_in"
    ONLINE = "online"
    STOPPED = "stopped"


class LobbyClient(Commands):
    """Logs in to a lobby, keeps its model up to date, and comes back when it is lost.

    It stops for good on KickedError, LoginRefusedError, BannedError and any other
    AuthenticationError of the token's source, and after MAX_REFUSALS in a row of
    ProofRefusedError, ProofFailedError and GatewayRefusedError; `start` begins anew then.
    """

    def __init__(
        self,
        connector: Connector,
        login: Login,
        *,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        name: str,
        timing: Timing | None = None,
        user_agent: str = USER_AGENT,
        create_task: TaskFactory | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Prepare; raises ValueError for a user agent that lobbies do not take."""
        super().__init__(timing or Timing())
        self._connector = connector
        self._login = login
        self._logger = logger
        self._name = name
        self._user_agent = check_user_agent(user_agent)
        self._create_task = create_task
        self._backoff = backoff
        self._reconnector: Reconnector | None = None
        self._session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._status = ClientStatus.OFFLINE
        self._stop_error: RumpusError | None = None
        self._last_error: RumpusError | OSError | None = None
        self._refusals = 0
        self._attempts: set[asyncio.Future[bool]] = set()
        self._listeners: dict[int, Callable[[LobbyEvent], None]] = {}
        self._listener_ids = itertools.count()

    # What is known.

    @property
    def status(self) -> ClientStatus:
        """How far it has come."""
        return self._status

    @property
    def stop_error(self) -> RumpusError | None:
        """Why there are no further attempts."""
        return self._stop_error

    @property
    def last_error(self) -> RumpusError | OSError | None:
        """Why the last attempt failed, or the link was lost; None while online."""
        return self._last_error

    @property
    def latency(self) -> float | None:
        """Seconds that the last answer to a ping took; None when not known."""
        return None if self._session is None else self._session.latency

    @property
    def clock_skew(self) -> float | None:
        """Seconds that the clock of the lobby is ahead of ours; None when not known."""
        return self._lobby.clock_skew

    def subscribe(self, listener: Callable[[LobbyEvent], None]) -> Callable[[], None]:
        """Call back for every event; returns what ends that."""
        listener_id = next(self._listener_ids)
        self._listeners[listener_id] = listener

        def unsubscribe() -> None:
            self._listeners.pop(listener_id, None)

        return unsubscribe

    def _emit(self, event: LobbyEvent) -> None:
        for listener_id, listener in tuple(self._listeners.items()):
            if listener_id not in self._listeners:  # another one has ended it
                continue
            try:
                listener(event)
            except Exception:
                self._logger.exception("A listener of %s failed", self._name)

    # Beginning and end.

    def start(self) -> None:
        """Begin with an attempt at once, also after it has stopped for good."""
        if self._reconnector is not None:
            return
        self._stop_error = self._last_error = None
        self._refusals = 0
        self._status = ClientStatus.OFFLINE
        self._reconnector = Reconnector(
            self._attempt,
            name=self._name,
            logger=self._logger,
            backoff=self._backoff,
            create_task=self._create_task,
        )
        self._reconnector.start()

    async def stop(self) -> None:
        """Log out and end all attempts. Never raises."""
        reconnector, self._reconnector = self._reconnector, None
        if reconnector is not None:
            await reconnector.stop()
        if tasks := set(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._session = None
        self._status = ClientStatus.OFFLINE
        self._end_attempt(is_online=False)

    def wake(self) -> None:
        """Try again at once, unless it has stopped for good."""
        if self._reconnector is not None:
            self._reconnector.wake()

    async def wait_attempt(self) -> bool:
        """Wait for the end of the attempt under way or next; True when online.

        Returns at once when it is online already, or has not been started or has stopped.
        """
        if self._reconnector is None or self._status is ClientStatus.ONLINE:
            return self._status is ClientStatus.ONLINE
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._attempts.add(future)
        try:
            return await future
        finally:
            self._attempts.discard(future)

    def _end_attempt(self, *, is_online: bool) -> None:
        for future in self._attempts:
            # Whoever waits may just have been cancelled.
            if not future.done():
                future.set_result(is_online)

    # Attempts, for the reconnector.

    async def _attempt(self) -> bool:
        try:
            await self._sign_in()
        except (RumpusError, OSError) as err:
            self._last_error = _bare(err)
            if not isinstance(err, _DOUBTFUL):
                self._refusals = 0
                if isinstance(err, _FINAL):
                    await self._end_for_good(err)
            elif (refusals := self._refusals + 1) == MAX_REFUSALS:
                await self._end_for_good(err)
            else:
                self._refusals = refusals
            if self._status is not ClientStatus.STOPPED:
                self._emit(AttemptFailed(self._last_error))
            raise
        finally:
            is_online = self._status is ClientStatus.ONLINE
            if not is_online and self._status is not ClientStatus.STOPPED:
                self._status = ClientStatus.OFFLINE
            self._end_attempt(is_online=is_online)
        return True

    async def _sign_in(self) -> None:
        """Connect, log in, and leave the connection to a task of its own."""
        self._status = ClientStatus.CONNECTING
        connection = await connect(self._connector, self._timing)
        is_ours = True
        try:
            self._status = ClientStatus.SIGNING_IN
            handshake = Handshake(connection, self._timing, self._user_agent)
            message = await handshake.log_in(self._login)
            session = Session(connection, self._lobby, self._timing, self._emit)
            self._welcomed(message, session)
            create_task = self._create_task or asyncio.get_running_loop().create_task
            task = create_task(self._stay(connection, session))
            is_ours = False
        finally:
            if is_ours:
                await connection.close()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: _abandon(connection))

    def _welcomed(self, message: JsonObject, session: Session) -> None:
        """Be online; raises ProtocolError for a welcome that is none."""
        welcome = decode_welcome(message)
        if welcome is None:
            raise ProtocolError("A welcome that does not say to whom")
        self._session = session
        self._status = ClientStatus.ONLINE
        self._last_error = None
        self._refusals = 0
        now = asyncio.get_running_loop().time()
        steps = self._lobby.apply(message, now, datetime.now(UTC))
        events = [event for event in steps if event is not None]
        self._emit(Connected(welcome))
        for event in events:
            self._emit(event)

    async def _stay(self, connection: Connection, session: Session) -> None:
        """Take what comes until the connection is lost."""
        try:
            await session.run()
        except RumpusError as err:
            connection.abort()
            await self._lost(err)
        except Exception:
            self._logger.exception("Unexpected error on the link to %s", self._name)
            connection.abort()
            await self._lost(ProtocolError("The lobby sent what cannot be handled"))
        finally:
            await connection.close()

    async def _lost(self, err: RumpusError) -> None:
        self._session = None
        self._status = ClientStatus.OFFLINE
        self._last_error = _bare(err)
        self._emit(Disconnected(str(err)))
        if isinstance(err, _FINAL):
            await self._end_for_good(err)
        elif self._reconnector is not None:
            self._reconnector.link_down(str(err))

    async def _end_for_good(self, err: RumpusError) -> None:
        """Make no further attempts, until somebody wants to begin anew."""
        reconnector, self._reconnector = self._reconnector, None
        self._status = ClientStatus.STOPPED
        self._stop_error = err
        self._logger.info("No further attempts to log in to %s: %s", self._name, err)
        self._emit(Stopped(err))
        if reconnector is not None:
            await reconnector.stop()

    # For the commands.

    @override
    def _require_session(self) -> Session:
        if self._session is None:
            raise DisconnectedError("Not logged in to the lobby")
        return self._session

    @override
    def _touched(self) -> None:
        self._emit(SocialChanged())
        self._emit(Updated())


def _bare[E: Exception](err: E) -> E:
    """Let an error go of all that was there when it was raised, since it is kept."""
    err.__traceback__ = err.__context__ = err.__cause__ = None
    return err


def _abandon(connection: Connection) -> None:
    """Drop what a task was to close that was cancelled before it had begun."""
    if connection.is_connected():
        connection.abort()
