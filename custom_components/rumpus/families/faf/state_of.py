"""What a lobby tells, as the state that Home Assistant knows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ...protocols.faf.client import LobbyClient
from ...protocols.faf.models import Avatar, Queue
from .state import FafState, FollowedState, QueueState

MAX_DRIFT: Final = timedelta(seconds=2)
"""By how much the next round of a queue may move until that is told anew."""


def state_of(
    client: LobbyClient, before: FafState, followed: Mapping[str, FollowedState]
) -> FafState:
    """Return the state of a lobby that we are signed in to."""
    lobby = client.lobby
    queues = {
        name: _queue_state(queue, before.queues.get(name))
        for name, queue in lobby.queues.items()
    }
    return replace(
        before,
        is_connected=True,
        latency=client.latency,
        players_online=lobby.players_online,
        players_in_games=lobby.players_in_games,
        games_open=lobby.open_games,
        games_running=lobby.running_games,
        games_finished=lobby.finished_games,
        queues=queues,
        searching=frozenset(lobby.searching),
        followed=followed,
        avatars=tuple(lobby.avatars),
        avatar=_own_avatar(client),
    )


def with_counts_of(state: FafState, other: FafState) -> FafState:
    """Return a state with the counts that another has: of players, games and searches."""
    return replace(
        state,
        players_online=other.players_online,
        players_in_games=other.players_in_games,
        games_open=other.games_open,
        games_running=other.games_running,
        games_finished=other.games_finished,
        queues={
            name: (
                replace(queue, players=other.queues[name].players)
                if name in other.queues
                else queue
            )
            for name, queue in state.queues.items()
        },
    )


def _queue_state(queue: Queue, before: QueueState | None) -> QueueState:
    pop = queue.pop_time.replace(microsecond=0)
    if before is not None and abs(pop - before.next_pop) <= MAX_DRIFT:
        pop = before.next_pop
    return QueueState(queue.name, queue.players, queue.team_size, pop)


def _own_avatar(client: LobbyClient) -> Avatar | None:
    me = client.lobby.me
    if me is None or me.avatar_url is None:
        return None
    return Avatar(me.avatar_url, me.avatar_tooltip or "")
