"""The way into a lobby: a session, and a login (the FAF reference, sections 5 and 6)."""

import asyncio
from collections.abc import Coroutine
import re
from typing import Final, NoReturn

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ..json_fields import get_int, get_str
from ..json_lines import JsonObject
from .connection import Connection, Connector
from .decode import plain_text
from .errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofRefusedError,
    RefusedError,
)
from .login import Login
from .timing import Timing

USER_AGENT: Final = "rumpus"
"""How we call ourselves."""
MAX_USER_AGENT: Final = 50
"""Characters of that: with more of them every login fails (section 6.1)."""
MAX_SESSION: Final = 2**32
"""What the number of a session is below."""
MAX_STRAY: Final = 1000
"""Messages that may come before an answer which is waited for."""
MAX_NOTICE: Final = 4096
"""Characters that are kept of a notice."""

PING_MESSAGE: Final[JsonObject] = {"command": "ping"}
PONG_MESSAGE: Final[JsonObject] = {"command": "pong"}

_BAN: Final = re.compile(r"\bban(s|ned)?\b", re.IGNORECASE | re.ASCII)


def check_user_agent(user_agent: str) -> str:
    """Return it; raises ValueError for one that no lobby takes."""
    if not 0 < len(user_agent) <= MAX_USER_AGENT:
        raise ValueError(f"A user agent has 1 to {MAX_USER_AGENT} characters")
    return user_agent


def notice_text(message: JsonObject) -> str:
    """Return what a notice says, without HTML."""
    return plain_text(get_str(message, "text", limit=MAX_NOTICE) or "")


async def connect(connector: Connector, timing: Timing) -> Connection:
    """Return a new connection.

    Raises DisconnectedError, PeerTimeoutError, ProtocolError, GatewayRefusedError, and
    what the source of the address does.
    """
    try:
        async with asyncio.timeout(timing.connect):
            return await connector.connect()
    except PeerTimeoutError:
        raise
    except TimeoutError:
        raise PeerTimeoutError("No connection in time") from None
    except AuthenticationError as err:
        # The gateway's own refusal is of no special kind.
        if type(err) is not AuthenticationError:
            raise
        raise GatewayRefusedError("The gateway refuses the connection") from err


class Handshake:
    """What is said on a connection until we are in."""

    def __init__(
        self, connection: Connection, timing: Timing, user_agent: str = USER_AGENT
    ) -> None:
        """Take a new connection, which stays the caller's to close."""
        self._connection = connection
        self._timing = timing
        self._user_agent = user_agent
        self._is_logging_in = False
        self._notice: str | None = None

    async def ping(self) -> float:
        """Return the seconds that an answer takes. Raises what `log_in` does."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await self._ask(PING_MESSAGE, "pong", self._timing.pong)
        return loop.time() - begin

    async def ask_session(self) -> int:
        """Return the number of the session. Raises what `log_in` does."""
        request: JsonObject = {
            "command": "ask_session",
            "user_agent": self._user_agent,
            "version": self._user_agent,
        }
        answer = await self._ask(request, "session", self._timing.session)
        session = get_int(answer, "session")
        if session is None or not 0 <= session < MAX_SESSION:
            raise ProtocolError("A session without a number")
        return session

    async def log_in(self, login: Login) -> JsonObject:
        """Log in, and return the lobby's welcome.

        Raises DisconnectedError, PeerTimeoutError, ProtocolError, LoginRefusedError,
        ProofRefusedError, BannedError, KickedError, RefusedError and what the login does.
        """
        session = await self.ask_session()
        request = await self._meanwhile(login.request(session))
        self._is_logging_in = True
        try:
            return await self._ask(request, "welcome", self._timing.welcome)
        except DisconnectedError as err:
            self._refused(err)
        except PeerTimeoutError:
            if self._notice is None:
                raise
            raise RefusedError(self._notice) from None

    def _refused(self, err: DisconnectedError) -> NoReturn:
        """Tell why a lobby hangs up on a login."""
        if self._notice is None:
            raise ProofRefusedError("The lobby has hung up on the login") from err
        if _BAN.search(self._notice):
            raise BannedError(self._notice) from err
        raise RefusedError(self._notice) from err

    async def _ask(
        self, request: JsonObject, command: str, seconds: float
    ) -> JsonObject:
        """Send a message and return the answer, which has that command."""
        try:
            async with asyncio.timeout(seconds):
                await self._connection.send_message(request)
                for _ in range(MAX_STRAY):
                    message = await self._connection.read_message()
                    if message.get("command") == command:
                        return message
                    await self._take(message)
        except RumpusError:
            raise
        except TimeoutError:
            raise PeerTimeoutError(f"No {command} in time") from None
        raise ProtocolError(f"A flood of messages instead of a {command}")

    async def _meanwhile[T](self, work: Coroutine[None, None, T]) -> T:
        """Do what takes a while, unless the lobby ends the connection before.

        Raises PeerTimeoutError when it takes too long.
        """
        loop = asyncio.get_running_loop()
        task = loop.create_task(work)
        reader = loop.create_task(self._read())
        tasks = {task, reader}
        try:
            await asyncio.wait(
                tasks,
                timeout=self._timing.proof,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                return task.result()
            if reader.done():
                reader.result()
        finally:
            task.cancel()
            reader.cancel()
            await asyncio.wait(tasks)
            for done in tasks:
                # What is not of interest any more must not be logged as overlooked.
                _ = done.cancelled() or done.exception()
        raise PeerTimeoutError("The machine proof took too long")

    async def _read(self) -> NoReturn:
        while True:
            await self._take(await self._connection.read_message())

    async def _take(self, message: JsonObject) -> None:
        """Take what may come at any time."""
        match message.get("command"):
            case "ping":
                self._connection.write_message(PONG_MESSAGE)
            case "notice":
                self._noticed(message)
            case "authentication_failed" if self._is_logging_in:
                raise LoginRefusedError("The lobby does not accept the login")
            case "invalid" if self._is_logging_in:
                raise ProofRefusedError("The lobby calls the login invalid")
            case "invalid":
                raise ProtocolError("The lobby calls a message invalid")
        # Messages that are there are read without a pause.
        await asyncio.sleep(0)

    def _noticed(self, message: JsonObject) -> None:
        style = message.get("style")
        if style == "kick":
            raise KickedError(notice_text(message))
        # Others are of no interest here: we are told that we are no official client.
        if style == "error" and self._is_logging_in:
            self._notice = notice_text(message)
