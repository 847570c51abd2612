"""Readers of what lobby servers send: what they really send, and everything else."""

from datetime import UTC, datetime

from hypothesis import given, settings, strategies as st
import pytest

from ..kdeconnect.strategies import json_values
from .watching import START, game, player, queue
from custom_components.rumpus.protocols.faf import decode
from custom_components.rumpus.protocols.faf.models import (
    Avatar,
    GameState,
    Notice,
    NoticeStyle,
    Party,
    Player,
    Rating,
    Welcome,
)
from custom_components.rumpus.protocols.json_fields import get_objects
from custom_components.rumpus.protocols.json_lines import (
    JsonObject,
    JsonValue,
    decode_json,
)

#: Lines of a running server (the FAF reference, section 14).
WELCOME = (
    '{"command":"welcome","me":{"id":9001,"login":"ha_user","country":"","ratings":'
    '{"global":{"rating":[1200.5,80.25],"number_of_games":120},"ladder_1v1":{"rating":'
    '[1000.0,90.0],"number_of_games":30}},"global_rating":[1200.5,80.25],'
    '"ladder_rating":[1000.0,90.0],"number_of_games":120},"current_time":'
    '"2026-11-21T08:15:50.503836+00:00","id":9001,"login":"ha_user"}'
)
GAME = (
    '{"command":"game_info","visibility":"public","password_protected":true,'
    '"uid":41959,"title":"Setons 1v1 renamed","state":"playing","game_type":"custom",'
    '"featured_mod":"faf","sim_mods":{},"mapname":"scmp_009","map_file_path":'
    '"maps/scmp_009.zip","host":"ha_user","num_players":2,"max_players":8,"hosted_at":'
    '"2026-11-21T08:17:39.679303+00:00","launched_at":1795249062.6857271,'
    '"rating_type":"global","rating_min":500.0,"rating_max":2000.0,'
    '"enforce_rating_range":false,"teams_ids":[{"team_id":2,"player_ids":[9001]},'
    '{"team_id":3,"player_ids":[9002]}],"teams":{"2":["ha_user"],"3":["ha_friend"]}}'
)
QUEUES = (
    '{"command":"matchmaker_info","queues":[{"queue_name":"ladder1v1","queue_pop_time":'
    '"2026-11-21T08:17:59.065114+00:00","queue_pop_time_delta":10.37,"num_players":2,'
    '"boundary_80s":[[800,1200],[810,1210]],"boundary_75s":[[900,1100],[910,1110]],'
    '"team_size":1}]}'
)


def parse(line: str) -> JsonObject:
    value = decode_json(line)
    assert isinstance(value, dict)
    return value


def test_welcome_of_a_running_server() -> None:
    assert decode.decode_welcome(parse(WELCOME)) == Welcome(
        Player(
            9001,
            "ha_user",
            ratings={
                "global": Rating(1200.5, 80.25, 120),
                "ladder_1v1": Rating(1000.0, 90.0, 30),
            },
        ),
        datetime(2026, 11, 21, 8, 15, 50, 503836, tzinfo=UTC),
    )


def test_welcome_for_old_clients() -> None:
    assert decode.decode_welcome({"id": 5, "login": "a"}) == Welcome(Player(5, "a"))
    assert decode.decode_welcome({"me": {"login": "a"}, "id": 5}) is None


def test_game_of_a_running_server() -> None:
    game = decode.decode_game(parse(GAME))

    assert game is not None
    assert game.state is GameState.PLAYING
    assert game.title == "Setons 1v1 renamed"
    assert (game.host, game.visibility) == ("ha_user", "public")
    assert game.is_password_protected
    assert not game.is_rating_enforced
    assert (game.game_type, game.featured_mod) == ("custom", "faf")
    assert (game.map_name, game.sim_mods) == ("scmp_009", ())
    assert (game.num_players, game.max_players) == (2, 8)
    assert game.hosted_at == datetime(2026, 11, 21, 8, 17, 39, 679303, tzinfo=UTC)
    assert game.launched_at == datetime(2026, 11, 21, 8, 17, 42, 685727, tzinfo=UTC)
    assert (game.rating_type, game.rating_min, game.rating_max) == ("global", 500, 2000)
    assert game.teams == {2: (9001,), 3: (9002,)}
    assert game.team_logins == {2: ("ha_user",), 3: ("ha_friend",)}


