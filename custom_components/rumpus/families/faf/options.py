"""Whom a user follows in a lobby."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .const import MAX_LOGIN

CONF_PLAYERS: Final = "players"
"""Key of the options: the logins of the players that are followed."""

MAX_FOLLOWED: Final = 50
"""Players that are followed in one lobby."""


def player_key(login: str) -> str:
    """Return the key of a followed player, whatever the case in which it was entered."""
    return login.strip().casefold()


@dataclass(frozen=True, slots=True)
class FafOptions:
    """The options of an entry.

    `players` are logins by their keys, as they were when they were entered.
    """

    players: Mapping[str, str]

    @classmethod
    def from_entry(cls, options: Mapping[str, Any]) -> Self:
        """Read an entry's options."""
        players: dict[str, str] = {}
        for login in options.get(CONF_PLAYERS, ()):
            name = str(login).strip()[:MAX_LOGIN]
            if name and len(players) < MAX_FOLLOWED:
                players.setdefault(player_key(name), name)
        return cls(players)
