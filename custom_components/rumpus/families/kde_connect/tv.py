"""A TV of this home that phones see as a device of its own, and its remote control."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME, Platform
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    HomeAssistant,
    ServiceResponse,
    callback,
)
from homeassistant.exceptions import ConfigEntryNotReady, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_entity_registry_updated_event

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry, RumpusCoordinator
from ...protocols.errors import UnsupportedError
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import PairingRequested, PeerEvent
from ...protocols.kdeconnect.local import LocalPeer
from ...protocols.kdeconnect.paired import PairedDevice
from ...protocols.kdeconnect.pairing import PairingState
from . import tv_entities
from .const import CONF_DEVICE_ID
from .hub import HubLease
from .tv_cards import TvCards
from .tv_data import (
    CONF_MEDIA_PLAYER,
    CONF_REMOTE,
    MAX_PHONES,
    TvSettings,
    phones_of,
    with_phones,
)
from .tv_keys import Press, TvKeys
from .tv_phone import TvPhone

type PressListener = Callable[[Press, Context], None]

PLATFORMS: Final = (Platform.EVENT, Platform.SENSOR)


class TooManyPhonesError(UnsupportedError):
    """The TV has as many phones as it may have."""


@dataclass(frozen=True, slots=True)
class TvState:
    """What is known of a TV now: how many of its phones are connected."""

    phones: int = 0


class TvCoordinator(RumpusCoordinator[TvState]):
    """One TV: our end that phones see, the phones, and what they press."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        peer: LocalPeer,
    ) -> None:
        """Take over the lease and our end; `async_stop` gives them back."""
        settings = TvSettings.from_entry(entry.data, entry.options)
        super().__init__(hass, entry, name=settings.name, state=TvState())
        if TYPE_CHECKING:
            assert entry.unique_id is not None
        self.tv_id = entry.unique_id
        self.settings = settings
        self.peer = peer
        self.keys = TvKeys(self)
        self.requests = lease.tvs.requests
        self._lease = lease
        self._cards = TvCards(self)
        self._phones: dict[str, TvPhone] = {}
        self._unfollow: CALLBACK_TYPE = lambda: None
        self._listeners_to_keys: set[PressListener] = set()

    @property
    @override
    def platforms(self) -> Collection[Platform]:
        return PLATFORMS

    @override
    async def async_start(self) -> None:
        self._adopt_key()
        for paired in phones_of(self.entry.data):
            await self._async_add(self.peer.add_paired(paired))
        self.entry.async_on_unload(self.peer.subscribe(self._on_peer_event))
        self._follow_entities()
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, self.tv_id)},
            name=self.settings.name,
            manufacturer="KDE Connect",
            model="TV",
            entry_type=dr.DeviceEntryType.SERVICE,
        )
        try:
            await self.peer.start()
        except OSError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="cannot_listen"
            ) from err

    @override
    async def async_stop(self) -> None:
        self._cards.stop()
        self._unfollow()
        self._unfollow = lambda: None
        async with AsyncExitStack() as stack:
            # In reverse order, each of them whatever becomes of the others.
            stack.push_async_callback(self._lease.async_release)
            stack.push_async_callback(self._lease.tvs.async_put_back, self.tv_id)
            for phone in self._phones.values():
                stack.push_async_callback(phone.async_stop)
        self._phones.clear()

    @override
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        tv_entities.async_setup(self, platform, async_add_entities)

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="tv_no_action",
            translation_placeholders={"name": self.settings.name},
        )

    def _adopt_key(self) -> None:
        """Take the id that the key is for; phones that knew another one know us no more."""
        device_id = self.peer.credentials.device_id
        data = self.entry.data
        if data[CONF_DEVICE_ID] == device_id:
            return
        self.hass.config_entries.async_update_entry(
            self.entry, data={**with_phones(data, ()), CONF_DEVICE_ID: device_id}
        )

    # Phones

    @property
    def phones(self) -> Mapping[str, str]:
        """The names of the phones that are paired with the TV, by their ids."""
        return {key: phone.device.name for key, phone in self._phones.items()}

    def requester(self, device_id: str) -> RemoteDevice | None:
        """Return a phone if its user waits for our answer."""
        device = self.peer.devices.get(device_id)
        if device is None or device.pairing_state is not PairingState.REQUESTED_BY_PEER:
            return None
        return device

    async def async_accept(self, device: RemoteDevice) -> None:
        """Let a phone control the TV from now on.

        Raises TooManyPhonesError, or what `accept_pairing` and `wait_pairing` raise.
        """
        if len(self._phones) >= MAX_PHONES:
            await device.reject_pairing()
            raise TooManyPhonesError("too many phones")
        await device.accept_pairing()
        await device.wait_pairing()
        await self._async_add(device)
        self.remember()

    async def async_remove_phone(self, device_id: str) -> None:
        """End the pairing with a phone; one that is away learns it when it comes back."""
        if (phone := self._phones.pop(device_id, None)) is not None:
            await phone.async_stop()
            await phone.device.unpair()
            self.remember()

    @callback
    def phone_left(self, phone: TvPhone) -> None:
        """Forget a phone whose user has ended the pairing."""
        self._phones.pop(phone.device_id, None)
        self.entry.async_create_task(
            self.hass, phone.async_stop(), f"{DOMAIN} phone of a TV"
        )
        self.remember()

    async def _async_add(self, device: RemoteDevice) -> None:
        phone = self._phones[device.device_id] = TvPhone(self, device)
        await phone.async_start()

    @callback
    def remember(self) -> None:
        """Store what is known of the phones, as far as it is new."""
        phones: list[PairedDevice] = [
            paired
            for phone in self._phones.values()
            if (paired := phone.device.paired) is not None
        ]
        self.hass.config_entries.async_update_entry(
            self.entry, data=with_phones(self.entry.data, phones)
        )
        self.update()

    @callback
    def update(self) -> None:
        """Tell how many phones are connected."""
        connected = sum(phone.data.is_connected for phone in self._phones.values())
        self.publish(replace(self.data, phones=connected))

    @callback
    def _on_peer_event(self, event: PeerEvent) -> None:
        if isinstance(event, PairingRequested):
            self._cards.requested(event.device)

    # The entities that it stands for

    @callback
    def _follow_entities(self) -> None:
        entities = {self.settings.media_player, self.settings.remote} - {None}

        @callback
        def on_change(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
            data = event.data
            if data["action"] == "update" and "entity_id" in data["changes"]:
                self.rename(data["old_entity_id"], data["entity_id"])
                self._follow_entities()

        self._unfollow()
        self._unfollow = async_track_entity_registry_updated_event(
            self.hass, [entity for entity in entities if entity], on_change
        )

    @callback
    def rename(self, old_id: str, new_id: str) -> None:
        """Go on with an entity that has got another id."""
        entry = self.entry
        changes = {
            key: new_id
            for key in (CONF_MEDIA_PLAYER, CONF_REMOTE)
            if entry.data[key] == old_id
        }
        self.hass.config_entries.async_update_entry(
            entry, data={**entry.data, **changes}
        )
        self.settings = TvSettings.from_entry(entry.data, entry.options)

    # What is pressed

    @callback
    def subscribe_keys(self, listener: PressListener) -> CALLBACK_TYPE:
        """Call back on every key and text until the returned function is called."""
        self._listeners_to_keys.add(listener)
        return lambda: self._listeners_to_keys.discard(listener)

    @callback
    def show(self, press: Press, context: Context) -> None:
        """Let the event entity show what somebody wants."""
        for listener in list(self._listeners_to_keys):
            listener(press, context)

    @callback
    def fire_bus(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Fire an event on the bus, with `device_id` (the registry's) and `name` of the TV."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, self.tv_id), self.entry.entry_id
        )
        self.hass.bus.async_fire(
            event_type,
            {
                ATTR_DEVICE_ID: device.id if device is not None else None,
                ATTR_NAME: self.settings.name,
                **data,
            },
        )

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return {
            "tv": {
                "has_remote": self.settings.remote is not None,
                "own_commands": sorted(self.settings.commands),
                "phones": len(self._phones),
                "connected": self.data.phones,
                "tcp_port": self.peer.tcp_port,
            }
        }


async def async_unpair_all(
    peer: LocalPeer,
    phones: Collection[PairedDevice],
    wait_link: Callable[[RemoteDevice], Coroutine[Any, Any, None]],
) -> None:
    """Tell the phones of a TV that it is not shown any more.

    `wait_link` waits for a phone, but not for ever.  Raises OSError when our end cannot listen.
    """
    devices = [peer.add_paired(phone) for phone in phones]
    await peer.start()
    await asyncio.gather(*(wait_link(one) for one in devices if not one.is_connected))
    for device in devices:
        # One that cannot be reached learns it when it comes back.
        await device.unpair()
