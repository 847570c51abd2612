"""Follows one paired device and carries our wishes to it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, cast, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import CONF_NAME, Platform
from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...device_coordinator import DeviceCoordinator, PlatformSetup
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
from .const import CONF_CERTIFICATE, MODELS
from .data import entry_data
from .feature import DeviceFeature
from .features import FEATURES
from .features.storage import StorageFeature
from .hub import HubLease
from .options import MAX_OFFERED, Options
from .permissions import ACTION_OPTIONS, makes_sense
from .state import KdeConnectState


class KdeConnectCoordinator(DeviceCoordinator[KdeConnectState]):
    """One device: its link, its state, and the features that do something with it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        device: RemoteDevice,
        platforms: Mapping[Platform, PlatformSetup[KdeConnectCoordinator]],
    ) -> None:
        """Take over the lease; it is released by `async_stop`."""
        super().__init__(
            hass,
            entry,
            name=device.device_id,
            state=KdeConnectState(),
            platforms=platforms,
        )
        self.device = device
        self.options = Options.from_entry(entry.options)
        self._lease = lease
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
    def device_id(self) -> str:
        return self.device.device_id

    @property
    @override
    def device_name(self) -> str:
        return self.device.name

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
            stack.callback(self.stop_telling)
            for feature in reversed(self._features.values()):
                stack.push_async_callback(feature.async_stop)

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
            "events_dropped": self.events_dropped,
            "hub": {
                "tcp_port": self._lease.peer.tcp_port,
                "hears_broadcasts": self._lease.peer.udp_bound,
                "devices": len(self._lease.peer.devices),
            },
        }
