"""Games: from the wish to host one to the ratings after it (sections 7.2 and 8.3)."""

from collections.abc import Mapping
from datetime import datetime
import time
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_dispatch import BanError, ClientError, DisabledError, Handler
from tests.fakes.faf_json import JsonObject, JsonValue, number_of, text_of
from tests.fakes.faf_models import FakeGame, Player, PlayerState, Seat, Stage, now

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_session import Session

MAX_TITLE: Final = 128
WON: Final = 12.0  # points that a rated game moves


class Games:
    """All games, and what clients ask for about them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.setup_timeout = 30.0  # seconds until the game has to be in its lobby
        self.is_rated = True  # games with results change ratings
        self.handlers: dict[str, Handler] = {
            "game_host": self._game_host,
            "game_join": self._game_join,
            "restore_game_session": self._restore,
        }

    # --- what happens to a game, whoever wants it ---

    def add(self, host: Player, title: str, **settings: object) -> FakeGame:
        """Make a game that is not in its lobby yet."""
        core = self._core
        game = FakeGame(core.next_game, host, title[:MAX_TITLE])
        core.next_game += 1
        change(game, settings)
        core.games[game.uid] = game
        self.set_stage(game, Stage.INITIALIZING)
        return game

    def set_stage(self, game: FakeGame, stage: Stage) -> None:
        """Let a game be somewhere else in its life."""
        game.stage = stage
        self._core.events.emit("game", uid=game.uid, state=str(stage))
        self._core.touch_game(game)

    def open(self, game: FakeGame, host: Player) -> None:
        """Let the host's game be in its lobby."""
        self.seat(game, host)
        host.state = PlayerState.HOSTING
        if game.stage is Stage.INITIALIZING:
            game.hosted_at = now()
            self.set_stage(game, Stage.LOBBY)

    def seat(self, game: FakeGame, player: Player) -> Seat:
        """Connect a player's game."""
        player.game = game
        seat = game.seats.get(player.id)
        if seat is None or seat.player is not player:
            seat = game.seats[player.id] = Seat(player)
        return seat

    def launch(self, game: FakeGame) -> None:
        """Begin to play."""
        game.launched_at = time.time()
        if game.hosted_at is None:
            game.hosted_at = now()
        game.fixed_teams = tuple(game.teams())
        game.launched = frozenset(
            player_id
            for player_id in game.seats
            if player_id in game.player_options and game.team_of(player_id) != -1
        )
        for seat in game.seats.values():
            seat.player.state = PlayerState.PLAYING
        self.set_stage(game, Stage.LIVE)

    def leave(self, game: FakeGame, player: Player) -> None:
        """Take a player out of a game."""
        seat = game.seats.get(player.id)
        if player.game is game:
            player.game = None
            player.state = PlayerState.IDLE
        if seat is None or seat.player is not player:
            if player is game.host and game.stage is Stage.INITIALIZING:
                self.end(game)
            return
        del game.seats[player.id]
        if game.stage is Stage.LOBBY:
            game.player_options.pop(player.id, None)
            if player is game.host:
                self._close_lobby(game)
                return
            for other in game.seats.values():
                other.player.write(to_game("DisconnectFromPeer", player.id))
        if game.stage is Stage.LIVE and self._is_over(game):
            self.end(game)
        else:
            self._core.touch_game(game)

    def _close_lobby(self, game: FakeGame) -> None:
        """End a game whose host is gone before it began."""
        for seat in tuple(game.seats.values()):
            seat.player.game = None
            seat.player.state = PlayerState.IDLE
        game.seats.clear()
        self.end(game)

    @staticmethod
    def _is_over(game: FakeGame) -> bool:
        return all(seat.has_ended for seat in game.seats.values())

    def simulation_ended(self, game: FakeGame, player: Player) -> None:
        """Note that a player's simulation has ended; the last one ends the game."""
        if (seat := game.seats.get(player.id)) is not None:
            seat.has_ended = True
        if game.stage is Stage.LIVE and self._is_over(game):
            self.end(game)

    def end(
        self, game: FakeGame, ratings: Mapping[str, tuple[float, float]] | None = None
    ) -> None:
        """End a game, and rate it: as `ratings` say, by login, or by its results."""
        if game.stage is Stage.ENDED:
            return
        was_live = game.stage is Stage.LIVE
        self.set_stage(game, Stage.ENDED)
        if ratings is not None:
            for login, (mean, deviation) in ratings.items():
                self.rate(login, game.rating_type, mean, deviation)
        elif was_live and self.is_rated and game.desyncs <= 20:
            self._rate_by_results(game)

    def _rate_by_results(self, game: FakeGame) -> None:
        for player_id, options in game.player_options.items():
            army = options.get("Army")
            outcome = game.results.get(army) if isinstance(army, int) else None
            move = {"victory": WON, "defeat": -WON}.get(outcome or "")
            if move is None or player_id not in game.launched:
                continue
            account = self._core.accounts[player_id]
            rating = account.rating(game.rating_type)
            self.rate(
                account.login,
                game.rating_type,
                rating.mean + move,
                rating.deviation * 0.98,
            )

    def rate(
        self,
        login: str,
        leaderboard: str,
        mean: float,
        deviation: float,
        games: int | None = None,
    ) -> None:
        """Change a rating after a game, or to a number of games."""
        account = self._core.account(login)
        rating = account.rating(leaderboard)
        rating.mean, rating.deviation = mean, deviation
        rating.games = rating.games + 1 if games is None else games
        self._core.events.emit(
            "rating",
            login=account.login,
            leaderboard=leaderboard,
            mean=mean,
            deviation=deviation,
        )
        if (player := self._core.players.get(account.id)) is not None:
            self._core.touch_player(player)

    def expire(self, game: FakeGame, player: Player) -> None:
        """Give up a seat, or the game, of somebody whose game did not come."""
        if player.state is not PlayerState.STARTING_GAME or player.game is not game:
            return
        player.state = PlayerState.IDLE
        player.game = None
        if player is game.host:
            self.end(game)

    # --- commands ---

    def _check_idle(self, session: Session) -> Player:
        player = session.player
        assert player is not None
        if not session.can_play:
            raise ClientError("Your client version is no longer supported.")
        if player.account.ban is not None:
            raise BanError(player.account.ban)
        if player.state is not PlayerState.IDLE:
            raise ClientError(
                f"Can't start a game while in state {player.state}",
            )
        return player

    async def _game_host(self, session: Session, message: JsonObject) -> None:
        if self._core.is_shutting_down:
            raise DisabledError
        player = self._check_idle(session)
        visibility = text_of(message, "visibility")
        if visibility not in ("public", "friends"):
            raise ValueError("another visibility")
        title = text_of(message, "title", f"{player.login}'s game")
        if not title.isascii():
            raise ClientError("Title must contain only ascii characters.")
        if not title.strip():
            raise ClientError("Title must not be empty.")
        mod = text_of(message, "mod", "faf")
        password = message.get("password")
        game = self.add(
            player,
            title,
            visibility=visibility,
            password=None if password is None else str(password),
            featured_mod=mod,
            game_type="coop" if mod == "coop" else "custom",
            map_name=text_of(message, "mapname", "scmp_007"),
            rating_min=_optional_number(message, "rating_min"),
            rating_max=_optional_number(message, "rating_max"),
            enforce_rating_range=message.get("enforce_rating_range") is True,
        )
        await self._start(session, player, game)

    async def _game_join(self, session: Session, message: JsonObject) -> None:
        player = self._check_idle(session)
        game = self._core.games.get(number_of(message, "uid"))
        if game is None:
            raise ClientError("The host has left the game.", "info")
        if game.stage is not Stage.LOBBY:
            raise ClientError("The game you are trying to join is not ready.", "info")
        if player.id in game.host.account.foes:
            raise ClientError("You cannot join games hosted by this player.")
        if game.is_matchmaker:
            raise ClientError("Cannot join a matchmaker game.")
        if game.password is not None and game.password != message.get("password"):
            raise ClientError("Bad password (it's case sensitive).", "info")
        await self._start(session, player, game)

    async def _restore(self, session: Session, message: JsonObject) -> None:
        player = self._check_idle(session)
        game = self._core.games.get(number_of(message, "game_id"))
        if game is None:
            raise ClientError(
                "The game you were connected to does no longer exist", "info"
            )
        if game.stage not in (Stage.LOBBY, Stage.LIVE):
            raise ClientError(
                "The game you were connected to is no longer available", "info"
            )
        if game.stage is Stage.LIVE and player.id not in game.launched:
            raise ClientError("You are not part of this game", "info")
        self.seat(game, player)
        player.state = PlayerState.PLAYING
        self._core.touch_game(game)

    async def _start(self, session: Session, player: Player, game: FakeGame) -> None:
        """Tell a client to start its game."""
        player.state = PlayerState.STARTING_GAME
        player.game = game
        self._core.later(self.setup_timeout, self.expire, game, player)
        await session.send(launch_message(game, player))


def change(game: FakeGame, settings: Mapping[str, object]) -> None:
    """Set attributes of a game. Raises AttributeError."""
    for name, value in settings.items():
        setattr(game, name, value)


def to_game(command: str, *arguments: JsonValue) -> JsonObject:
    """Return a message for a player's game (section 9)."""
    return {"command": command, "args": list(arguments), "target": "game"}


def launch_message(game: FakeGame, player: Player, **more: JsonValue) -> JsonObject:
    """Return what tells a client to start its game (section 8.3)."""
    played = player.account.rating(game.rating_type).games
    message: JsonObject = {
        "command": "game_launch",
        "args": ["/numgames", played],
        "uid": game.uid,
        "mod": game.featured_mod,
        "name": game.title,
        "init_mode": int(game.is_matchmaker),
        "game_type": game.game_type,
        "rating_type": game.rating_type,
    }
    return message | more


def _optional_number(message: JsonObject, name: str) -> float | None:
    value = message.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} is no number")
    return float(value)


def moment(seconds_ago: float) -> datetime:
    """Return when something was."""
    return datetime.fromtimestamp(time.time() - seconds_ago, now().tzinfo)
