"""The actions of lobbies, see the table of them in services.py."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from homeassistant.core import ServiceResponse

from ...names import plain_text
from ...protocols.errors import RumpusError, UnsupportedError
from ...protocols.faf.client import LobbyClient
from .coordinator import FafCoordinator
from .errors import check_signed_in, faf_errors, refuse
from .games import GameFilter, games_answer
from .players import PlayerFilter, players_answer

type Handler = Callable[
    [FafCoordinator, LobbyClient, Mapping[str, Any]], Awaitable[ServiceResponse]
]
type Change = Callable[[LobbyClient, int], Awaitable[None]]

# Nobody else who is online is refused.
_SPECIAL: Final[Mapping[type[RumpusError], str]] = {UnsupportedError: "faf_own_account"}


async def async_action(
    coordinator: FafCoordinator, name: str, data: Mapping[str, Any]
) -> ServiceResponse:
    """Carry out an action on a lobby.

    Raises ServiceValidationError when lobbies have no such action or cannot do it as it is
    asked for, HomeAssistantError when it fails.
    """
    if (handler := ACTIONS.get(name)) is None:
        refuse("faf_no_action", coordinator.device_name)
    if (client := coordinator.client) is None:
        refuse("faf_no_account", coordinator.device_name)
    check_signed_in(coordinator)
    return await handler(coordinator, client, data)


async def _async_get_games(
    coordinator: FafCoordinator, client: LobbyClient, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return the games that are asked for, as they are known now."""
    return games_answer(
        client.lobby.games.values(), GameFilter.from_data(data), data["limit"]
    )


async def _async_get_players(
    coordinator: FafCoordinator, client: LobbyClient, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return the players who are asked for, as they are known now."""
    return players_answer(client.lobby, PlayerFilter.from_data(data), data["limit"])


def _changing(change: Change) -> Handler:
    """Return what changes the lists of the account, for a player by name."""

    async def handler(
        coordinator: FafCoordinator, client: LobbyClient, data: Mapping[str, Any]
    ) -> ServiceResponse:
        login: str = data["player"].strip()
        player = client.lobby.find_player(login)
        if player is None:
            # The lists have ids, which the lobby tells of those who are online.
            refuse(
                "faf_player_not_online",
                coordinator.device_name,
                player=plain_text(login),
            )
        with faf_errors(coordinator.device_name, _SPECIAL):
            await change(client, player.id)
        return None

    return handler


ACTIONS: Final[Mapping[str, Handler]] = {
    "get_games": _async_get_games,
    "get_players": _async_get_players,
    "add_friend": _changing(lambda client, player: client.add_friend(player)),
    "remove_friend": _changing(lambda client, player: client.remove_friend(player)),
    "add_foe": _changing(lambda client, player: client.add_foe(player)),
    "remove_foe": _changing(lambda client, player: client.remove_foe(player)),
}
"""What a lobby can do, by the names of the table."""
