"""The state of a device as Home Assistant sees it, and how messages change it.

Nothing here does input or output: `fold` takes a state and a message and returns a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ...protocols.kdeconnect.plugins import Message
from ...protocols.kdeconnect.plugins.battery import BatteryStatus
from ...protocols.kdeconnect.plugins.lock import LockState
from ...protocols.kdeconnect.plugins.mpris import (
    ABSENT,
    Player,
    PlayerList,
    PlayerUpdate,
)
from ...protocols.kdeconnect.plugins.runcommand import CommandList

MAX_PLAYERS: Final = 32
"""Players that become entities; what a device lists beyond is left out."""
MAX_COMMANDS: Final = 64
"""Commands that become entities; what a device lists beyond is left out."""


@dataclass(frozen=True, slots=True)
class PlayerState:
    """A player, and when its position was true."""

    player: Player
    position_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KdeConnectState:
    """All that is known of a device now; None is what it has not told since it connected.

    `commands` are the names of the commands by their keys, `players` the players by their
    names.
    """

    is_connected: bool = False
    battery: BatteryStatus | None = None
    is_locked: bool | None = None
    commands: Mapping[str, str] | None = None
    players: Mapping[str, PlayerState] | None = None
    has_album_art: bool = False


def fold(state: KdeConnectState, message: Message, now: datetime) -> KdeConnectState:
    """Return the state after a message; messages that change nothing return it as it is."""
    match message:
        case BatteryStatus():
            return replace(state, battery=message)
        case LockState(is_locked):
            return replace(state, is_locked=is_locked)
        case CommandList(commands):
            names = {command.key: command.name for command in commands[:MAX_COMMANDS]}
            return replace(state, commands=names)
        case PlayerList(names, supports_album_art):
            known = state.players or {}
            players = {
                name: known.get(name) or PlayerState(Player(name))
                for name in names[:MAX_PLAYERS]
            }
            return replace(state, players=players, has_album_art=supports_album_art)
        case PlayerUpdate():
            return _fold_player(state, message, now)
        case _:
            return state


def _fold_player(
    state: KdeConnectState, update: PlayerUpdate, now: datetime
) -> KdeConnectState:
    # A player that is not in the list is gone: this is a late word of it.
    if state.players is None or (old := state.players.get(update.player)) is None:
        return state
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
    new = PlayerState(player, updated_at)
    return replace(state, players={**state.players, update.player: new})


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
