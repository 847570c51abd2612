"""What a test does on a fake lobby: players who need no client, games and matches."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
import contextlib
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_games import Games, change, moment
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_login import ELSEWHERE
from tests.fakes.faf_models import (
    Account,
    FakeGame,
    FakeQueue,
    FakeRating,
    Player,
    PlayerState,
    Stage,
)
from tests.fakes.faf_social import Social

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_matchmaker import Matchmaker
    from tests.fakes.faf_party import Parties

_BOARDS: Final = ("global", "ladder_1v1", "tmm_2v2", "tmm_4v4_full_share")
_MAPS: Final = ("scmp_007", "scmp_009", "neroxis_map_generator_1.8.8_xyz_aiea")
BANNED: Final = "You are <b>banned</b> from FAF."


class Deeds(ABC):
    """Methods of a lobby; a login may be written in any case."""

    core: Core
    games: Games
    matchmaker: Matchmaker
    social: Social
    parties: Parties

    @abstractmethod
    def connection_lost(self, player: Player) -> None:
        """Let somebody be offline."""

    # --- accounts ---

    def add_account(
        self,
        login: str,
        *,
        password: str = "secret",
        id: int | None = None,
        country: str = "",
        clan: str | None = None,
        power: int = 0,
        ratings: Mapping[str, tuple[float, float, int]] | None = None,
    ) -> Account:
        """Add an account; `ratings` are mean, deviation and games by leaderboard."""
        account = self.core.add_account(login, id)
        account.password = password
        account.country, account.clan, account.power = country, clan, power
        for name, (mean, deviation, games) in (ratings or {}).items():
            account.ratings[name] = FakeRating(mean, deviation, games)
        return account

    def account(self, login: str) -> Account:
        """Return an account. Raises LookupError."""
        return self.core.account(login)

    def rename(self, login: str, new: str) -> None:
        """Give an account another name."""
        self.core.rename(login, new)

    def set_clan(self, login: str, clan: str | None) -> None:
        """Let somebody be in another clan."""
        self.core.account(login).clan = clan
        self._touch(login)

    def add_avatar(self, login: str, url: str, tooltip: str) -> None:
        """Give an account an avatar that it may select."""
        self.core.account(login).avatars[url] = tooltip

    def set_avatar(self, login: str, url: str | None) -> None:
        """Select an avatar."""
        self.core.account(login).avatar = url
        self._touch(login)

    def set_rating(
        self,
        login: str,
        mean: float,
        deviation: float,
        games: int | None = None,
        leaderboard: str = "global",
    ) -> None:
        """Change a rating, after one more game unless their number is given."""
        self.games.rate(login, leaderboard, mean, deviation, games)

    def befriend(self, login: str, *others: str) -> None:
        """Put others on somebody's list of friends."""
        for other in others:
            self.social.add(
                self.core.account(login), "friend", self.core.account(other).id
            )

    def make_foe(self, login: str, *others: str) -> None:
        """Put others on somebody's list of foes."""
        for other in others:
            self.social.add(
                self.core.account(login), "foe", self.core.account(other).id
            )

    def _touch(self, login: str) -> None:
        with contextlib.suppress(LookupError):
            self.core.touch_player(self.core.player(login))

    # --- players ---

    def sign_on(self, *logins: str) -> None:
        """Let players be online by themselves; accounts are made where needed."""
        for login in logins:
            account = self.core.add_account(login)
            if account.id not in self.core.players:
                self.core.sign_on(Player(account))

    def sign_off(self, *logins: str) -> None:
        """Let players go, also those with a connection, which ends."""
        for login in logins:
            player = self.core.player(login)
            if player.session is None:
                self.connection_lost(player)
            else:
                player.session.end("signed off")

    def notice(self, text: str, style: str = "info", login: str | None = None) -> None:
        """Send a notice to somebody or to all."""
        message: JsonObject = {"command": "notice", "style": style, "text": text}
        for session, player in self.core.signed_in():
            if login is None or player is self.core.player(login):
                session.write(message)

    def kick(self, login: str, text: str | None = ELSEWHERE) -> None:
        """Throw somebody out as if they had signed in elsewhere.

        Without a text it is an administrator who does.
        """
        player = self.core.player(login)
        if player.session is None:
            self.connection_lost(player)
        else:
            player.session.kick(text)

    def kill_game(self, login: str) -> None:
        """Let an administrator close somebody's game."""
        self.core.player(login).write({"command": "notice", "style": "kill"})

    def ban(self, login: str, text: str | None = BANNED) -> None:
        """Ban an account, which may stay online, or let it in again."""
        self.core.account(login).ban = text

    def crowd(self, players: int = 1500, games: int = 300) -> None:
        """Let many players be online, and games be open and running."""
        chance = self.core.random
        crowd = []
        for number in range(1, players + 1):
            account = self.core.add_account(f"Commander_{number:04}")
            account.country = chance.choice(("DE", "FR", "GB", "US", ""))
            for board in _BOARDS:
                account.ratings[board] = FakeRating(
                    chance.gauss(1200, 300), chance.uniform(60, 300), number
                )
            if account.id not in self.core.players:
                self.core.sign_on(Player(account))
            crowd.append(self.core.players[account.id])
        idle = [player for player in crowd if player.game is None]
        for number in range(games):
            if not idle:
                break
            mates, idle = idle[:4], idle[4:]
            uid = self.host_game(
                mates[0].login,
                title=f"Game number {number}, all welcome",
                map_name=_MAPS[number % len(_MAPS)],
                max_players=8,
            )
            for place, mate in enumerate(mates[1:], 1):
                self.join(mate.login, uid, team=2 + place % 2)
            if number % 2:
                self.launch(uid)

    # --- games ---

    def game(self, uid: int) -> FakeGame:
        """Return a game that has not ended. Raises LookupError."""
        return self.core.games[uid]

    def host_game(
        self,
        host: str,
        *,
        title: str | None = None,
        is_open: bool = True,
        team: int = 2,
        **settings: object,
    ) -> int:
        """Host a game, in which the host takes a seat; returns its uid.

        Settings are attributes of FakeGame: `map_name`, `password`, `visibility`,
        `game_type`, `featured_mod`, `max_players`, `rating_min`, ... One that is not
        open yet is opened with `open_game`.
        """
        self.sign_on(host)
        player = self.core.player(host)
        game = self.games.add(player, title or f"{player.login}'s game", **settings)
        player.game = game
        player.state = PlayerState.STARTING_GAME
        if is_open:
            self.open_game(game.uid, team=team)
        return game.uid

    def open_game(self, uid: int, team: int = 2) -> None:
        """Let a game that was hosted be in its lobby."""
        game = self.core.games[uid]
        self.games.open(game, game.host)
        game.seats[game.host.id].is_in_lobby = True
        self._configure(game, game.host, team)
        self.matchmaker.host_ready(game)

    def change_game(self, uid: int, **settings: object) -> None:
        """Change attributes of a game."""
        game = self.core.games[uid]
        change(game, settings)
        self.core.touch_game(game)

    def join(self, login: str, uid: int, team: int = 3) -> None:
        """Let somebody take a seat in a game; team 1 is none, -1 watches."""
        self.sign_on(login)
        game, player = self.core.games[uid], self.core.player(login)
        self.games.seat(game, player).is_in_lobby = True
        player.state = PlayerState.JOINING
        self._configure(game, player, team)

    def _configure(self, game: FakeGame, player: Player, team: int) -> None:
        place = len(game.player_options) + 1
        game.player_options[player.id] = {
            "Faction": 1,
            "Color": place,
            "Team": team,
            "Army": -1 if team < 0 else place,
            "StartSpot": -1 if team < 0 else place,
        }
        self.core.touch_game(game)

    def leave(self, login: str) -> None:
        """Let somebody leave their game; the host of an open one closes it."""
        player = self.core.player(login)
        if player.game is None:
            raise LookupError("in no game")
        self.games.leave(player.game, player)

    def launch(self, uid: int, minutes_ago: float = 0.0) -> None:
        """Begin a game, or let it have begun; the others of a match come first."""
        game = self.core.games[uid]
        if game.match is not None:
            if game.stage is Stage.INITIALIZING:
                self.open_game(uid)
            for number, team in enumerate(game.match.teams):
                for player in team:
                    if player.id not in game.seats:
                        self.join(player.login, uid, team=number + 2)
        self.games.launch(game)
        if minutes_ago:
            game.hosted_at = moment(minutes_ago * 60 + 300)
            game.launched_at = moment(minutes_ago * 60).timestamp()

    def end_game(
        self, uid: int, ratings: Mapping[str, tuple[float, float]] | None = None
    ) -> None:
        """End a running game, with the new mean and deviation of players by login.

        Its second `closed` follows with the report after the next.
        """
        game = self.core.games[uid]
        game.is_exiting = True
        self.games.end(game, ratings or {})

    def abandon(self, uid: int) -> None:
        """Let the host leave an open game."""
        self.leave(self.core.games[uid].host.login)

    # --- matchmaker ---

    def add_queue(
        self, name: str, team_size: int = 1, rating_type: str = "global"
    ) -> None:
        """Open a queue."""
        self.matchmaker.add_queue(FakeQueue(name, team_size, rating_type))

    def search(self, login: str, queue: str = "ladder1v1", *others: str) -> None:
        """Let somebody search, others in the same party."""
        self.sign_on(login, *others)
        players = [self.core.player(name) for name in (login, *others)]
        self.matchmaker.search(players, self.core.queues[queue])

    def stop_search(self, login: str) -> None:
        """Let somebody search no more."""
        self.matchmaker.stop_all(self.core.player(login))

    def pop(self, queue: str = "ladder1v1") -> list[int]:
        """Match those who search; returns the uids of the games."""
        games = self.matchmaker.pop(self.core.queues[queue])
        return [game.uid for game in games]

    def pop_in(self, seconds: float, queue: str = "ladder1v1") -> None:
        """Let a queue pop in some seconds, and tell of it."""
        self.matchmaker.pop_in(self.core.queues[queue], seconds)

    def cancel_match(self, uid: int) -> None:
        """Let a match not take place, because of its host."""
        game = self.core.games[uid]
        self.matchmaker.cancel(game, game.host)

    def violate(self, login: str) -> None:
        """Let somebody not have come to a match."""
        self.matchmaker.violate(self.core.player(login))

    # --- parties and the end ---

    def invite(self, sender: str, recipient: str) -> None:
        """Invite somebody to a party."""
        self.parties.invite(self.core.player(sender), self.core.player(recipient))

    def accept_invite(self, recipient: str, sender: str) -> None:
        """Accept an invitation."""
        self.parties.accept(self.core.player(recipient), self.core.player(sender))

    def begin_shutdown(self, minutes: int = 30) -> None:
        """Let the server be about to go (section 10)."""
        core = self.core
        core.is_shutting_down = True
        core.events.emit("shutdown", step="begun")
        for game in tuple(core.games.values()):
            if game.stage in (Stage.INITIALIZING, Stage.LOBBY):
                for seat in game.seats.values():
                    seat.player.write({"command": "notice", "style": "kill"})
        self.notice(
            f"The server will be shut down for maintenance in {minutes} minutes."
        )
        for queue in core.queues.values():
            for search in tuple(queue.searches):
                self.matchmaker.stop(search.players[0], queue)

    def finish_shutdown(self) -> None:
        """Let the server say good-bye; `stop` it then."""
        self.notice("The server has been shut down.")
        self.core.events.emit("shutdown", step="finished")
        for session, _ in self.core.signed_in():
            session.end("shutdown")
