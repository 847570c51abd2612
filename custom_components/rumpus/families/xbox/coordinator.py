"""Follows one console and carries our wishes to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import (
    CONF_HOST,
    CONF_NAME,
    CONF_PORT,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HomeAssistant,
    ServiceResponse,
    callback,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...device_coordinator import DeviceCoordinator, PlatformSetup
from ...names import clean_text
from ...pace import Pace
from ...protocols.errors import AuthenticationError, RumpusError
from ...protocols.smartglass.console import Console
from ...protocols.smartglass.discovery import DiscoveredConsole
from ...protocols.smartglass.enums import PairedIdentityState, ServiceChannel
from ...protocols.smartglass.events import (
    ChannelFailed,
    ChannelOpened,
    ConsoleEvent,
    MediaChanged,
    PairingStateChanged,
    StatusChanged,
    SurfaceChanged,
    TextChanged,
    TextClosed,
    TextOpened,
    TvNotified,
)
from ...protocols.smartglass.messages import ActiveTitle, ConsoleStatus
from ...protocols.smartglass.services.media_models import Media
from ...protocols.smartglass.services.text_models import TextField
from ...protocols.smartglass.services.tv_models import TvNotification
from ...protocols.smartglass.tokens import Tokens
from . import account, link
from .const import (
    CLOSED,
    CONF_LIVE_ID,
    MANUFACTURER,
    NOT_PAIRED,
    OPENED,
    PAIRED,
    PAIRING,
    STARTED,
    STOPPED,
    TEXT_FIELD,
    TITLE,
)
from .data import console_name, model, place
from .errors import xbox_errors
from .hub import HubLease
from .options import XboxOptions
from .state import OpenField, SeenTitle, TvState, XboxState
from .titles import MAX_AUM, title_name
from .troubles import Troubles

TV_INTERVAL: Final = 5.0
"""Seconds between two questions for what the console can control."""
MAX_STATUS_TITLES: Final = 32
"""Titles of one status that are looked at."""
MAX_DRIFT: Final = 1.0
"""Seconds by which a position may differ from what is reckoned until it is told anew."""
MAX_PROMPT: Final = 200
"""Characters of a text field's prompt that are shown."""

type ActionHandler = Callable[
    [XboxCoordinator, str, Mapping[str, Any]], Awaitable[ServiceResponse]
]


