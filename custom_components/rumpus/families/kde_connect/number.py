"""Numbers of a KDE Connect device: the volumes of its sound outputs."""

from typing import Final, override

from homeassistant.components.number import NumberEntity
from homeassistant.const import Platform, UnitOfRatio
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import KdeConnectCoordinator
from .sinks import KdeConnectSinkEntity, async_follow_sinks

VOLUME: Final = "output_volume_"
"""What the keys of volumes begin with; the output's name follows."""

_FULL: Final = 100.0
_AMPLIFIED: Final = 150.0


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the volumes of a device's outputs."""
    async_follow_sinks(
        coordinator,
        async_add_entities,
        Platform.NUMBER,
        VOLUME,
        lambda name: KdeConnectVolume(coordinator, name),
    )


class KdeConnectVolume(KdeConnectSinkEntity, NumberEntity):
    """The volume of one output."""

    _attr_native_min_value = 0.0
    _attr_native_step = 1.0

    def __init__(self, coordinator: KdeConnectCoordinator, name: str) -> None:
        """Show the volume of the output with this name."""
        super().__init__(coordinator, VOLUME, name)
        self._attr_translation_key = "output_volume"
        self._attr_native_unit_of_measurement = UnitOfRatio.PERCENTAGE

    @property
    @override
    def native_max_value(self) -> float:
        # Computers let their users amplify; we do not begin that, but show it.
        value = self.native_value
        return _FULL if value is None or value <= _FULL else max(_AMPLIFIED, value)

    @property
    @override
    def native_value(self) -> float | None:
        if self._sink is None or self._sink.level is None:
            return None
        return round(self._sink.level * 100)

    @override
    async def async_set_native_value(self, value: float) -> None:
        if self._sink is not None:
            await self._sound.async_set_volume(self._sink, value / 100)
