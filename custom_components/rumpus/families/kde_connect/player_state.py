"""What is known of a device's media players, and how messages change it.

Nothing here does input or output.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ...protocols.kdeconnect.plugins.mpris import (
    ABSENT,
    Player,
    PlayerList,
    PlayerUpdate,
)

MAX_PLAYERS: Final = 32
"""Players that become entities; what a device lists beyond is left out."""


@dataclass(frozen=True, slots=True)
class PlayerState:
    """A player, and when its position was true."""

    player: Player
    position_updated_at: datetime | None = None


type Players = Mapping[str, PlayerState]
"""Players by their names."""


def fold_list(players: Players | None, message: PlayerList) -> Players:
    """Return the players after a list of them."""
    known = players or {}
    return {
        name: known.get(name) or PlayerState(Player(name))
        for name in message.players[:MAX_PLAYERS]
    }


def fold_update(
    players: Players | None, update: PlayerUpdate, now: datetime
) -> Players | None:
    """Return the players after an update of one of them."""
    # A player that is not in the list is gone: this is a late word of it.
    if players is None or (old := players.get(update.player)) is None:
        return players
    player = old.player.updated(update)
    updated_at = old.position_updated_at
    if update.position_ms is not ABSENT:
        updated_at = now
    elif player.title != old.player.title:
        player = replace(player, position_ms=None)
    elif player.is_playing != old.player.is_playing:
        # The clock of the position starts or stops here.
        player = replace(player, position_ms=position_ms(old, now))
        updated_at = now
    if player.position_ms is None:
        updated_at = None
    return {**players, update.player: PlayerState(player, updated_at)}


def position_ms(state: PlayerState, now: datetime) -> int | None:
    """Return where a player is at a time, in milliseconds."""
    player = state.player
    if player.position_ms is None or state.position_updated_at is None:
        return None
    if not player.is_playing:
        return player.position_ms
    position = player.position_ms + (now - state.position_updated_at) // timedelta(
        milliseconds=1
    )
    return position if player.length_ms is None else min(position, player.length_ms)
