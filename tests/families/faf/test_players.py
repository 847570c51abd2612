"""Which players are asked for, and how they are told."""

from datetime import UTC, datetime
import json
from typing import Any

import pytest

from custom_components.rumpus.families.faf.players import PlayerFilter, players_answer
from custom_components.rumpus.protocols.faf.lobby import Lobby
from custom_components.rumpus.protocols.json_lines import JsonObject

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def rated(mean: float, games: int = 7) -> JsonObject:
    """Return a rating as lobbies send it."""
    return {"rating": [mean, 100.0], "number_of_games": games}


PLAYERS: list[JsonObject] = [
    {
        "id": 1,
        "login": "Rhiza",
        "clan": "SYM",
        "country": "DE",
        "ratings": {"global": rated(1500.6), "ladder_1v1": rated(900.0, 3)},
    },
    {"id": 2, "login": "brackman", "country": "", "ratings": {}},
    {"id": 3, "login": "Arnold", "clan": "sym", "country": "US", "ratings": {}},
]


@pytest.fixture
def lobby() -> Lobby:
    """A lobby with three players, one of them in a game and one a friend."""
    lobby = Lobby()
    tell(lobby, command="player_info", players=PLAYERS)
    tell(lobby, command="social", friends=[3], foes=[], channels=[], power=0)
    tell(
        lobby,
        command="game_info",
        games=[
            {
                "uid": 41,
                "state": "playing",
                "host": "Rhiza",
                "teams_ids": [{"team_id": 2, "player_ids": [1]}],
                "teams": {"2": ["Rhiza"]},
            }
        ],
    )
    return lobby


def tell(lobby: Lobby, **message: Any) -> None:
    """Let a lobby send a message."""
    for _ in lobby.apply(message, 0.0, NOW):
        pass


def logins(lobby: Lobby, **fields: str) -> list[str]:
    """Return who is found."""
    answer: Any = players_answer(lobby, PlayerFilter.from_data(fields), 50)
    assert answer["total"] == len(answer["players"])
    return [player["login"] for player in answer["players"]]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ["Arnold", "brackman", "Rhiza"]),
        ({"login": "R"}, ["Arnold", "brackman", "Rhiza"]),
        ({"login": " rh "}, ["Rhiza"]),
        ({"clan": "Sym"}, ["Arnold", "Rhiza"]),
        ({"clan": "sy"}, []),
        ({"country": "de"}, ["Rhiza"]),
        ({"clan": "SYM", "country": "US"}, ["Arnold"]),
        ({"login": "nobody"}, []),
    ],
)
def test_filter(lobby: Lobby, fields: dict[str, str], found: list[str]) -> None:
    assert logins(lobby, **fields) == found


def test_what_is_told(lobby: Lobby) -> None:
    answer: Any = players_answer(lobby, PlayerFilter(), 50)
    arnold, brackman, rhiza = answer["players"]
    assert rhiza == {
        "id": 1,
        "login": "Rhiza",
        "clan": "SYM",
        "country": "DE",
        "status": "playing",
        "game": 41,
        "is_friend": False,
        "ratings": {
            "global": {"rating": 1201, "games": 7},
            "ladder_1v1": {"rating": 600, "games": 3},
        },
    }
    assert brackman == {
        "id": 2,
        "login": "brackman",
        "clan": None,
        "country": None,
        "status": "online",
        "game": None,
        "is_friend": False,
        "ratings": {},
    }
    assert arnold["is_friend"] is True
    assert json.loads(json.dumps(answer)) == answer


def test_limit(lobby: Lobby) -> None:
    answer: Any = players_answer(lobby, PlayerFilter(), 2)
    assert [player["login"] for player in answer["players"]] == ["Arnold", "brackman"]
    assert answer["total"] == 3


def test_what_others_write_is_cleaned(lobby: Lobby) -> None:
    player = {"id": 4, "login": "a\nb", "clan": "\x00", "country": "X\u202eY"}
    tell(lobby, command="player_info", players=[player | {"ratings": {}}])
    answer: Any = players_answer(lobby, PlayerFilter(login="a b"), 1)
    told = answer["players"][0]
    assert (told["login"], told["clan"], told["country"]) == ("a b", None, "XY")
