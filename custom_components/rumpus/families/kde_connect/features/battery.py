"""The device's battery."""

from dataclasses import replace
from typing import TYPE_CHECKING, override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message
from ....protocols.kdeconnect.plugins.battery import BatteryStatus
from ..const import BATTERY_LOW
from ..feature import Feature

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator


class BatteryFeature(Feature):
    """Follows the charge and fires an event when the device says that it is low."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without a word from the device."""
        super().__init__(coordinator)
        # It stays over times without a link: many phones come and go all day.
        self._is_low = False

    @callback
    @override
    def remembered(self, message: Message) -> None:
        # It is no news that the battery was low already.
        if isinstance(message, BatteryStatus):
            self._is_low = bool(message.is_low)
            self.coordinator.publish(replace(self.state, battery=message))

    @callback
    @override
    def received(self, message: Message) -> None:
        if not isinstance(message, BatteryStatus):
            return
        was_low, self._is_low = self._is_low, bool(message.is_low)
        self.coordinator.publish(replace(self.state, battery=message))
        # The device repeats it in every packet until it ends.
        if message.is_low and not was_low:
            self.coordinator.fire(BATTERY_LOW, BATTERY_LOW, {"level": message.charge})

    @override
    def diagnostics(self) -> dict[str, object]:
        status = self.state.battery
        return {
            "battery": None if status is None else status.charge,
            "is_charging": None if status is None else status.is_charging,
        }
