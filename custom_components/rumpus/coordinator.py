"""What every family's coordinator has in common."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import LOGGER
from .files import DeviceFiles

type RumpusConfigEntry = ConfigEntry[RumpusRuntime]


class RumpusRuntime(ABC):
    """What an entry has while it is loaded, whatever its family."""

    @property
    @abstractmethod
    def platforms(self) -> Collection[Platform]:
        """The platforms on which the device may have entities."""

    @property
    def files(self) -> DeviceFiles | None:
        """The files of the device, None when none may be seen."""
        return None

    @abstractmethod
    async def async_start(self) -> None:
        """Begin to follow the device."""

    @abstractmethod
    async def async_stop(self) -> None:
        """Let go of the device; safe after a failed start."""

    @abstractmethod
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        """Add the entities of one platform, now and whenever new ones come to be."""

    @abstractmethod
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        """Carry out one of the integration's actions on the device.

        Raises ServiceValidationError when the device has no such action, HomeAssistantError
        when it fails.
        """

    @abstractmethod
    def diagnostics(self) -> Mapping[str, object]:
        """Return what helps with a problem and tells nothing private."""


class RumpusCoordinator[StateT](DataUpdateCoordinator[StateT], RumpusRuntime):
    """Turns what one device tells into frozen states; nothing is polled."""

    def __init__(
        self, hass: HomeAssistant, entry: RumpusConfigEntry, *, name: str, state: StateT
    ) -> None:
        """Start with the state of a device that nobody has heard of yet."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=name, always_update=False
        )
        self.entry = entry
        self.data = state

    @callback
    def publish(self, state: StateT) -> None:
        """Tell the entities about a state, unless it is what they know."""
        if state != self.data:
            self.async_set_updated_data(state)

    @override
    async def _async_update_data(self) -> StateT:
        """Answer a user's "update entity": what the device told last is what there is."""
        return self.data
