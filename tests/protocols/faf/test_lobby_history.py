"""Histories that nobody has thought of, and words that no server says."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ..kdeconnect.strategies import json_values
from .watching import (
    ME,
    START,
    Watched,
    game,
    games,
    gone,
    player,
    players,
    queue,
    queues,
    rating,
    welcome,
)
from custom_components.rumpus.protocols.faf.events import (
    GameEnded,
    GameLaunched,
    GameOpened,
    LobbyEvent,
    PlayerCameOnline,
    PlayerWentOffline,
    Updated,
)
from custom_components.rumpus.protocols.faf.lobby import Lobby
from custom_components.rumpus.protocols.faf.models import Game, PlayerStatus
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

IDS = st.integers(1, 9)
UIDS = st.integers(100, 104)
#: Few enough for two players to have the same, in another case.
LOGINS = st.sampled_from(["", "", "", "ann", "ANN", "bob", "Bob"])
STATES = st.sampled_from(["closed", "open", "playing", "paused"])
TYPES = st.sampled_from(["custom", "matchmaker"])


@st.composite
def player_items(draw: st.DrawFn) -> JsonObject:
    player_id = draw(IDS)
    if draw(st.booleans()):
        return gone(player_id)
    ratings: JsonObject = {
        "global": rating(draw(st.sampled_from([1000.0, 1500.0])), 100.0, 5)
    }
    return player(player_id, draw(LOGINS), ratings=ratings)


@st.composite
def game_items(draw: st.DrawFn) -> JsonObject:
    members = draw(st.lists(IDS, max_size=4))
    return game(draw(UIDS), draw(STATES), members, game_type=draw(TYPES))


PLAYERS = st.lists(player_items(), max_size=6).map(lambda items: players(*items))
GAMES = st.lists(game_items(), max_size=4).map(lambda items: games(*items))
QUEUES = st.lists(
    st.builds(queue, st.sampled_from("abc"), st.floats(0, 200), st.integers(0, 9)),
    max_size=3,
).map(lambda items: queues(*items))
MESSAGES = st.one_of(PLAYERS, GAMES, game_items(), QUEUES, st.just(welcome()))


class History(RuleBasedStateMachine):
    """A server of whims, and next to it two simple models of what is believed of it."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = Watched()
        self.online: set[int] = set()
        self.joinable: set[int] = set()
        self.finished = 0

    @initialize()
    def log_in(self) -> None:
        self.watched.log_in()
        self.online = set(self.lobby.players)

    @property
    def lobby(self) -> Lobby:
        return self.watched.lobby

    def tell(self, message: JsonObject) -> None:
        before = self._model()
        events = self.watched.tell_all(message)
        self._follow(events)
        if self._model() != before:
            assert events
            assert events[-1] == Updated()

    def _model(self) -> object:
        lobby = self.lobby
        return dict(lobby.players), dict(lobby.games), dict(lobby.queues), lobby.me

    def _follow(self, events: list[LobbyEvent]) -> None:
        """Learn who is online, and what is open, from the events alone."""
        for event in events:
            match event:
                case PlayerCameOnline(one):
                    assert one.id not in self.online
                    self.online.add(one.id)
                case PlayerWentOffline(one):
                    self.online.remove(one.id)
                case GameOpened(one_game):
                    self.joinable.add(one_game.uid)
                case GameLaunched(one_game):
                    self.joinable.discard(one_game.uid)
                case GameEnded(one_game):
                    self.joinable.discard(one_game.uid)
                    self.finished += event.was_running

    @rule(message=PLAYERS)
    def tell_players(self, message: JsonObject) -> None:
        self.tell(message)

    @rule(message=st.one_of(GAMES, game_items()))
    def tell_games(self, message: JsonObject) -> None:
        self.tell(message)

    @rule(message=QUEUES, seconds=st.floats(0, 400))
    def tell_queues(self, message: JsonObject, seconds: float) -> None:
        self.watched.now += seconds
        self.tell(message)

    @rule(online=PLAYERS, hosted=GAMES)
    def reconnect(self, online: JsonObject, hosted: JsonObject) -> None:
        listed = online["players"]
        games_listed = hosted["games"]
        assert isinstance(listed, list)
        assert isinstance(games_listed, list)
        events = self.watched.log_in(listed, games_listed)
        assert not [event for event in events if isinstance(event, PlayerCameOnline)]
        self.online = set(self.lobby.players)
        expected = {
            item["id"]
            for item in listed
            if isinstance(item, dict) and "state" not in item
        }
        ghosts = {*self.lobby.players} - expected - {ME}
        assert all(self.lobby.game_of(ghost) for ghost in ghosts)

    @invariant()
    def counters_are_a_recount(self) -> None:
        lobby = self.lobby
        states = Counter(each.state for each in lobby.games.values())
        assert lobby.open_games == states["open"]
        assert lobby.running_games == states["playing"]
        assert not states["closed"]
        seats = {n for each in lobby.games.values() for n in each.member_ids}
        assert lobby.players_in_games == len(seats)
        assert lobby.players_online == len(seats | lobby.players.keys())
        assert lobby.finished_games >= self.finished

    @invariant()
    def everybody_is_where_they_are(self) -> None:
        lobby = self.lobby
        for player_id in range(1, 10):
            places = [g for g in lobby.games.values() if player_id in g.member_ids]
            place = lobby.game_of(player_id)
            assert place in places if place is not None else not places
            status = lobby.status_of(player_id)
            assert lobby.is_online(player_id) is (status is not PlayerStatus.OFFLINE)
            assert (status in {PlayerStatus.IN_LOBBY, PlayerStatus.PLAYING}) is bool(
                places
            )

    @invariant()
    def logins_find_players(self) -> None:
        lobby = self.lobby
        logins = {each.login.casefold() for each in lobby.players.values()}
        for login in logins | {"ann", "bob"}:
            found = lobby.find_player(login.upper())
            assert (found is not None) is (login in logins)
            assert found is None or lobby.players[found.id] is found
            assert found is None or found.login.casefold() == login

    @invariant()
    def events_tell_who_is_online(self) -> None:
        if self.lobby.is_complete:
            assert self.online == set(self.lobby.players)

    @invariant()
    def matches_form_or_are_there(self) -> None:
        assert not self.lobby.forming.keys() & self.lobby.games.keys()


