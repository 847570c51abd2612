"""The games of a lobby: their lives, both shapes of their messages, who is in which."""

from collections.abc import Callable

import pytest

from .watching import ME, START, Watched, game, games, match, player
from custom_components.rumpus.protocols.faf import lobby_games
from custom_components.rumpus.protocols.faf.events import (
    GameChanged,
    GameEnded,
    GameLaunched,
    GameOpened,
    LobbyEvent,
    MatchAborted,
    MatchFormed,
    Refreshed,
    Updated,
)
from custom_components.rumpus.protocols.faf.models import PlayerStatus
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.log_in([player(n) for n in range(2, 6)])
    return watched


def names(events: list[LobbyEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


@pytest.fixture(params=["single", "list"])
def shape(request: pytest.FixtureRequest) -> Callable[[JsonObject], JsonObject]:
    return games if request.param == "list" else lambda body: body


def test_life_of_a_game(
    watched: Watched, shape: Callable[[JsonObject], JsonObject]
) -> None:
    lobby = watched.lobby

    assert watched.tell_all(shape(game(10, "closed"))) == []

    (opened,) = watched.tell(shape(game(10, "open", [1])))
    assert opened == GameOpened(lobby.games[10])
    assert (lobby.open_games, lobby.running_games, lobby.players_in_games) == (1, 0, 1)
    assert lobby.status_of(1) is PlayerStatus.IN_LOBBY

    before = lobby.games[10]
    (changed,) = watched.tell(shape(game(10, "open", [1, 2])))
    assert changed == GameChanged(lobby.games[10], before)
    assert watched.tell_all(shape(game(10, "open", [1, 2]))) == []

    before = lobby.games[10]
    (launched,) = watched.tell(shape(game(10, "playing", [1, 2])))
    assert launched == GameLaunched(lobby.games[10], before)
    assert (lobby.open_games, lobby.running_games, lobby.players_in_games) == (0, 1, 2)
    assert lobby.game_of(2) is lobby.games[10]
    assert lobby.status_of(2) is PlayerStatus.PLAYING

    before = lobby.games[10]
    (ended,) = watched.tell(shape(game(10, "closed", [1, 2])))
    assert ended == GameEnded(before)
    assert ended.was_running
    assert watched.tell_all(shape(game(10, "closed"))) == []
    assert (lobby.open_games, lobby.running_games, lobby.players_in_games) == (0, 0, 0)
    assert (lobby.launched_games, lobby.finished_games) == (1, 1)
    assert lobby.game_of(2) is None
    assert dict(lobby.games) == {}


def test_an_abandoned_lobby_is_no_finished_game(watched: Watched) -> None:
    watched.tell(game(10, "open", [1]))

    (ended,) = watched.tell(game(10, "closed"))

    assert isinstance(ended, GameEnded)
    assert not ended.was_running
    assert watched.lobby.finished_games == 0


def test_a_closed_game_may_open(watched: Watched) -> None:
    watched.tell(game(10, "open", [1]))
    watched.tell(game(10, "closed"))
    watched.tell(game(10, "closed"))

    assert names(watched.tell(game(10, "open", [1]))) == ["GameOpened"]
    assert watched.lobby.open_games == 1


def test_several_games_in_one_message(watched: Watched) -> None:
    events = watched.tell(games(game(10, "open"), game(11, "playing", [2])))

    assert names(events) == ["GameOpened", "GameLaunched"]
    # A list after the first one tells of some games only.
    assert names(watched.tell(games(game(12, "open")))) == ["GameOpened"]
    assert set(watched.lobby.games) == {10, 11, 12}


def test_a_game_that_was_hidden_until_now(watched: Watched) -> None:
    watched.now += lobby_games.FRESH_LAUNCH.total_seconds() + 1

    assert watched.tell_all(game(10, "playing", [2])) == [Updated()]
    assert watched.lobby.launched_games == 0
    assert watched.lobby.running_games == 1
    assert names(watched.tell(game(11, "playing", launched_at=None))) == [
        "GameLaunched"
    ]


def test_launch_by_the_server_s_clock(watched: Watched) -> None:
    watched.lobby.clock_skew = -1000.0
    watched.now += 1000.0

    assert names(watched.tell(game(10, "playing", [2]))) == ["GameLaunched"]


def test_unknown_state(watched: Watched) -> None:
    lobby = watched.lobby

    assert watched.tell_all(game(10, "paused", [2])) == [Updated()]
    assert (lobby.open_games, lobby.running_games, len(lobby.games)) == (0, 0, 1)
    assert lobby.status_of(2) is PlayerStatus.IN_LOBBY
    assert names(watched.tell(game(10, "paused", [2, 3]))) == ["GameChanged"]
    assert names(watched.tell(game(10, "open", [2]))) == ["GameOpened"]
    assert names(watched.tell(game(10, "paused", [2]))) == ["GameChanged"]
    assert names(watched.tell(game(10, "playing", [2]))) == ["GameLaunched"]
    assert names(watched.tell(game(10, "open", [2]))) == ["GameChanged"]


def test_who_changes_games_is_in_the_one_joined_last(watched: Watched) -> None:
    lobby = watched.lobby
    watched.tell(game(11, "open", [2]))
    watched.tell(game(10, "open", [2, 3]))
    assert lobby.game_of(2) is lobby.games[10]
    assert lobby.players_in_games == 2

    watched.tell(game(11, "open", []))
    assert lobby.game_of(2) is lobby.games[10]

    watched.tell(game(11, "open", [2]))
    watched.tell(game(10, "open", [3]))
    assert lobby.game_of(2) is lobby.games[11]


def test_observers_are_in_the_game(watched: Watched) -> None:
    teams: list[JsonValue] = [{"team_id": -1, "player_ids": [3]}]

    watched.tell(game(10, "playing", teams_ids=teams))

    assert watched.lobby.status_of(3) is PlayerStatus.PLAYING


def test_server_that_tells_logins_alone(watched: Watched) -> None:
    body = game(10, "open", teams={"2": ["Player2", "nobody"], "-1": ["player3"]})
    del body["teams_ids"]

    watched.tell(body)

    assert watched.lobby.games[10].teams == {2: (2,), -1: (3,)}
    assert watched.lobby.status_of(2) is PlayerStatus.IN_LOBBY


def test_match_of_others(watched: Watched) -> None:
    lobby = watched.lobby

    (formed,) = watched.tell(match(10, "closed"))
    assert formed == MatchFormed(lobby.forming[10])
    assert dict(lobby.games) == {}

    events = watched.tell(match(10, "playing", [2, 3]))
    assert isinstance(events[0], GameLaunched)
    assert events[0].before == formed.game
    assert dict(lobby.forming) == {}

    assert names(watched.tell(match(10, "closed", [2, 3]))) == ["GameEnded"]
    assert watched.tell_all(match(10, "closed")) == []
    assert lobby.finished_games == 1


def test_match_that_opens_first(watched: Watched) -> None:
    watched.tell(match(10, "closed"))

    assert names(watched.tell(match(10, "open", [2]))) == ["GameOpened"]
    assert dict(watched.lobby.forming) == {}
    assert names(watched.tell(match(10, "closed"))) == ["GameEnded", "MatchAborted"]
    assert watched.tell_all(match(10, "closed")) == []


def test_match_that_nobody_hosts(watched: Watched) -> None:
    watched.tell(match(10, "closed"))

    assert watched.tell_all(match(10, "closed")) == [MatchAborted(10), Updated()]
    assert watched.tell_all(match(10, "closed")) == []
    assert dict(watched.lobby.forming) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"launched_at": START.timestamp()},
        {"hosted_at": "2026-11-21T20:00:00+00:00"},
        {"game_type": "custom"},
    ],
)
def test_closed_games_that_are_no_new_matches(
    watched: Watched, fields: JsonObject
) -> None:
    assert watched.tell_all(match(10, "closed") | fields) == []


