"""Who is online in a lobby (the FAF reference, section 7.1)."""

from collections.abc import Iterator, Set as AbstractSet
from typing import Final

from .events import LobbyEvent, PlayerCameOnline, RatingChanged
from .models import NEW_RATING, Player

MAX_PLAYERS: Final = 10_000
"""Players that are kept; five times as many as a full lobby has."""
MAX_GONE: Final = 1_000
"""Players who are remembered after they have gone; the first to go is forgotten first."""


class PlayerTable:
    """Players by their id, and by their login whatever its case.

    A `ghost` is one of whom the server says that they are gone although they are in a game:
    it says so when an old connection of theirs dies after the new one has been made.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self.players: dict[int, Player] = {}
        self.ghosts: set[int] = set()
        self._gone: dict[int, Player] = {}
        self._ids: dict[str, int] = {}
        #: Who has the same login, the latest at the end: the others have been renamed, and
        #: have not changed since, so that the server has not told yet.
        self._shared: dict[str, dict[int, None]] = {}
        self._stale: set[int] = set()

    def find(self, login: str) -> Player | None:
        """Return the player with a login."""
        player_id = self._ids.get(login.casefold())
        return None if player_id is None else self.players[player_id]

    def is_full_for(self, player_id: int) -> bool:
        """Whether there is no room for another player."""
        return len(self.players) >= MAX_PLAYERS and player_id not in self.players

    def put(self, player: Player, *, is_told: bool) -> tuple[bool, list[LobbyEvent]]:
        """Keep what is known of a player now instead of what was.

        Returns whether anything has changed, and what to tell of it; that somebody has come
        online only if `is_told`.
        """
        self._stale.discard(player.id)
        self.ghosts.discard(player.id)
        before = self.players.get(player.id)
        if before == player:
            return False, []
        self.players[player.id] = player
        if before is None:
            self._gone.pop(player.id, None)
            self._index(player)
            return True, [PlayerCameOnline(player)] if is_told else []
        if before.login != player.login:
            self._unindex(before)
            self._index(player)
        return True, list(_rating_changes(before, player))

    def remove(self, player_id: int) -> Player:
        """Forget a player who is known, and return what was known of them."""
        self._stale.discard(player_id)
        self.ghosts.discard(player_id)
        player = self.players.pop(player_id)
        self._unindex(player)
        if len(self._gone) >= MAX_GONE:
            del self._gone[next(iter(self._gone))]
        self._gone[player_id] = player
        return player

    def recall(self, player_ids: AbstractSet[int]) -> list[Player]:
        """Take back those who are seen in games after they have gone, as ghosts."""
        players = [
            self._gone[player_id] for player_id in player_ids & self._gone.keys()
        ]
        for player in players:
            del self._gone[player.id]
            self.players[player.id] = player
            self.ghosts.add(player.id)
            self._index(player)
        return players

    def begin(self) -> None:
        """Start a new list: whoever is not put from now on is in `take_stale`."""
        self._stale = set(self.players)

    def take_stale(self) -> set[int]:
        """Return who has not been put since `begin`, once."""
        stale, self._stale = self._stale, set()
        return stale

    def _index(self, player: Player) -> None:
        key = player.login.casefold()
        other = self._ids.get(key)
        if other is not None:
            self._shared.setdefault(key, {other: None})[player.id] = None
        self._ids[key] = player.id

    def _unindex(self, player: Player) -> None:
        key = player.login.casefold()
        sharers = self._shared.get(key)
        if sharers is None:
            del self._ids[key]
            return
        del sharers[player.id]
        self._ids[key] = next(reversed(sharers))
        if len(sharers) == 1:
            del self._shared[key]


def _rating_changes(before: Player, after: Player) -> Iterator[RatingChanged]:
    if before.ratings == after.ratings:
        return
    for leaderboard, rating in after.ratings.items():
        # The first game by a leaderboard changes what everybody starts with.
        old = before.ratings.get(leaderboard, NEW_RATING)
        if old != rating and rating.games:
            yield RatingChanged(after, leaderboard, old, rating)
