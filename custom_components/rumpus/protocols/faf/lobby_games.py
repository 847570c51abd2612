"""The games of a lobby (the FAF reference, section 7.2)."""

from collections.abc import Container, Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

from .events import (
    GameChanged,
    GameEnded,
    GameLaunched,
    GameOpened,
    LobbyEvent,
    MatchAborted,
    MatchFormed,
)
from .models import Game

MAX_GAMES: Final = 4_000
"""Games that are kept; ten times as many as a full lobby has."""
MAX_SEATS: Final = 50_000
"""People in games; once there are more, games are forgotten only."""
MAX_FORMING: Final = 500
"""Matches that are kept while they are not hosted yet; the oldest go first."""
MAX_OVER: Final = 1_000
"""Games that are remembered as over, for when the server says so again."""
FRESH_LAUNCH: Final = timedelta(seconds=120)
"""How long ago a game may have been launched that is seen for the first time as running
and still counts as launched now: it may have been hidden until now instead."""


class GameTable:
    """Open and running games by their number, and who is in which.

    `closed` says of a game that it is not hosted yet, or that it is over; it may come more
    than once, and a game may open after it.
    """

    def __init__(self) -> None:
        """Begin without games."""
        self.games: dict[int, Game] = {}
        self.forming: dict[int, Game] = {}
        self.open = 0
        self.running = 0
        self.launched = 0
        self.finished = 0
        self._leavers: set[int] = set()
        self._comers: set[int] = set()
        #: The games that each player is in, the one joined last at the end. A player who
        #: changes games is in both, or in none, between two messages.
        self._places: dict[int, dict[int, None]] = {}
        self._over: dict[int, None] = {}
        self._stale: set[int] = set()

    @property
    def seats(self) -> int:
        """How many people are in games."""
        return len(self._places)

    def game_of(self, player_id: int) -> Game | None:
        """Return the game that a player is in, the one joined last of several."""
        places = self._places.get(player_id)
        return None if places is None else self.games[next(reversed(places))]

    def strangers(self, known: Container[int]) -> int:
        """Return how many people are in games who are not among those known."""
        return sum(player_id not in known for player_id in self._places)

    def is_full_for(self, game: Game) -> bool:
        """Whether there is no room for a game, or for more people in it."""
        if game.is_closed:
            return False
        is_new = game.uid not in self.games
        return len(self._places) >= MAX_SEATS or (
            is_new and len(self.games) >= MAX_GAMES
        )

    def put(
        self, game: Game, *, is_told: bool, at: datetime
    ) -> tuple[bool, list[LobbyEvent]]:
        """Keep what is known of a game now instead of what was.

        `at` is the time by the server's clock. Returns whether anything has changed, and
        what to tell of it, which is nothing unless `is_told`.
        """
        self._stale.discard(game.uid)
        before = self.games.get(game.uid)
        if game.is_closed:
            events = self._close(game, before)
            return bool(events), events if is_told else []
        if before == game:
            return False, []
        formed = self.forming.pop(game.uid, None)
        self._over.pop(game.uid, None)
        self._store(game, before)
        if not is_told:
            return True, []
        if game.is_running and (before is None or not before.is_running):
            return True, self._launch(game, before or formed, at)
        if game.is_open and (before is None or not _is_known(before)):
            return True, [GameOpened(game)]
        return True, [] if before is None else [GameChanged(game, before)]

    def begin(self) -> None:
        """Start a new list: what is not put from now on is in `take_stale`."""
        self._stale = set(self.games)
        self.forming.clear()
        # A server that was started anew may give numbers once more.
        self._over.clear()

    def take_stale(self) -> set[int]:
        """Return which games have not been put since `begin`, once."""
        stale, self._stale = self._stale, set()
        return stale

    def forget(self, uid: int) -> None:
        """Remove a game without a word."""
        self._remove(self.games[uid])

    def take_leavers(self) -> set[int]:
        """Return who has been in a game and is in none any more, once."""
        leavers, self._leavers = self._leavers, set()
        return leavers

    def take_comers(self) -> set[int]:
        """Return who has come into a game and was in none before, once."""
        comers, self._comers = self._comers, set()
        return comers

    def _close(self, game: Game, before: Game | None) -> list[LobbyEvent]:
        uid = game.uid
        if before is not None:
            self._remove(before)
            self._remember(uid)
            self.finished += before.is_running
            events: list[LobbyEvent] = [GameEnded(before)]
            if before.is_matchmaker and not before.is_running:
                events.append(MatchAborted(uid))
            return events
        if self.forming.pop(uid, None) is not None:
            self._remember(uid)
            return [MatchAborted(uid)]
        if not game.is_matchmaker or uid in self._over or _has_been_open(game):
            return []
        if len(self.forming) >= MAX_FORMING:
            del self.forming[next(iter(self.forming))]
        self.forming[uid] = game
        return [MatchFormed(game)]

    def _launch(
        self, game: Game, before: Game | None, at: datetime
    ) -> list[LobbyEvent]:
        launched_at = game.launched_at
        if before is None and launched_at and at - launched_at > FRESH_LAUNCH:
            return []
        self.launched += 1
        return [GameLaunched(game, before)]

    def _remember(self, uid: int) -> None:
        if len(self._over) >= MAX_OVER:
            del self._over[next(iter(self._over))]
        self._over[uid] = None

    def _store(self, game: Game, before: Game | None) -> None:
        self.games[game.uid] = game
        self.open += game.is_open
        self.running += game.is_running
        old: AbstractSet[int] = frozenset()
        if before is not None:
            self.open -= before.is_open
            self.running -= before.is_running
            if before.teams == game.teams:
                return
            old = before.member_ids
        new = game.member_ids
        for player_id in old - new:
            self._leave(player_id, game.uid)
        for player_id in new - old:
            places = self._places.get(player_id)
            if places is None:
                places = self._places[player_id] = {}
                self._comers.add(player_id)
            places[game.uid] = None

    def _remove(self, game: Game) -> None:
        del self.games[game.uid]
        self.open -= game.is_open
        self.running -= game.is_running
        for player_id in game.member_ids:
            self._leave(player_id, game.uid)

    def _leave(self, player_id: int, uid: int) -> None:
        places = self._places[player_id]
        del places[uid]
        if not places:
            del self._places[player_id]
            self._leavers.add(player_id)


def _is_known(game: Game) -> bool:
    return game.is_open or game.is_running


def _has_been_open(game: Game) -> bool:
    # A match that is over is closed once more when its programs end, and we may not have
    # seen it before.
    return game.launched_at is not None or game.hosted_at is not None
