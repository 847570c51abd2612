"""Facts about a lobby for a bug report: kinds and numbers, and nobody's name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...protocols.faf.client import LobbyClient
from .address import ROOT

if TYPE_CHECKING:
    from .coordinator import FafCoordinator


def facts_of(coordinator: FafCoordinator) -> Mapping[str, object]:
    """Return what helps with a problem and tells nothing private."""
    data, state = coordinator.lobby_data, coordinator.data
    return {
        "lobby": {
            "server": data.server.value,
            "account": data.account.value,
            "framing": None if data.framing is None else data.framing.value,
            "is_secure": data.is_secure,
            "verify_certificate": data.verify_certificate,
            # Where it leads may tell whose lobby it is.
            "has_path": data.path != ROOT,
            "has_helper": data.helper is not None,
            "is_status_only": data.is_status_only,
        },
        "session": {
            "is_connected": state.is_connected,
            "is_signed_in": state.is_signed_in,
            "is_signed_out_elsewhere": state.is_signed_out_elsewhere,
            "latency": state.latency,
            **_session(coordinator.client),
        },
        "state": {
            "players_online": state.players_online,
            "players_in_games": state.players_in_games,
            "games_open": state.games_open,
            "games_running": state.games_running,
            "games_finished": state.games_finished,
            "queues": len(state.queues),
            "searching": len(state.searching),
            "avatars": len(state.avatars),
            "followed": len(state.followed),
            "followed_known": len(coordinator.followed.player_ids),
        },
        "events_dropped": coordinator.events_dropped,
    }


def _session(client: LobbyClient | None) -> Mapping[str, object]:
    if client is None:
        return {}
    social = client.lobby.social
    return {
        "status": client.status.value,
        # Of errors only the kind: a text may say more than that.
        "stop_error": _kind(client.stop_error),
        "last_error": _kind(client.last_error),
        "clock_skew": client.clock_skew,
        "friends": len(social.friends),
        "foes": len(social.foes),
        "items_dropped": client.lobby.dropped,
    }


def _kind(error: Exception | None) -> str | None:
    return None if error is None else type(error).__name__
