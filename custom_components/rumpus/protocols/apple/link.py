"""One link to a device: kept up, and taken up again, on its own."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
import math
import time
from typing import Any, Final, Protocol

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
)
from ..hap.errors import VerificationUnavailableError
from ..reconnect import Reconnector, TaskFactory
from .const import AppleProtocol
from .events import LinkLost, LinkRefused, LinkUp
from .session import Aspect, Context, Maker, Place, Session

MAX_CAUSES: Final = 20
"""Errors behind an error that are looked at."""


class LinkState(StrEnum):
    """How a link fares."""

    UNAVAILABLE = "unavailable"
    """The device does not offer it, or we have no credentials for it."""
    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"
    """The device does not take our credentials; it is asked again, seldom."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How one link fares; `since` is the Unix time of the last change of its state."""

    protocol: AppleProtocol
    state: LinkState
    error: RumpusError | None
    since: float
    losses: int


def bare[E: BaseException](error: E) -> E:
    """Return an error without the way that it came, to be kept, and to be raised again.

    Its frames would keep alive whatever they held, and each time it is raised add to it.
    """
    link: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if link is None:
            break
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


class LinkOwner(Protocol):
    """What hears how a link fares, and knows where the device is."""

    @property
    def is_asleep(self) -> bool:
        """Whether the device is to be left alone unless somebody wants something."""

    async def sleep_known(self) -> None:
        """Wait until that is known of a device that was off when a link was lost.

        Never raises, and does not wait when somebody wants something.
        """

    def wanted(self) -> None:
        """Somebody wants something of the device, asleep or not."""

    def link_changed(
        self, link: Link, event: LinkUp | LinkLost | LinkRefused | None
    ) -> None:
        """The status of a link is another one, which may be worth an event."""

    def session_changed(self, link: Link, aspect: Aspect) -> None:
        """Something about the session of a link has changed."""

    def look_up(self) -> None:
        """Have it found out where the device is, unless that was just done."""

    async def looked_up(self) -> None:
        """The same at any rate, and wait for the answer. Never raises."""


