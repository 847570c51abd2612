"""Messages as lobby servers write them, and a lobby that is told them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from custom_components.rumpus.protocols.faf.events import LobbyEvent, Updated
from custom_components.rumpus.protocols.faf.lobby import Lobby
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

START = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
ME = 1


def rating(mean: float, deviation: float, games: int) -> JsonObject:
    return {"rating": [mean, deviation], "number_of_games": games}


def player(player_id: int, login: str = "", **fields: JsonValue) -> JsonObject:
    ratings: JsonObject = {
        "global": rating(1200.5, 80.25, 120),
        "ladder_1v1": rating(1000.0, 90.0, 30),
    }
    body: JsonObject = {
        "id": player_id,
        "login": login or f"player{player_id}",
        "country": "NO",
        "ratings": ratings,
        "global_rating": [1200.5, 80.25],
        "ladder_rating": [1000.0, 90.0],
        "number_of_games": 120,
    }
    return body | fields


def gone(player_id: int, login: str = "") -> JsonObject:
    return player(player_id, login, state="offline")


def game(
    uid: int, state: str, members: Iterable[int] = (), **fields: JsonValue
) -> JsonObject:
    ids = list(members)
    teams: list[JsonValue] = [
        {"team_id": 2, "player_ids": [*ids[::2]]},
        {"team_id": 3, "player_ids": [*ids[1::2]]},
    ]
    body: JsonObject = {
        "command": "game_info",
        "visibility": "public",
        "password_protected": False,
        "uid": uid,
        "title": f"Game {uid}",
        "state": state,
        "game_type": "custom",
        "featured_mod": "faf",
        "sim_mods": {},
        "mapname": "scmp_009",
        "map_file_path": "maps/scmp_009.zip",
        "host": "player1",
        "num_players": len(ids),
        "max_players": 8,
        "hosted_at": None if state == "closed" else "2026-11-21T20:00:00.25+00:00",
        "launched_at": START.timestamp() if state == "playing" else None,
        "rating_type": "global",
        "rating_min": None,
        "rating_max": None,
        "enforce_rating_range": False,
        "teams_ids": teams if ids else [],
        "teams": {},
    }
    return body | fields


def match(uid: int, state: str, members: Iterable[int] = ()) -> JsonObject:
    return game(uid, state, members, game_type="matchmaker", title="a Vs b")


def queue(name: str, delta: float, players: int = 0, team_size: int = 1) -> JsonObject:
    return {
        "queue_name": name,
        "queue_pop_time": "2026-11-21T20:01:00+00:00",
        "queue_pop_time_delta": delta,
        "num_players": players,
        "boundary_80s": [[800, 1200]],
        "boundary_75s": [[900, 1100]],
        "team_size": team_size,
    }


def players(*items: JsonValue) -> JsonObject:
    return {"command": "player_info", "players": list(items)}


def games(*items: JsonValue) -> JsonObject:
    return {"command": "game_info", "games": list(items)}


def queues(*items: JsonValue) -> JsonObject:
    return {"command": "matchmaker_info", "queues": list(items)}


def welcome(skew: float = 0.0) -> JsonObject:
    return {
        "command": "welcome",
        "me": player(ME),
        "current_time": (START + timedelta(seconds=skew)).isoformat(),
        "id": ME,
        "login": f"player{ME}",
    }


class Watched:
    """A lobby, and clocks that go when the test says so."""

    def __init__(self) -> None:
        self.lobby = Lobby()
        self.now = 1000.0

    @property
    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now - 1000.0)

    def tell(self, message: JsonObject) -> list[LobbyEvent]:
        """Merge a message, and return what has happened but for `Updated`."""
        return [event for event in self.tell_all(message) if event != Updated()]

    def tell_all(self, message: JsonObject) -> list[LobbyEvent]:
        """Merge a message, and return everything that has happened."""
        steps = self.lobby.apply(message, self.now, self.utc)
        return [event for event in steps if event is not None]

    def log_in(
        self, online: Iterable[JsonValue] = (), hosted: Iterable[JsonValue] = ()
    ) -> list[LobbyEvent]:
        """Take in what the server tells after a login."""
        events = self.tell(welcome())
        events += self.tell(players(player(ME), *online))
        return events + self.tell(games(*hosted))
