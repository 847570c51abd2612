"""The players of a lobby: which of them are asked for, and how they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.util.json import JsonObjectType

from ...names import clean_text
from ...protocols.faf.lobby import Lobby
from ...protocols.faf.models import Player, Rating
from .games import folded


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerFilter:
    """What the players that are asked for have in common; None is no wish.

    Names are compared without regard to capitals.  `login` is a part of the name, the others
    are whole.
    """

    login: str | None = None
    clan: str | None = None
    country: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Take the fields of the action."""
        return cls(
            login=folded(data.get("login")),
            clan=folded(data.get("clan")),
            country=folded(data.get("country")),
        )

    def admits(self, player: Player) -> bool:
        """Tell whether a player is one of those."""
        return (
            (self.login is None or self.login in player.login.casefold())
            and (self.clan is None or (player.clan or "").casefold() == self.clan)
            and (
                self.country is None
                or (player.country or "").casefold() == self.country
            )
        )


def players_answer(lobby: Lobby, wanted: PlayerFilter, limit: int) -> JsonObjectType:
    """Return the answer to `get_players`: by name, and how many there are in all."""
    found = sorted(
        (player for player in lobby.players.values() if wanted.admits(player)),
        key=lambda player: player.login.casefold(),
    )
    return {
        "players": [player_part(lobby, player) for player in found[:limit]],
        "total": len(found),
    }


def player_part(lobby: Lobby, player: Player) -> JsonObjectType:
    """Return what an answer tells of a player."""
    game = lobby.game_of(player.id)
    return {
        "id": player.id,
        "login": clean_text(player.login),
        "clan": clean_text(player.clan or "") or None,
        "country": clean_text(player.country or "") or None,
        "status": str(lobby.status_of(player.id)),
        "game": None if game is None else game.uid,
        "is_friend": lobby.is_friend(player.id),
        "ratings": _ratings(player.ratings),
    }


def _ratings(ratings: Mapping[str, Rating]) -> JsonObjectType:
    return {
        clean_text(name): {"rating": round(rating.displayed), "games": rating.games}
        for name, rating in ratings.items()
    }
