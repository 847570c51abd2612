"""Accounts, players, games, queues and parties of a fake lobby (section 7)."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import hashlib
import math
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_json import JsonObject, JsonValue

if TYPE_CHECKING:
    from tests.fakes.faf_session import Session

NEW_MEAN: Final = 1500.0
NEW_DEVIATION: Final = 500.0
FACTIONS: Final = ("uef", "aeon", "cybran", "seraphim", "nomad")


def now() -> datetime:
    """Return the clock of the server."""
    return datetime.now(UTC)


def password_hash(password: str) -> str:
    """Return what clients send instead of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


@dataclass(slots=True)
class FakeRating:
    """A rating on one leaderboard."""

    mean: float = NEW_MEAN
    deviation: float = NEW_DEVIATION
    games: int = 0

    @property
    def displayed(self) -> float:
        """What players are shown."""
        return self.mean - 3 * self.deviation


@dataclass(eq=False, slots=True)
class Account:
    """Somebody who may sign in, known for ever."""

    id: int
    login: str
    password: str = field(default="secret", repr=False)
    country: str = ""
    clan: str | None = None
    power: int = 0
    ban: str | None = None
    ratings: dict[str, FakeRating] = field(default_factory=dict)
    avatars: dict[str, str] = field(default_factory=dict)
    """Tooltips by address."""
    avatar: str | None = None
    friends: list[int] = field(default_factory=list)
    foes: list[int] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    user_agent: str | None = None

    def rating(self, leaderboard: str) -> FakeRating:
        """Return a rating, a new one if there is none."""
        return self.ratings.setdefault(leaderboard, FakeRating())


class PlayerState(StrEnum):
    """What the server knows of what a player does (section 9.3)."""

    IDLE = "IDLE"
    STARTING_GAME = "STARTING_GAME"
    HOSTING = "HOSTING"
    JOINING = "JOINING"
    PLAYING = "PLAYING"
    SEARCHING_LADDER = "SEARCHING_LADDER"
    STARTING_AUTOMATCH = "STARTING_AUTOMATCH"


@dataclass(eq=False, slots=True)
class Player:
    """An account that is online: with a session, or by itself when a test says so."""

    account: Account
    session: Session | None = None
    is_online: bool = True
    state: PlayerState = PlayerState.IDLE
    game: FakeGame | None = None
    party: Party | None = None

    @property
    def id(self) -> int:
        """The number of the account."""
        return self.account.id

    @property
    def login(self) -> str:
        """The name of the account."""
        return self.account.login

    def write(self, message: JsonObject) -> None:
        """Send a message, if anybody is there."""
        if self.session is not None:
            self.session.write(message)

    def describe(self) -> JsonObject:
        """Return what the others see."""
        account = self.account
        told: JsonObject = {"id": account.id, "login": account.login}
        if account.avatar is not None:
            tooltip = account.avatars.get(account.avatar, "")
            told["avatar"] = {"url": account.avatar, "tooltip": tooltip}
        told["country"] = account.country
        if account.clan is not None:
            told["clan"] = account.clan
        if not self.is_online:
            told["state"] = "offline"
        for leaderboard in ("global", "ladder_1v1"):
            account.rating(leaderboard)
        told["ratings"] = {
            name: {
                "rating": [float(rating.mean), float(rating.deviation)],
                "number_of_games": rating.games,
            }
            for name, rating in account.ratings.items()
        }
        total, ladder = account.rating("global"), account.rating("ladder_1v1")
        told["global_rating"] = [float(total.mean), float(total.deviation)]
        told["ladder_rating"] = [float(ladder.mean), float(ladder.deviation)]
        told["number_of_games"] = total.games
        return told


class Stage(StrEnum):
    """Where in its life a game is."""

    INITIALIZING = "initializing"
    LOBBY = "lobby"
    LIVE = "live"
    ENDED = "ended"


_CLIENT_STATES: Final = {
    Stage.INITIALIZING: "closed",
    Stage.LOBBY: "open",
    Stage.LIVE: "playing",
    Stage.ENDED: "closed",
}


@dataclass(eq=False, slots=True)
class Seat:
    """The connection of a player's game."""

    player: Player
    is_in_lobby: bool = False
    has_ended: bool = False


