"""Queues, their pops and the matches that come of them (sections 7.3, 8.2 and 9.4)."""

import asyncio
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_dispatch import ClientError, DisabledError, Handler
from tests.fakes.faf_games import launch_message
from tests.fakes.faf_json import JsonObject, JsonValue, text_of
from tests.fakes.faf_models import (
    FACTIONS,
    FakeGame,
    FakeQueue,
    Match,
    Player,
    PlayerState,
    Search,
    Stage,
    now,
)

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_games import Games
    from tests.fakes.faf_session import Session

WANTED_MATCHES: Final = 2.5  # with each pop


class Matchmaker:
    """All queues."""

    def __init__(self, core: Core, games: Games) -> None:
        self._core = core
        self._games = games
        self.pops = True  # queues pop by themselves
        self.max_pop = 90.0  # seconds between two pops, at most
        self.match_timeout = 60.0  # seconds that a host has
        self.violations: dict[int, int] = {}
        self.handlers: dict[str, Handler] = {
            "matchmaker_info": self._matchmaker_info,
            "game_matchmaking": self._game_matchmaking,
            "match_ready": self._match_ready,
        }

    def start(self) -> None:
        """Let the queues begin; their first pop comes early."""
        for queue in self._core.queues.values():
            self._schedule(queue, self.max_pop / 2)

    def add_queue(self, queue: FakeQueue) -> None:
        """Open a queue; the server has to run."""
        self._core.queues[queue.name] = queue
        self._schedule(queue, self.max_pop / 2)
        self._core.touch_queue(queue)

    def pop_in(self, queue: FakeQueue, delay: float) -> None:
        """Let a queue pop in some seconds, and tell of it."""
        self._schedule(queue, delay)
        self._core.touch_queue(queue)

    def _schedule(self, queue: FakeQueue, delay: float) -> None:
        at = queue.pop_at = asyncio.get_running_loop().time() + delay
        queue.waited = delay
        self._core.later(delay, self._popped, queue, at)

    def _popped(self, queue: FakeQueue, at: float) -> None:
        if self.pops and queue.pop_at == at:
            queue.noted.append((queue.size, queue.waited))
            self.pop(queue, self._next_pop(queue))

    def _next_pop(self, queue: FakeQueue) -> float:
        """Return how long so many as lately come together takes (section 7.3)."""
        players = sum(count for count, _ in queue.noted)
        if not players:
            return self.max_pop
        seconds = sum(waited for _, waited in queue.noted)
        wanted = WANTED_MATCHES * 2 * queue.team_size
        return min(self.max_pop, wanted * seconds / players)

    # --- searching ---

    def search(self, players: list[Player], queue: FakeQueue) -> None:
        """Let players search together; those who do already begin anew."""
        self.stop(players[0], queue)
        queue.searches.append(Search(players))
        for player in players:
            player.state = PlayerState.SEARCHING_LADDER
        self._tell(players, queue, "start")

    def stop(self, player: Player, queue: FakeQueue) -> None:
        """Let a player, and whoever searches along, search no more."""
        for search in tuple(queue.searches):
            if player in search.players:
                queue.searches.remove(search)
                self._back_to_idle(search.players)
                self._tell(search.players, queue, "stop")

    def stop_all(self, player: Player) -> None:
        """Let a player search nowhere."""
        for queue in self._core.queues.values():
            self.stop(player, queue)

    def is_searching(self, player: Player) -> bool:
        """Whether a player is in a queue."""
        return any(
            player in search.players
            for queue in self._core.queues.values()
            for search in queue.searches
        )

    def _back_to_idle(self, players: list[Player]) -> None:
        for player in players:
            if player.state is PlayerState.SEARCHING_LADDER and not self.is_searching(
                player
            ):
                player.state = PlayerState.IDLE

    def _tell(self, players: list[Player], queue: FakeQueue, state: str) -> None:
        for player in players:
            player.write(
                {"command": "search_info", "queue_name": queue.name, "state": state}
            )
            self._core.events.emit(
                "search", login=player.login, queue=queue.name, state=state
            )
        self._core.touch_queue(queue)

    # --- matches ---

    def pop(self, queue: FakeQueue, delay: float | None = None) -> list[FakeGame]:
        """Match whoever can be, and again in `delay` seconds; returns the games."""
        games: list[FakeGame] = []
        while (teams := _teams(queue)) is not None:
            games.append(self._match(queue, teams))
        self._schedule(queue, self.max_pop if delay is None else delay)
        self._core.touch_queue(queue)
        return games

    def _match(self, queue: FakeQueue, teams: list[list[Player]]) -> FakeGame:
        match = Match(queue, teams)
        players = match.players
        queue.searches = [
            search for search in queue.searches if search.players[0] not in players
        ]
        host = players[0]
        game = self._games.add(
            host,
            " Vs ".join(_team_name(team) for team in teams),
            game_type="matchmaker",
            featured_mod=queue.featured_mod,
            map_name=queue.map_name,
            rating_type=queue.rating_type,
            max_players=len(players),
            match=match,
        )
        for player in players:
            player.write({"command": "match_found", "queue_name": queue.name})
            self.stop_all(player)
            player.state = PlayerState.STARTING_AUTOMATCH
            player.game = game
        self._core.events.emit(
            "match",
            uid=game.uid,
            queue=queue.name,
            players=[player.login for player in players],
        )
        self._launch(game, host)
        self._core.later(self.match_timeout, self._host_late, game)
        return game

    def _launch(self, game: FakeGame, player: Player) -> None:
        """Tell a player of a match to start the game."""
        assert game.match is not None
        for number, team in enumerate(game.match.teams):
            if player in team:
                party = player.party
                factions = (party.factions if party else {}).get(player.id, FACTIONS)
                player.write(
                    launch_message(
                        game,
                        player,
                        mapname=game.map_name,
                        team=number + 2,
                        faction=FACTIONS.index(factions[0]) + 1,
                        expected_players=len(game.match.players),
                        map_position=game.match.players.index(player) + 1,
                    )
                )

    def host_ready(self, game: FakeGame) -> None:
        """Let the others of a match start their games, once."""
        match = game.match
        if match is None or match.is_host_ready:
            return
        match.is_host_ready = True
        for player in match.players:
            if player is not game.host:
                self._launch(game, player)
        delay = self.match_timeout + 10 * (len(match.players) - 1)
        self._core.later(delay, self._launch_late, game)

    def _host_late(self, game: FakeGame) -> None:
        match = game.match
        if match is not None and not match.is_host_ready:
            self.cancel(game, game.host)

    def _launch_late(self, game: FakeGame) -> None:
        if game.stage is Stage.LOBBY:
            self.cancel(game, None)

    def cancel(self, game: FakeGame, culprit: Player | None) -> None:
        """Let a match not take place; whoever it is up to is told off."""
        match = game.match
        if match is None or game.stage in (Stage.LIVE, Stage.ENDED):
            return
        for player in match.players:
            if player is not game.host and not match.is_host_ready:
                self._launch(game, player)
        match.is_host_ready = True
        for player in match.players:
            player.write({"command": "match_cancelled", "game_id": game.uid})
            if player.game is game:
                player.game = None
                player.state = PlayerState.IDLE
        game.seats.clear()
        self._games.end(game)
        self._core.events.emit("match_cancelled", uid=game.uid)
        if culprit is not None:
            self.violate(culprit)

    def violate(self, player: Player) -> None:
        """Note that somebody did not come to a match, and say so."""
        count = self.violations[player.id] = self.violations.get(player.id, 0) + 1
        player.write(
            {
                "command": "search_violation",
                "count": count,
                "time": now().isoformat(timespec="microseconds"),
            }
        )
        player.write(
            {
                "command": "notice",
                "style": "info",
                "text": f"You have {count} matchmaker violation(s).",
            }
        )

    # --- commands ---

    async def _matchmaker_info(self, session: Session, message: JsonObject) -> None:
        self._core.events.emit("queues_asked", login=session.login)
        names = [] if self._core.is_shutting_down else list(self._core.queues)
        await session.send(self._core.describe_queues(names))

    async def _match_ready(self, session: Session, message: JsonObject) -> None:
        """Have no effect."""

    async def _game_matchmaking(self, session: Session, message: JsonObject) -> None:
        player = session.player
        assert player is not None
        state = message["state"]
        name = text_of(message, "queue_name", text_of(message, "mod", "ladder1v1"))
        party = player.party
        assert party is not None
        if state == "start":
            if self._core.is_shutting_down:
                raise DisabledError
            self._start_search(player, name, list(party.members.values()))
        elif state == "stop" and name in self._core.queues:
            if party.owner is not player:
                raise ClientError("Only the party owner may leave the queue.")
            self.stop(player, self._core.queues[name])

    def _start_search(self, player: Player, name: str, members: list[Player]) -> None:
        assert player.party is not None
        if player.party.owner is not player:
            raise ClientError("Only the party owner may enter the party into a queue.")
        free = (PlayerState.IDLE, PlayerState.SEARCHING_LADDER)
        for member in members:
            if member.state not in free:
                raise ClientError(
                    f"Can't join a queue while {member.login} is in state"
                    f" {member.state}"
                )
        queue = self._core.queues[name]
        if len(members) > queue.team_size:
            raise ClientError("Your party is too large to join that queue!")
        late = [member for member in members if self.violations.get(member.id, 0) > 1]
        if late:
            self._refuse_late(player, name, late)
            return
        self.search(members, queue)

    @staticmethod
    def _refuse_late(player: Player, name: str, late: list[Player]) -> None:
        """Refuse those who did not come to matches before."""
        until = now().isoformat(timespec="microseconds")
        timeouts: list[JsonValue] = [
            {"player": member.id, "expires_at": until} for member in late
        ]
        player.write({"command": "search_timeout", "timeouts": timeouts})
        player.write({"command": "search_info", "queue_name": name, "state": "stop"})
        raise ClientError("Some players are not allowed to search now.", "info")


def _teams(queue: FakeQueue) -> list[list[Player]] | None:
    """Return two full teams of those who search, or None."""
    teams: list[list[Player]] = [[], []]
    for search in queue.searches:
        for team in teams:
            if len(team) + len(search.players) <= queue.team_size:
                team.extend(search.players)
                break
    return teams if all(len(team) == queue.team_size for team in teams) else None


def _team_name(team: list[Player]) -> str:
    """Return what a match calls a team (section 7.2)."""
    if len(team) == 1:
        return team[0].login
    clans = {player.account.clan for player in team}
    if len(clans) == 1 and (clan := clans.pop()) is not None:
        return f"Team {clan}"
    return f"Team {team[0].login}"
