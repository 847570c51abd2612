"""Follows one lobby and carries our wishes to it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HomeAssistant,
    ServiceResponse,
    callback,
)

from ...const import DOMAIN
from ...coordinator import RumpusConfigEntry
from ...device_coordinator import (
    FLOOD_INTERVAL,
    MAX_STATES,
    STATES_REFILL,
    DeviceCoordinator,
    PlatformSetup,
)
from ...pace import Pace
from ...protocols.budget import Budget
from ...protocols.errors import RumpusError
from ...protocols.faf.client import LobbyClient
from ...protocols.faf.errors import KickedError, LoginRefusedError, UntrustedError
from ...protocols.faf.events import (
    AttemptFailed,
    AvatarsListed,
    Connected,
    Disconnected,
    LatencyMeasured,
    LobbyEvent,
    Refreshed,
    Stopped,
    Updated,
)
from ...protocols.faf.models import PlayerStatus
from ...protocols.faf.probe import probe
from . import link
from .const import AccountKind
from .data import LobbyData
from .diagnostics import facts_of
from .errors import faf_errors, not_signed_in
from .follow import Followed
from .happenings import Happenings
from .options import FafOptions
from .registry import async_name_player, async_update_devices
from .state import FafState
from .state_of import state_of, with_counts_of
from .store import FafStore
from .tokens import TokenSource
from .troubles import Troubles

COUNTS_INTERVAL: Final = 10.0
"""Seconds between two counts that are told: a busy lobby has new ones each second."""

type ActionHandler = Callable[
    [FafCoordinator, str, Mapping[str, Any]], Awaitable[ServiceResponse]
]


class FafCoordinator(DeviceCoordinator[FafState]):
    """One lobby: the connection to it, and what is known of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        store: FafStore,
        platforms: Mapping[Platform, PlatformSetup[FafCoordinator]],
        action: ActionHandler,
    ) -> None:
        """Do nothing yet; the store has been loaded."""
        self.lobby_data = LobbyData.from_entry(entry.data)
        self.options = FafOptions.from_entry(entry.options)
        self._unique_id = entry.unique_id or self.lobby_data.unique_id
        self._store = store
        record = store.record(self._unique_id)
        # Without signing in nothing is known of anybody.
        players = {} if self.lobby_data.is_status_only else self.options.players
        self.followed = Followed(players, record.player_ids)
        super().__init__(
            hass,
            entry,
            name=entry.title,
            state=FafState(
                is_signed_out_elsewhere=record.is_signed_out,
                followed=self.followed.states,
            ),
            platforms=platforms,
        )
        self._action = action
        self._tokens = TokenSource(hass, entry, store, self._unique_id)
        self._troubles = Troubles(hass, entry)
        self._unsubscribe: list[CALLBACK_TYPE] = []
        # Whether a token that should have counted was refused once.
        self._has_new_token = False
        self._is_stopping = False
        self._was_lost = False
        self._is_untrusted = False
        # Of a flood we look at what it comes to.
        self._looks = Budget(MAX_STATES, STATES_REFILL)
        self._looks_pace = Pace(hass, FLOOD_INTERVAL, lambda _: self._look())
        self._counts_pace = Pace(hass, COUNTS_INTERVAL, lambda _: self._tell_counts())
        self._connector = link.create_connector(
            hass,
            self.lobby_data,
            self._tokens.async_url if self.lobby_data.is_official else None,
        )
        self.client: Final = (
            None if self.lobby_data.is_status_only else self._create_client()
        )
        """What speaks with the lobby; None where nobody signs in."""
        if self.client is None:
            self.update_interval = timedelta(seconds=link.PROBE_INTERVAL)
        else:
            self._happenings = Happenings(self.client.lobby, self.followed, self.fire)

    def _create_client(self) -> LobbyClient:
        secrets = self._store.record(self._unique_id).secrets
        return LobbyClient(
            self._connector,
            link.create_login(self.lobby_data, secrets, self._tokens.async_token),
            logger=self.logger,
            name=self.entry.title,
            timing=link.TIMING,
            create_task=self._create_task,
            backoff=link.BACKOFF,
        )

    def _create_task(self, coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self.entry.async_create_background_task(
            self.hass, coro, f"{DOMAIN} faf lobby"
        )

    @property
    @override
    def device_id(self) -> str:
        return self._unique_id

    @property
    @override
    def device_name(self) -> str:
        return self.lobby_data.name

    @property
    def followed_keys(self) -> tuple[str, ...]:
        """The keys of the players that are followed."""
        return tuple(self.followed.states)

    def player_device_id(self, key: str) -> str:
        """Return the identifier of the device of a followed player."""
        return f"{self.device_id}_player_{key}"

    @override
    async def async_start(self) -> None:
        async_update_devices(self)
        # Entries are not unloaded then.
        self._unsubscribe.append(
            self.hass.bus.async_listen(
                EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
            )
        )
        if self.client is None:
            self._create_task(self.async_refresh())
            return
        self._unsubscribe.append(self.client.subscribe(self._on_event))
        if self.data.is_signed_out_elsewhere:
            # It would throw out whoever plays with the account.
            self._troubles.tell(KickedError())
        else:
            self.client.start()

    async def _async_on_shutdown(self, event: Event) -> None:
        await self._async_let_go()

    async def _async_let_go(self) -> None:
        self._is_stopping = True
        self._looks_pace.stop()
        self._counts_pace.stop()
        self.stop_telling()
        await self.async_shutdown()
        if self.client is not None:
            await self.client.stop()

    @override
    async def async_stop(self) -> None:
        # That another program signs in is heard until the very end, and kept.
        await self._async_let_go()
        while self._unsubscribe:
            self._unsubscribe.pop()()
        self._troubles.forget_issues()

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        return await self._action(self, name, data)

    # Wishes

    def signed_in_client(self) -> LobbyClient:
        """Return the client; raises a translated error unless we are signed in."""
        client = self.client
        if client is None or not self.data.is_signed_in:
            not_signed_in(self.device_name)
        return client

    async def async_refresh_queues(self) -> None:
        """Ask for the matchmaker's queues; raises a translated error when it does not work."""
        client = self.signed_in_client()
        with faf_errors(self.device_name):
            await client.request_queues()

    async def async_stop_search(self) -> None:
        """End every search for a match; raises a translated error when it does not work."""
        client = self.signed_in_client()
        with faf_errors(self.device_name):
            for queue in sorted(self.data.searching):
                await client.stop_search(queue)

    async def async_select_avatar(self, url: str | None) -> None:
        """Wear one of the account's avatars, or none; raises a translated error."""
        client = self.signed_in_client()
        with faf_errors(self.device_name):
            await client.select_avatar(url)

    async def async_sign_in_again(self) -> None:
        """Sign in although another program has done so with the account since."""
        await self._store.async_set_signed_out(self._unique_id, is_signed_out=False)
        self._troubles.forget()
        self.publish(replace(self.data, is_signed_out_elsewhere=False))
        self._start_client()

    @callback
    def _start_client(self) -> None:
        if self.client is not None and not self._is_stopping:
            self.client.start()

    # What the lobby tells

    @callback
    def _on_event(self, event: LobbyEvent) -> None:
        if self._is_stopping:
            if isinstance(event, Stopped) and isinstance(event.error, KickedError):
                self._keep_signed_out()
            return
        match event:
            case Connected():
                self.publish(replace(self.data, is_connected=True))
            case Refreshed():
                self._on_refreshed()
            case Disconnected():
                self._on_lost()
            case AttemptFailed(error):
                self._log_untrusted(error)
                self._troubles.tell_refusal(error)
            case Stopped(error):
                self._on_stopped(error)
            case LatencyMeasured(seconds):
                self.publish(replace(self.data, latency=seconds))
            case Updated() | AvatarsListed():
                if self.data.is_signed_in:
                    self._want_look()
            case _:
                self._happenings.handle(event)

    @callback
    def _on_refreshed(self) -> None:
        """All that is known of the lobby is new."""
        self._has_new_token = self._is_untrusted = False
        self._troubles.forget()
        # Who is followed is known by the id after the first look.
        self._look(is_new=True)
        self._happenings.handle(Refreshed())
        self._create_task(self._async_list_avatars())

    @callback
    def _log_untrusted(self, error: Exception) -> None:
        """Log once why there is no connection: a certificate does not get well by itself."""
        if isinstance(error, UntrustedError) and not self._is_untrusted:
            self._is_untrusted = True
            self.logger.warning("Cannot connect to %s: %s", self.entry.title, error)

    async def _async_list_avatars(self) -> None:
        if TYPE_CHECKING:
            assert self.client is not None
        try:
            await self.client.list_avatars()
        except RumpusError as err:
            self.logger.debug("%s tells no avatars: %s", self.entry.title, err)

    @callback
    def _want_look(self) -> None:
        if self._looks.take(self.hass.loop.time()):
            self._look()
        else:
            self._looks_pace.want("")

    @callback
    def _look(self, *, is_new: bool = False) -> None:
        """Show what is known now; if all of it is new, without waiting for the counts' turn."""
        if TYPE_CHECKING:
            assert self.client is not None
        before = self.data.followed
        followed = self.followed.update(self.client.lobby)
        if followed is not before:
            self._store.keep_player_ids(self._unique_id, self.followed.player_ids)
            for key, player in followed.items():
                is_here = player.status is not PlayerStatus.OFFLINE
                if player.login != before[key].login or (is_new and is_here):
                    async_name_player(self, key, player.login)
        state = state_of(self.client, self.data, followed)
        if is_new:
            self.publish(replace(state, is_signed_in=True))
            return
        rest = with_counts_of(state, self.data)
        self.publish(rest)
        if rest != state:
            self._counts_pace.want("")

    @callback
    def _tell_counts(self) -> None:
        if TYPE_CHECKING:
            assert self.client is not None
        self.publish(state_of(self.client, self.data, self.data.followed))

    @callback
    def _on_lost(self) -> None:
        self._looks_pace.stop()
        self._counts_pace.stop()
        self.publish(
            FafState(
                is_signed_out_elsewhere=self.data.is_signed_out_elsewhere,
                followed=self.followed.lose(),
            )
        )

    @callback
    def _on_stopped(self, error: RumpusError) -> None:
        """There are no further attempts until somebody does something."""
        self._on_lost()
        if isinstance(error, KickedError):
            self._keep_signed_out()
            self.publish(replace(self.data, is_signed_out_elsewhere=True))
        elif (
            isinstance(error, LoginRefusedError)
            and self.lobby_data.account is AccountKind.OAUTH
            and not self._has_new_token
        ):
            # It should have counted still: a clock may be wrong.
            self._has_new_token = True
            self._tokens.expire()
            self.hass.loop.call_soon(self._start_client)
            return
        self._troubles.tell(error)

    @callback
    def _keep_signed_out(self) -> None:
        self.entry.async_create_task(
            self.hass,
            self._store.async_set_signed_out(self._unique_id, is_signed_out=True),
            "faf signed out",
        )

    # A lobby that nobody signs in to

    @override
    async def _async_update_data(self) -> FafState:
        """Look whether a lobby is there that nobody signs in to; others tell by themselves."""
        if self.client is not None:
            return self.data
        try:
            found = await probe(self._connector, link.TIMING)
        except RumpusError as err:
            if not self._was_lost:
                self.logger.info("%s does not answer: %s", self.entry.title, err)
            self._was_lost = True
            self._troubles.tell(err)
            return FafState(followed=self.followed.states)
        if self._was_lost:
            self.logger.info("%s answers again", self.entry.title)
        self._was_lost = False
        self._troubles.forget()
        return replace(self.data, is_connected=True, latency=found.latency)

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return facts_of(self)
