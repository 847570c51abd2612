"""How the peers' lobbies answer; runs in their environment, so nothing is imported."""

from typing import Any

SESSION = 4_294_967_294
BURST: list[dict[str, Any]] = [
    {"command": "irc_password", "password": "deprecated"},
    {
        "command": "welcome",
        "me": {"id": 7, "login": "watcher", "ratings": {}},
        "current_time": "2026-11-21T08:15:50.503836+00:00",
        "id": 7,
        "login": "watcher",
    },
    {
        "command": "player_info",
        "players": [
            {
                "id": 7,
                "login": "watcher",
                "country": "",
                "ratings": {
                    "global": {"rating": [1200.5, 80.25], "number_of_games": 120}
                },
            },
            {"id": 8, "login": "Rhiza", "country": "DE", "ratings": {}},
        ],
    },
    {
        "command": "social",
        "autojoin": [],
        "channels": [],
        "friends": [8],
        "foes": [],
        "power": 0,
    },
    {"command": "game_info", "games": []},
]


def answers(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a lobby says to a message."""
    match message.get("command"):
        case "ping":
            return [{"command": "pong"}]
        case "ask_session":
            return [{"command": "session", "session": SESSION}]
        case "auth":
            return BURST
        case "hello":
            return BURST[1:]
        case "matchmaker_info":
            return [{"command": "matchmaker_info", "queues": []}]
    return []


def game(uid: int, **more: Any) -> dict[str, Any]:
    """Return a game as a lobby tells of it."""
    return {
        "command": "game_info",
        "visibility": "public",
        "password_protected": False,
        "uid": uid,
        "title": f"Game {uid}",
        "state": "open",
        "game_type": "custom",
        "featured_mod": "faf",
        "sim_mods": {},
        "mapname": "scmp_009",
        "map_file_path": "maps/scmp_009.zip",
        "host": "Rhiza",
        "num_players": 1,
        "max_players": 8,
        "hosted_at": "2026-11-21T08:17:39.679303+00:00",
        "launched_at": None,
        "rating_type": "global",
        "rating_min": None,
        "rating_max": None,
        "enforce_rating_range": False,
        "teams_ids": [{"team_id": 2, "player_ids": [8]}],
        "teams": {"2": ["Rhiza"]},
    } | more
