"""What the entities of a device's sound outputs have in common."""

from collections.abc import Callable
from typing import Final, override

from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow, is_admitted
from ...protocols.kdeconnect.plugins.systemvolume import Sink
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.sound import SoundFeature

MAX_ENTITIES: Final = 32
"""Outputs of one device that are remembered, most of which may be unplugged."""


class KdeConnectSinkEntity(KdeConnectEntity):
    """An entity of one output; unavailable while the output is unplugged."""

    def __init__(
        self, coordinator: KdeConnectCoordinator, prefix: str, name: str
    ) -> None:
        """Belong to the output with this name."""
        super().__init__(coordinator, f"{prefix}{name}")
        self._sound = coordinator.get(SoundFeature)
        self._name = name
        sink = self._sink
        self._attr_translation_placeholders = {
            "output": name if sink is None else sink.description
        }

    @property
    def _sink(self) -> Sink | None:
        """The output's state, None while there is no such output."""
        sinks = self.coordinator.data.sinks
        return None if sinks is None else sinks.by_name.get(self._name)

    @property
    @override
    def available(self) -> bool:
        return super().available and self._sink is not None


@callback
def async_follow_sinks(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
    platform: Platform,
    prefix: str,
    create: Callable[[str], KdeConnectSinkEntity],
) -> None:
    """Add an entity for every output; `prefix` is what their keys begin with."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            () if coordinator.data.sinks is None else coordinator.data.sinks.by_name
        ),
        create,
        lambda name: is_admitted(coordinator, platform, prefix, name, MAX_ENTITIES),
    )
