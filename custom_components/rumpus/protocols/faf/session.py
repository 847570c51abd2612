"""What is said on a connection once we are in (the FAF reference, sections 7 to 10).

Everything here runs in one event loop. What comes is taken in slices, since a login brings
more than a loop may be held up for.
"""

import asyncio
from collections import deque
from collections.abc import Callable
import contextlib
from datetime import UTC, datetime
import time
from typing import Final

from ..budget import Budget
from ..errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from ..json_lines import JsonObject
from .connection import Connection
from .errors import KickedError, RefusedError
from .events import LatencyMeasured, LobbyEvent, NoticeReceived, Refreshed
from .handshake import PING_MESSAGE, PONG_MESSAGE, notice_text
from .lobby import Lobby
from .timing import Timing

MAX_SLICE: Final = 0.004
"""Seconds of work on what the lobby sends in one turn of the event loop."""
MAX_SMALL: Final = 64
"""Players or games in a message that is not begun with in a turn of its own."""
MAX_BURST: Final = 3000
"""Messages that are taken as fast as they come: more than all that a login brings."""
MAX_RATE: Final = 500.0
"""Messages that are taken in a second after that; the lobby has to wait with the others."""
MAX_PINGS: Final = 16
"""Pings without an answer that are remembered."""

_QUEUES: Final[JsonObject] = {"command": "matchmaker_info"}
_FLOOD_PAUSE: Final = 0.05
_UNOFFICIAL: Final = "unofficial client"

type Emit = Callable[[LobbyEvent], None]
type Matches = Callable[[JsonObject], bool]


class Slices:
    """Ends the turn of the event loop when there was work enough in it."""

    def __init__(self) -> None:
        """Begin with no turn at all."""
        self._due: float | None = None

    async def give_way(self) -> None:
        """Let others have their turn, if it is time."""
        now = time.perf_counter()
        if self._due is None:
            self._due = now + MAX_SLICE
            asyncio.get_running_loop().call_soon(self._end)
        elif now >= self._due:
            await asyncio.sleep(0)

    def _end(self) -> None:
        self._due = None


