"""Who is online in a lobby: logins, logouts, ghosts, renames, ratings, reconnects."""

from datetime import timedelta

import pytest

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
from custom_components.rumpus.protocols.faf import lobby_players
from custom_components.rumpus.protocols.faf.events import (
    PlayerCameOnline,
    PlayerWentOffline,
    RatingChanged,
    Refreshed,
    Updated,
)
from custom_components.rumpus.protocols.faf.lobby import MAX_BURST, MAX_SKEW, STEP
from custom_components.rumpus.protocols.faf.models import PlayerStatus, Rating
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.log_in([player(2, "Rhiza"), player(3, "Dostya")])
    return watched


def test_login_tells_everything_at_once() -> None:
    watched = Watched()

    assert watched.tell_all(welcome(skew=2.5)) == [Updated()]
    assert watched.tell_all(players(player(ME), player(2))) == [Updated()]
    assert not watched.lobby.is_complete
    assert watched.tell_all({"command": "social", "friends": [2]})
    assert watched.tell_all(games()) == [Refreshed(), Updated()]

    lobby = watched.lobby
    assert lobby.is_complete
    assert lobby.me is lobby.players[ME]
    assert lobby.welcome is not None
    assert lobby.welcome.player.id == ME
    assert lobby.clock_skew == 2.5
    assert set(lobby.players) == {ME, 2}
    assert lobby.players_online == 2


def test_welcome_without_a_player_or_time() -> None:
    watched = Watched()

    watched.tell({"command": "welcome"})

    assert watched.lobby.welcome is None
    assert watched.lobby.me is None
    assert watched.lobby.clock_skew is None
    assert watched.lobby.dropped == 1


@pytest.mark.parametrize("seconds", [MAX_SKEW, -MAX_SKEW])
def test_limit_of_clocks_apart(watched: Watched, seconds: float) -> None:
    watched.tell(welcome(seconds))
    assert watched.lobby.clock_skew == seconds
    watched.tell(welcome(seconds * 1.0001))
    assert watched.lobby.clock_skew is None


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59.9+00:00", "0001-01-01T00:00:00+00:00"]
)
def test_a_clock_at_the_end_of_time(watched: Watched, time: str) -> None:
    for late in (1, -10):
        watched.tell({**welcome(), "current_time": time})
        watched.now += late
        watched.tell(players(player(ME)))
        watched.tell(games())
        watched.tell(game(10, "playing", [ME]))
        watched.tell(queues({**queue("a", 1), "queue_pop_time_delta": None}))
    assert list(watched.lobby.games) == [10]


def test_players_come_and_go(watched: Watched) -> None:
    lobby = watched.lobby

    (came,) = watched.tell(players(player(4, "Brackman")))
    assert came == PlayerCameOnline(lobby.players[4])
    assert lobby.find_player("brackMAN") is lobby.players[4]
    assert lobby.status_of(4) is PlayerStatus.ONLINE
    assert lobby.is_online(4)

    (went,) = watched.tell(players(gone(4, "Brackman")))
    assert isinstance(went, PlayerWentOffline)
    assert went.player.login == "Brackman"
    assert lobby.find_player("Brackman") is None
    assert lobby.status_of(4) is PlayerStatus.OFFLINE
    assert not lobby.is_online(4)


def test_nothing_new_is_not_told(watched: Watched) -> None:
    assert watched.tell_all(players(player(2, "Rhiza"))) == []
    assert watched.tell_all(players(gone(99))) == []
    assert watched.tell_all(players()) == []


@pytest.mark.parametrize(
    "order", [(gone(2), player(2, "Rhiza")), (player(2, "Rhiza"), gone(2))]
)
def test_online_wins_in_one_message(
    watched: Watched, order: tuple[JsonObject, JsonObject]
) -> None:
    assert watched.tell_all(players(*order)) == []
    assert watched.lobby.status_of(2) is PlayerStatus.ONLINE


def test_a_player_is_replaced_and_not_merged(watched: Watched) -> None:
    avatar: JsonObject = {"url": "https://x", "tooltip": "t"}
    watched.tell(players(player(2, "Rhiza", avatar=avatar, clan="ABC")))
    before = watched.lobby.players[2]

    assert watched.tell_all(players(player(2, "Rhiza"))) == [Updated()]

    after = watched.lobby.players[2]
    assert (before.avatar_url, before.clan) == ("https://x", "ABC")
    assert (after.avatar_url, after.clan) == (None, None)


def test_own_player_follows(watched: Watched) -> None:
    watched.tell(players(player(ME, clan="NEW")))

    assert watched.lobby.me is watched.lobby.players[ME]
    assert watched.lobby.me.clan == "NEW"


def test_an_old_connection_of_ours_dies(watched: Watched) -> None:
    assert watched.tell_all(players(gone(ME))) == []
    assert watched.lobby.status_of(ME) is PlayerStatus.ONLINE


