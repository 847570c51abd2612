"""The state of a lobby as Home Assistant sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ...protocols.faf.models import Avatar, Game, PlayerStatus, Rating


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue of the matchmaker; `next_pop` is in UTC, and steady."""

    name: str
    players: int
    team_size: int
    next_pop: datetime


@dataclass(frozen=True, slots=True)
class FollowedState:
    """What is known of a followed player.

    `login` is what the player is called now.  `game` is the lobby or the running game that the
    player is in; `since` is when that was launched, or opened while it is not.
    `rating_change` is that of the displayed rating in `changed_leaderboard`, None until a
    rating has changed while we watched.  Of a player who is offline there are the ratings,
    the clan and the country of the last time that we saw them.
    """

    key: str
    login: str
    status: PlayerStatus = PlayerStatus.OFFLINE
    game: Game | None = None
    since: datetime | None = None
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    rating_change: float | None = None
    changed_leaderboard: str | None = None
    clan: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class FafState:
    """All that is known of a lobby now; None is what is not known.

    `is_connected`: the server answers.  `is_signed_in`: what is known of players, games and
    queues is complete.  `is_signed_out_elsewhere`: another program has signed in with the
    account, so we do not any more.  `latency` is in seconds.
    """

    is_connected: bool = False
    is_signed_in: bool = False
    is_signed_out_elsewhere: bool = False
    latency: float | None = None
    players_online: int | None = None
    players_in_games: int | None = None
    games_open: int | None = None
    games_running: int | None = None
    games_finished: int | None = None
    queues: Mapping[str, QueueState] = field(default_factory=dict)
    searching: frozenset[str] = frozenset()
    followed: Mapping[str, FollowedState] = field(default_factory=dict)
    avatars: tuple[Avatar, ...] = ()
    avatar: Avatar | None = None