def test_limit_of_matches_that_are_forming(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby_games, "MAX_FORMING", 2)
    for uid in (10, 11, 12):
        watched.tell(match(uid, "closed"))

    assert set(watched.lobby.forming) == {11, 12}


def test_limit_of_games_remembered_as_over(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby_games, "MAX_OVER", 1)
    for uid in (10, 11):
        watched.tell(match(uid, "open"))
        watched.tell(match(uid, "closed"))

    assert watched.tell(match(11, "closed")) == []
    assert names(watched.tell(match(10, "closed"))) == ["MatchFormed"]


def test_login_tells_of_no_game(watched: Watched) -> None:
    watched = Watched()

    events = watched.log_in([], [game(10, "open"), game(11, "playing", [2])])

    assert events == [Refreshed()]
    assert (watched.lobby.open_games, watched.lobby.running_games) == (1, 1)
    assert watched.lobby.launched_games == 0


def test_reconnect_replaces_all_games(watched: Watched) -> None:
    lobby = watched.lobby
    for uid in (10, 11, 12):
        watched.tell(game(uid, "playing", [uid]))
    watched.tell(match(13, "closed"))

    assert watched.log_in([], [game(11, "playing", [2, 11])]) == [Refreshed()]

    assert set(lobby.games) == {11}
    assert (lobby.running_games, lobby.players_in_games) == (1, 2)
    assert (lobby.launched_games, lobby.finished_games) == (3, 0)
    assert dict(lobby.forming) == {}
    assert lobby.game_of(10) is None