@dataclass(eq=False, slots=True)
class FakeGame:
    """One game."""

    uid: int
    host: Player
    title: str
    visibility: str = "public"
    password: str | None = None
    game_type: str = "custom"
    featured_mod: str = "faf"
    sim_mods: dict[str, str] = field(default_factory=dict)
    map_name: str = "scmp_007"
    max_players: int = 12
    rating_type: str = "global"
    rating_min: float | None = None
    rating_max: float | None = None
    enforce_rating_range: bool = False
    stage: Stage = Stage.INITIALIZING
    hosted_at: datetime | None = None
    launched_at: float | None = None
    seats: dict[int, Seat] = field(default_factory=dict)
    player_options: dict[int, JsonObject] = field(default_factory=dict)
    ai_options: dict[str, JsonObject] = field(default_factory=dict)
    options: JsonObject = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    desyncs: int = 0
    fixed_teams: tuple[int, ...] = ()
    launched: frozenset[int] = frozenset()
    match: Match | None = None
    is_exiting: bool = False
    """Over, and its processes exit after the next report."""

    @property
    def is_matchmaker(self) -> bool:
        """Whether the matchmaker made it."""
        return self.game_type == "matchmaker"

    def team_of(self, player_id: int) -> int:
        """Return a player's team; -1 for an observer."""
        options = self.player_options[player_id]
        for key in ("Army", "StartSpot", "Team"):
            if options.get(key) == -1:
                return -1
        team = options.get("Team", 1)
        return team if isinstance(team, int) else 1

    def teams(self) -> dict[int, list[Player]]:
        """Return who is in which team."""
        teams: dict[int, list[Player]] = {team: [] for team in self.fixed_teams}
        for player_id in self.player_options:
            if (seat := self.seats.get(player_id)) is not None:
                teams.setdefault(self.team_of(player_id), []).append(seat.player)
        return teams

    def describe(self) -> JsonObject:
        """Return what the others see."""
        teams = self.teams()
        ids: list[JsonValue] = [
            {"team_id": team, "player_ids": [player.id for player in players]}
            for team, players in teams.items()
        ]
        logins: JsonObject = {
            str(team): [player.login for player in players]
            for team, players in teams.items()
        }
        return {
            "command": "game_info",
            "visibility": self.visibility,
            "password_protected": self.password is not None,
            "uid": self.uid,
            "title": self.title,
            "state": _CLIENT_STATES[self.stage],
            "game_type": self.game_type,
            "featured_mod": self.featured_mod,
            "sim_mods": dict(self.sim_mods),
            "mapname": self.map_name,
            "map_file_path": f"maps/{self.map_name}.zip",
            "host": self.host.login,
            "num_players": sum(map(len, teams.values())),
            "max_players": self.max_players,
            "hosted_at": _iso(self.hosted_at),
            "launched_at": self.launched_at,
            "rating_type": self.rating_type,
            "rating_min": self.rating_min,
            "rating_max": self.rating_max,
            "enforce_rating_range": self.enforce_rating_range,
            "teams_ids": ids,
            "teams": logins,
        }

    def is_visible_to(self, player: Player) -> bool:
        """Whether a player is told of it (section 7.2)."""
        if player.id == self.host.id or player.id in self.seats:
            return True
        if self.enforce_rating_range:
            displayed = player.account.rating(self.rating_type).displayed
            if not (
                (self.rating_min is None or self.rating_min <= displayed)
                and (self.rating_max is None or displayed <= self.rating_max)
            ):
                return False
        if self.visibility == "friends":
            return player.id in self.host.account.friends
        return player.id not in self.host.account.foes


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="microseconds")


@dataclass(eq=False, slots=True)
class Party:
    """Players who search together; alone when nobody was invited."""

    owner: Player
    members: dict[int, Player] = field(default_factory=dict)
    factions: dict[int, list[str]] = field(default_factory=dict)
    invited: set[int] = field(default_factory=set)

    def describe(self) -> JsonObject:
        """Return what its members are told."""
        return {
            "command": "update_party",
            "owner": self.owner.id,
            "members": [
                {
                    "player": player_id,
                    "factions": list[JsonValue](self.factions.get(player_id, FACTIONS)),
                }
                for player_id in self.members
            ],
        }


@dataclass(eq=False, slots=True)
class Search:
    """Somebody, or a party, in a queue."""

    players: list[Player]


@dataclass(eq=False, slots=True)
class Match:
    """What the matchmaker put together."""

    queue: FakeQueue
    teams: list[list[Player]]
    is_host_ready: bool = False

    @property
    def players(self) -> list[Player]:
        """Everybody in it."""
        return [player for team in self.teams for player in team]


@dataclass(eq=False, slots=True)
class FakeQueue:
    """One queue of the matchmaker."""

    name: str
    team_size: int = 1
    rating_type: str = "global"
    featured_mod: str = "faf"
    map_name: str = "scmp_015"
    pop_at: float = 0.0
    """When the next matching is, by the loop's clock."""
    waited: float = 0.0
    """Seconds between the last pop and the next."""
    searches: list[Search] = field(default_factory=list)
    noted: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=5))
    """How many searched, and for how long, at the last pops."""

    @property
    def size(self) -> int:
        """How many players search."""
        return sum(len(search.players) for search in self.searches)

    def describe(self, loop_time: float) -> JsonObject:
        """Return what everybody sees."""
        remaining = max(0.0, round(self.pop_at - loop_time, 2))
        means = [self._mean(search) for search in self.searches]
        return {
            "queue_name": self.name,
            "queue_pop_time": _iso(now() + timedelta(seconds=remaining)),
            "queue_pop_time_delta": remaining,
            "num_players": self.size,
            "boundary_80s": [[mean - 200, mean + 200] for mean in means],
            "boundary_75s": [[mean - 100, mean + 100] for mean in means],
            "team_size": self.team_size,
        }

    def _mean(self, search: Search) -> int:
        rating = search.players[0].account.rating(self.rating_type)
        return math.ceil(rating.mean / 10) * 10
