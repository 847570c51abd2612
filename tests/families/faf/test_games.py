"""Which games are asked for, and how they are told."""

from dataclasses import replace
from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.faf.games import (
    MAX_LISTED_MODS,
    MAX_LISTED_PLAYERS,
    MAX_TITLE,
    GameFilter,
    game_part,
    game_title,
    games_answer,
)
from custom_components.rumpus.protocols.faf.models import Game, GameState

OPEN = Game(
    uid=41,
    state=GameState.OPEN,
    title="Setons, all welcome",
    host="Rhiza",
    map_name="scmp_009",
    num_players=3,
    max_players=8,
    rating_type="global",
    hosted_at=datetime(2026, 11, 21, 8, 17, 39, 679303, tzinfo=UTC),
    rating_min=500.0,
    sim_mods=("Total Mayhem",),
    teams={2: (1,), 3: (2,), -1: (3,)},
    team_logins={2: ("Rhiza",), 3: ("Brackman",), -1: ("Watcher",)},
)
LADDER = Game(
    uid=42,
    state=GameState.PLAYING,
    title="Ann Vs Bob",
    host="Ann",
    game_type="matchmaker",
    featured_mod="ladder1v1",
    map_name="neroxis_map_generator_1.8.5_abc",
    num_players=2,
    max_players=2,
    launched_at=datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    teams={2: (4,), 3: (5,)},
    team_logins={2: ("Ann",), 3: ("Bob",)},
)
LOCKED = Game(
    uid=40,
    state=GameState.OPEN,
    host="Carl",
    is_password_protected=True,
    visibility="friends",
    map_name="dualgap_adaptive.v0012",
    num_players=2,
    max_players=12,
    teams={1: (6, 7)},
    team_logins={1: ("Carl", "Dora")},
)
GAMES = (LOCKED, OPEN, LADDER)


def found(**fields: Any) -> list[int]:
    """Return the games that are found, by their numbers."""
    answer = games_answer(GAMES, GameFilter.from_data(fields), 50)
    games: Any = answer["games"]
    assert answer["total"] == len(games)
    return [game["uid"] for game in games]


@pytest.mark.parametrize(
    ("fields", "uids"),
    [
        ({}, [42, 41, 40]),
        ({"state": "open"}, [41, 40]),
        ({"state": "playing"}, [42]),
        ({"mod": "FAF"}, [41, 40]),
        ({"mod": "fa"}, []),
        ({"game_type": "Matchmaker"}, [42]),
        ({"host": " rhiza "}, [41]),
        ({"host": "Brackman"}, []),
        ({"player": "brackman"}, [41]),
        ({"player": "Watcher"}, [41]),
        ({"player": "brack"}, []),
        ({"map": "seton"}, [41]),
        ({"map": "SCMP_"}, [41]),
        ({"map": "generated"}, [42]),
        ({"map": "gap adap"}, [40]),
        ({"open_slots": 0}, [42, 41, 40]),
        ({"open_slots": 1}, [41, 40]),
        ({"open_slots": 6}, [41, 40]),
        ({"open_slots": 7}, [40]),
        ({"no_password": True}, [42, 41]),
        ({"state": "open", "no_password": True, "open_slots": 1}, [41]),
        ({"state": "open", "host": "Ann"}, []),
    ],
)
def test_filter(fields: dict[str, Any], uids: list[int]) -> None:
    assert found(**fields) == uids


def test_limit() -> None:
    """The newest are told, and how many there are."""
    answer = games_answer(GAMES, GameFilter(), 2)
    assert answer == {"games": [game_part(LADDER), game_part(OPEN)], "total": 3}


def test_an_open_game() -> None:
    assert game_part(OPEN) == {
        "uid": 41,
        "title": "Setons, all welcome",
        "state": "open",
        "host": "Rhiza",
        "map": "Seton's Clutch",
        "map_folder": "scmp_009",
        "mod": "faf",
        "game_type": "custom",
        "sim_mods": ["Total Mayhem"],
        "num_players": 3,
        "max_players": 8,
        "free_slots": 6,
        "has_password": False,
        "visibility": "public",
        "rating_type": "global",
        "rating_min": 500.0,
        "rating_max": None,
        "is_rating_enforced": False,
        "hosted_at": "2026-11-21T08:17:39+00:00",
        "launched_at": None,
        "teams": [
            {"team": 1, "players": ["Rhiza"]},
            {"team": 2, "players": ["Brackman"]},
        ],
        "observers": ["Watcher"],
    }


def test_a_game_without_teams() -> None:
    """Players who have chosen none are in team 0; empty teams are not told."""
    game = replace(LOCKED, team_logins={1: ("Carl", "Dora"), 2: ()})
    part = game_part(game)
    assert part["teams"] == [{"team": 0, "players": ["Carl", "Dora"]}]
    assert part["observers"] == []
    assert part["has_password"] is True


def test_a_state_that_nobody_knows() -> None:
    assert game_part(replace(OPEN, state="paused"))["state"] == "paused"


def test_what_others_write_is_cleaned() -> None:
    game = replace(
        OPEN,
        title="a\n\u202eb" + "x" * 500,
        host="R\x00hiza",
        sim_mods=("m\ty",),
        team_logins={2: ("a\r\nb",)},
    )
    part = game_part(game)
    assert game_title(game) == part["title"]
    assert part["title"] == ("a b" + "x" * 500)[:MAX_TITLE]
    assert part["host"] == "R hiza"
    assert part["sim_mods"] == ["m y"]
    assert part["teams"] == [{"team": 1, "players": ["a b"]}]


def test_mods_of_a_game_are_bounded() -> None:
    part = game_part(replace(OPEN, sim_mods=("m",) * (MAX_LISTED_MODS + 1)))
    assert part["sim_mods"] == ["m"] * MAX_LISTED_MODS


def test_players_of_a_team_are_bounded() -> None:
    crowd = ("p",) * (MAX_LISTED_PLAYERS + 1)
    part = game_part(replace(OPEN, team_logins={2: crowd, -1: crowd}))
    assert part["teams"] == [{"team": 1, "players": ["p"] * MAX_LISTED_PLAYERS}]
    assert part["observers"] == ["p"] * MAX_LISTED_PLAYERS


@given(st.text(), st.text(), st.text())
def test_any_game_is_json(title: str, host: str, folder: str) -> None:
    game = replace(OPEN, title=title, host=host, map_name=folder)
    part = game_part(game)
    assert json.loads(json.dumps(part)) == part