def test_a_ghost_in_a_game_is_online_until_it_leaves(watched: Watched) -> None:
    lobby = watched.lobby
    watched.tell(game(10, "playing", [2, 3]))

    assert watched.tell(players(gone(2))) == []
    assert lobby.status_of(2) is PlayerStatus.PLAYING
    assert lobby.find_player("Rhiza") is lobby.players[2]

    events = watched.tell(game(10, "playing", [3]))
    assert PlayerWentOffline in [type(event) for event in events]
    assert lobby.status_of(2) is PlayerStatus.OFFLINE
    assert 2 not in lobby.players


def test_a_ghost_that_shows_itself_is_none(watched: Watched) -> None:
    watched.tell(game(10, "playing", [2, 3]))
    watched.tell(players(gone(2)))

    assert watched.tell(players(player(2, "Rhiza"))) == []
    events = watched.tell(game(10, "closed", [2, 3]))

    assert [type(event).__name__ for event in events] == ["GameEnded"]
    assert watched.lobby.status_of(2) is PlayerStatus.ONLINE


def test_a_ghost_that_joins_a_game_is_back(watched: Watched) -> None:
    lobby = watched.lobby
    before = lobby.players[2]
    watched.tell(players(gone(2)))

    events = watched.tell(game(10, "open", [2]))

    assert PlayerCameOnline(before) in events
    assert lobby.find_player("rhiza") == before
    assert lobby.status_of(2) is PlayerStatus.IN_LOBBY
    assert PlayerWentOffline(before) in watched.tell(game(10, "closed"))


def test_somebody_seen_in_a_game_alone(watched: Watched) -> None:
    watched.tell(game(10, "playing", [2, 77]))

    assert watched.lobby.status_of(77) is PlayerStatus.PLAYING
    assert watched.lobby.is_online(77)
    assert 77 not in watched.lobby.players
    assert watched.lobby.players_online == 4


def test_limit_of_those_remembered_as_gone(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby_players, "MAX_GONE", 1)
    watched.tell(players(gone(2)))
    watched.tell(players(gone(3)))

    watched.tell(game(10, "open", [2, 3]))

    assert set(watched.lobby.players) == {ME, 3}


def test_rating_after_a_game(watched: Watched) -> None:
    after: JsonObject = {
        "global": rating(1225.5, 79.25, 121),
        "ladder_1v1": rating(1000.0, 90.0, 30),
    }

    (event,) = watched.tell(players(player(2, "Rhiza", ratings=after)))

    assert event == RatingChanged(
        watched.lobby.players[2],
        "global",
        Rating(1200.5, 80.25, 120),
        Rating(1225.5, 79.25, 121),
    )
    assert event.change == 28.0


def test_first_rating_by_a_leaderboard(watched: Watched) -> None:
    ratings: JsonObject = {
        "global": rating(1200.5, 80.25, 120),
        "ladder_1v1": rating(1000.0, 90.0, 30),
        # Only looked at, not played.
        "tmm_2v2": rating(1500.0, 500.0, 0),
        "tmm_4v4_full_share": rating(1600.0, 400.0, 1),
    }

    (event,) = watched.tell(players(player(2, "Rhiza", ratings=ratings)))

    assert isinstance(event, RatingChanged)
    assert event.leaderboard == "tmm_4v4_full_share"
    assert event.before == Rating(1500, 500, 0)
    assert event.change == 400.0


def test_rename(watched: Watched) -> None:
    watched.tell(players(player(2, "Rhiza2")))

    assert watched.lobby.find_player("Rhiza") is None
    assert watched.lobby.find_player("rhiza2") is watched.lobby.players[2]


def test_two_players_of_the_same_login(watched: Watched) -> None:
    lobby = watched.lobby
    # 2 has been renamed, and 4 has taken the login; the server has told the latter only.
    watched.tell(players(player(4, "RHIZA")))
    assert lobby.find_player("Rhiza") is lobby.players[4]
    watched.tell(players(player(5, "rhiza")))
    assert lobby.find_player("Rhiza") is lobby.players[5]

    watched.tell(players(gone(4)))
    assert lobby.find_player("Rhiza") is lobby.players[5]
    watched.tell(players(gone(5)))
    assert lobby.find_player("Rhiza") is lobby.players[2]
    watched.tell(players(gone(2)))
    assert lobby.find_player("Rhiza") is None


def test_reconnect_replaces_all_players(watched: Watched) -> None:
    lobby = watched.lobby

    watched.tell(welcome())
    assert set(lobby.players) == {ME, 2, 3}
    watched.tell(players(player(ME), player(3, "Dostya"), player(4)))
    assert watched.tell(games()) == [Refreshed()]

    assert set(lobby.players) == {ME, 3, 4}
    assert lobby.find_player("Rhiza") is None


