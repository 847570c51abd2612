"""A lobby without sockets: tests say what it sends, and see what it gets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
import contextlib
import logging
from typing import Final

from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.faf.client import LobbyClient
from custom_components.rumpus.protocols.faf.events import LobbyEvent
from custom_components.rumpus.protocols.faf.login import Login, PasswordLogin
from custom_components.rumpus.protocols.faf.proof import AnyProof
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.reconnect import Backoff

LOGGER: Final = logging.getLogger("tests.faf")
PATIENT: Final = Timing(connect=5, session=5, proof=5, welcome=5, pong=5, silence=60)
AT_ONCE: Final = Backoff((0.001,), 0)
ME: Final[JsonObject] = {"id": 9001, "login": "ha_user", "ratings": {}}
WELCOME: Final[JsonObject] = {
    "command": "welcome",
    "me": ME,
    "current_time": "2026-11-21T08:15:50.503836+00:00",
    "id": 9001,
    "login": "ha_user",
}
BURST: Final[tuple[JsonObject, ...]] = (
    WELCOME,
    {"command": "player_info", "players": [ME]},
    {"command": "social", "friends": [9002], "foes": [9004], "channels": []},
    {"command": "game_info", "games": []},
)
LOGIN: Final = PasswordLogin("ha_user", "hash-of-it", AnyProof())


class ScriptedConnection:
    """The client's end of a connection; `answers` gives what the lobby says to a message."""

    def __init__(self, answers: Callable[[JsonObject], list[JsonObject]]) -> None:
        self.sent: list[JsonObject] = []
        self.last_heard = asyncio.get_running_loop().time()
        self.is_closed = False
        self.is_aborted = False
        self._answers = answers
        self._incoming: asyncio.Queue[JsonObject | Exception] = asyncio.Queue()
        self._sent_more = asyncio.Event()

    def say(self, *messages: JsonObject | Exception) -> None:
        """Let the lobby send something, or the connection end with an error."""
        for message in messages:
            self._incoming.put_nowait(message)

    def hang_up(self) -> None:
        """Let the lobby end the connection."""
        self.say(DisconnectedError("Connection closed by the peer"))

    def commands(self) -> list[str]:
        """Return the commands that have been sent."""
        return [str(message["command"]) for message in self.sent]

    async def wait_sent(self, command: str, count: int = 1) -> JsonObject:
        """Wait until a command has been sent so often, and return the last of them."""
        async with asyncio.timeout(5):
            while self.commands().count(command) < count:
                self._sent_more.clear()
                await self._sent_more.wait()
        return [message for message in self.sent if message["command"] == command][-1]

    # What the client does with it.

    def is_connected(self) -> bool:
        return not (self.is_closed or self.is_aborted)

    async def read_message(self) -> JsonObject:
        message = await self._incoming.get()
        if isinstance(message, Exception):
            raise message
        self.last_heard = asyncio.get_running_loop().time()
        return message

    async def send_message(self, message: JsonObject, /) -> None:
        self.write_message(message)

    def write_message(self, message: JsonObject, /) -> None:
        if not self.is_connected():
            raise DisconnectedError("Not connected")
        self.sent.append(message)
        self._sent_more.set()
        self.say(*self._answers(message))

    async def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True
        self.hang_up()


class ScriptedLobby:
    """Makes such connections; `answers` has what it says to each command."""

    name = "lobby"

    def __init__(self) -> None:
        self.connections: list[ScriptedConnection] = []
        self._more = asyncio.Event()
        self.error: Exception | None = None
        self.answers: dict[str, list[JsonObject]] = {
            "ask_session": [
                {"command": "notice", "style": "info", "text": "unofficial client"},
                {"command": "session", "session": 4294967294},
            ],
            "hello": list(BURST),
            "ping": [{"command": "pong"}],
            "matchmaker_info": [{"command": "matchmaker_info", "queues": []}],
        }

    async def connect(self) -> ScriptedConnection:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        connection = ScriptedConnection(
            lambda message: self.answers.get(str(message["command"]), [])
        )
        self.connections.append(connection)
        self._more.set()
        return connection

    async def wait_connection(self, count: int = 1) -> ScriptedConnection:
        """Wait until there have been so many connections, and return the last of them."""
        async with asyncio.timeout(5):
            while len(self.connections) < count:
                self._more.clear()
                await self._more.wait()
        return self.connections[count - 1]

    @property
    def last(self) -> ScriptedConnection:
        """The newest connection."""
        return self.connections[-1]

    def forget(self, *commands: str) -> None:
        """Answer some commands no more."""
        for command in commands:
            self.answers[command] = []


class Heard:
    """What a client tells."""

    def __init__(self, client: LobbyClient) -> None:
        self.events: list[LobbyEvent] = []
        self._more = asyncio.Event()
        self.end = client.subscribe(self._take)

    def _take(self, event: LobbyEvent) -> None:
        self.events.append(event)
        self._more.set()

    def of[E](self, kind: type[E]) -> list[E]:
        """Return all events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_for[E](self, kind: type[E], count: int = 1) -> E:
        """Wait until there are so many events of a kind, and return the last of them."""
        async with asyncio.timeout(10):
            while len(found := self.of(kind)) < count:
                self._more.clear()
                await self._more.wait()
        return found[count - 1]


@contextlib.asynccontextmanager
async def client_of(
    lobby: ScriptedLobby, *, timing: Timing = PATIENT, login: Login = LOGIN
) -> AsyncIterator[tuple[LobbyClient, Heard]]:
    """Give a client of a lobby, not started yet, and what it tells."""
    client = LobbyClient(
        lobby, login, logger=LOGGER, name="lobby", timing=timing, backoff=AT_ONCE
    )
    heard = Heard(client)
    try:
        yield client, heard
    finally:
        await client.stop()


def players(count: int, first: int = 10_000) -> Iterator[JsonObject]:
    """Give players as a lobby describes them."""
    for number in range(first, first + count):
        yield {
            "id": number,
            "login": f"player_{number}",
            "ratings": {"global": {"rating": [1500.0, 100.0], "number_of_games": 5}},
        }