class XboxCoordinator(DeviceCoordinator[XboxState]):
    """One console: its session and its state."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        platforms: Mapping[Platform, PlatformSetup[XboxCoordinator]],
        action: ActionHandler,
    ) -> None:
        """Take over the lease; it is released by `async_stop`."""
        self.live_id: str = entry.data[CONF_LIVE_ID]
        self._store = lease.store
        self._record = lease.store.record(self.live_id)
        super().__init__(
            hass,
            entry,
            name=entry.title,
            state=XboxState(
                is_off=self._record.was_off, titles_seen=self._record.titles
            ),
            platforms=platforms,
        )
        self.options = XboxOptions.from_entry(entry.options)
        self.console = Console(
            lease.discoverer,
            live_id=self.live_id,
            address=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            client_uuid=lease.client_uuid,
            timing=link.TIMING,
        )
        self._lease = lease
        self._action = action
        self._troubles = Troubles(hass, entry)
        self._unsub_stop: CALLBACK_TYPE | None = None
        self._tv_pace = Pace(hass, TV_INTERVAL, lambda _: self._ask_tv())
        self._link = link.ConsoleLink(
            hass, entry, lease, self.console, self, self._async_tokens
        )

    @property
    @override
    def device_id(self) -> str:
        return self.live_id

    @property
    @override
    def device_name(self) -> str:
        name: str = self.entry.data[CONF_NAME]
        return name

    @override
    async def async_start(self) -> None:
        self._update_registry()
        self.entry.async_on_unload(self.console.subscribe(self._on_event))
        # Entries are not unloaded then, and the console would keep the session for a while.
        self._unsub_stop = self.hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
        )
        self._link.start()

    async def _async_on_shutdown(self, event: Event) -> None:
        self._unsub_stop = None  # it was listened to once
        await self._link.async_stop()

    @override
    async def async_stop(self) -> None:
        if self._unsub_stop is not None:
            self._unsub_stop()
            self._unsub_stop = None
        try:
            self._tv_pace.stop()
            self.stop_telling()
            self._troubles.forget()
            await self._link.async_stop()
        finally:
            await self._lease.async_release()

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        return await self._action(self, name, data)

    # Wishes

    async def async_turn_on(self) -> None:
        """Wake the console and connect; raises a translated error when it does not work."""
        with xbox_errors(self.entry.title):
            await self._link.async_turn_on()

    async def async_turn_off(self) -> None:
        """Switch the console off; raises a translated error when it does not work."""
        with xbox_errors(self.entry.title):
            await self._link.async_turn_off()

    async def _async_tokens(self, refused: Tokens | None) -> Tokens | None:
        return await account.async_tokens(self.hass, self.entry, refused=refused)

    # How the session fares

    @callback
    def link_up(self) -> None:
        """There is a session: all that is known of the console is new."""
        console = self.console
        self._troubles.forget()
        if TYPE_CHECKING:
            assert console.discovered is not None
        self._remember(console.discovered)
        media = console.media.current
        self._keep(was_off=False)
        state = XboxState(
            is_connected=True,
            media=media,
            media_updated_at=self._told_at(media),
            text_field=(
                None
                if (text_field := console.text.field) is None
                else _open_field(text_field)
            ),
            pairing_state=console.pairing_state,
            surface=console.surface,
            titles_seen=self.data.titles_seen,
            channels=console.channels,
        )
        if console.status is not None:
            state = self._with_status(state, console.status)
        self.publish(state)
        # There is nothing to be answered any more.
        for flow in list(self.entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])
        self._want_tv()

    @callback
    def link_down(self, *, says_off: bool) -> None:
        """The session is over; the console may have said that it goes off."""
        self._keep(was_off=says_off)
        self._tv_pace.stop()
        if says_off:
            # What has run runs no more; after mere silence nobody knows.
            self._fire_titles(self.data.titles, ())
        self.publish(XboxState(is_off=says_off, titles_seen=self.data.titles_seen))

    @callback
    def link_refused(self, error: AuthenticationError) -> None:
        """The console does not let us in, or the sign-in counts no more."""
        # Whatever it is, it is not off.
        self._keep(was_off=False)
        self.publish(replace(self.data, is_off=False))
        self._troubles.tell(error)

    @callback
    def account_refused(self, error: AuthenticationError) -> None:
        """There is a session, but without the account: the sign-in counts no more."""
        self._troubles.tell(error)

    @property
    def is_off(self) -> bool:
        """Whether the console has gone off by its own word and is not back."""
        return self.data.is_off and not self.data.is_connected

    @callback
    def _keep(self, *, was_off: bool) -> None:
        self._record = replace(self._record, was_off=was_off)
        self._store.keep(self.live_id, self._record)

    # What the console tells

    @callback
    def _on_event(self, event: ConsoleEvent) -> None:
        if not self.data.is_connected:
            return  # the session is not ready, or is over
        match event:
            case StatusChanged(status):
                if self.data.status is not None:
                    self._fire_titles(self.data.titles, status.active_titles)
                self.publish(self._with_status(self.data, status))
            case PairingStateChanged(state):
                self.publish(replace(self.data, pairing_state=state))
                is_paired = state == PairedIdentityState.PAIRED
                self.fire(PAIRING, PAIRED if is_paired else NOT_PAIRED)
            case SurfaceChanged(surface):
                self.publish(replace(self.data, surface=surface))
            case MediaChanged(media):
                self._on_media(media)
            case TextOpened() | TextChanged() | TextClosed():
                self._on_text(event)
            case TvNotified(TvNotification.CONFIGURATION_CHANGED):
                self._want_tv()
            case ChannelOpened() | ChannelFailed():
                self.publish(replace(self.data, channels=self.console.channels))
                if self.data.tv is None:
                    self._want_tv()
            case _:
                pass  # the end of the session is told by the link

    def _with_status(self, state: XboxState, status: ConsoleStatus) -> XboxState:
        """Return a state with what the console says it is and runs, and remember that."""
        record = self._record
        titles = status.active_titles[:MAX_STATUS_TITLES]
        # The one with the focus comes last: it is the one that ran last.
        for title in sorted(titles, key=lambda title: title.has_focus):
            if title.title_id:
                name = title_name(title.title_id, title.aum)
                record = record.seen(
                    SeenTitle(title.title_id, name, title.aum[:MAX_AUM])
                )
        version = f"{status.major_version}.{status.minor_version}.{status.build_number}"
        self._record = replace(record, sw_version=version)
        self._store.keep(self.live_id, self._record)
        self._update_registry()
        return replace(state, status=status, titles_seen=record.titles)

    def _fire_titles(
        self, before: tuple[ActiveTitle, ...], now: tuple[ActiveTitle, ...]
    ) -> None:
        """Tell which titles have started and which have stopped."""
        old, new = (
            {title.title_id: title.aum for title in titles[:MAX_STATUS_TITLES]}
            for titles in (before, now)
        )
        for event_type, titles, others in ((STOPPED, old, new), (STARTED, new, old)):
            for title_id, aum in titles.items():
                if title_id not in others:
                    self.fire(
                        TITLE,
                        event_type,
                        {
                            "title_id": f"{title_id:08X}",
                            "name": title_name(title_id, aum),
                        },
                    )

    def _on_text(self, event: TextOpened | TextChanged | TextClosed) -> None:
        if isinstance(event, TextClosed):
            self.publish(replace(self.data, text_field=None))
            self.fire(TEXT_FIELD, CLOSED, {"accepted": event.accepted})
            return
        opened = _open_field(event.field)
        self.publish(replace(self.data, text_field=opened))
        if isinstance(event, TextOpened):
            self.fire(
                TEXT_FIELD,
                OPENED,
                {
                    "is_password": opened.is_password,
                    "max_length": opened.max_length or None,
                    "prompt": opened.prompt,
                },
            )

    def _on_media(self, media: Media | None) -> None:
        """Show what plays; that it plays on, as everybody can reckon, is no news."""
        old = self.data.media
        if (
            media is not None
            and old is not None
            and replace(media, position=old.position, updated_at=old.updated_at) == old
            and abs(media.position - old.position_at(media.updated_at)) <= MAX_DRIFT
        ):
            return
        self.publish(
            replace(self.data, media=media, media_updated_at=self._told_at(media))
        )

    def _told_at(self, media: Media | None) -> datetime | None:
        """Return when the position was true, by the clock on the wall."""
        if media is None:
            return None
        age = self.hass.loop.time() - media.updated_at
        return dt_util.utcnow() - timedelta(seconds=age)

    # The TV

    @callback
    def _want_tv(self) -> None:
        """Ask for what the console can control, but not too often."""
        if (
            self.options.tv_remote
            and ServiceChannel.SYSTEM_INPUT_TV_REMOTE in self.console.channels
        ):
            self._tv_pace.want("")

    @callback
    def _ask_tv(self) -> None:
        self.entry.async_create_background_task(
            self.hass, self._async_ask_tv(), f"{DOMAIN} tv"
        )

    async def _async_ask_tv(self) -> None:
        try:
            devices = await self.console.tv.get_configuration()
        except RumpusError as err:
            # Consoles without a TV may not answer at all.
            self.logger.debug("%s does not tell its TV: %s", self.entry.title, err)
            return
        if self.data.is_connected:
            self.publish(replace(self.data, tv=TvState(devices)))

    # The registry

    def _remember(self, console: DiscoveredConsole) -> None:
        """Remember where the console is and what it calls itself, without a reload."""
        entry = self.entry
        name, old_name = console_name(console), entry.data[CONF_NAME]
        self.hass.config_entries.async_update_entry(
            entry,
            data={**entry.data, **place(console), CONF_NAME: name},
            # A title that the user has given stays.
            title=name if entry.title == old_name else entry.title,
        )
        if name != old_name:
            self._update_registry()

    def _update_registry(self) -> None:
        dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            identifiers={(DOMAIN, self.live_id)},
            name=self.device_name,
            manufacturer=MANUFACTURER,
            model=model(self.entry.data),
            serial_number=self.live_id,
            sw_version=self._record.sw_version,
        )

    @override
    def diagnostics(self) -> Mapping[str, object]:
        state, status = self.data, self.data.status
        found = self.console.discovered
        return {
            "console": {
                "model": model(self.entry.data),
                "build": self._record.sw_version,
                "locale": None if status is None else status.locale,
                "allows_anonymous": None if found is None else found.allows_anonymous,
                "device_type": None if found is None else int(found.device_type),
            },
            "session": {
                "is_connected": state.is_connected,
                "is_authenticated": self.console.is_authenticated,
                "is_signed_in": account.is_signed_in(self.entry.data),
                "channels": sorted(channel.name for channel in state.channels),
                "attempts": self._link.attempts,
                "losses": self._link.losses,
                "moves": self._link.moves,
                "last_refusal": _number(self._link.last_refusal),
            },
            "state": {
                "power": state.power.value,
                "titles": len(state.titles),
                "titles_seen": len(state.titles_seen),
                "has_media": state.media is not None,
                "has_text_field": state.text_field is not None,
                "tv_devices": None if state.tv is None else len(state.tv.devices),
            },
            "events_dropped": self.events_dropped,
        }


def _open_field(text_field: TextField) -> OpenField:
    return OpenField(
        session_id=text_field.session_id,
        prompt=clean_text(text_field.prompt, MAX_PROMPT),
        is_password=text_field.is_password,
        max_length=text_field.max_length,
    )


def _number(code: int | None) -> int | None:
    return None if code is None else int(code)
