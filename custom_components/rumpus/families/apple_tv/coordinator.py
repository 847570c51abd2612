"""Follows one Apple TV or HomePod and carries our wishes to it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.const import (
    CONF_ADDRESS,
    CONF_NAME,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    CoreState,
    Event,
    HassJob,
    HomeAssistant,
    ServiceResponse,
    callback,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...device_coordinator import (
    FLOOD_INTERVAL,
    STATES_REFILL,
    DeviceCoordinator,
    PlatformSetup,
)
from ...names import clean_text
from ...pace import Pace
from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.device import AppleDevice
from ...protocols.apple.enums import Feature, FeatureState, PowerState
from ...protocols.apple.events import (
    AppleEvent,
    ArtworkChanged,
    FeaturesChanged,
    FocusChanged,
    InfoChanged,
    LinkLost,
    LinkRefused,
    LinkUp,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
)
from ...protocols.apple.models import App, Artwork
from ...protocols.apple.services import FoundDevice
from ...protocols.apple.timing import TIMING as DEVICE_TIMING
from ...protocols.apple.watch import Sighting, SightingKind
from ...protocols.budget import Budget
from ...protocols.errors import DisconnectedError, PeerTimeoutError, RumpusError
from .artwork import ArtworkClient
from .const import CONF_IDENTIFIERS, MANUFACTURER
from .data import device_name, model_name, place, stored_found
from .errors import apple_tv_errors
from .facts import facts_of
from .hub import HubLease
from .options import AppleTvOptions
from .pairings import Pairings
from .state import AppleTvState
from .store import AppleTvStore, DeviceRecord, bounded_accounts, bounded_apps
from .troubles import Troubles

if TYPE_CHECKING:
    import asyncio

TIMING: Final = DEVICE_TIMING
PRESUMED_SECONDS: Final = 5.0
"""How long a device that slept when it was seen last is taken to sleep still."""
LISTS_INTERVAL: Final = 30.0
"""Seconds between two questions for the apps and the accounts of a device."""
LISTS: Final = "lists"
MAX_NEWS: Final = 50
"""News of a device that are looked at one by one: one message may bring a hundred."""
NEWS: Final = "news"
ARTWORK_WIDTH: Final = 512
"""Pixels of a picture, where the device is asked for one."""

ASLEEP_STILL: Final[Mapping[type[RumpusError], str]] = {
    PeerTimeoutError: "apple_tv_wake_timed_out",
    DisconnectedError: "apple_tv_wake_timed_out",
}
"""What it means when a device cannot be woken."""

_USABLE: Final = frozenset({FeatureState.AVAILABLE, FeatureState.UNKNOWN})

type ActionHandler = Callable[
    [AppleTvCoordinator, str, Mapping[str, Any]], Awaitable[ServiceResponse]
]


class AppleTvCoordinator(DeviceCoordinator[AppleTvState]):
    """One device: its links and its state."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        store: AppleTvStore,
        pairings: Pairings,
        platforms: Mapping[Platform, PlatformSetup[AppleTvCoordinator]],
        action: ActionHandler,
    ) -> None:
        """Take over the lease; it is released by `async_stop`."""
        if TYPE_CHECKING:
            assert entry.unique_id is not None
        self._unique_id = entry.unique_id
        self._store = store
        self._record = store.record(self._unique_id)
        found = stored_found(entry.data)
        super().__init__(
            hass,
            entry,
            name=entry.title,
            state=AppleTvState(
                is_asleep=self._record.was_asleep,
                apps=self._record.apps,
                accounts=self._record.accounts,
                info=found.info,
            ),
            platforms=platforms,
        )
        self.options = AppleTvOptions.from_entry(entry.options)
        self._credentials = pairings.credentials
        self._lease = lease
        self._action = action
        self._troubles = Troubles(hass, entry)
        self._lists_task: asyncio.Task[None] | None = None
        self._lists_pace = Pace(hass, LISTS_INTERVAL, lambda _: self._ask_lists())
        # Of a flood we look at what it comes to.
        self._news = Budget(MAX_NEWS, STATES_REFILL)
        self._news_pace = Pace(hass, FLOOD_INTERVAL, lambda _: self._look_at_all())
        self._has_new_artwork = False
        self._unsubscribe: list[CALLBACK_TYPE] = []
        # What it has said last about that itself, as opposed to its sleep proxy.
        self._said_off = self._record.was_asleep
        # Since Home Assistant has started, until somebody wants something of it.
        self._is_left_alone = False
        self._is_heard = False
        self.artwork = ArtworkClient(hass, lambda: self.device.found.address)
        self.device = AppleDevice(
            found,
            self._credentials,
            pairings.identity,
            resolve=self._async_resolve,
            logger=self.logger,
            fetch_artwork=self.artwork.async_fetch,
            timing=TIMING,
            create_task=self._create_task,
        )

    def _create_task(self, coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self.entry.async_create_background_task(
            self.hass, coro, f"{DOMAIN} apple_tv link"
        )

    @property
    @override
    def device_id(self) -> str:
        return self._unique_id

    @property
    @override
    def device_name(self) -> str:
        name: str = self.entry.data[CONF_NAME]
        return name

    @property
    def refused(self) -> list[AppleProtocol]:
        """The protocols whose pairing counts no more."""
        return self._troubles.to_pair

    @override
    async def async_start(self) -> None:
        self._update_registry()
        self._unsubscribe = [
            self.device.subscribe(self._on_event),
            # Entries are not unloaded then, and the device would wait for a while.
            self.hass.bus.async_listen(
                EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
            ),
        ]
        if self.options.start_off and self.hass.state is not CoreState.running:
            self._is_left_alone = True
            self.device.set_asleep(True)
        elif self._said_off:
            # A call would wake it: let its sleep proxy, or itself, have the first word.
            self.device.set_asleep(True)
            self._unsubscribe.append(
                async_call_later(
                    self.hass,
                    PRESUMED_SECONDS,
                    HassJob(self._stop_presuming, cancel_on_shutdown=True),
                )
            )
        self.device.start()
        # Asleep it may tell no more than its name, and is known by that then.
        self._lease.watcher.remember(self.device.found)
        self._unsubscribe.append(
            self._lease.follow(self.entry.data[CONF_IDENTIFIERS], self._on_sighting)
        )
        self._refresh()

    @callback
    def _stop_presuming(self, _: datetime) -> None:
        """Call a device of which nobody says that it sleeps still."""
        if not self._is_heard:
            self.device.set_asleep(False)

    async def _async_on_shutdown(self, event: Event) -> None:
        await self.device.stop()

    @override
    async def async_stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        try:
            self._lists_pace.stop()
            self._news_pace.stop()
            self.stop_telling()
            self._troubles.forget_all()
            await self.device.stop()
        finally:
            await self._lease.async_release()

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        return await self._action(self, name, data)

    # Wishes

    async def async_turn_on(self) -> None:
        """Wake the device and connect; raises a translated error when it does not work."""
        with apple_tv_errors(self.entry.title, ASLEEP_STILL):
            await self.device.turn_on()

    async def async_turn_off(self) -> None:
        """Have the device sleep; raises a translated error when it does not work."""
        with apple_tv_errors(
            self.entry.title, {PeerTimeoutError: "apple_tv_sleep_timed_out"}
        ):
            await self.device.turn_off()

    async def async_switch_account(self, identifier: str) -> None:
        """Go on as another user; raises a translated error when it does not work."""
        with apple_tv_errors(self.entry.title):
            await self.device.switch_account(identifier)
        account = next(
            (one for one in self.data.accounts if one.identifier == identifier), None
        )
        self.publish(replace(self.data, account=account))
        # Another user has other apps.
        self._want_lists()

    async def async_artwork(
        self, width: int = ARTWORK_WIDTH, height: int | None = None
    ) -> Artwork | None:
        """Return the picture of what is played, None when there is none to be had."""
        if self.device.feature(Feature.ARTWORK) not in _USABLE:
            # Whoever looks at a page wants nothing that a device should be woken for.
            return None
        try:
            return await self.device.artwork(width, height)
        except RumpusError as err:
            self.logger.debug("%s gives no picture: %s", self.name, err)
            return None

    async def _async_resolve(self) -> FoundDevice | None:
        data = self.entry.data
        found = await self._lease.async_resolve(
            data[CONF_IDENTIFIERS], (data[CONF_ADDRESS], self.device.found.address)
        )
        if found is not None and self._is_left_alone:
            return replace(found, is_asleep=True)
        return found

    # Where it is

    @callback
    def _on_sighting(self, sighting: Sighting) -> None:
        """Take note of what was announced in the device's name, which anybody can do."""
        found = sighting.device
        self._is_heard = True
        if sighting.kind is SightingKind.AWAKE:
            self._is_left_alone = False
        if self._is_left_alone:
            return
        self.device.set_asleep(
            sighting.kind is not SightingKind.GONE and found.is_asleep
        )
        if sighting.kind is not SightingKind.GONE and not found.is_asleep:
            self.device.announce(found)
        self._refresh()

    # What the device tells

    @callback
    def _on_event(self, event: AppleEvent) -> None:
        match event:
            case LinkUp(protocol):
                self._on_link_up(protocol)
            case LinkLost():
                self._refresh()
            case LinkRefused(protocol, error):
                self._refresh()
                self._troubles.tell(
                    protocol, error, is_paired=protocol in self._credentials
                )
            case _ if self._news.take(self.hass.loop.time()):
                self._on_news(event)
            case _:
                self._has_new_artwork |= isinstance(event, ArtworkChanged)
                self._news_pace.want(NEWS)

    @callback
    def _look_at_all(self) -> None:
        """Take in all that is news, however often it has changed."""
        if self._has_new_artwork:
            self._has_new_artwork = False
            self._on_news(ArtworkChanged())
        self._update_registry()
        self._on_power(self.device.power)

    @callback
    def _on_news(self, event: AppleEvent) -> None:
        match event:
            case PlayingChanged(playing):
                self.publish(
                    replace(self.data, playing=playing, app=self._app(self.device.app))
                )
            case ArtworkChanged():
                changes = self.data.artwork_changes + 1
                self.publish(replace(self.data, artwork_changes=changes))
            case PowerChanged(_, power):
                self._on_power(power)
            case VolumeChanged(volume):
                self.publish(
                    replace(self.data, volume=volume, is_muted=self.device.is_muted)
                )
            case OutputDevicesChanged(devices):
                self.publish(replace(self.data, output_devices=devices))
            case FocusChanged(is_focused):
                self.publish(replace(self.data, is_focused=is_focused))
            case FeaturesChanged():
                self._refresh()
            case InfoChanged():
                self._refresh()
                self._update_registry()

    @callback
    def _on_link_up(self, protocol: AppleProtocol) -> None:
        self._is_left_alone = False
        self._troubles.forget(protocol)
        self._remember(self.device.found)
        self._lease.watcher.remember(self.device.found)
        self._refresh()
        if protocol is AppleProtocol.COMPANION:
            self._want_lists()

    @callback
    def _on_power(self, power: PowerState) -> None:
        if self.device.is_connected and power is not PowerState.UNKNOWN:
            self._said_off = power is PowerState.OFF
        self._refresh()
        if power is PowerState.ON:
            self._want_lists()

    @callback
    def _refresh(self) -> None:
        """Tell the entities all that the device says of itself now."""
        device = self.device
        features = {one: device.feature(one) for one in Feature}
        is_connected = device.is_connected
        if is_connected and device.power is not PowerState.UNKNOWN:
            self._said_off = device.power is PowerState.OFF
        self._keep(was_asleep=self._said_off)
        self.publish(
            replace(
                self.data,
                is_connected=is_connected,
                is_asleep=device.is_asleep or self._said_off,
                power=device.power,
                playing=device.playing,
                app=self._app(device.app),
                volume=device.volume,
                is_muted=device.is_muted,
                output_devices=device.output_devices,
                is_focused=device.focus,
                links=dict(device.links),
                features=frozenset(
                    one for one, state in features.items() if state in _USABLE
                ),
                known_features=frozenset(
                    one
                    for one, state in features.items()
                    if state is not FeatureState.UNSUPPORTED
                ),
                info=device.info,
            )
        )

    def _app(self, app: App | None) -> App | None:
        """Return an app with its name, which the list of apps may know."""
        if app is None:
            return None
        known = next(
            (one for one in self.data.apps if one.identifier == app.identifier), None
        )
        if known is None and self.data.apps:
            # It may have been installed since the list was told.
            self._want_lists()
        name = clean_text(app.name or "") or (known.name if known else None)
        return replace(app, name=name)

    @callback
    def _keep(self, **changes: Any) -> None:
        self._record = replace(self._record, **changes)
        self._store.keep(self._unique_id, self._record)

    # Apps and accounts

    @callback
    def _want_lists(self) -> None:
        """Ask for the lists when that is possible: an idle question would hold up a real one."""
        if not self.data.features.isdisjoint({Feature.APP_LIST, Feature.ACCOUNT_LIST}):
            self._lists_pace.want(LISTS)

    @callback
    def _ask_lists(self) -> None:
        if self._lists_task is not None and not self._lists_task.done():
            # A device that takes its time is not asked twice at once.
            self._lists_pace.want(LISTS)
            return
        self._lists_task = self.entry.async_create_background_task(
            self.hass, self._async_ask_lists(), f"{DOMAIN} apple_tv lists"
        )

    async def _async_ask_lists(self) -> None:
        record: DeviceRecord = self._record
        if Feature.APP_LIST in self.data.features:
            try:
                apps = bounded_apps(await self.device.apps())
            except RumpusError as err:
                self.logger.debug("%s does not tell its apps: %s", self.name, err)
            else:
                record = replace(record, apps=apps)
        if Feature.ACCOUNT_LIST in self.data.features:
            try:
                accounts = bounded_accounts(await self.device.accounts())
            except RumpusError as err:
                self.logger.debug("%s does not tell its accounts: %s", self.name, err)
            else:
                record = replace(record, accounts=accounts)
        self._keep(apps=record.apps, accounts=record.accounts)
        account = self.data.account
        self.publish(
            replace(
                self.data,
                apps=record.apps,
                accounts=record.accounts,
                account=account if account in record.accounts else None,
            )
        )

    # The registry

    @callback
    def _remember(self, found: FoundDevice) -> None:
        """Remember where the device is and what it calls itself, without a reload."""
        entry = self.entry
        name, old_name = device_name(found), entry.data[CONF_NAME]
        self.hass.config_entries.async_update_entry(
            entry,
            data={
                **entry.data,
                **place(found, entry.data[CONF_IDENTIFIERS]),
                CONF_NAME: name,
            },
            # A title that the user has given stays.
            title=name if entry.title == old_name else entry.title,
        )
        self._update_registry()

    @callback
    def _update_registry(self) -> None:
        info = self.device.info
        found = replace(self.device.found, info=info)
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, self._unique_id)},
            connections=(
                {(dr.CONNECTION_NETWORK_MAC, dr.format_mac(info.mac))}
                if info.mac
                else set()
            ),
            name=self.device_name,
            manufacturer=MANUFACTURER,
            model=model_name(found),
            model_id=info.raw_model,
            sw_version=info.version or info.build,
        )

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return {
            **facts_of(self.data, self.device, self._credentials.keys()),
            "events_dropped": self.events_dropped,
        }
