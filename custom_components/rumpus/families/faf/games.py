"""The games of a lobby: which of them are asked for, and how they are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, Self

from homeassistant.util.json import JsonObjectType, JsonValueType

from ...names import clean_text
from ...protocols.faf.models import OBSERVERS, Game
from .maps import map_name

MAX_TITLE: Final = 128
"""Characters of a game's title that are told; lobbies allow as many."""
MAX_LISTED_MODS: Final = 50
"""Simulation mods of one game that are told."""
MAX_LISTED_PLAYERS: Final = 50
"""Players of one team that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameFilter:
    """What the games that are asked for have in common; None, 0 and False are no wishes.

    Names are compared without regard to capitals.  `map` is a part of the map's name or of its
    folder's, the others are whole names.  `open_slots` are free at least.
    """

    state: str | None = None
    mod: str | None = None
    game_type: str | None = None
    host: str | None = None
    player: str | None = None
    map: str | None = None
    open_slots: int = 0
    no_password: bool = False

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Take the fields of the action."""
        return cls(
            state=data.get("state"),
            mod=folded(data.get("mod")),
            game_type=folded(data.get("game_type")),
            host=folded(data.get("host")),
            player=folded(data.get("player")),
            map=folded(data.get("map")),
            open_slots=data.get("open_slots", 0),
            no_password=data.get("no_password", False),
        )

    def admits(self, game: Game) -> bool:
        """Tell whether a game is one of those."""
        return (
            (self.state is None or game.state == self.state)
            and (self.mod is None or game.featured_mod.casefold() == self.mod)
            and (self.game_type is None or game.game_type.casefold() == self.game_type)
            and (self.host is None or game.host.casefold() == self.host)
            and game.free_slots >= self.open_slots
            and not (self.no_password and game.is_password_protected)
            and self._admits_map(game)
            and self._admits_players(game)
        )

    def _admits_map(self, game: Game) -> bool:
        return (
            self.map is None
            or self.map in game.map_name.casefold()
            or self.map in map_name(game.map_name).casefold()
        )

    def _admits_players(self, game: Game) -> bool:
        return self.player is None or any(
            login.casefold() == self.player
            for team in game.team_logins.values()
            for login in team
        )


def folded(text: str | None) -> str | None:
    """Return a text as it is compared."""
    return None if text is None else text.strip().casefold()


def games_answer(
    games: Iterable[Game], wanted: GameFilter, limit: int
) -> JsonObjectType:
    """Return the answer to `get_games`: the newest first, and how many there are in all."""
    found = sorted(
        (game for game in games if wanted.admits(game)),
        key=lambda game: game.uid,
        reverse=True,
    )
    return {
        "games": [game_part(game) for game in found[:limit]],
        "total": len(found),
    }


def game_title(game: Game) -> str:
    """Return the title of a game as it may be shown."""
    return clean_text(game.title, MAX_TITLE)


def game_part(game: Game) -> JsonObjectType:
    """Return what an answer tells of a game; times are in UTC, as in ISO 8601."""
    return {
        "uid": game.uid,
        "title": game_title(game),
        "state": str(game.state),
        "host": clean_text(game.host),
        "map": map_name(game.map_name),
        "map_folder": clean_text(game.map_name, MAX_TITLE),
        "mod": clean_text(game.featured_mod),
        "game_type": clean_text(game.game_type),
        "sim_mods": [
            clean_text(name, MAX_TITLE) for name in game.sim_mods[:MAX_LISTED_MODS]
        ],
        "num_players": game.num_players,
        "max_players": game.max_players,
        "free_slots": game.free_slots,
        "has_password": game.is_password_protected,
        "visibility": clean_text(game.visibility),
        "rating_type": clean_text(game.rating_type),
        "rating_min": game.rating_min,
        "rating_max": game.rating_max,
        "is_rating_enforced": game.is_rating_enforced,
        "hosted_at": _time(game.hosted_at),
        "launched_at": _time(game.launched_at),
        "teams": _teams(game),
        "observers": _logins(game.team_logins.get(OBSERVERS, ())),
    }


def _teams(game: Game) -> list[JsonValueType]:
    """Return the teams by their numbers as players know them: 0 are those without a team."""
    return [
        {"team": number - 1, "players": _logins(logins)}
        for number, logins in sorted(game.team_logins.items())
        if number > OBSERVERS and logins
    ]


def _logins(logins: Iterable[str]) -> list[JsonValueType]:
    return [clean_text(login) for login in islice(logins, MAX_LISTED_PLAYERS)]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
