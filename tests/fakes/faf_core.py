"""What the parts of a fake lobby share: who is there, and telling everybody of it."""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
import random
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_events import FafEventLog
from tests.fakes.faf_json import JsonObject, JsonValue
from tests.fakes.faf_mischief import Mischief
from tests.fakes.faf_models import (
    Account,
    FakeGame,
    FakeQueue,
    Party,
    Player,
    PlayerState,
    Stage,
)

if TYPE_CHECKING:
    from tests.fakes.faf_session import Session

FIRST_ID: Final = 9001
FIRST_GAME: Final = 41959


class Core:
    """The state of a server, and its reports of what changed."""

    def __init__(self, *, report_interval: float, seed: int) -> None:
        """Collect changes for `report_interval` seconds before telling of them."""
        self.report_interval = report_interval
        self.random = random.Random(seed)
        self.events = FafEventLog()
        self.mischief = Mischief(self)
        self.accounts: dict[int, Account] = {}
        self._ids: dict[str, int] = {}  # of accounts, by casefolded name
        self.players: dict[int, Player] = {}  # online, as the server lists them
        self.sessions: list[Session] = []
        self.games: dict[int, FakeGame] = {}
        self.queues: dict[str, FakeQueue] = {}
        self.next_game = FIRST_GAME
        self._next_id = FIRST_ID
        self.is_shutting_down = False
        self.logs_sent = False
        self.failures: list[Exception] = []
        self._changed_players: dict[Player, None] = {}
        self._changed_games: dict[FakeGame, None] = {}
        self._changed_queues: dict[str, None] = {}
        self._changed_parties: dict[Party, None] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._report_timer: asyncio.TimerHandle | None = None

    # --- who is who ---

    def account(self, login: str | int) -> Account:
        """Return an account by its name or number. Raises LookupError."""
        if isinstance(login, int):
            return self.accounts[login]
        return self.accounts[self._ids[login.casefold()]]

    def player(self, login: str | int) -> Player:
        """Return somebody who is online. Raises LookupError."""
        return self.players[self.account(login).id]

    def add_account(self, login: str, account_id: int | None = None) -> Account:
        """Add an account; one that is there is returned."""
        with contextlib.suppress(LookupError):
            return self.account(login)
        if account_id is None:
            account_id = self._next_id
        self._next_id = max(self._next_id, account_id + 1)
        if account_id in self.accounts:
            raise ValueError("two accounts with one number")
        account = self.accounts[account_id] = Account(account_id, login)
        self._ids[login.casefold()] = account_id
        return account

    def rename(self, login: str, new: str) -> None:
        """Give an account another name."""
        account = self.account(login)
        del self._ids[login.casefold()]
        self._ids[new.casefold()] = account.id
        account.login = new
        if (player := self.players.get(account.id)) is not None:
            self.touch_player(player)

    def is_listed(self, player: Player) -> bool:
        """Whether the server knows a player as online."""
        return self.players.get(player.id) is player

    def sign_on(self, player: Player) -> None:
        """Let a player come online."""
        self.players[player.id] = player
        party = Party(player)
        party.members[player.id] = player
        player.party = party
        self.touch_player(player)

    def forget(self, player: Player) -> None:
        """Take somebody from the list, and tell of it."""
        player.is_online = False
        player.state = PlayerState.IDLE
        if self.is_listed(player):
            del self.players[player.id]
        self.touch_player(player)
        self.events.emit("signed_out", login=player.login, id=player.id)

    def signed_in(self) -> Iterator[tuple[Session, Player]]:
        """Yield the sessions that are told of things, and who has them."""
        for session in tuple(self.sessions):
            if session.player is not None and not session.is_closing:
                yield session, session.player

    def broadcast(self, message: JsonObject) -> None:
        """Send a message to everybody who is signed in."""
        for session, _ in self.signed_in():
            session.write(message)

    # --- timers ---

    def later[*Ts](
        self, delay: float, action: Callable[[*Ts], object], *arguments: *Ts
    ) -> Callable[[], None]:
        """Call something in some seconds, unless the server has stopped by then.

        Returns what prevents it.
        """
        loop = asyncio.get_running_loop()

        def call() -> None:
            self._timers.discard(handle)
            action(*arguments)

        def cancel() -> None:
            self._timers.discard(handle)
            handle.cancel()

        handle = loop.call_later(delay, call)
        self._timers.add(handle)
        return cancel

    def stop(self) -> None:
        """Forget what would happen later."""
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        if self._report_timer is not None:
            self._report_timer.cancel()
            self._report_timer = None
        self._changed_players.clear()
        self._changed_games.clear()
        self._changed_queues.clear()
        self._changed_parties.clear()

    # --- reports ---

    def touch_player(self, player: Player) -> None:
        """Tell of a player with the next report."""
        self._changed_players[player] = None
        self._report_later()

    def touch_game(self, game: FakeGame) -> None:
        """Tell of a game with the next report."""
        self._changed_games[game] = None
        self._report_later()

    def touch_queue(self, queue: FakeQueue) -> None:
        """Tell of a queue with the next report."""
        self._changed_queues[queue.name] = None
        self._report_later()

    def touch_party(self, party: Party) -> None:
        """Tell the members of a party of it with the next report."""
        self._changed_parties[party] = None
        self._report_later()

    def _report_later(self) -> None:
        if self._report_timer is None:
            loop = asyncio.get_running_loop()
            self._report_timer = loop.call_later(self.report_interval, self.report)

    def report(self) -> None:
        """Tell everybody now of what changed (the order of section 7.4)."""
        if self._report_timer is not None:
            self._report_timer.cancel()
            self._report_timer = None
        queues, self._changed_queues = self._changed_queues, {}
        players, self._changed_players = self._changed_players, {}
        games, self._changed_games = self._changed_games, {}
        parties, self._changed_parties = self._changed_parties, {}
        if queues:
            self.broadcast(self.describe_queues(list(queues)))
        if players:
            self.broadcast(self._describe_players(list(players)))
        for game in games:
            self._report_game(game)
        for party in parties:
            message = party.describe()
            for player in party.members.values():
                player.write(message)
        self.events.emit(
            "report", queues=len(queues), players=len(players), games=len(games)
        )

    def describe_queues(self, names: list[str]) -> JsonObject:
        """Return a message with queues."""
        loop_time = asyncio.get_running_loop().time()
        queues: list[JsonValue] = [
            self.queues[name].describe(loop_time)
            for name in names
            if name in self.queues
        ]
        return {"command": "matchmaker_info", "queues": queues}

    def _describe_players(self, players: list[Player]) -> JsonObject:
        """Return a message with players; of one twice in it, in either order."""
        told = self.mischief.order_players(players)
        return {
            "command": "player_info",
            "players": [player.describe() for player in told],
        }

    def _report_game(self, game: FakeGame) -> None:
        message = game.describe()
        for session, player in self.signed_in():
            if game.is_visible_to(player):
                session.write(message)
        if game.stage is not Stage.ENDED:
            return
        if game.is_exiting:
            # It was told how it ended; its processes exit now.
            game.is_exiting = False
            for seat in game.seats.values():
                if seat.player.game is game:
                    seat.player.game = None
                    seat.player.state = PlayerState.IDLE
            game.seats.clear()
            self.touch_game(game)
        elif not game.seats and self.games.get(game.uid) is game:
            del self.games[game.uid]
            self.events.emit("game", uid=game.uid, state="removed")
