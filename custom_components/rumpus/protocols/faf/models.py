"""What a lobby server tells about players, games and queues, as frozen values.

The FAF reference, sections 6.1 and 7. The mappings inside are never changed once a value
has been made; whoever reads must not change them either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final

OBSERVERS: Final = -1
"""The team of those who watch, or have no place in the game yet (section 7.2)."""
MATCHMAKER: Final = "matchmaker"
"""The type of the games that a queue has made."""


@dataclass(frozen=True, slots=True)
class Rating:
    """How well somebody plays, by one leaderboard: mean and deviation of the estimate.

    `games` is how many games of the leaderboard they have played.
    """

    mean: float
    deviation: float
    games: int = 0

    @property
    def displayed(self) -> float:
        """The one number that players know as their rating."""
        return self.mean - 3 * self.deviation


NEW_RATING: Final = Rating(1500.0, 500.0, 0)
"""Where everybody starts (section 7.1)."""


@dataclass(frozen=True, slots=True)
class Avatar:
    """A small picture next to a name; its address names it to the server, too."""

    url: str
    tooltip: str


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody who is online (section 7.1).

    `id` stays, `login` may change. `country` is an ISO code in upper case. `ratings` has
    the names of the leaderboards as keys (`global`, `ladder_1v1`, ...).
    """

    id: int
    login: str
    country: str | None = None
    clan: str | None = None
    avatar_url: str | None = None
    avatar_tooltip: str | None = None
    ratings: Mapping[str, Rating] = field(default_factory=dict, hash=False)


class GameState(StrEnum):
    """How far a game is (section 7.2)."""

    OPEN = "open"
    """In its lobby: others can join."""
    PLAYING = "playing"
    """Launched."""
    CLOSED = "closed"
    """Not hosted yet, or over."""


@dataclass(frozen=True, slots=True)
class Game:
    """A game as everybody sees it (section 7.2).

    `state` is a plain text where the server uses one that is not known here. `num_players`
    counts people, observers among them, and no AIs; `max_players` counts slots. The times
    are UTC by the server's clock. `rating_min` and `rating_max` are displayed ratings.
    `teams` has the numbers of the teams as keys (`OBSERVERS`, 1 for no team, 2, 3, ...) and
    the ids of the players as values; `team_logins` has the same in logins.
    """

    uid: int
    state: GameState | str
    title: str = ""
    host: str = ""
    visibility: str = "public"
    is_password_protected: bool = False
    game_type: str = "custom"
    featured_mod: str = "faf"
    sim_mods: tuple[str, ...] = ()
    map_name: str = ""
    num_players: int = 0
    max_players: int = 0
    hosted_at: datetime | None = None
    launched_at: datetime | None = None
    rating_type: str = ""
    rating_min: float | None = None
    rating_max: float | None = None
    is_rating_enforced: bool = False
    teams: Mapping[int, tuple[int, ...]] = field(default_factory=dict, hash=False)
    team_logins: Mapping[int, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def member_ids(self) -> frozenset[int]:
        """The ids of everybody in the game, observers among them."""
        return frozenset(chain.from_iterable(self.teams.values()))

    @property
    def player_ids(self) -> tuple[int, ...]:
        """The ids of those who play, team by team."""
        return tuple(
            player
            for team, players in self.teams.items()
            if team != OBSERVERS
            for player in players
        )

    @property
    def observer_ids(self) -> tuple[int, ...]:
        """The ids of those who watch, or have no place yet."""
        return self.teams.get(OBSERVERS, ())

    @property
    def is_open(self) -> bool:
        """Whether the game is in its lobby."""
        return self.state == GameState.OPEN

    @property
    def is_running(self) -> bool:
        """Whether the game has been launched and is not over."""
        return self.state == GameState.PLAYING

    @property
    def is_closed(self) -> bool:
        """Whether the game is not hosted yet, or over."""
        return self.state == GameState.CLOSED

    @property
    def is_matchmaker(self) -> bool:
        """Whether a queue has made the game."""
        return self.game_type == MATCHMAKER

    @property
    def free_slots(self) -> int:
        """How many slots no person has; AIs, which the server does not tell, may be there."""
        return max(0, self.max_players - self.num_players + len(self.observer_ids))


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the matchmaker (section 7.3).

    `players` are searching. The next round of matches is at `pop_at` by the clock of the
    event loop, and at `pop_time` by our own clock, in UTC. `boundaries` are the ratings
    that each search looks for, from - to.
    """

    name: str
    players: int
    team_size: int
    pop_at: float
    pop_time: datetime
    boundaries: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Social:
    """The own account's lists of ids, its channels and its power (0: an ordinary user)."""

    friends: frozenset[int] = frozenset()
    foes: frozenset[int] = frozenset()
    channels: tuple[str, ...] = ()
    power: int = 0


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a login: who we are, and the time by the server's clock in UTC."""

    player: Player
    server_time: datetime | None = None


class PlayerStatus(StrEnum):
    """What somebody does (section 12)."""

    OFFLINE = "offline"
    ONLINE = "online"
    """Online, and in no game that can be seen."""
    IN_LOBBY = "in_lobby"
    """In a game that has not been launched yet."""
    PLAYING = "playing"


class NoticeStyle(StrEnum):
    """The kinds of notices that are known; others come as plain text (section 7.4)."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    SCORES = "scores"
    KICK = "kick"
    """The connection is about to be closed; do not come back by yourself."""
    KILL = "kill"
    """The game has to be closed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A word of the server to the user: `text` is plain, without HTML, perhaps empty."""

    style: NoticeStyle | str
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """The group that searches for a match together: its owner's and its members' ids."""

    owner: int
    members: tuple[int, ...]