class Session:
    """One login, from the welcome until the connection ends.

    Requests raise DisconnectedError when it does.
    """

    def __init__(
        self, connection: Connection, lobby: Lobby, timing: Timing, emit: Emit
    ) -> None:
        """Take a connection on which a login has been welcomed."""
        self._connection = connection
        self._lobby = lobby
        self._timing = timing
        self._emit = emit
        self._slices = Slices()
        self._budget = Budget(MAX_BURST, MAX_RATE)
        self._pings: deque[asyncio.Future[None]] = deque(maxlen=MAX_PINGS)
        self._one_request = asyncio.Lock()
        self._waiter: tuple[Matches, asyncio.Future[None]] | None = None
        self._is_complete = asyncio.Event()
        self._is_over = False
        self._reason: PeerTimeoutError | None = None
        self.latency: float | None = None
        """Seconds that the last answer to a ping took; None when there was none."""

    async def run(self) -> None:
        """Take what comes until that is over, and raise why it is.

        That is a KickedError, DisconnectedError, PeerTimeoutError or ProtocolError.
        """
        keeper = asyncio.get_running_loop().create_task(self._keep_alive())
        try:
            await self._read()
        except DisconnectedError:
            if self._reason is None:
                raise
            raise self._reason from None
        finally:
            self._is_over = True
            keeper.cancel()
            self._give_up()
            await asyncio.wait({keeper})

    def _give_up(self) -> None:
        """Tell those who wait that there will be no answer."""
        waiting = [*self._pings]
        if self._waiter is not None:
            waiting.append(self._waiter[1])
        for future in waiting:
            if not future.done():
                future.set_exception(DisconnectedError("The connection is lost"))

    # What comes.

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._connection.read_message()
            await self._take(message)
            await self._slices.give_way()
            if not self._budget.take(loop.time()):
                await asyncio.sleep(_FLOOD_PAUSE)

    async def _take(self, message: JsonObject) -> None:
        match message.get("command"):
            case "ping":
                # When there is no connection any more, reading tells why.
                with contextlib.suppress(DisconnectedError):
                    self._connection.write_message(PONG_MESSAGE)
            case "pong":
                self._ponged()
            case "invalid":
                raise ProtocolError("The lobby calls a message invalid")
            case "notice" if message.get("style") == "kick":
                raise KickedError(notice_text(message))
            # There is no game here that such messages could be for.
            case str() if message.get("target") is None:
                await self.merge(message)
                self._answered(message)

    async def merge(self, message: JsonObject) -> None:
        """Merge a message into the model, and tell what that changes."""
        loop = asyncio.get_running_loop()
        if _is_big(message) or loop.time() - self._connection.last_heard > MAX_SLICE:
            # It has just been decoded, which took a part of this turn.
            await asyncio.sleep(0)
        now = loop.time()
        for event in self._lobby.apply(message, now, datetime.now(UTC)):
            if event is not None:
                self._tell(event)
            await self._slices.give_way()

    def _tell(self, event: LobbyEvent) -> None:
        if isinstance(event, Refreshed):
            self._is_complete.set()
        elif isinstance(event, NoticeReceived) and _is_expected(event):
            return
        self._emit(event)

    # Requests. No answer tells what it is the answer to, so there is one at a time.

    def _answered(self, message: JsonObject) -> None:
        """See whether that is the answer which is waited for."""
        if self._waiter is None or self._waiter[1].done():
            return
        matches, future = self._waiter
        if matches(message):
            future.set_result(None)
        elif message.get("command") == "disabled":
            future.set_exception(UnsupportedError("The lobby is being shut down"))
        elif message.get("command") == "notice" and message.get("style") == "error":
            future.set_exception(RefusedError(notice_text(message)))

    async def request(
        self, message: JsonObject, matches: Matches, seconds: float
    ) -> None:
        """Send a command, and wait for a message that matches, merged already.

        Raises DisconnectedError, PeerTimeoutError, UnsupportedError while the lobby is
        being shut down, and RefusedError.
        """
        try:
            async with asyncio.timeout(seconds), self._one_request:
                future = self._future()
                self._waiter = matches, future
                try:
                    await self._connection.send_message(message)
                    await future
                finally:
                    self._waiter = None
                    _forget(future)
        except RumpusError:
            raise
        except TimeoutError:
            raise PeerTimeoutError("The lobby did not answer in time") from None

    async def send(self, *messages: JsonObject) -> None:
        """Send commands that are not answered, and wait until they have been taken.

        The lobby takes one message after another, so the answer to a ping tells. Raises
        DisconnectedError, PeerTimeoutError.
        """
        for message in messages:
            self._require()
            self._connection.write_message(message)
        await self.ping()

    def _require(self) -> None:
        if self._is_over:
            raise DisconnectedError("Not connected")

    def _future(self) -> asyncio.Future[None]:
        self._require()
        return asyncio.get_running_loop().create_future()

    # Signs of life.

    async def ping(self) -> float:
        """Return the seconds that an answer takes.

        Raises DisconnectedError, PeerTimeoutError.
        """
        loop = asyncio.get_running_loop()
        begin = loop.time()
        future = self._future()
        self._pings.append(future)
        try:
            async with asyncio.timeout(self._timing.pong):
                await self._connection.send_message(PING_MESSAGE)
                await future
        except RumpusError:
            raise
        except TimeoutError:
            raise PeerTimeoutError("The lobby did not answer a ping in time") from None
        finally:
            # It stays in the row: its answer may come later, and is not another's.
            _forget(future)
        self.latency = loop.time() - begin
        self._emit(LatencyMeasured(self.latency))
        return self.latency

    def _ponged(self) -> None:
        if self._pings and not (future := self._pings.popleft()).done():
            future.set_result(None)

    async def _keep_alive(self) -> None:
        """Ask for queues and signs of life, and end the connection without any."""
        loop = asyncio.get_running_loop()
        try:
            # The answers come after all that a login brings.
            self._connection.write_message(_QUEUES)
            asked = loop.time()
            await self._wait_complete()
            while True:
                await self._check_alive()
                pinged = loop.time()
                while (pause := self._next_ping(pinged) - loop.time()) > 0:
                    if loop.time() >= asked + self._timing.queues:
                        self._connection.write_message(_QUEUES)
                        asked = loop.time()
                    until = asked + self._timing.queues - loop.time()
                    await asyncio.sleep(min(pause, until))
        except PeerTimeoutError as err:
            self._reason = err
            self._connection.abort()
        except DisconnectedError:
            # Reading tells why: it may not have come to a kick yet.
            return

    async def _wait_complete(self) -> None:
        try:
            async with asyncio.timeout(self._timing.pong):
                await self._is_complete.wait()
        except TimeoutError:
            return

    def _next_ping(self, pinged: float) -> float:
        """Return when the lobby has to be asked for a sign of life."""
        quiet = max(pinged, self._connection.last_heard) + self._timing.silence
        return min(quiet, pinged + self._timing.ping)

    async def _check_alive(self) -> None:
        """Raise PeerTimeoutError when not a word comes after a ping."""
        begin = asyncio.get_running_loop().time()
        try:
            await self.ping()
        except PeerTimeoutError:
            self.latency = None
            if self._connection.last_heard <= begin:
                raise


def _is_big(message: JsonObject) -> bool:
    for key in ("players", "games"):
        items = message.get(key)
        if isinstance(items, list) and len(items) > MAX_SMALL:
            return True
    return False


def _is_expected(event: NoticeReceived) -> bool:
    """Tell whether that only says that we are none of the official clients (6.1)."""
    return _UNOFFICIAL in event.notice.text.casefold()


def _forget(future: asyncio.Future[None]) -> None:
    """Do not have an error logged that nobody waits for any more."""
    future.cancel()
    if not future.cancelled():
        future.exception()