def test_queue_of_a_running_server() -> None:
    (body,) = get_objects(parse(QUEUES), "queues") or ()

    queue = decode.decode_queue(body, 100.0, START)

    assert queue is not None
    assert (queue.name, queue.players, queue.team_size) == ("ladder1v1", 2, 1)
    assert queue.pop_at == pytest.approx(110.37)
    assert (queue.pop_time - START).total_seconds() == pytest.approx(10.37)
    assert queue.boundaries == ((800, 1200), (810, 1210))


@pytest.mark.parametrize(("skew", "seconds"), [(None, 60), (5.0, 55), (-5.0, 65)])
def test_round_of_a_queue_by_the_server_s_clock(
    skew: float | None, seconds: int
) -> None:
    body = queue("ladder1v1", 0.0) | {"queue_pop_time_delta": None}

    read = decode.decode_queue(body, 100.0, START, skew)

    assert read is not None
    assert read.pop_at == 100.0 + seconds


@pytest.mark.parametrize(
    ("delta", "expected"), [(-3.0, 0.0), (1e12, decode.MAX_DELTA), (2, 2.0)]
)
def test_round_of_a_queue_is_bounded(delta: float, expected: float) -> None:
    read = decode.decode_queue(queue("a", delta), 0.0, START)

    assert read is not None
    assert read.pop_at == expected


def test_queues_that_cannot_be_read() -> None:
    no_name = queue("", 1.0)
    no_time = queue("a", 1.0) | {"queue_pop_time_delta": "x", "queue_pop_time": "y"}

    assert decode.decode_queue(no_name, 0.0, START) is None
    assert decode.decode_queue(no_time, 0.0, START) is None


def test_boundaries_of_a_queue() -> None:
    nan = float("nan")
    pairs: list[JsonValue] = [
        [1, 2.0],
        [1],
        [1, "2"],
        "x",
        [nan, 1],
        [10**400, 1],
        [3, 4],
    ]

    read = decode.decode_queue(queue("a", 1) | {"boundary_80s": pairs}, 0.0, START)
    none = decode.decode_queue(queue("a", 1) | {"boundary_80s": 7}, 0.0, START)

    assert read is not None
    assert none is not None
    assert read.boundaries == ((1, 2), (3, 4))
    assert none.boundaries == ()


def test_limit_of_boundaries() -> None:
    pairs: list[JsonValue] = [[1, 2]] * (decode.MAX_BOUNDARIES + 1)
    read = decode.decode_queue(queue("a", 1) | {"boundary_80s": pairs}, 0.0, START)
    assert read is not None
    assert len(read.boundaries) == decode.MAX_BOUNDARIES


def test_player_with_everything() -> None:
    body = player(
        7, "Rhiza", clan="ABC", avatar={"url": "https://x/y.png", "tooltip": "Winner"}
    )

    assert decode.decode_player(body) == Player(
        7,
        "Rhiza",
        "NO",
        "ABC",
        "https://x/y.png",
        "Winner",
        {"global": Rating(1200.5, 80.25, 120), "ladder_1v1": Rating(1000, 90, 30)},
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 1},
        {"id": 1, "login": ""},
        {"id": 1, "login": 5},
        {"id": "x", "login": "a"},
        {"id": True, "login": "a"},
        {"id": -1, "login": "a"},
        {"id": 2**63, "login": "a"},
        {"id": [1], "login": "a"},
    ],
)
def test_players_that_cannot_be_told_from_others(body: JsonObject) -> None:
    assert decode.decode_player(body) is None


