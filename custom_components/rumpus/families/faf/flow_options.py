"""What a user can choose about a lobby: who is followed."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, override

import probatio

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ...protocols.faf.lobby import Lobby
from .. import FamilyOptions
from .data import LobbyData
from .flow_inputs import clean_login
from .options import CONF_PLAYERS, MAX_FOLLOWED, FafOptions, player_key

if TYPE_CHECKING:
    from .coordinator import FafCoordinator

MAX_SHOWN: Final = 64
"""Characters that are shown of what cannot be a login."""
MAX_SUGGESTED: Final = 3000
"""Players that are proposed; others can be typed."""


class FafOptionsSteps(FamilyOptions):
    """The steps of the family in an options flow."""

    @override
    async def async_init(self) -> ConfigFlowResult:
        return await self.async_step_faf_options()

    async def async_step_faf_options(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user say which players are followed."""
        entry = self.host.entry
        if LobbyData.from_entry(entry.data).is_status_only:
            return self.host.async_abort(
                reason="faf_no_sign_in",
                description_placeholders={"name": entry.title},
            )
        coordinator = self._coordinator()
        client = None if coordinator is None else coordinator.client
        lobby = None if client is None else client.lobby
        known = {} if coordinator is None else _known(coordinator)
        errors: dict[str, str] = {}
        texts = {"name": entry.title, "limit": str(MAX_FOLLOWED), "players": ""}
        if user_input is not None:
            players, wrong = _players(user_input.get(CONF_PLAYERS, ()), lobby, known)
            if wrong:
                errors[CONF_PLAYERS] = "faf_invalid_players"
                texts["players"] = ", ".join(wrong)
            elif len(players) > MAX_FOLLOWED:
                errors[CONF_PLAYERS] = "faf_too_many_players"
            else:
                return self.host.async_create_entry(
                    data={**entry.options, CONF_PLAYERS: list(players.values())}
                )
        chosen = list(FafOptions.from_entry(entry.options).players.values())
        return self.host.async_show_form(
            step_id="faf_options",
            data_schema=self.host.add_suggested_values_to_schema(
                _schema(_suggested(chosen, lobby, known)),
                user_input or {CONF_PLAYERS: chosen},
            ),
            errors=errors,
            description_placeholders=texts,
        )

    def _coordinator(self) -> FafCoordinator | None:
        """Return what knows the lobby, None while the entry is not running."""
        entry = self.host.entry
        if entry.state is not ConfigEntryState.LOADED:
            return None
        coordinator: FafCoordinator = entry.runtime_data
        return coordinator


def _known(coordinator: FafCoordinator) -> Mapping[int, str]:
    """Return the logins by which players are followed, who may be called otherwise by now."""
    players = coordinator.options.players
    return {
        player_id: players[key]
        for key, player_id in coordinator.followed.player_ids.items()
    }


def _schema(suggested: Iterable[str]) -> probatio.Schema:
    return probatio.Schema(
        {
            probatio.Optional(CONF_PLAYERS, default=[]): SelectSelector(
                SelectSelectorConfig(
                    options=list(suggested),
                    multiple=True,
                    custom_value=True,
                    mode=SelectSelectorMode.DROPDOWN,
                )
            )
        }
    )


def _suggested(
    chosen: Iterable[str], lobby: Lobby | None, known: Mapping[int, str]
) -> list[str]:
    """Return whom to propose: who is followed, friends who are online, and then the others."""
    names = {player_key(login): login for login in chosen}
    if lobby is not None:
        online = sorted(
            lobby.players.values(),
            key=lambda player: (
                not lobby.is_friend(player.id),
                player.login.casefold(),
            ),
        )
        for player in online:
            if len(names) >= MAX_SUGGESTED:
                break
            login = known.get(player.id, player.login)
            if clean_login(login) != login:
                continue  # it could not be submitted
            names.setdefault(player_key(login), login)
    return list(names.values())


def _players(
    typed: Iterable[str], lobby: Lobby | None, known: Mapping[int, str]
) -> tuple[Mapping[str, str], list[str]]:
    """Return the logins that a user has typed, by their keys, and what cannot be one.

    Those who are online are written as the lobby does, or as they are followed already.
    """
    players: dict[str, str] = {}
    wrong: list[str] = []
    for text in typed:
        if not text.strip():
            continue
        if (login := clean_login(text)) is None:
            wrong.append(text[:MAX_SHOWN])
            continue
        player = None if lobby is None else lobby.find_player(login)
        name = login if player is None else known.get(player.id, player.login)
        players.setdefault(player_key(name), name)
    return players, wrong
