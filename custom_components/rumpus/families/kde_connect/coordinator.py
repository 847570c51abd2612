"""Follows one paired device and carries our wishes to it."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME, CONF_NAME, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry, RumpusCoordinator
from ...entity import translated_errors
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
from ...protocols.kdeconnect.plugins import (
    Message,
    findmyphone,
    greetings,
    lock,
    mpris,
    ping,
    runcommand,
)
from .artwork import Artwork, Picture, art_key
from .const import CONF_CERTIFICATE, EVENT_PING, MODELS
from .data import entry_data
from .hub import HubLease
from .state import KdeConnectState, fold

MAX_QUESTIONS: Final = 3
"""How often a player that does not answer is asked on one link."""

type PlatformSetup = Callable[
    [KdeConnectCoordinator, AddConfigEntryEntitiesCallback], None
]


class KdeConnectCoordinator(RumpusCoordinator[KdeConnectState]):
    """One device: its state, and everything that it can be asked to do.

    Every request raises a translated error when it cannot be sent.
    """

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
        self._lease = lease
        self._platforms = platforms
        self._artwork = Artwork(hass, device)
        self._asked: Counter[str] = Counter()
        self._ping_listeners: set[CALLBACK_TYPE] = set()

    @property
    @override
    def platforms(self) -> Collection[Platform]:
        return self._platforms.keys()

    @property
    def device_id(self) -> str:
        """The id that the device has in the protocol, and in the identifiers of its entities."""
        return self.device.device_id

    @override
    async def async_start(self) -> None:
        self.entry.async_on_unload(self.device.subscribe(self._on_event))
        self._update_registry()
        # A link that has just been lost has some grace, and is not told anew if it is replaced.
        if self.device.is_up:
            self._connected()
            battery = self._lease.last_battery(self.device_id)
            self.publish(replace(self.data, battery=battery))
            # What it said when it connected went by unheard.
            for packet in greetings(self.device.identity):
                self._ask(packet)

    @override
    async def async_stop(self) -> None:
        await self._lease.async_release()

    @override
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        self._platforms[platform](self, async_add_entities)

    @callback
    def subscribe_pings(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back on every ping until the returned function is called."""
        self._ping_listeners.add(listener)
        return lambda: self._ping_listeners.discard(listener)

    # What the device tells

    @callback
    def _on_event(self, event: DeviceEvent) -> None:
        match event:
            case LinkUp():
                self._connected()
            case LinkDown():
                self._artwork.clear()
                self._asked.clear()
                self.publish(KdeConnectState())
            case IdentityChanged():
                self._remember()
            case MessageReceived(message):
                self._on_message(message)
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
        # Whoever made us doubt it was not the device.
        for flow in list(self.entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    def _unpaired(self) -> None:
        """Its user ended the pairing: what we know it by counts no more."""
        self._artwork.clear()
        self.publish(KdeConnectState())
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

    def _on_message(self, message: Message) -> None:
        match message:
            case ping.Ping(text):
                self._pinged(text)
            case mpris.AlbumArt():
                self._artwork.received(message)
            case mpris.PlayerList():
                self._fold(message)
                self._ask_players()
            case _:
                self._fold(message)

    def _fold(self, message: Message) -> None:
        self.publish(fold(self.data, message, dt_util.utcnow()))

    def _pinged(self, message: str | None) -> None:
        for listener in list(self._ping_listeners):
            listener()
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.device_id), self.entry.entry_id
        )
        # The text is private: it goes to automations, and into no state.
        self.hass.bus.async_fire(
            EVENT_PING,
            {
                ATTR_DEVICE_ID: device.id if device is not None else None,
                ATTR_NAME: self.device.name,
                "message": message,
            },
        )

    def _ask_players(self) -> None:
        """Ask players what they play; new ones do not tell by themselves.

        One that was asked before is asked again while it has not answered: the question may
        have been lost with a link that was replaced.
        """
        players = self.data.players or {}
        self._asked = Counter({name: self._asked[name] for name in players})
        for name, state in sorted(players.items()):
            # Some peers answer a question that they do not understand with their list.
            if state.player.is_playing is None and self._asked[name] < MAX_QUESTIONS:
                self._asked[name] += 1
                self._ask(mpris.request_now_playing(name))

    def _ask(self, packet: Packet) -> None:
        self.entry.async_create_background_task(
            self.hass, self._async_ask(packet), f"{DOMAIN} {packet.type}"
        )

    async def _async_ask(self, packet: Packet) -> None:
        try:
            await self.device.send(packet)
        except RumpusError as err:
            # When the device comes back it is asked again.
            self.logger.debug("%s: %s", self.device_id, err)

    # What the device can be asked for

    async def _async_send(self, packet: Packet) -> None:
        with translated_errors(self.device.name):
            await self.device.send(packet)

    async def async_ring(self) -> None:
        """Make the device ring until its user stops it."""
        await self._async_send(findmyphone.ring())

    async def async_ping(self) -> None:
        """Show a notification on the device."""
        await self._async_send(ping.ping())

    async def async_lock(self) -> None:
        """Lock the device's screen."""
        await self._async_send(lock.set_locked(True))

    async def async_run_command(self, key: str) -> None:
        """Run one of the device's commands."""
        await self._async_send(runcommand.run(key))

    async def async_player_action(self, player: str, action: mpris.Action) -> None:
        """Tell a player what to do."""
        await self._async_send(mpris.action(player, action))

    async def async_set_volume(self, player: str, volume: int) -> None:
        """Set a player's volume, 0 to 100."""
        await self._async_send(mpris.set_volume(player, volume))

    async def async_set_position(self, player: str, position_ms: int) -> None:
        """Move a player to a position."""
        await self._async_send(mpris.set_position(player, position_ms))

    async def async_set_loop(self, player: str, status: mpris.LoopStatus) -> None:
        """Set what a player repeats."""
        await self._async_send(mpris.set_loop(player, status))

    async def async_set_shuffle(self, player: str, shuffle: bool) -> None:
        """Set whether a player mixes the order."""
        await self._async_send(mpris.set_shuffle(player, shuffle))

    def art_key(self, player: mpris.Player) -> str | None:
        """Return what changes with the player's picture, None when it has none."""
        return art_key(player, from_device=self.data.has_album_art)

    async def async_get_art(self, player: mpris.Player) -> Picture | None:
        """Return the picture of what a player plays."""
        if (key := self.art_key(player)) is None:
            return None
        return await self._artwork.async_get(player, key)

    @override
    def diagnostics(self) -> Mapping[str, object]:
        state = self.data
        identity = self.device.identity
        return {
            "device": {
                "type": identity.device_type.value,
                "protocol_version": identity.protocol_version,
                "incoming": sorted(identity.incoming),
                "outgoing": sorted(identity.outgoing),
                "is_connected": self.device.is_connected,
                "is_paired": self.device.is_paired,
            },
            "state": {
                "battery": None if state.battery is None else state.battery.charge,
                "is_charging": None
                if state.battery is None
                else state.battery.is_charging,
                "is_locked": state.is_locked,
                "commands": None if state.commands is None else len(state.commands),
                "players": None if state.players is None else len(state.players),
                "has_album_art": state.has_album_art,
            },
            "hub": {
                "tcp_port": self._lease.peer.tcp_port,
                "hears_broadcasts": self._lease.peer.udp_bound,
                "devices": len(self._lease.peer.devices),
            },
        }