def test_player_of_a_server_without_leaderboards() -> None:
    body: JsonObject = {
        "id": "12",
        "login": "a",
        "global_rating": [1500, 500],
        "ladder_rating": ["x", 1],
        "number_of_games": 3,
    }

    assert decode.decode_player(body) == Player(
        12, "a", ratings={"global": Rating(1500, 500, 3)}
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        {"rating": [1], "number_of_games": 1},
        {"rating": ["1", 2], "number_of_games": 1},
        {"rating": [float("nan"), 2]},
        {"rating": [1, float("inf")]},
        {"rating": [1, -2]},
        {"rating": [10**400, 2]},
        {"rating": {}},
    ],
)
def test_ratings_that_cannot_be_read(value: JsonValue) -> None:
    read = decode.decode_player(
        player(1, ratings={"a": value, "b": {"rating": [1, 2]}})
    )

    assert read is not None
    assert read.ratings == {"b": Rating(1, 2, 0)}


@pytest.mark.parametrize(("games", "expected"), [(-1, 0), ("x", 0), (3.5, 0), (4, 4)])
def test_games_of_a_rating(games: JsonValue, expected: int) -> None:
    ratings: JsonObject = {"a": {"rating": [1, 2], "number_of_games": games}}

    read = decode.decode_player(player(1, ratings=ratings))

    assert read is not None
    assert read.ratings["a"].games == expected


def test_names_of_leaderboards() -> None:
    good: JsonObject = {"rating": [1, 2], "number_of_games": 3}
    ratings: JsonObject = {"": good, "x" * 129: good, "a\x00b": good}

    read = decode.decode_player(player(1, ratings=ratings))

    assert read is not None
    assert list(read.ratings) == ["ab"]


def test_limit_of_leaderboards() -> None:
    good: JsonObject = {"rating": [1, 2], "number_of_games": 3}
    ratings: JsonObject = {str(n): good for n in range(decode.MAX_RATINGS + 1)}

    read = decode.decode_player(player(1, ratings=ratings))

    assert read is not None
    assert len(read.ratings) == decode.MAX_RATINGS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("x" * 300, "x" * decode.MAX_TITLE),
        ("a\x00b\x1b[1m", "ab[1m"),
        ("a\nb\tc", "a b c"),
        ("half \ud83d a pair", "half  a pair"),
        ("\u202eover", "over"),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        (5, ""),
        (None, ""),
    ],
)
def test_texts_are_fit_to_be_shown(text: JsonValue, expected: str) -> None:
    read = decode.decode_game(game(1, "open", title=text))

    assert read is not None
    assert read.title == expected


@pytest.mark.parametrize(
    "fields", [{"uid": None}, {"uid": -5}, {"state": None}, {"state": ["open"]}]
)
def test_games_that_cannot_be_told_from_others(fields: JsonObject) -> None:
    assert decode.decode_game(game(1, "open") | fields) is None


def test_unknown_state_of_a_game_survives() -> None:
    read = decode.decode_game(game(1, "paused"))

    assert read is not None
    assert read.state == "paused"


