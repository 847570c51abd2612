"""What all features have in common that offer entities of this home to a device."""

from abc import abstractmethod
import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import hashlib
from typing import Any, ClassVar, Final, override

from homeassistant.components.media_player.const import DOMAIN as MEDIA_PLAYER
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
)

from ....const import LOGGER
from ....pace import Pace
from ....protocols.errors import RumpusError
from ....protocols.kdeconnect.packet import Packet
from ..feature import Feature, FeatureHost
from ..options import Option

TELL_INTERVAL: Final = 0.25
"""Seconds between two words of the same thing; what happens in between is told as its result."""
MAX_WAITING: Final = 10
"""Actions that wait for the one before them, of each entity; what comes beyond is ignored."""
FAREWELL_TIMEOUT: Final = 1.0
"""Seconds that a device has to hear that nothing is offered any more."""
MAX_NAME: Final = 128
"""Characters of a name that a device is told."""

_LISTING: Final = ""
"""Stands for the list where else there is an entity id."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action of Home Assistant, without its target."""

    domain: str
    service: str
    data: Mapping[str, Any] = field(default_factory=dict)


type Done = Callable[[bool], None]
"""Hears whether an action was carried out; one that is replaced is not."""


class Calls:
    """Carries out actions for a device; those of one entity one after the other."""

    def __init__(self, coordinator: FeatureHost) -> None:
        """Start with none."""
        self._coordinator = coordinator
        self._waiting: dict[str, deque[tuple[Call, Done]]] = {}

    @callback
    def add(self, entity_id: str, call: Call, done: Done) -> None:
        """Carry out an action soon.

        A new value replaces one that waits for the same thing: who drags a slider means its end.
        """
        waiting = self._waiting.get(entity_id)
        if waiting is None:
            self._waiting[entity_id] = deque([(call, done)])
            coordinator = self._coordinator
            coordinator.entry.async_create_task(
                coordinator.hass,
                self._async_work(entity_id),
                f"{coordinator.device_id} {entity_id}",
            )
        elif call.data and waiting and waiting[-1][0].service == call.service:
            waiting.pop()[1](False)
            waiting.append((call, done))
        elif len(waiting) < MAX_WAITING:
            waiting.append((call, done))
        else:
            LOGGER.debug(
                "%s: too much is wanted of %s", self._coordinator.device_id, entity_id
            )
            done(False)

    @callback
    def stop(self) -> None:
        """Forget what waits; what has begun goes on."""
        for waiting in self._waiting.values():
            waiting.clear()

    async def _async_work(self, entity_id: str) -> None:
        waiting = self._waiting[entity_id]
        try:
            while waiting:
                call, done = waiting.popleft()
                done(await self._async_call(entity_id, call))
        finally:
            del self._waiting[entity_id]

    async def _async_call(self, entity_id: str, call: Call) -> bool:
        coordinator = self._coordinator
        try:
            await coordinator.hass.services.async_call(
                call.domain,
                call.service,
                {ATTR_ENTITY_ID: entity_id, **call.data},
                blocking=True,
                context=Context(),
            )
        except Exception as err:  # noqa: BLE001 - whatever another integration raises
            LOGGER.debug(
                "%s: %s.%s of %s failed: %s",
                coordinator.device_id,
                call.domain,
                call.service,
                entity_id,
                type(err).__name__,
            )
            return False
        return True


