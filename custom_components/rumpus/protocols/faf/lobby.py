"""A live model of a lobby, merged from the messages of its server.

The FAF reference, sections 7, 10 and 12.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..json_lines import JsonObject, JsonValue
from .decode import (
    decode_game,
    decode_player,
    decode_queue,
    decode_welcome,
    is_offline,
    read_id,
)
from .events import (
    AvatarsListed,
    LobbyEvent,
    PartyChanged,
    PlayerCameOnline,
    PlayerWentOffline,
    Refreshed,
    SearchChanged,
    SocialChanged,
    Updated,
)
from .lobby_games import MAX_GAMES, GameTable
from .lobby_own import OwnAccount
from .lobby_players import MAX_PLAYERS, PlayerTable
from .lobby_queues import MAX_QUEUES, QueueTable
from .models import Avatar, Game, Party, Player, PlayerStatus, Queue, Social, Welcome

STEP: Final = 4
"""Items of a message that are merged without a break: the worst take 1.5 ms each."""
MAX_BURST: Final = 30.0
"""Seconds after a login when what has come by then is taken for everything."""
MAX_SKEW: Final = 100 * 365 * 86_400.0
"""Seconds that the clocks may be apart: a server whose clock is any further is not believed,
and there must be a date for what is now by its clock."""

type Steps = Iterator[LobbyEvent | None]

#: Events that tell of a change of the model, and are no message of their own.
_CHANGES: Final = (AvatarsListed, PartyChanged, SearchChanged, SocialChanged)


class Lobby:
    """What is known of a lobby.

    It outlives connections: after `reset`, what is known stays until the server has told
    everything anew, and what it has not told of again is forgotten then. The mappings are
    live views: they change with the next message.
    """

    def __init__(self) -> None:
        """Begin without knowing anything."""
        self.welcome: Welcome | None = None
        self.me: Player | None = None
        self.dropped = 0
        """Items that could not be read, or were too many."""
        self.is_complete = False
        """Whether everything that the server tells after a login has come."""
        self.clock_skew: float | None = None
        """Seconds that the server's clock is ahead of ours."""
        self._players = PlayerTable()
        self._games = GameTable()
        self._queues = QueueTable()
        self._own = OwnAccount()
        self._has_players = False
        self._has_games = False
        self._burst_ends = float("inf")
        self._is_changed = False

    @property
    def players(self) -> Mapping[int, Player]:
        """Those who are online, by their id."""
        return self._players.players

    @property
    def games(self) -> Mapping[int, Game]:
        """Open and running games by their number."""
        return self._games.games

    @property
    def forming(self) -> Mapping[int, Game]:
        """Matches that queues have made and nobody has hosted yet, by their number."""
        return self._games.forming

    @property
    def queues(self) -> Mapping[str, Queue]:
        """Queues by their name."""
        return self._queues.queues

    @property
    def social(self) -> Social:
        """The own account's friends and foes."""
        return self._own.social

    @property
    def avatars(self) -> tuple[Avatar, ...]:
        """What the own account may wear, once it has asked."""
        return self._own.avatars

    @property
    def searching(self) -> frozenset[str]:
        """The names of the queues in which the own account searches."""
        return self._own.searching

    @property
    def party(self) -> Party | None:
        """The own account's party."""
        return self._own.party

    @property
    def players_online(self) -> int:
        """How many people are online: those known, and those seen in a game alone."""
        return len(self.players) + self._games.strangers(self.players)

    @property
    def players_in_games(self) -> int:
        """How many people are in open and running games."""
        return self._games.seats

    @property
    def open_games(self) -> int:
        """How many games can be joined."""
        return self._games.open

    @property
    def running_games(self) -> int:
        """How many games have been launched and are not over."""
        return self._games.running

    @property
    def launched_games(self) -> int:
        """How many games have been launched before our eyes, ever."""
        return self._games.launched

    @property
    def finished_games(self) -> int:
        """How many running games have come to an end before our eyes, ever."""
        return self._games.finished

    def find_player(self, login: str) -> Player | None:
        """Return who is online with a login, whatever its case."""
        return self._players.find(login)

    def game_of(self, player_id: int) -> Game | None:
        """Return the open or running game that somebody plays or watches."""
        return self._games.game_of(player_id)

    def is_online(self, player_id: int) -> bool:
        """Whether somebody is online, or in a game, whatever the server says."""
        return player_id in self.players or self.game_of(player_id) is not None

    def status_of(self, player_id: int) -> PlayerStatus:
        """Return what somebody does (section 12)."""
        game = self.game_of(player_id)
        if game is not None:
            return PlayerStatus.PLAYING if game.is_running else PlayerStatus.IN_LOBBY
        is_known = player_id in self.players
        return PlayerStatus.ONLINE if is_known else PlayerStatus.OFFLINE

    def is_friend(self, player: int | str) -> bool:
        """Whether somebody, by their id or by their login while online, is a friend."""
        if isinstance(player, str):
            found = self.find_player(player)
            return found is not None and found.id in self.social.friends
        return player in self.social.friends

    def set_friend(self, player_id: int, *, is_listed: bool) -> bool:
        """Note what the server has been asked, as it does not reply.

        Tells whether that changes anything; raises nothing. The caller tells of it.
        """
        return self._own.set_friend(player_id, is_listed=is_listed)

    def set_foe(self, player_id: int, *, is_listed: bool) -> bool:
        """Note what the server has been asked, like `set_friend`."""
        return self._own.set_foe(player_id, is_listed=is_listed)

    def reset(self) -> None:
        """Expect everything anew, as a login brings it (section 10).

        What is known stays until it is in. A welcome does this by itself.
        """
        self.is_complete = False
        self._has_players = False
        self._has_games = False
        self._burst_ends = float("inf")
        self._players.begin()
        self._games.begin()
        self._own.reset()

    def apply(self, message: JsonObject, now: float, utc: datetime) -> Steps:
        """Merge a message of the server, a little at each step of the iteration.

        `now` is the time of the loop and `utc` that of our clock. Yields what has happened,
        and None in between, so that the caller may do something else; the iteration has to
        come to its end before the next message. Never raises for what the server sends.
        """
        self._is_changed = False
        command = message.get("command")
        # A login that follows one which has never been complete begins anew.
        if now > self._burst_ends and command != "welcome":
            yield from self._complete()
        match command:
            case "player_info":
                yield from self._apply_players(message)
            case "game_info":
                yield from self._apply_games(message, utc)
            case "matchmaker_info":
                yield from self._apply_queues(message, now, utc)
            case "welcome":
                self._apply_welcome(message, now, utc)
            case str():
                yield from self._apply_own(command, message)
        if self._has_players and self._has_games:
            yield from self._complete()
        if self._is_changed:
            yield Updated()

    def _apply_welcome(self, message: JsonObject, now: float, utc: datetime) -> None:
        self.reset()
        welcome = decode_welcome(message)
        self.dropped += welcome is None
        self.welcome = welcome
        self.me = None if welcome is None else welcome.player
        self.clock_skew = None
        if welcome is not None and welcome.server_time is not None:
            skew = (welcome.server_time - utc).total_seconds()
            self.clock_skew = skew if abs(skew) <= MAX_SKEW else None
        self._burst_ends = now + MAX_BURST
        self._is_changed = True

    def _apply_own(self, command: str, message: JsonObject) -> Steps:
        events = self._own.apply(command, message)
        self._is_changed |= any(isinstance(event, _CHANGES) for event in events)
        yield from events

    def _apply_players(self, message: JsonObject) -> Steps:
        gone: dict[int, None] = {}
        online: set[int] = set()
        for count, item in enumerate(self._items(message, "players", MAX_PLAYERS), 1):
            if is_offline(item):
                if (player_id := read_id(item, "id")) is not None:
                    gone[player_id] = None
            elif (player := self._read_player(item)) is not None:
                online.add(player.id)
                is_new, events = self._players.put(player, is_told=self.is_complete)
                self._is_changed |= is_new
                yield from events
            if count % STEP == 0:
                yield None
        for count, player_id in enumerate(gone, 1):
            # Who comes back takes over from an old connection of theirs: both are told in
            # one message, in any order.
            if player_id not in online:
                yield from self._lose(player_id)
            if count % STEP == 0:
                yield None
        self._has_players |= not self.is_complete

    def _read_player(self, item: JsonObject) -> Player | None:
        player = decode_player(item)
        if player is None or self._players.is_full_for(player.id):
            self.dropped += 1
            return None
        if self.me is not None and player.id == self.me.id:
            self.me = player
        return player

    def _lose(self, player_id: int) -> Steps:
        """Believe that somebody is gone, unless something else says otherwise."""
        if player_id not in self.players:
            return
        if self.me is not None and player_id == self.me.id:
            # We are here: it is an old connection of ours that has died.
            return
        if self.game_of(player_id) is not None:
            self._players.ghosts.add(player_id)
            return
        player = self._players.remove(player_id)
        self._is_changed = True
        if self.is_complete:
            yield PlayerWentOffline(player)

    def _apply_games(self, message: JsonObject, utc: datetime) -> Steps:
        at = utc + timedelta(seconds=self.clock_skew or 0.0)
        if "games" not in message:
            yield from self._put_game(message, at)
            return
        for count, item in enumerate(self._items(message, "games", MAX_GAMES), 1):
            yield from self._put_game(item, at)
            if count % STEP == 0:
                yield None
        self._has_games |= not self.is_complete

    def _put_game(self, body: JsonObject, at: datetime) -> Steps:
        game = decode_game(body)
        if game is None or self._games.is_full_for(game):
            self.dropped += 1
            return
        if not game.teams and game.team_logins:
            game = replace(game, teams=self._resolve(game.team_logins))
        is_new, events = self._games.put(game, is_told=self.is_complete, at=at)
        self._is_changed |= is_new
        yield from events
        for player_id in self._games.take_leavers() & self._players.ghosts:
            yield from self._lose(player_id)
        for player in self._players.recall(self._games.take_comers()):
            if self.is_complete:
                yield PlayerCameOnline(player)

    def _resolve(
        self, teams: Mapping[int, tuple[str, ...]]
    ) -> dict[int, tuple[int, ...]]:
        """Return the teams of a server that tells logins alone."""
        found = {
            team: tuple(self.find_player(login) for login in logins)
            for team, logins in teams.items()
        }
        return {
            team: tuple(player.id for player in players if player is not None)
            for team, players in found.items()
        }

    def _apply_queues(self, message: JsonObject, now: float, utc: datetime) -> Steps:
        events: list[LobbyEvent] = []
        items = message.get("queues")
        if items == []:
            # Broadcasts name what has changed: this is a reply, of a server that is being
            # shut down.
            events += self._queues.clear()
        for item in self._items(message, "queues", MAX_QUEUES):
            queue = decode_queue(item, now, utc, self.clock_skew)
            if queue is None or self._queues.is_full_for(queue.name):
                self.dropped += 1
            else:
                events += self._queues.put(queue)
            # With all the ratings that are searched for, each is like many players.
            yield None
        events += self._queues.expire(now)
        self._is_changed |= bool(events)
        yield from events

    def _items(self, message: JsonObject, key: str, limit: int) -> Iterator[JsonObject]:
        """Yield the objects in a list, at most `limit` of them."""
        items: JsonValue = message.get(key)
        if not isinstance(items, list):
            self.dropped += 1
            return
        self.dropped += max(0, len(items) - limit)
        for item in items[:limit]:
            if isinstance(item, dict):
                yield item
            else:
                self.dropped += 1

    def _complete(self) -> Steps:
        """Forget what the server has not told of again, and go on with what it tells."""
        self._has_players = False
        self._has_games = False
        self._burst_ends = float("inf")
        for count, uid in enumerate(self._games.take_stale(), 1):
            self._games.forget(uid)
            if count % STEP == 0:
                yield None
        stale = self._players.take_stale() | self._players.ghosts
        for count, player_id in enumerate(stale, 1):
            yield from self._lose(player_id)
            if count % STEP == 0:
                yield None
        self.is_complete = True
        self._is_changed = True
        yield Refreshed()
