"""Everything that a lobby should not do, and that its clients have to survive."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from tests.fakes.faf_json import JsonObject, JsonValue

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_models import Player
    from tests.fakes.faf_session import Session

type Order = Literal["random", "offline_first", "online_first"]


class Mischief:
    """Switches that may be changed at any time; all of them are off at first."""

    refuse = False  # connections are cut at once
    status: int | None = None  # WebSockets are refused with this HTTP status
    silent = False  # nothing is handled that comes
    deaf = False  # nothing is read of new connections
    kick_on_login = False  # after the login burst
    refuse_login = False  # `authentication_failed` whatever is right
    refuse_proof = False  # `invalid` and the end instead of a login
    end_login = False  # the end without a word instead of a login
    database_is_away = False  # a notice and the end instead of a login
    answer_delay = 0.0  # seconds before something that came is handled
    piece: int | None = None  # everything is sent in pieces of so many bytes
    order: Order = "random"  # of two entries of a player in one message
    mangle: Callable[[JsonObject], JsonObject | None] | None = None
    """Makes another message of one that is sent; None swallows it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.never_answer: set[str] = set()  # commands of clients that are ignored
        self.drop_at: set[str] = set()  # commands of clients that end the connection
        self.withhold: set[str] = set()  # messages that are not sent
        self.drop_before: set[str] = set()  # messages that are not sent, but the end
        self.drop_within: set[str] = set()  # half of them is sent, then the end
        self._held: dict[str, asyncio.Event] = {}

    def reset(self) -> None:
        """Behave again."""
        for name in [name for name in vars(self) if name not in _KEPT]:
            delattr(self, name)
        for commands in (
            *(self.never_answer, self.drop_at, self.withhold),
            *(self.drop_before, self.drop_within),
        ):
            commands.clear()
        for held in self._held.values():
            held.set()
        self._held.clear()

    def hold(self, command: str) -> Callable[[], None]:
        """Handle a command of clients not before what is returned is called."""
        held = self._held[command] = asyncio.Event()

        def release() -> None:
            self._held.pop(command, None)
            held.set()

        return release

    async def wait(self, command: str) -> None:
        """Take the time that handling takes."""
        if self.answer_delay:
            await asyncio.sleep(self.answer_delay)
        if (held := self._held.get(command)) is not None:
            await held.wait()

    def send(self, session: Session, message: JsonObject) -> None:
        """Send a message, or what is made of it."""
        command = str(message.get("command"))
        if command in self.drop_before:
            session.abort(f"drop_before {command}")
            return
        if command in self.withhold:
            return
        link = session.link
        if self.mangle is not None:
            mangled = self.mangle(message)
            if mangled is None:
                return
            message = mangled
        if command in self.drop_within:
            data = link.encode(message)
            link.write_raw(data[: len(data) // 2])
            session.end(f"drop_within {command}")
        elif self.piece is not None:
            link.write_pieces(link.encode(message), self.piece)
        else:
            link.write(message)

    def order_players(self, players: list[Player]) -> list[Player]:
        """Return players in the order in which a message has them."""
        if self.order == "random":
            twice = len({player.id for player in players}) < len(players)
            return self._core.random.sample(players, len(players)) if twice else players
        return sorted(
            players,
            key=lambda player: player.is_online is (self.order != "online_first"),
        )

    # --- things that are done once, to everybody who is signed in or one of them ---

    def raw(self, data: bytes, login: str | None = None) -> None:
        """Send bytes as they are, also to those who have not signed in."""
        for session in self._sessions(login):
            session.link.write_raw(data)

    def garbage(self, login: str | None = None) -> None:
        """Send what is a message in no framing."""
        self.raw(b"\x00\x00\x00\x09\xff\xfe{]garbage\n", login)

    def say(self, value: JsonValue, login: str | None = None) -> None:
        """Send any JSON, an object or not."""
        for session in self._sessions(login):
            session.link.write(value)

    def flood(self, count: int = 10_000, message: JsonObject | None = None) -> None:
        """Send a message again and again; by default one of no use."""
        useless: JsonObject = {"command": "notice", "style": "scores", "text": "x" * 80}
        for session in self._sessions(None):
            data = session.link.encode(message or useless)
            if session.link.transport == "websocket":
                for _ in range(count):
                    session.link.write_raw(data)
            else:
                session.link.write_raw(data * count)

    def huge(self, size: int = 20 * 1024 * 1024, login: str | None = None) -> None:
        """Send one message larger than any should be."""
        self.say({"command": "notice", "style": "info", "text": "x" * size}, login)

    def endless(self, size: int = 20 * 1024 * 1024, login: str | None = None) -> None:
        """Send the beginning of a message, and never its end."""
        for session in self._sessions(login):
            if session.link.transport == "qdatastream":
                head = (0xFFFFFF00).to_bytes(4)
            else:
                head = b'{"command":"notice","text":"'
            session.link.write_raw(head + b"x" * size)

    def twice(self, login: str) -> None:
        """Tell in one message that somebody is offline and online."""
        player = self._core.player(login)
        online = player.describe()
        offline: JsonObject = {**online, "state": "offline"}
        players: list[JsonValue] = [online, offline]
        if self.order == "offline_first":
            players.reverse()
        self._core.broadcast({"command": "player_info", "players": players})

    def ghost(self, login: str) -> None:
        """Tell that somebody is offline who is not (section 7.1)."""
        player = self._core.player(login)
        offline: JsonObject = {**player.describe(), "state": "offline"}
        self._core.broadcast({"command": "player_info", "players": [offline]})
        del self._core.players[player.id]

    def _sessions(self, login: str | None) -> list[Session]:
        return [
            session
            for session in self._core.sessions
            if login is None
            or (session.player is not None and session.player.login == login)
        ]


_KEPT = frozenset(
    {
        *("_core", "_held", "never_answer", "drop_at"),
        *("withhold", "drop_before", "drop_within"),
    }
)


def wrong_types(message: JsonObject) -> JsonObject:
    """Make another message with the same names and values of other types."""
    return {
        name: value if name == "command" else _other(value)
        for name, value in message.items()
    }


def _other(value: JsonValue) -> JsonValue:
    match value:
        case list():
            return {"0": list(value)}
        case dict():
            return [[name, _other(item)] for name, item in value.items()]
        case str():
            return len(value)
        case None:
            return []
    return str(value)
