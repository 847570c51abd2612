"""The steps in which the user chooses what a device is offered."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import probatio

from homeassistant.components.media_player.const import DOMAIN as MEDIA_PLAYER
from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.helpers import entity_registry as er, selector

from .. import FamilyOptions
from .const import CONF_INCOMING
from .features.offered_commands import DOMAINS, SENSITIVE
from .options import MAX_OFFERED, Option

_TOLD: Final[Mapping[Option, str]] = {
    Option.PLAYERS: "kdeconnect.mpris",
    Option.COMMANDS: "kdeconnect.runcommand",
}
"""What a device has to take so that something can be offered to it."""


class OffersSteps(FamilyOptions):
    """Chooses players and commands, and warns of what may let somebody in."""

    _choice: Mapping[str, Any] = {}

    @abstractmethod
    def finish(self, changes: Mapping[str, Any]) -> ConfigFlowResult:
        """Store the changed options; the others stay."""

    @property
    def can_be_offered(self) -> list[Option]:
        """What the device is able to show; an empty list is an unknown one."""
        incoming = self.host.entry.data[CONF_INCOMING]
        return [
            option for option, told in _TOLD.items() if not incoming or told in incoming
        ]

    async def async_step_kde_connect_offers(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = {
                option.value: "too_many"
                for option in self.can_be_offered
                if len(user_input[option]) > MAX_OFFERED[option]
            }
            if not errors:
                self._choice = user_input
                if self._sensitive():
                    return await self.async_step_kde_connect_confirm()
                return self.finish(user_input)
        entry = self.host.entry
        selectors = {
            Option.PLAYERS: _selector((MEDIA_PLAYER,), _players(self.host.hass, entry)),
            Option.COMMANDS: _selector(DOMAINS),
        }
        chosen = user_input or entry.options
        return self.host.async_show_form(
            step_id="kde_connect_offers",
            data_schema=probatio.Schema(
                {
                    probatio.Optional(
                        option.value, default=list(chosen.get(option, []))
                    ): selectors[option]
                    for option in self.can_be_offered
                }
            ),
            errors=errors,
            description_placeholders={
                option.value: str(limit) for option, limit in MAX_OFFERED.items()
            },
        )

    async def async_step_kde_connect_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Name what may let somebody in, and let the user think again."""
        if user_input is not None:
            return self.finish(self._choice)
        return self.host.async_show_form(
            step_id="kde_connect_confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={
                "name": self.host.entry.title,
                "entities": "\n".join(f"- {name}" for name in self._sensitive()),
            },
        )

    def _sensitive(self) -> list[str]:
        """Return the names of what may let somebody in and was not offered before."""
        before = self.host.entry.options.get(Option.COMMANDS, ())
        names = []
        for entity_id in self._choice.get(Option.COMMANDS, ()):
            if split_entity_id(entity_id)[0] in SENSITIVE and entity_id not in before:
                state = self.host.hass.states.get(entity_id)
                names.append(entity_id if state is None else state.name)
        return names


def _selector(
    domains: tuple[str, ...], excluded: list[str] | None = None
) -> selector.EntitySelector:
    return selector.EntitySelector(
        selector.EntitySelectorConfig(
            filter=[{"domain": list(domains)}],
            exclude_entities=excluded or [],
            multiple=True,
        )
    )


def _players(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return the players of the device itself: it has no use for them."""
    return [
        player.entity_id
        for player in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
        if player.domain == MEDIA_PLAYER
    ]