def test_reconnect_tells_of_ratings(watched: Watched) -> None:
    after: JsonObject = {"global": rating(1300.0, 80.0, 121)}

    events = watched.log_in([player(2, "Rhiza", ratings=after)])

    assert [type(event) for event in events] == [RatingChanged, Refreshed]


def test_broadcast_before_the_list_of_a_login(watched: Watched) -> None:
    # The tick that announces us to everybody may come before the list of everybody.
    watched.tell(welcome())
    watched.tell(players(player(ME), player(9)))
    watched.tell(players(player(ME), player(2, "Rhiza"), player(9)))
    watched.tell(games())

    assert set(watched.lobby.players) == {ME, 2, 9}


def test_games_before_players(watched: Watched) -> None:
    watched.tell(welcome())
    assert watched.tell(games(game(10, "open", [2]))) == []

    assert watched.tell(players(player(ME), player(2))) == [Refreshed()]
    assert set(watched.lobby.players) == {ME, 2}


def test_reconnect_keeps_ghosts_in_games(watched: Watched) -> None:
    watched.tell(welcome())
    watched.tell(players(player(ME)))
    watched.tell(games(game(10, "playing", [2])))

    assert set(watched.lobby.players) == {ME, 2}
    events = watched.tell(game(10, "closed"))
    assert [type(event).__name__ for event in events] == [
        "GameEnded",
        "PlayerWentOffline",
    ]


def test_ghost_whose_game_is_gone_after_a_reconnect(watched: Watched) -> None:
    watched.tell(game(10, "playing", [2]))
    watched.tell(players(gone(2)))

    watched.log_in()

    assert set(watched.lobby.players) == {ME}


def test_ghost_that_comes_back_during_a_login(watched: Watched) -> None:
    watched.tell(players(gone(2)))
    watched.tell(welcome())
    watched.tell(players(player(ME)))

    assert watched.tell(games(game(10, "open", [2]))) == [Refreshed()]
    assert set(watched.lobby.players) == {ME, 2}


def test_a_login_that_is_never_complete_ends_by_itself(watched: Watched) -> None:
    watched.tell(welcome())
    watched.tell(players(player(ME), player(3, "Dostya")))
    watched.now += MAX_BURST
    assert watched.tell({"command": "ping"}) == []
    assert set(watched.lobby.players) == {ME, 2, 3}

    watched.now += 1
    assert watched.tell_all({"command": "ping"}) == [Refreshed(), Updated()]

    assert set(watched.lobby.players) == {ME, 3}
    assert watched.tell_all({"command": "ping"}) == []
    (came,) = watched.tell(players(player(2)))
    assert isinstance(came, PlayerCameOnline)


def test_a_login_after_one_that_was_never_complete_keeps_what_is_known(
    watched: Watched,
) -> None:
    watched.tell(welcome())
    watched.now += MAX_BURST + 1

    assert watched.tell_all(welcome()) == [Updated()]

    assert not watched.lobby.is_complete
    assert set(watched.lobby.players) == {ME, 2, 3}


@pytest.mark.parametrize(
    ("items", "dropped"),
    [
        (None, 1),
        ({"id": 5, "login": "x"}, 1),
        ([7, "x", None, []], 4),
        ([{"id": 5}, {"login": "x"}, {"state": "offline"}], 2),
    ],
)
def test_items_of_no_use_are_dropped(
    watched: Watched, items: JsonValue, dropped: int
) -> None:
    assert watched.tell_all({"command": "player_info", "players": items}) == []
    assert watched.lobby.dropped == dropped
    assert len(watched.lobby.players) == 3


def test_limit_of_players(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby_players, "MAX_PLAYERS", 3)
    watched = Watched()
    watched.log_in([player(2), player(3), player(4)])

    assert set(watched.lobby.players) == {ME, 2, 3}
    assert watched.lobby.dropped == 1
    watched.tell(players(player(3, "renamed")))
    assert watched.lobby.players[3].login == "renamed"


def test_limit_of_players_in_a_message(watched: Watched) -> None:
    count = lobby_players.MAX_PLAYERS

    watched.tell(players(*[player(2)] * count, player(4)))

    assert watched.lobby.dropped == 1
    assert 4 not in watched.lobby.players


def test_everybody_goes_by_small_steps(watched: Watched) -> None:
    many = range(10, 10 + 4 * STEP)
    watched.tell(players(*(player(n) for n in many)))

    steps = list(
        watched.lobby.apply(players(*(gone(n) for n in many)), watched.now, watched.utc)
    )

    assert steps.count(None) >= 4
    assert len(watched.lobby.players) == 3


def test_own_clock_is_not_needed(watched: Watched) -> None:
    assert watched.lobby.clock_skew == 0.0
    assert watched.utc == START
    assert watched.lobby.welcome is not None
    assert watched.lobby.welcome.server_time == START + timedelta(0)
