"""Switches of a KDE Connect device: its sound outputs can be muted."""

from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import KdeConnectCoordinator
from .sinks import KdeConnectSinkEntity, async_follow_sinks

MUTE: Final = "output_mute_"
"""What the keys of these switches begin with; the output's name follows."""


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of a device's outputs."""
    async_follow_sinks(
        coordinator,
        async_add_entities,
        Platform.SWITCH,
        MUTE,
        lambda name: KdeConnectMute(coordinator, name),
    )


class KdeConnectMute(KdeConnectSinkEntity, SwitchEntity):
    """Whether one output is muted."""

    def __init__(self, coordinator: KdeConnectCoordinator, name: str) -> None:
        """Mute the output with this name."""
        super().__init__(coordinator, MUTE, name)
        self._attr_translation_key = "output_mute"

    @property
    @override
    def is_on(self) -> bool | None:
        return None if self._sink is None else self._sink.is_muted

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._sound.async_set_muted(self._name, True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._sound.async_set_muted(self._name, False)