class OfferedFeature(Feature[FeatureHost]):
    """Offers chosen entities to the device, and follows them.

    Nothing is said before the device is connected, and what was offered is withdrawn when
    the entry is unloaded: it may be set up again without.
    """

    offer: ClassVar[Option]
    """Which of the options lists the entities."""
    packet_type: ClassVar[str]
    """The type of what is told."""

    def __init__(self, coordinator: FeatureHost) -> None:
        """Offer what the user has chosen."""
        super().__init__(coordinator)
        self.calls = Calls(coordinator)
        self._pace = Pace(self.hass, TELL_INTERVAL, self._tell)
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._is_listed = False

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ids of the entities that the user has chosen.

        A player of the device itself is none: it would be told what it tells, for ever.
        """
        registry = er.async_get(self.hass)
        own = self.coordinator.entry.entry_id
        return tuple(
            entity_id
            for entity_id in self.coordinator.options.offered(self.offer)
            if (entry := registry.async_get(entity_id)) is None
            or entry.domain != MEDIA_PLAYER
            or entry.config_entry_id != own
        )

    @property
    def states(self) -> dict[str, State]:
        """The states of the chosen entities that have one, available or not."""
        return {
            entity_id: state
            for entity_id in self.chosen
            if (state := self.hass.states.get(entity_id)) is not None
        }

    # What a kind of offer does

    @callback
    @abstractmethod
    def tell_list(self) -> None:
        """Tell the device everything that is offered."""

    @callback
    @abstractmethod
    def tell_entity(self, entity_id: str) -> None:
        """Tell the device how an entity is, if that is new to it."""

    @callback
    @abstractmethod
    def changed(self, entity_id: str) -> None:
        """Say by `want_list` or `want` what has to be told since an entity has changed."""

    @callback
    @abstractmethod
    def forget(self) -> None:
        """Forget what the device was told."""

    @property
    @abstractmethod
    def farewell(self) -> Packet:
        """The packet that tells that nothing is offered any more."""

    # The pace of telling

    @callback
    def want_list(self) -> None:
        """Tell the list soon."""
        if self.device.supports(self.packet_type) and self.state.is_connected:
            self._pace.want(_LISTING)

    @callback
    def want(self, entity_id: str) -> None:
        """Tell of an entity soon."""
        if self._is_listed:
            self._pace.want(entity_id)

    @callback
    def _tell(self, key: str) -> None:
        if key == _LISTING:
            self._is_listed = True
            self.tell_list()
        else:
            self.tell_entity(key)

    # Life

    @override
    async def async_start(self) -> None:
        self._follow()

    @override
    async def async_stop(self) -> None:
        self._unfollow()
        self.calls.stop()
        was_listed = self._is_listed
        self._reset()
        if was_listed:
            try:
                async with asyncio.timeout(FAREWELL_TIMEOUT):
                    await self.device.send(self.farewell)
            except (RumpusError, TimeoutError) as err:
                LOGGER.debug("%s: no farewell: %s", self.device.device_id, err)

    @callback
    @override
    def connected(self) -> None:
        self.want_list()

    @callback
    @override
    def disconnected(self) -> None:
        self._reset()

    @callback
    @override
    def unpaired(self) -> None:
        self.calls.stop()
        self._reset()

    @callback
    def _reset(self) -> None:
        self._is_listed = False
        self._pace.stop()
        self.forget()

    # The entities

    @callback
    def _follow(self) -> None:
        self._unfollow()
        self._unsubscribe = [
            async_track_state_change_event(
                self.hass, self.chosen, self._on_state_change
            ),
            async_track_entity_registry_updated_event(
                self.hass, self.chosen, self._on_registry_change
            ),
        ]

    @callback
    def _unfollow(self) -> None:
        while self._unsubscribe:
            self._unsubscribe.pop()()

    @callback
    def _on_state_change(self, event: Event[EventStateChangedData]) -> None:
        if self._is_listed:
            self.changed(event.data["entity_id"])

    @callback
    def _on_registry_change(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        """Go on with an entity that has got another id."""
        data = event.data
        if data["action"] != "update" or "entity_id" not in data["changes"]:
            return
        coordinator = self.coordinator
        coordinator.rename_offered(data["old_entity_id"], data["entity_id"])
        self._follow()
        if self._is_listed:
            self.want_list()


def is_available(state: State | None) -> bool:
    """Tell whether something can be done with an entity."""
    return state is not None and state.state != STATE_UNAVAILABLE


def opaque_key(hass: HomeAssistant, entity_id: str) -> str:
    """Return what stands for an entity towards devices, even if it gets another id."""
    entry = er.async_get(hass).async_get(entity_id)
    text = entity_id if entry is None else f"{entry.platform}\0{entry.id}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def unique_names(states: Mapping[str, State]) -> dict[str, str]:
    """Return the names of entities; a second one of the same name gets a number.

    It is the order that decides, so an entity keeps its name while others are unavailable.
    """
    names: dict[str, str] = {}
    for entity_id, state in states.items():
        base = state.name[:MAX_NAME] or split_entity_id(entity_id)[1]
        name, number = base, 1
        while name in names.values():
            number += 1
            name = f"{base} [{number}]"
        names[entity_id] = name
    return names