def test_game_with_nothing_but_a_number_and_a_state() -> None:
    read = decode.decode_game({"uid": 1.0, "state": "open"})

    assert read is not None
    assert (read.uid, read.title, read.num_players, read.teams) == (1, "", 0, {})
    assert (read.hosted_at, read.launched_at, read.rating_min) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-21T20:00:00Z", START),
        ("2026-11-21T21:00:00+01:00", START),
        ("2026-11-21T20:00:00", START),
        (START.timestamp(), START),
        (int(START.timestamp()), START),
        ("0001-01-01T00:00:00+10:00", None),
        ("later", None),
        ("\ud800", None),
        (1e300, None),
        (10**400, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_times(value: JsonValue, expected: datetime | None) -> None:
    assert decode.read_time(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (500, 500.0),
        ("500", 500.0),
        (decode.MAX_RATING, decode.MAX_RATING),
        (decode.MAX_RATING + 1, None),
        (-decode.MAX_RATING - 1, None),
        ([], None),
    ],
)
def test_limits_of_ratings(value: JsonValue, expected: float | None) -> None:
    read = decode.decode_game(game(1, "open", rating_min=value))

    assert read is not None
    assert read.rating_min == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        (-1, 0),
        (decode.MAX_COUNT, decode.MAX_COUNT),
        (decode.MAX_COUNT + 1, 0),
        (None, 0),
        (True, 0),
    ],
)
def test_counts(value: JsonValue, expected: int) -> None:
    read = decode.decode_game(game(1, "open", num_players=value))

    assert read is not None
    assert read.num_players == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, ()),
        (
            {"u1": "BlackOps", "u2": 5, "u3": "", "u4": " Total\x00 Mayhem"},
            ("BlackOps", "Total Mayhem"),
        ),
        (["BlackOps"], ()),
        (
            {str(n): "x" for n in range(decode.MAX_SIM_MODS + 1)},
            ("x",) * decode.MAX_SIM_MODS,
        ),
    ],
)
def test_mods(value: JsonValue, expected: tuple[str, ...]) -> None:
    read = decode.decode_game(game(1, "open", sim_mods=value))

    assert read is not None
    assert read.sim_mods == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"team_id": -1, "player_ids": [5]}], {-1: (5,)}),
        ([{"team_id": "2", "player_ids": [5, "6", True, -1]}], {2: (5,)}),
        (
            [
                {"team_id": 2, "player_ids": [5, 5]},
                {"team_id": 3, "player_ids": [5, 6]},
            ],
            {2: (5,), 3: (6,)},
        ),
        (
            [{"team_id": 2, "player_ids": [1]}, {"team_id": 2, "player_ids": [2]}],
            {2: (1, 2)},
        ),
        ([{"team_id": "null", "player_ids": [5]}, 7, {"player_ids": [5]}], {}),
        ([{"team_id": -2, "player_ids": [5]}, {"team_id": 10**9}], {}),
        ([{"team_id": 2, "player_ids": 5}], {2: ()}),
        ({"2": [5]}, {}),
    ],
)
def test_teams(value: JsonValue, expected: dict[int, tuple[int, ...]]) -> None:
    read = decode.decode_game(game(1, "open", teams_ids=value))

    assert read is not None
    assert read.teams == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"2": ["a", "b", 5, "c\x00"], "null": ["x"]}, {2: ("a", "b", "c")}),
        ({"-1": ["a"], "-5": ["b"], "9999999": ["c"]}, {-1: ("a",)}),
        ({"2": "a"}, {}),
        ([["a"]], {}),
    ],
)
def test_teams_in_logins(
    value: JsonValue, expected: dict[int, tuple[str, ...]]
) -> None:
    read = decode.decode_game(game(1, "open", teams=value))

    assert read is not None
    assert read.team_logins == expected


def test_limit_of_teams() -> None:
    count = decode.MAX_TEAMS + 1
    ids: list[JsonValue] = [{"team_id": n, "player_ids": []} for n in range(count)]
    logins: JsonObject = {str(n): [] for n in range(count)}

    read = decode.decode_game(game(1, "open", teams_ids=ids, teams=logins))

    assert read is not None
    assert len(read.teams) == decode.MAX_TEAMS
    assert len(read.team_logins) == decode.MAX_TEAMS


