"""Choices of a KDE Connect device: which of its sound outputs plays."""

from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.kdeconnect.plugins.systemvolume import Sinks
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.sound import SoundFeature

AUDIO_OUTPUT: Final = "audio_output"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the choice of the output to a device that has outputs."""

    def keys() -> tuple[str, ...]:
        sinks = coordinator.data.sinks
        return (AUDIO_OUTPUT,) if sinks is not None and sinks.by_name else ()

    async_follow(
        coordinator,
        async_add_entities,
        keys,
        lambda _: KdeConnectAudioOutput(coordinator),
    )


def labels(sinks: Sinks) -> dict[str, str]:
    """Return the names of the outputs by what the user sees; two alike get their names too."""
    found: dict[str, str] = {}
    for name, sink in sinks.by_name.items():
        label = sink.description
        while label in found:  # the description of one may be what another would get
            label = f"{label} ({name})"
        found[label] = name
    return found


class KdeConnectAudioOutput(KdeConnectEntity, SelectEntity):
    """The output that plays what has none of its own."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Show and change the default output."""
        super().__init__(coordinator, AUDIO_OUTPUT)
        self._attr_translation_key = AUDIO_OUTPUT

    @property
    def _labels(self) -> dict[str, str]:
        return labels(self.coordinator.data.sinks or Sinks())

    @property
    @override
    def options(self) -> list[str]:
        return list(self._labels)

    @property
    @override
    def current_option(self) -> str | None:
        sinks = self.coordinator.data.sinks
        if sinks is None or (default := sinks.default) is None:
            return None
        return next(
            label for label, name in self._labels.items() if name == default.name
        )

    @override
    async def async_select_option(self, option: str) -> None:
        await self.coordinator.get(SoundFeature).async_set_default(self._labels[option])
