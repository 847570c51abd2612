"""What a lobby server sends, for tests without one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from custom_components.rumpus.protocols.faf.events import LobbyEvent
from custom_components.rumpus.protocols.faf.lobby import Lobby

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
ME = 9001


def player(
    player_id: int, login: str, mean: float = 1500.0, **more: Any
) -> dict[str, Any]:
    """Return a player; the deviation is 100."""
    return {
        "id": player_id,
        "login": login,
        "ratings": {"global": {"rating": [mean, 100.0], "number_of_games": 10}},
        **more,
    }


def game(uid: int, state: str = "open", *ids: int, **more: Any) -> dict[str, Any]:
    """Return a game with some players in its second team."""
    return {
        "uid": uid,
        "title": f"Game {uid}",
        "state": state,
        "game_type": "custom",
        "featured_mod": "faf",
        "mapname": "scmp_009",
        "host": "",
        "num_players": len(ids),
        "max_players": 8,
        "hosted_at": "2026-11-21T19:00:00.000000+00:00",
        "launched_at": NOW.timestamp() if state == "playing" else None,
        "teams_ids": [{"team_id": 2, "player_ids": list(ids)}],
        "teams": {},
        **more,
    }


def online(*players: dict[str, Any]) -> dict[str, Any]:
    """Return the message that tells of players."""
    return {"command": "player_info", "players": list(players)}


def offline(player_id: int, login: str) -> dict[str, Any]:
    """Return the message that tells that somebody has gone."""
    return online(player(player_id, login, state="offline"))


def games(*items: dict[str, Any]) -> dict[str, Any]:
    """Return the message with all games."""
    return {"command": "game_info", "games": list(items)}


def changed(item: dict[str, Any]) -> dict[str, Any]:
    """Return the message that tells of one game."""
    return {"command": "game_info", **item}


def welcome() -> dict[str, Any]:
    """Return the answer to a login."""
    return {
        "command": "welcome",
        "me": player(ME, "ha_user"),
        "current_time": NOW.isoformat(),
    }


def social(*friends: int) -> dict[str, Any]:
    """Return the message with the own lists."""
    return {
        "command": "social",
        "autojoin": [],
        "channels": [],
        "friends": list(friends),
        "foes": [],
        "power": 0,
    }


class Fed:
    """A lobby that is told things, and what came of it."""

    def __init__(self, listener: Callable[[LobbyEvent], None] = lambda event: None):
        """Take who is told of events."""
        self.lobby = Lobby()
        self._listener = listener
        self._at = 1000.0

    def tell(self, *messages: dict[str, Any]) -> None:
        """Tell the lobby things, one after another."""
        for message in messages:
            self._at += 1.0
            for event in self.lobby.apply(message, self._at, NOW):
                if event is not None:
                    self._listener(event)

    def log_in(
        self,
        *players: dict[str, Any],
        friends: tuple[int, ...] = (),
        all_games: Any = (),
    ) -> None:
        """Tell what a login brings."""
        self.tell(
            welcome(),
            online(player(ME, "ha_user"), *players),
            social(*friends),
            games(*all_games),
        )
