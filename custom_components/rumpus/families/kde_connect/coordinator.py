"""Follows one paired device and carries our wishes to it."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final, cast, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME, CONF_NAME, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry, RumpusCoordinator
from ...entity import translated_errors
from ...files import DeviceFiles
from ...protocols.errors import RumpusError
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import (
    DeviceEvent,
    IdentityChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PairingChanged,
    TrustBroken,
)
from ...protocols.kdeconnect.packet import Packet
from ...protocols.kdeconnect.pairing import PairingReason
from ...protocols.kdeconnect.plugins import greetings
from .budget import Budget
from .const import CONF_CERTIFICATE, MODELS
from .data import entry_data
from .feature import DeviceFeature
from .features import FEATURES
from .features.offered_entities import Pace
from .features.storage import StorageFeature
from .hub import HubLease
from .options import MAX_OFFERED, Options
from .permissions import ACTION_OPTIONS, makes_sense
from .state import KdeConnectState

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

type PlatformSetup = Callable[
    [KdeConnectCoordinator, AddConfigEntryEntitiesCallback], None
]
type EventListener = Callable[[str, Mapping[str, Any] | None], None]
"""Takes an event's type and its attributes."""


class KdeConnectCoordinator(RumpusCoordinator[KdeConnectState]):
    """One device: its link, its state, and the features that do something with it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        device: RemoteDevice,
        platforms: Mapping[Platform, PlatformSetup],
    ) -> None:
        """Take over the lease; it is released by `async_stop`."""
        super().__init__(hass, entry, name=device.device_id, state=KdeConnectState())
        self.device = device
        self.options = Options.from_entry(entry.options)
        self._lease = lease
        self._platforms = platforms
        self._event_listeners: dict[str, set[EventListener]] = {}
        # A device that is trusted may go wild all the same.
        self._events: dict[str, Budget] = {}
        self._events_dropped = 0
        self._states = Budget(MAX_STATES, STATES_REFILL)
        self._flood = Pace(
            hass, FLOOD_INTERVAL, lambda _: self.async_update_listeners()
        )
        self._features: dict[type[object], DeviceFeature] = {
            feature: feature(self)
            for feature in FEATURES
            if self.options.allows(feature.option)
        }

    @property
    @override
    def files(self) -> DeviceFiles | None:
        return self.find(StorageFeature)

    @property
    @override
    def platforms(self) -> Collection[Platform]:
        return self._platforms.keys()

    @property
    def device_id(self) -> str:
        """The id that the device has in the protocol, and in the identifiers of its entities."""
        return self.device.device_id

    def find[F: DeviceFeature](self, feature: type[F]) -> F | None:
        """Return a feature, None when the user has not allowed it."""
        return cast("F | None", self._features.get(feature))

    def get[F: DeviceFeature](self, feature: type[F]) -> F:
        """Return a feature that needs no permission, or that is known to have it."""
        return cast(F, self._features[feature])

    @override
    async def async_start(self) -> None:
        for feature in self._features.values():
            await feature.async_start()
        self.device.allow_packets(
            max(feature.max_packet for feature in self._features.values())
        )
        self.entry.async_on_unload(self.device.subscribe(self._on_event))
        self._update_registry()
        # A link that has just been lost has some grace, and is not told anew if it is replaced.
        if self.device.is_up:
            self._connected()
            # What it said when it connected went by unheard.
            for message in self._lease.remembered(self.device_id):
                for feature in self._features.values():
                    feature.remembered(message)
            for packet in greetings(self.device.identity):
                self.ask(packet)

    @override
    async def async_stop(self) -> None:
        async with AsyncExitStack() as stack:
            # In reverse order, each of them whatever becomes of the others.
            stack.push_async_callback(self._lease.async_release)
            stack.callback(self._flood.stop)
            for feature in reversed(self._features.values()):
                stack.push_async_callback(feature.async_stop)

    @override
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        self._platforms[platform](self, async_add_entities)

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        for feature in self._features.values():
            if (handler := feature.actions.get(name)) is not None:
                return await handler(data)
        option = ACTION_OPTIONS.get(name)
        can = option is None or makes_sense(self.entry.data, option)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="action_not_allowed" if can else "not_supported",
            translation_placeholders={"name": self.device.name},
        )

    @callback
    @override
    def publish(self, state: KdeConnectState) -> None:
        if state == self.data or self._states.take(self.hass.loop.time()):
            super().publish(state)
            return
        # Of a flood the entities show the result.
        self.data = state
        self._flood.want("")

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
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.device_id), self.entry.entry_id
        )
        self.hass.bus.async_fire(
            event_type,
            {
                ATTR_DEVICE_ID: device.id if device is not None else None,
                ATTR_NAME: self.device.name,
                **data,
            },
        )

    # What the device tells

    @callback
    def _on_event(self, event: DeviceEvent) -> None:
        match event:
            case LinkUp():
                self._connected()
            case LinkDown():
                self.publish(KdeConnectState())
                for feature in self._features.values():
                    feature.disconnected()
            case IdentityChanged():
                self._remember()
            case MessageReceived(message):
                for feature in self._features.values():
                    feature.received(message)
            case PairingChanged(reason=PairingReason.UNPAIRED_BY_PEER):
                self._unpaired()
            case TrustBroken():
                self.entry.async_start_reauth(self.hass)

    def _connected(self) -> None:
        """The device is there; unless its pairing is being repaired, it is the one we know."""
        if not self.device.is_paired:
            return
        self._remember()
        self.publish(replace(self.data, is_connected=True))
        for feature in self._features.values():
            feature.connected()
        # Whoever made us doubt it was not the device.
        for flow in list(self.entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    def _unpaired(self) -> None:
        """Its user ended the pairing: what we know it by counts no more."""
        self.publish(KdeConnectState())
        for feature in self._features.values():
            feature.unpaired()
        self.hass.config_entries.async_update_entry(
            self.entry, data={**self.entry.data, CONF_CERTIFICATE: ""}
        )
        self.entry.async_start_reauth(self.hass)

    def _remember(self) -> None:
        """Store what the device says of itself, as far as it is new."""
        if (paired := self.device.paired) is None:
            return
        entry = self.entry
        old_name = entry.data[CONF_NAME]
        self.hass.config_entries.async_update_entry(
            entry,
            data={**entry.data, **entry_data(paired)},
            # A title that the user has given stays.
            title=paired.name if entry.title == old_name else entry.title,
        )
        self._update_registry()
        self.async_update_listeners()

    def _update_registry(self) -> None:
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, self.device_id)},
            name=self.device.name,
            manufacturer="KDE Connect",
            model=MODELS[self.device.device_type],
            sw_version=f"Protocol {self.device.protocol_version}",
        )

    @callback
    def rename_offered(self, old_id: str, new_id: str) -> None:
        """Go on offering an entity that has got another id."""
        entry = self.entry
        changes = {
            option.value: [
                new_id if entity_id == old_id else entity_id
                for entity_id in entry.options[option]
            ]
            for option in MAX_OFFERED
            if option in entry.options
        }
        self.hass.config_entries.async_update_entry(
            entry, options={**entry.options, **changes}
        )
        self.options = Options.from_entry(entry.options)

    # What the device is told

    def ask(self, packet: Packet) -> None:
        """Send something in the background; a device that cannot be reached never gets it."""
        self.entry.async_create_background_task(
            self.hass, self._async_ask(packet), f"{DOMAIN} {packet.type}"
        )

    async def _async_ask(self, packet: Packet) -> None:
        try:
            await self.device.send(packet)
        except RumpusError as err:
            # When the device comes back it is asked again.
            self.logger.debug("%s: %s", self.device_id, err)

    async def async_send(self, packet: Packet) -> None:
        """Send something that somebody waits for; raises a translated error when it fails."""
        with translated_errors(self.device.name):
            await self.device.send(packet)

    @override
    def diagnostics(self) -> Mapping[str, object]:
        identity = self.device.identity
        facts: dict[str, object] = {}
        for feature in self._features.values():
            facts.update(feature.diagnostics())
        return {
            "device": {
                "type": identity.device_type.value,
                "protocol_version": identity.protocol_version,
                "incoming": sorted(identity.incoming),
                "outgoing": sorted(identity.outgoing),
                "is_connected": self.device.is_connected,
                "is_paired": self.device.is_paired,
            },
            "allowed": sorted(self.options.allowed),
            "state": facts,
            "events_dropped": self._events_dropped,
            "hub": {
                "tcp_port": self._lease.peer.tcp_port,
                "hears_broadcasts": self._lease.peer.udp_bound,
                "devices": len(self._lease.peer.devices),
            },
        }
