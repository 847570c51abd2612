"""What the coordinators of devices that have events and much to tell have in common."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, override

from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import RumpusConfigEntry, RumpusCoordinator
from .pace import Pace
from .protocols.budget import Budget

MAX_EVENTS: Final = 1000
"""Events of one kind that a device causes at once; the ones beyond are not told."""
EVENTS_REFILL: Final = 20.0
"""Events of one kind that there may be in a second after that."""
MAX_STATES: Final = 200
"""Changes that a device causes at once and that the entities show one by one."""
STATES_REFILL: Final = 20.0
"""Changes that there may be in a second after that."""
FLOOD_INTERVAL: Final = 0.25
"""Seconds between two looks of the entities at what comes beyond."""

type EventListener = Callable[[str, Mapping[str, Any] | None], None]
"""Takes an event's type and its attributes."""
type PlatformSetup[CoordinatorT] = Callable[
    [CoordinatorT, AddConfigEntryEntitiesCallback], None
]
"""Adds what a device has on one platform, now and whenever there is more of it."""


class DeviceCoordinator[StateT](RumpusCoordinator[StateT]):
    """Tells the entities of one device about its states and its events, within bounds."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        *,
        name: str,
        state: StateT,
        platforms: Mapping[Platform, PlatformSetup[Any]],
    ) -> None:
        """Start with the state of a device that nobody has heard of yet."""
        super().__init__(hass, entry, name=name, state=state)
        self._platforms = platforms
        self._event_listeners: dict[str, set[EventListener]] = {}
        # A device that is trusted may go wild all the same.
        self._events: dict[str, Budget] = {}
        self._events_dropped = 0
        self._states = Budget(MAX_STATES, STATES_REFILL)
        self._flood = Pace(
            hass, FLOOD_INTERVAL, lambda _: self.async_update_listeners()
        )

    @property
    @override
    def platforms(self) -> Collection[Platform]:
        return self._platforms.keys()

    @override
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        self._platforms[platform](self, async_add_entities)

    @property
    @abstractmethod
    def device_id(self) -> str:
        """The id that the device has in the protocol, and in the identifiers of its entities."""

    @property
    @abstractmethod
    def device_name(self) -> str:
        """What the device calls itself."""

    @property
    def events_dropped(self) -> int:
        """Events that were beyond the bounds."""
        return self._events_dropped

    @callback
    def stop_telling(self) -> None:
        """Forget what the entities have not been told yet."""
        self._flood.stop()

    @callback
    @override
    def publish(self, state: StateT) -> None:
        if state == self.data or self._states.take(self.hass.loop.time()):
            super().publish(state)
            return
        # Of a flood the entities show the result.
        self.data = state
        self._flood.want("")

    @property
    def registry_device(self) -> dr.DeviceEntry | None:
        """The device in the registry."""
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.device_id), self.entry.entry_id
        )

    # Events

    def _may_tell(self, key: str) -> bool:
        """Tell whether there may be one more event of a kind; say so when there may not."""
        if key not in self._events:
            self._events[key] = Budget(MAX_EVENTS, EVENTS_REFILL)
        if self._events[key].take(self.hass.loop.time()):
            return True
        if not self._events_dropped:
            self.logger.warning("%s causes more events than are told", self.device_id)
        self._events_dropped += 1
        return False

    @callback
    def subscribe_events(self, key: str, listener: EventListener) -> CALLBACK_TYPE:
        """Call back on every event of an event entity until the returned function is called."""
        listeners = self._event_listeners.setdefault(key, set())
        listeners.add(listener)
        return lambda: listeners.discard(listener)

    @callback
    def fire(
        self, key: str, event_type: str, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Let the event entity with this key show an event; its attributes are for all to see."""
        if not self._may_tell(key):
            return
        for listener in list(self._event_listeners.get(key, ())):
            listener(event_type, attributes)

    @callback
    def fire_bus(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Fire an event on the bus, with `device_id` (the registry's) and `name`.

        Private content goes here: no state shows it.  What keeps the events of the bus, such as
        the recorder unless it is told not to, keeps these.
        """
        if not self._may_tell(event_type):
            return
        device = self.registry_device
        self.hass.bus.async_fire(
            event_type,
            {
                ATTR_DEVICE_ID: device.id if device is not None else None,
                ATTR_NAME: self.device_name,
                **data,
            },
        )