TestHistory = History.TestCase
TestHistory.settings = settings(deadline=None, max_examples=100, stateful_step_count=30)


def _snapshot(lobby: Lobby) -> tuple[object, ...]:
    return (
        dict(lobby.players),
        dict(lobby.games),
        dict(lobby.queues),
        {n: _place(lobby.game_of(n)) for n in range(1, 10)},
        (lobby.open_games, lobby.running_games, lobby.players_in_games),
        (lobby.launched_games, lobby.finished_games, lobby.is_complete),
    )


def _place(place: Game | None) -> int | None:
    return None if place is None else place.uid


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=12))
def test_breaks_between_the_steps_change_nothing(messages: list[JsonObject]) -> None:
    at_once, by_steps = Watched(), Watched()
    for message in messages:
        expected = at_once.tell_all(message)
        told: list[LobbyEvent] = []
        steps: Iterator[LobbyEvent | None] = by_steps.lobby.apply(
            message, by_steps.now, by_steps.utc
        )
        for step in steps:
            # Whoever uses the break looks at the model.
            _snapshot(by_steps.lobby)
            if step is not None:
                told.append(step)
        assert told == expected
        assert _snapshot(by_steps.lobby) == _snapshot(at_once.lobby)


@settings(deadline=None)
@given(st.lists(game_items(), max_size=12))
def test_both_shapes_of_games_are_the_same(items: list[JsonObject]) -> None:
    one_by_one, together = Watched(), Watched()
    for watched in (one_by_one, together):
        watched.log_in()

    told = [event for item in items for event in one_by_one.tell(item)]

    assert together.tell(games(*items)) == told
    assert _snapshot(together.lobby) == _snapshot(one_by_one.lobby)


COMMANDS = st.sampled_from(
    [
        "avatar",
        "disabled",
        "game_info",
        "game_launch",
        "kicked_from_party",
        "match_cancelled",
        "match_found",
        "matchmaker_info",
        "notice",
        "party_invite",
        "player_info",
        "search_info",
        "search_timeout",
        "search_violation",
        "social",
        "update_party",
        "welcome",
    ]
)
KEYS = st.sampled_from(
    [
        "autojoin",
        "avatarlist",
        "channels",
        "count",
        "current_time",
        "expires_at",
        "foes",
        "friends",
        "game_id",
        "games",
        "id",
        "login",
        "me",
        "members",
        "owner",
        "player",
        "players",
        "power",
        "queue_name",
        "queues",
        "request",
        "sender",
        "state",
        "style",
        "text",
        "timeouts",
        "uid",
    ]
)
LISTS: st.SearchStrategy[JsonValue] = st.lists(
    st.one_of(player_items(), game_items(), json_values), max_size=4
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            COMMANDS, st.dictionaries(KEYS, st.one_of(json_values, LISTS), max_size=6)
        ),
        max_size=6,
    )
)
def test_nothing_that_a_server_says_raises(
    words: list[tuple[str, JsonObject]],
) -> None:
    lobby = Lobby()
    for command, body in words:
        list(lobby.apply({**body, "command": command}, 1000.0, START))

    assert lobby.players_online >= len(lobby.players)