class _Ear:
    """Hears one session for its link, until the link has another one."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.is_lost = False
        self.error: RumpusError | None = None

    def check(self) -> None:
        """Raise why it was lost, if it was before it was up."""
        if self.is_lost:
            raise self.error or DisconnectedError("The link was lost at once")

    def changed(self, aspect: Aspect) -> None:
        """Pass it on."""
        self._link.ear_changed(self, aspect)

    def lost(self, error: RumpusError | None) -> None:
        """Pass on the first one: a session is lost once."""
        if not self.is_lost:
            self.is_lost = True
            self.error = None if error is None else bare(error)
            self._link.ear_lost(self)


class Link:
    """Keeps a session of one protocol, and never touches another link.

    A session that is lost is closed and forgotten at once. Whatever fails is in the
    status; only `Reconnector` hears of it as an exception.
    """

    def __init__(
        self,
        maker: Maker,
        owner: LinkOwner,
        context: Context,
        *,
        name: str,
        create_task: TaskFactory | None = None,
    ) -> None:
        """Prepare; there is no place to connect to before `move`."""
        self.protocol = maker.protocol
        self.offers = maker.session
        self._maker = maker
        self._owner = owner
        self._context = context
        self._timing = context.timing
        self._create_task = create_task
        self._reconnector = Reconnector(
            self._attempt,
            name=f"{name} ({maker.protocol})",
            logger=context.logger,
            backoff=context.timing.backoff,
            create_task=create_task,
        )
        self._place: Place | None = None
        self._session: Session | None = None
        self._ear: _Ear | None = None
        # Of the attempt that is under way.
        self._limit: asyncio.Timeout | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._is_running = False
        self._wishes = 0
        # A point in the loop's time before which the device is not asked again.
        self._quiet_until = -math.inf
        self._state = LinkState.UNAVAILABLE
        self._error: RumpusError | None = None
        self._since = time.time()
        self._losses = 0
        #: How many attempts at places that counted still have ended, however that was.
        self.attempts = 0

    @property
    def status(self) -> LinkStatus:
        """Return how it fares."""
        return LinkStatus(
            self.protocol, self._state, self._error, self._since, self._losses
        )

    @property
    def state(self) -> LinkState:
        """Return its state alone."""
        return self._state

    @property
    def error(self) -> RumpusError | None:
        """Return why it is not up."""
        return self._error

    @property
    def session(self) -> Session | None:
        """Return the session while it is up."""
        return self._session

    @property
    def is_configured(self) -> bool:
        """Whether there is a place to connect to."""
        return self._place is not None

    # From above

    def start(self) -> None:
        """Begin to connect as soon as there is a place."""
        self._is_running = True
        if self._place is not None:
            self._reconnector.start()

    async def stop(self) -> None:
        """End all of it; no event comes of this. Never raises."""
        self._is_running = False
        await self._reconnector.stop()
        session, self._session, self._ear = self._session, None, None
        if session is not None:
            await self._close(session)
        while self._closing:
            await asyncio.wait(self._closing)
        if self._place is not None:
            self._set(LinkState.DOWN, self._error)

    def move(self, place: Place | None, *, at_once: bool = True) -> bool:
        """Connect to this place from now on; return whether it is another one.

        A session that is up stays: where the device is was told by anybody. One without
        a place to go back to is not taken up again when it is lost. What is not done at
        once is done with the next attempt, whenever that is due.
        """
        if place == self._place:
            return False
        at_once |= place is None or self._place is None
        self._place = place
        if not at_once:
            return True
        self._quiet_until = -math.inf
        if self._session is None:
            state = LinkState.UNAVAILABLE if place is None else LinkState.DOWN
            self._set(state, None)
            self._owner.link_changed(self, None)
        if self._limit is not None and not self._limit.expired():
            # Whoever is called there does not matter any more.
            self._limit.reschedule(self._loop_time())
        if self._is_running and place is not None:
            self._reconnector.start()
            self._reconnector.wake()
        return True

    def wake(self) -> None:
        """Try at once, unless the device has just refused us."""
        self._reconnector.wake()

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """Try at once and go on trying, also while the device sleeps."""
        self._wishes += 1
        self._owner.wanted()
        self._reconnector.wake()
        try:
            yield
        finally:
            self._wishes -= 1

    # Attempts

    async def _attempt(self) -> bool:
        if self._is_quiet() or (not self._wishes and await self._is_asleep()):
            return False
        # Whoever was waited for may have told of another place.
        if (place := self._place) is None or self._is_quiet():
            return False
        if self._state is not LinkState.REFUSED:
            self._set(LinkState.CONNECTING, self._error)
            self._owner.link_changed(self, None)
        try:
            await self._open(place)
        except AuthenticationError as err:
            # Another device may have got the address meanwhile.
            await self._owner.looked_up()
            if self._place == place:
                self._refused(err)
            else:
                self._failed(err)
            raise
        except RumpusError as err:
            self._failed(err)
            raise
        except BaseException as err:
            self._failed(DisconnectedError(f"Cannot connect: {type(err).__name__}"))
            raise
        finally:
            # One at a place that counts no more says nothing.
            self.attempts += self._place == place
        return True

    def _is_quiet(self) -> bool:
        return self._place is None or self._loop_time() < self._quiet_until

    async def _is_asleep(self) -> bool:
        """Whether the device is to be left alone: to call it would wake it."""
        await self._owner.sleep_known()
        if self._wishes or not self._owner.is_asleep:
            return False
        self._owner.look_up()
        return True

    async def _open(self, place: Place) -> None:
        """Make a session and keep it, or leave nothing of it behind."""
        ear = _Ear(self)
        session = self._maker.make(place, self._context, ear)
        try:
            await self._guarded_open(session)
            ear.check()
        except BaseException:
            await self._close(session)
            raise
        self._session, self._ear = session, ear
        self._quiet_until = -math.inf
        # Before anybody hears of it, since they may do at once what ends it.
        self._reconnector.link_up()
        self._set(LinkState.UP, None)
        self._owner.link_changed(self, LinkUp(self.protocol))

    async def _guarded_open(self, session: Session) -> None:
        """Open it in time, and raise what is in the way as an error of ours."""
        try:
            async with asyncio.timeout(self._timing.connect) as self._limit:
                await session.open()
        except RumpusError:
            raise
        except TimeoutError as err:
            raise PeerTimeoutError("The link did not come up in time") from err
        except OSError as err:
            raise DisconnectedError(f"Cannot connect: {type(err).__name__}") from err
        finally:
            self._limit = None

    def _refused(self, error: AuthenticationError) -> None:
        is_news = self._state is not LinkState.REFUSED
        # Only its owner can change that: to ask often would be of no use.
        self._quiet_until = self._loop_time() + self._timing.refused
        self._set(LinkState.REFUSED, error)
        event = LinkRefused(self.protocol, error) if is_news else None
        self._owner.link_changed(self, event)

    def _failed(self, error: RumpusError) -> None:
        if isinstance(error, VerificationUnavailableError) and error.retry_after:
            # It would only ask for more time if it were asked sooner.
            pause = min(error.retry_after, self._timing.refused)
            self._quiet_until = self._loop_time() + pause
        if self._is_running:
            is_there = self._place is not None
            self._set(LinkState.DOWN if is_there else LinkState.UNAVAILABLE, error)
            self._owner.link_changed(self, None)
            self._owner.look_up()

    # From the session

    def ear_changed(self, ear: _Ear, aspect: Aspect) -> None:
        """Pass on what changed, unless it is of a session that is not up."""
        if ear is self._ear:
            self._owner.session_changed(self, aspect)

    def ear_lost(self, ear: _Ear) -> None:
        """Let go of the session, and begin anew."""
        if ear is not self._ear or self._session is None:
            return
        session, self._session, self._ear = self._session, None, None
        self._losses += 1
        self._spawn(self._close(session))
        error = ear.error
        self._reconnector.link_down(_reason(error))
        is_there = self._place is not None
        self._set(LinkState.DOWN if is_there else LinkState.UNAVAILABLE, error)
        self._owner.link_changed(self, LinkLost(self.protocol, error))
        self._owner.look_up()

    async def _close(self, session: Session) -> None:
        """Close a session in time, whatever its state."""
        try:
            async with asyncio.timeout(self._timing.close):
                await session.close()
        except TimeoutError:
            self._context.logger.debug("Closing %s took too long", self.protocol)
        except Exception:
            self._context.logger.exception("Unexpected error closing %s", self.protocol)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        create = self._create_task or asyncio.get_running_loop().create_task
        task = create(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _set(self, state: LinkState, error: RumpusError | None) -> None:
        if state is not self._state:
            self._state = state
            self._since = time.time()
        self._error = None if error is None else bare(error)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


def _reason(error: RumpusError | None) -> str:
    """Return what to log about a loss."""
    return "" if error is None else str(error) or type(error).__name__