def test_limit_of_people_in_a_game() -> None:
    half = decode.MAX_MEMBERS // 2 + 1
    ids: list[JsonValue] = [
        {"team_id": 2, "player_ids": [*range(half)]},
        {"team_id": 3, "player_ids": [*range(half, 2 * half)]},
    ]
    logins: JsonObject = {
        "2": [str(n) for n in range(half)],
        "3": [str(n) for n in range(half)],
    }

    read = decode.decode_game(game(1, "open", teams_ids=ids, teams=logins))

    assert read is not None
    assert len(read.member_ids) == decode.MAX_MEMBERS
    assert sum(map(len, read.team_logins.values())) == decode.MAX_MEMBERS


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"url": "https://x", "tooltip": "t"}, Avatar("https://x", "t")),
        ({"url": "https://x"}, Avatar("https://x", "")),
        ({"url": ""}, None),
        ({"url": None}, None),
        ({"url": "a\nb"}, None),
        ({"url": "x" * (decode.MAX_URL + 1)}, None),
        ({}, None),
    ],
)
def test_avatars(body: JsonObject, expected: Avatar | None) -> None:
    assert decode.decode_avatar(body) == expected


def test_limit_of_avatars() -> None:
    one: JsonObject = {"url": "https://x"}

    assert len(decode.decode_avatars([one] * (decode.MAX_AVATARS + 1))) == (
        decode.MAX_AVATARS
    )
    assert decode.decode_avatars([7, {}, one]) == (Avatar("https://x", ""),)
    assert decode.decode_avatars("x") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("<b>bold</b> &amp; <a href='x'>link</a>", "bold & link"),
        ("one<br>two<br/>three</p>four", "one\ntwo\nthree\nfour"),
        ("a < b and c > d", "a < b and c > d"),
        ("&lt;b&gt;", "<b>"),
        ("a  \n\n\t b\x00", "a\nb"),
        ("<!-- note -->x", "x"),
        ("<" * 5000, "<" * decode.MAX_NOTICE),
        ("x" * 5000, "x" * decode.MAX_NOTICE),
        ("", ""),
    ],
)
def test_plain_text(text: str, expected: str) -> None:
    assert decode.plain_text(text) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"style": "kick"}, Notice(NoticeStyle.KICK)),
        ({"style": "info", "text": "<i>x</i>"}, Notice(NoticeStyle.INFO, "x")),
        ({"style": "fancy", "text": 5}, Notice("fancy")),
        ({}, Notice("")),
    ],
)
def test_notices(body: JsonObject, expected: Notice) -> None:
    assert decode.decode_notice(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"owner": 1, "members": [{"player": 1}, {"player": 2}]}, Party(1, (1, 2))),
        ({"owner": 1, "members": []}, None),
        ({"owner": 1, "members": [5, {"player": "x"}]}, None),
        ({"owner": 1}, None),
        ({"members": [{"player": 1}]}, None),
    ],
)
def test_parties(body: JsonObject, expected: Party | None) -> None:
    assert decode.decode_party(body) == expected


def test_limit_of_a_party() -> None:
    members: list[JsonValue] = [{"player": n} for n in range(decode.MAX_PARTY + 1)]

    party = decode.decode_party({"owner": 0, "members": members})

    assert party is not None
    assert len(party.members) == decode.MAX_PARTY


KEYS = st.sampled_from(
    sorted({*player(1), *game(1, "open"), *queue("a", 1.0), "avatar", "me", "text"})
)
BODIES = st.builds(
    lambda base, changes: base | changes,
    st.sampled_from([{}, player(1), game(1, "open", [1, 2]), queue("a", 1.0)]),
    st.dictionaries(KEYS, json_values, max_size=6),
)


@settings(deadline=None)
@given(BODIES)
def test_everything_is_read_or_none(body: JsonObject) -> None:
    read = decode.decode_player(body)
    assert read is None or (read.id >= 0 and read.login.isprintable())
    read_game = decode.decode_game(body)
    assert read_game is None or len(read_game.member_ids) <= decode.MAX_MEMBERS
    read_queue = decode.decode_queue(body, 5.0, START)
    assert read_queue is None or read_queue.pop_at >= 5.0
    decode.decode_welcome(body)
    assert isinstance(decode.decode_notice(body).text, str)
    decode.decode_party(body)
    decode.decode_avatar(body)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_plain_text_has_no_control_characters(text: str) -> None:
    plain = decode.plain_text(text)

    assert all(line.isprintable() and line for line in plain.split("\n") if plain)
