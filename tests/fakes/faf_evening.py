"""What happens on a fake lobby by itself: people come, play, and go to bed."""

import asyncio
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_models import FakeGame, Player, PlayerState, Stage

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby

CAST: Final = (
    *("Rhiza", "Brackman", "Clarke", "Hall", "Fletcher", "Burke", "Arnold", "Gari"),
    *("Dostya", "Kael", "Marxon", "Vendetta", "Samantha", "Celene", "Jericho"),
    *("Hexfive", "Qaicomp", "Yuthaham", "Zanaishan", "Thelxie", "Overlord9"),
    *("TurtleKing", "MassMiner", "NukeOnTime", "AirFirst", "Ctrl_K", "Snipe_It"),
    *("EcoOnly", "Ravager", "Percival_7", "Monkeylord", "Galactic", "Mavor_x"),
)
TITLES: Final = (
    ("Setons 4v4 all welcome", "scmp_009", 8),
    ("Gap of Rohan, no rush 5", "scmp_026", 8),
    ("1v1 friendly", "scmp_016", 2),
    ("Mapgen 3v3 1000+", "neroxis_map_generator_1.8.8_hm2uitydqblpu_aicaedyaaeaqg", 6),
    ("Dual Gap 6v6", "adaptive_dual_gap.v0012", 12),
    ("Newcomers only", "scmp_007", 4),
)
_FULL: Final = 30  # as many are online at most
_RESTLESS: Final = 4  # as many join no games


class Evening:
    """A cast of players who do something every so often."""

    def __init__(
        self, lobby: FakeLobby, pace: float, regulars: tuple[str, ...] = ()
    ) -> None:
        """Do the next thing every `pace` seconds; 0 does nothing at all.

        `regulars` are further players, who come first.
        """
        self._lobby = lobby
        self._pace = pace
        self._cast = (*regulars, *CAST)
        self._timer: asyncio.TimerHandle | None = None
        self._chance = lobby.core.random
        self.steps = (
            *(self._come, self._host, self._join, self._search, self._launch),
            *(self._come, self._join, self._change, self._end, self._go),
        )
        self._step = 0

    def start(self) -> None:
        """Begin: the server is half full, and games are under way."""
        if self._pace <= 0:
            return
        for login in self._cast[: _FULL // 2]:
            if not self._player(login):
                self._appear(login)
        for action in (self._host, self._join, self._join, self._launch, self._host):
            action()
        self._again()

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def step(self) -> None:
        """Do the next thing, if there is somebody to do it."""
        self.steps[self._step % len(self.steps)]()
        self._step += 1

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pace, self._next)

    def _next(self) -> None:
        if self._lobby.is_running:
            self.step()
        self._again()

    # --- who and what there is ---

    def _player(self, login: str) -> Player | None:
        account = self._lobby.core.add_account(login)
        return self._lobby.core.players.get(account.id)

    def _idle(self) -> list[Player]:
        """Return who is online by themselves and does nothing."""
        players = filter(None, map(self._player, self._cast))
        return [
            player
            for player in players
            if player.session is None
            and player.state is PlayerState.IDLE
            and player.game is None
        ]

    def _games(self, stage: Stage, *, matches: bool = False) -> list[FakeGame]:
        """Return the games of the cast."""
        return [
            game
            for game in self._lobby.core.games.values()
            if game.stage is stage
            and game.host.session is None
            and (matches or game.match is None)
        ]

    # --- the steps ---

    def _appear(self, login: str) -> None:
        account = self._lobby.core.add_account(login)
        if not account.ratings:
            account.country = self._chance.choice(("DE", "FR", "GB", "PL", "US"))
            account.clan = self._chance.choice((None, None, "SC", "UEF"))
            for board in ("global", "ladder_1v1"):
                rating = account.rating(board)
                rating.mean = round(self._chance.gauss(1400, 250), 2)
                rating.deviation = round(self._chance.uniform(70, 200), 2)
                rating.games = self._chance.randint(5, 2000)
        self._lobby.sign_on(login)

    def _come(self) -> None:
        online = [login for login in self._cast if self._player(login)]
        absent = [login for login in self._cast if login not in online]
        if absent and len(online) < _FULL:
            self._appear(absent[0])

    def _go(self) -> None:
        if len(idle := self._idle()) > 6:
            self._lobby.sign_off(self._chance.choice(idle).login)

    def _host(self) -> None:
        if (idle := self._idle()) and len(self._games(Stage.LOBBY)) < 4:
            title, map_name, seats = self._chance.choice(TITLES)
            self._lobby.host_game(
                self._chance.choice(idle).login,
                title=title,
                map_name=map_name,
                max_players=seats,
            )

    def _join(self) -> None:
        for game in self._games(Stage.LOBBY):
            # Some are left over, to search in queues.
            for player in self._idle()[_RESTLESS:][: max(1, game.max_players // 3)]:
                if len(game.seats) < game.max_players:
                    self._lobby.join(player.login, game.uid, 2 + len(game.seats) % 2)

    def _change(self) -> None:
        for game in self._games(Stage.LOBBY)[:1]:
            title = game.title.removesuffix(" - starting soon")
            self._lobby.change_game(game.uid, title=f"{title} - starting soon")

    def _launch(self) -> None:
        for game in self._games(Stage.INITIALIZING, matches=True):
            self._lobby.launch(game.uid)
        for game in self._games(Stage.LOBBY):
            if len(game.seats) > 1:
                self._lobby.launch(game.uid)
                return

    def _end(self) -> None:
        games = self._games(Stage.LIVE, matches=True)
        if len(games) < 2:
            return
        game = min(games, key=lambda game: game.uid)
        winners = self._chance.choice((2, 3))
        ratings: dict[str, tuple[float, float]] = {}
        for team, players in game.teams().items():
            for player in players:
                rating = player.account.rating(game.rating_type)
                move = self._chance.uniform(4, 14) * (1 if team == winners else -1)
                ratings[player.login] = (
                    round(rating.mean + move, 2),
                    round(max(60.0, rating.deviation * 0.98), 2),
                )
        self._lobby.end_game(game.uid, ratings)

    def _search(self) -> None:
        for player in self._idle()[:2]:
            self._lobby.search(player.login, "ladder1v1")