def test_broadcasts_during_a_login(watched: Watched) -> None:
    watched.tell(game(10, "playing", [2]))
    watched.tell({"command": "welcome"})

    assert watched.tell(game(12, "open", [3])) == []
    assert watched.tell(game(10, "closed", [2])) == []
    assert not watched.lobby.is_complete
    watched.tell({"command": "player_info", "players": [player(ME)]})
    assert watched.tell(games(game(11, "open"))) == [Refreshed()]

    assert set(watched.lobby.games) == {11, 12}
    assert watched.lobby.finished_games == 1


def test_a_number_may_be_given_again_after_a_restart(watched: Watched) -> None:
    watched.tell(match(10, "open"))
    watched.tell(match(10, "closed"))
    watched.log_in()

    assert names(watched.tell(match(10, "closed"))) == ["MatchFormed"]


def test_items_of_no_use_are_dropped(watched: Watched) -> None:
    assert watched.tell_all(games(7, {"uid": 1}, {"state": "open"})) == []
    assert watched.tell_all({"command": "game_info"}) == []
    assert watched.tell_all({"command": "game_info", "games": {}}) == []
    assert watched.lobby.dropped == 5


def test_limit_of_games(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby_games, "MAX_GAMES", 2)

    watched.tell(games(*(game(uid, "open") for uid in (10, 11, 12))))

    assert set(watched.lobby.games) == {10, 11}
    assert watched.lobby.dropped == 1
    assert names(watched.tell(game(11, "playing"))) == ["GameLaunched"]
    assert names(watched.tell(game(10, "closed"))) == ["GameEnded"]
    assert names(watched.tell(game(12, "open"))) == ["GameOpened"]


def test_limit_of_games_in_a_message(watched: Watched) -> None:
    count = lobby_games.MAX_GAMES

    watched.tell(games(*[game(10, "open")] * count, game(11, "open")))

    assert set(watched.lobby.games) == {10}
    assert watched.lobby.dropped == 1


def test_limit_of_people_in_games(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby_games, "MAX_SEATS", 3)
    watched.tell(game(10, "open", [1, 2, 3]))

    assert watched.tell(game(11, "open", [4])) == []
    assert watched.tell(game(10, "open", [1, 2, 3, 4])) == []
    assert watched.lobby.dropped == 2
    assert names(watched.tell(game(10, "closed"))) == ["GameEnded"]
    assert names(watched.tell(game(11, "open", [4]))) == ["GameOpened"]
