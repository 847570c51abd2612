"""What happens in a lobby and to the connection with it, as typed events.

`Connected`, `Disconnected`, `Stopped` and `LatencyMeasured` are the client's; all the
others come out of `Lobby.apply`.
"""

from dataclasses import dataclass
from datetime import datetime

from ..errors import RumpusError
from .models import Game, Notice, Player, Queue, Rating, Welcome


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has let us in; what it knows comes right after, up to `Refreshed`."""

    welcome: Welcome


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, and another is tried; `reason` is made for a log."""

    reason: str


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The client was not let in, or has found nobody; it tries again."""

    error: RumpusError | OSError


@dataclass(frozen=True, slots=True)
class Stopped:
    """The client has given up for good."""

    error: RumpusError


@dataclass(frozen=True, slots=True)
class LatencyMeasured:
    """The server has answered a ping."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Everything that the server tells after a login is in (section 6.1).

    What has changed since the last connection comes without events of its own, but for
    `RatingChanged` of the players known before.
    """


@dataclass(frozen=True, slots=True)
class Updated:
    """A message has been merged as a whole, and has changed something."""


@dataclass(frozen=True, slots=True)
class PlayerCameOnline:
    """Somebody has logged in."""

    player: Player


@dataclass(frozen=True, slots=True)
class PlayerWentOffline:
    """Somebody has logged out; `player` is what was known last."""

    player: Player


@dataclass(frozen=True, slots=True)
class RatingChanged:
    """A game has been rated, usually about a second after its end (section 9.2)."""

    player: Player
    leaderboard: str
    before: Rating
    after: Rating

    @property
    def change(self) -> float:
        """By how much the displayed rating went up or down."""
        return self.after.displayed - self.before.displayed


@dataclass(frozen=True, slots=True)
class GameOpened:
    """A game can be joined now that was not there before."""

    game: Game


@dataclass(frozen=True, slots=True)
class GameChanged:
    """Something about a game has changed other than its being launched or over."""

    game: Game
    before: Game


@dataclass(frozen=True, slots=True)
class GameLaunched:
    """A game has started; `before` is how it was until then, if it was seen."""

    game: Game
    before: Game | None = None


@dataclass(frozen=True, slots=True)
class GameEnded:
    """A game is over, or its lobby has been given up before it was launched.

    `game` is how it was before it closed, so that its players are still in it.
    """

    game: Game

    @property
    def was_running(self) -> bool:
        """Whether the game was played."""
        return self.game.is_running


@dataclass(frozen=True, slots=True)
class MatchFormed:
    """A queue has made a game, maybe of others; it is not hosted yet (section 7.2).

    In a game of teams only `host` and `title` tell who is in it.
    """

    game: Game


@dataclass(frozen=True, slots=True)
class MatchAborted:
    """A game that a queue has made is given up before it was launched."""

    uid: int


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """Somebody has joined or left a queue, or its next round is at another time."""

    queue: Queue


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    """A queue is there no more."""

    queue: Queue


@dataclass(frozen=True, slots=True)
class MatchFound:
    """A queue has found a match for the own account."""

    queue_name: str


@dataclass(frozen=True, slots=True)
class MatchCancelled:
    """The match found for the own account will not be played."""

    game_id: int | None


@dataclass(frozen=True, slots=True)
class GameLaunch:
    """The server asks the own account's game to start (section 8.3).

    What only a match of a queue has is None for other games.
    """

    uid: int
    name: str
    mod: str
    game_type: str
    rating_type: str
    map_name: str | None = None
    team: int | None = None
    faction: int | None = None
    expected_players: int | None = None
    map_position: int | None = None


@dataclass(frozen=True, slots=True)
class SearchChanged:
    """The own account, or its party, searches for a match in a queue, or stops doing so."""

    queue_name: str
    is_searching: bool


@dataclass(frozen=True, slots=True)
class SearchTimedOut:
    """A search was refused because of earlier violations, until `expires_at` (UTC)."""

    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SearchViolation:
    """The own account did not come to a match, for the `count`th time."""

    count: int


@dataclass(frozen=True, slots=True)
class NoticeReceived:
    """The server has something to say."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class PartyChanged:
    """The own account is in another party, or its party has other members, or is gone."""


@dataclass(frozen=True, slots=True)
class PartyInvited:
    """Somebody wants the own account in their party."""

    sender_id: int


@dataclass(frozen=True, slots=True)
class SocialChanged:
    """The lists of friends and foes, the channels or the own power have changed."""


@dataclass(frozen=True, slots=True)
class AvatarsListed:
    """The avatars that the own account may wear are known."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """A request was refused because the server is about to be shut down."""

    request: str


LobbyEvent = (
    AttemptFailed
    | AvatarsListed
    | Connected
    | Disabled
    | Disconnected
    | GameChanged
    | GameEnded
    | GameLaunch
    | GameLaunched
    | GameOpened
    | LatencyMeasured
    | MatchAborted
    | MatchCancelled
    | MatchFormed
    | MatchFound
    | NoticeReceived
    | PartyChanged
    | PartyInvited
    | PlayerCameOnline
    | PlayerWentOffline
    | QueueChanged
    | QueueRemoved
    | RatingChanged
    | Refreshed
    | SearchChanged
    | SearchTimedOut
    | SearchViolation
    | SocialChanged
    | Stopped
    | Updated
)
