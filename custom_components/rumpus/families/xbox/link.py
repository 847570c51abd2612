"""The session with one console: kept up, taken up again, and waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import math
from typing import Final, Protocol

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ...const import DOMAIN, LOGGER
from ...coordinator import RumpusConfigEntry
from ...protocols.budget import Budget
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
)
from ...protocols.reconnect import Backoff, Reconnector
from ...protocols.smartglass import power
from ...protocols.smartglass.console import Console
from ...protocols.smartglass.discovery import DiscoveredConsole
from ...protocols.smartglass.enums import ConnectResult
from ...protocols.smartglass.errors import ConnectRefusedError
from ...protocols.smartglass.events import ConsoleEvent, LinkLost
from ...protocols.smartglass.timing import Timing
from ...protocols.smartglass.tokens import Tokens
from .hub import HubLease

BACKOFF: Final = Backoff((2.0, 5.0, 10.0, 30.0, 60.0))
"""Pauses between attempts where no answer to a search is heard, as in other networks."""
OFF_PAUSE: Final = 10.0
"""Seconds in which a console that goes off may still answer, and is left alone."""
REFUSED_PAUSE: Final = 60.0
"""Seconds until a console that did not let us in is asked again."""
WAKE_DEADLINE: Final = 30.0
"""Seconds that a console may take to wake up."""
CONNECT_DEADLINE: Final = 20.0
"""Seconds that a session may take from then on: a console that boots answers before it is ready."""
REACH_DEADLINE: Final = 10.0
"""Seconds that a session may take for a console that should be on."""
MAX_WAKES: Final = 5
"""Attempts that answers to searches may cause at once: anybody can send them."""
WAKES_REFILL: Final = 0.1
"""Such attempts that there may be in a second after that."""

TIMING: Final = Timing()

type TokenSource = Callable[[Tokens | None], Awaitable[Tokens | None]]
"""Gives what the console is shown, None without a sign-in; takes tokens that were refused."""


class LinkOwner(Protocol):
    """What hears how the session fares; all of it in the thread of the event loop."""

    def link_up(self) -> None:
        """There is a session."""

    def link_down(self, *, says_off: bool) -> None:
        """The session is over; the console may have said that it goes off."""

    def link_refused(self, error: AuthenticationError) -> None:
        """The console does not let us in, or the sign-in counts no more."""

    def account_refused(self, error: AuthenticationError) -> None:
        """There is a session, but without the account: the sign-in counts no more."""

    @property
    def is_off(self) -> bool:
        """Whether the console has gone off by its own word and is not back."""


class ConsoleLink:
    """Keeps a session with a console, and waits for the console when there is none."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        lease: HubLease,
        console: Console,
        owner: LinkOwner,
        tokens: TokenSource,
    ) -> None:
        """Prepare for a console; nothing is sent yet."""
        self.console = console
        self._loop = hass.loop
        self._create_task = partial(entry.async_create_background_task, hass)
        self._lease = lease
        self._owner = owner
        self._tokens = tokens
        self._reconnector = Reconnector(
            self._async_attempt,
            name=entry.title,
            logger=LOGGER,
            backoff=BACKOFF,
            create_task=lambda coro: self._create_task(coro, f"{DOMAIN} connect"),
        )
        self._wakes = Budget(MAX_WAKES, WAKES_REFILL)
        self._power_lock = asyncio.Lock()
        # A point in the loop's time before which the console is left alone.
        self._quiet_until = -math.inf
        self._is_trying = False
        self._is_stopped = False
        # Where the console was when there was a session: what is heard may be forged.
        self._home = (console.address, console.port)
        self._elsewhere: DiscoveredConsole | None = None
        self._waking: asyncio.Task[DiscoveredConsole] | None = None
        self._waiters: dict[asyncio.Future[RumpusError | None], bool] = {}
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self.attempts = 0
        self.losses = 0
        self.moves = 0
        self.last_refusal: ConnectResult | int | None = None

    @callback
    def start(self) -> None:
        """Begin to connect, again and again."""
        self._unsubscribe = [
            self._lease.follow(self.console.live_id, self._heard),
            self.console.subscribe(self._on_event),
        ]
        self._reconnector.start()
        self._lease.miss(self.console.live_id)

    async def async_stop(self) -> None:
        """End the session, and who waits for one or wakes the console."""
        self._is_stopped = True
        if self._waking is not None:
            self._waking.cancel()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        self._tell_waiters(DisconnectedError("the console is let go"))
        await self._reconnector.stop()
        await self.console.disconnect()

    # Attempts

    async def _async_attempt(self) -> bool:
        """Make a session; return False when the console is to be left alone for now."""
        if self._loop.time() < self._quiet_until:
            return False
        self.attempts += 1
        self._is_trying = True
        try:
            await self._async_connect()
        except AuthenticationError as err:
            self._refused(err)
            raise
        except RumpusError as err:
            self._tell_waiters(err, is_final=False)
            raise
        finally:
            self._is_trying = False
            if not self.console.is_connected:
                self.console.move(*self._home)
            elsewhere, self._elsewhere = self._elsewhere, None
            if elsewhere is not None:
                self._heard(elsewhere)
        return True

    async def _async_connect(self) -> None:
        missing: RumpusError | None = None
        try:
            tokens = await self._tokens(None)
        except RumpusError as err:
            # There may be no internet, or the user has another password. Where the console
            # lets everybody in, nearly all of it works without tokens.
            missing = err
            await self._async_connect_without(err)
        else:
            await self._async_connect_with(tokens)
        self.last_refusal = None
        place = (self.console.address, self.console.port)
        if place != self._home:
            self._home = place
            self.moves += 1
        self._lease.found(self.console.live_id)
        # Before anybody hears of it, since they may send at once what ends it.
        self._reconnector.link_up()
        self._owner.link_up()
        if isinstance(missing, AuthenticationError):
            self._owner.account_refused(missing)
        self._tell_waiters(None)

    async def _async_connect_without(self, error: RumpusError) -> None:
        """Connect without tokens, which there should be; raises why there are none."""
        try:
            await self.console.connect()
        except ConnectRefusedError:
            raise error from None

    async def _async_connect_with(self, tokens: Tokens | None) -> None:
        try:
            await self.console.connect(tokens)
        except ConnectRefusedError as err:
            if tokens is None or err.result != (ConnectResult.FAILURE_USER_AUTH_FAILED):
                raise
            # Tokens can be taken back before their time is over: try with new ones.
            await self.console.connect(await self._tokens(tokens))

    @callback
    def _refused(self, error: AuthenticationError) -> None:
        if isinstance(error, ConnectRefusedError):
            self.last_refusal = error.result
        # Only its user can change that: to ask often would be of no use.
        self._quiet_until = self._loop.time() + REFUSED_PAUSE
        self._owner.link_refused(error)
        self._tell_waiters(error)

    @callback
    def _on_event(self, event: ConsoleEvent) -> None:
        if not isinstance(event, LinkLost):
            return
        self.losses += 1
        if event.says_off:
            self._quiet_until = self._loop.time() + OFF_PAUSE
        self._reconnector.link_down("it went off" if event.says_off else event.reason)
        self._owner.link_down(says_off=event.says_off)
        self._lease.miss(self.console.live_id)

    # Answers to searches

    @callback
    def _heard(self, console: DiscoveredConsole) -> None:
        """Take note of an answer in the console's name, which anybody can have sent.

        The keys of a session come from the certificate in an answer, so that a forger gets
        a session with himself at best, never one with somebody else's console; a session
        that stands is not touched. What he can do while there is none is to draw attempts
        to his address, a few in a minute, until the console itself answers the next search.
        Where it is counts only once there is a session.
        """
        if self.console.is_connected:
            return
        if self._is_trying:
            if self._is_elsewhere(console):
                self._elsewhere = console
            return
        now = self._loop.time()
        if now < self._quiet_until or not self._wakes.take(now):
            return
        self.console.move(console.address, console.port)
        self._reconnector.wake()

    def _is_elsewhere(self, console: DiscoveredConsole) -> bool:
        known = (self.console.address, self.console.port)
        return (console.address, console.port) != known

    # Wishes

    async def async_connected(self, deadline: float, *, patient: bool) -> None:
        """Wait for a session, through more than one attempt where somebody is patient.

        Raises what made the attempt fail, PeerTimeoutError when time is over,
        DisconnectedError when the console is let go.
        """
        if self.console.is_connected:
            return
        self._require_running()
        self._quiet_until = -math.inf
        waiter: asyncio.Future[RumpusError | None] = self._loop.create_future()
        self._waiters[waiter] = patient
        self._reconnector.wake()
        self._lease.miss(self.console.live_id)
        try:
            await asyncio.wait({waiter}, timeout=deadline)
            if not waiter.done():
                raise PeerTimeoutError("there was no session in time")
            if (error := waiter.result()) is not None:
                raise error
        finally:
            self._waiters.pop(waiter, None)

    @callback
    def _tell_waiters(
        self, error: RumpusError | None, *, is_final: bool = True
    ) -> None:
        """Tell who waits how an attempt ended: the patient ones only if that is final."""
        for waiter, is_patient in self._waiters.items():
            if not waiter.done() and (is_final or not is_patient):
                waiter.set_result(error)

    async def async_turn_on(self) -> None:
        """Wake the console and wait for a session.

        Raises WakeTimeoutError when it does not wake up, and what `Console.connect` raises.
        """
        async with self._power_lock:
            if self.console.is_connected:
                return
            self._require_running()
            self._quiet_until = -math.inf
            found = await self._async_wake()
            if not self.console.is_connected and not self._is_trying:
                self.console.move(found.address, found.port)
            await self.async_connected(CONNECT_DEADLINE, patient=True)

    async def _async_wake(self) -> DiscoveredConsole:
        self._waking = self._create_task(
            power.wake(
                self._lease.discoverer,
                self.console.live_id,
                address=self._home,
                deadline=WAKE_DEADLINE,
            ),
            f"{DOMAIN} wake",
        )
        try:
            return await self._waking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise DisconnectedError("the console is let go") from None
        finally:
            self._waking = None

    def _require_running(self) -> None:
        if self._is_stopped:
            raise DisconnectedError("the console is let go")

    async def async_turn_off(self) -> None:
        """Switch the console off, unless it is.

        Raises what `Console.connect` and `Console.power_off` raise.
        """
        async with self._power_lock:
            # Somebody else may have switched it off meanwhile.
            if self._owner.is_off:
                return
            await self.async_connected(REACH_DEADLINE, patient=False)
            await self.console.power_off()
