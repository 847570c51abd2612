"""The facade of one Apple TV or HomePod (part B, sections 6 to 8)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
import itertools
import logging

from ..budget import Budget
from ..errors import DisconnectedError, PeerTimeoutError, RumpusError, UnsupportedError
from ..reconnect import TaskFactory
from .commands import Commands
from .const import AppleProtocol
from .enums import Feature, FeatureState, PowerState
from .events import AppleEvent, LinkLost, LinkRefused, LinkUp, VolumeChanged
from .features import feature_state
from .identity import ClientIdentity
from .info import DeviceInfo
from .knock import KNOCK_PORTS, knock
from .link import Link, LinkStatus, bare
from .makers import default_makers
from .models import App, ArtworkFetcher, OutputDevice, Playing
from .power import Power
from .routing import Router
from .services import FoundDevice
from .session import Aspect, Context, Maker
from .state import State, filled
from .timing import TIMING, Timing

type Resolver = Callable[[], Awaitable[FoundDevice | None]]
"""Tells where the device is now; it must not wake a device that sleeps."""


class AppleDevice(Commands):
    """One device with all its links; long-lived, whatever becomes of them.

    Everything happens in the thread of the event loop. Commands raise UnsupportedError
    when nothing that is there can do it, DisconnectedError when there is no link,
    AuthenticationError when the device refuses us, PeerTimeoutError when it does not
    answer, and the errors of the clients for what it refuses.
    """

    def __init__(
        self,
        found: FoundDevice,
        credentials: Mapping[AppleProtocol, str],
        identity: ClientIdentity,
        *,
        resolve: Resolver,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        fetch_artwork: ArtworkFetcher | None = None,
        timing: Timing = TIMING,
        create_task: TaskFactory | None = None,
        makers: Sequence[Maker] | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. The makers' first one makes the main link."""
        self._found = found
        self._credentials = dict(credentials)
        self._resolver = resolve
        self._logger = logger
        self._create_task = create_task
        self._makers = default_makers() if makers is None else tuple(makers)
        context = Context(identity, logger, timing, fetch_artwork)
        self._links = tuple(
            Link(
                maker,
                self,
                context,
                name=found.name,
                create_task=create_task,
            )
            for maker in self._makers
        )
        router = Router(self._links)
        super().__init__(router, timing)
        self._state = State(router, found.info, self._publish)
        self._power = Power(router, timing, self._knock)
        self._subscribers: dict[int, Callable[[AppleEvent], None]] = {}
        self._ids = itertools.count()
        self._wakes = Budget(timing.wakes, timing.wakes_refill)
        self._is_asleep = found.is_asleep
        # It was off when a link was lost, and nobody has said yet what that means.
        self._may_sleep = False
        self._is_stopped = False
        self._lookup: asyncio.Task[None] | None = None
        self._next_lookup = 0.0
        # Since a link has come or gone.
        self._lookups = 0
        self._move_links()

    # Beginning and end

    def start(self) -> None:
        """Begin to connect, again and again."""
        for link in self._links:
            link.start()

    async def stop(self) -> None:
        """End all links and whoever waits for them. Never raises; it is final."""
        self._is_stopped = True
        self._router.stop()
        self._subscribers.clear()
        lookup, self._lookup = self._lookup, None
        if lookup is not None:
            lookup.cancel()
            await asyncio.wait({lookup})
        for error in await asyncio.gather(
            *(link.stop() for link in self._links), return_exceptions=True
        ):
            if error is not None:
                self._logger.error("Unexpected error ending a link", exc_info=error)

    # Where the device is

    def announce(self, found: FoundDevice) -> None:
        """Take note of where the device is, and try at once what is not connected.

        What `found` does not know of stays as it was. Anybody can send announcements: a
        session that is up stays, and how many attempts they cause is bounded.
        """
        if self._is_stopped:
            return
        at_once = self._wakes.take(self._now())
        self._take(found, at_once=at_once)
        if at_once and not self._is_asleep:
            self._wake_links()

    def set_asleep(self, is_asleep: bool) -> None:
        """Take note that a sleep proxy speaks for the device, or does so no more.

        While it does, the device is called only for commands: any call would wake it.
        """
        if self._is_stopped or is_asleep == self._is_asleep:
            return
        self._is_asleep = is_asleep
        self._awake_or_asleep()
        if not is_asleep:
            self.wake_links()

    def wake_links(self) -> None:
        """Try at once what is not connected."""
        if not self._is_stopped and self._wakes.take(self._now()):
            self._wake_links()

    def _wake_links(self) -> None:
        self._awake_or_asleep()
        for link in self._links:
            link.wake()

    def _take(self, found: FoundDevice, *, at_once: bool = True) -> None:
        self._found = _renewed(self._found, found)
        self._state.found(self._found.info)
        self._move_links(at_once=at_once)
        self.set_asleep(found.is_asleep)

    def _move_links(self, *, at_once: bool = True) -> None:
        for link, maker in zip(self._links, self._makers, strict=True):
            place = maker.place(self._found, self._credentials)
            link.move(place, at_once=at_once)

    async def sleep_known(self) -> None:
        """Wait for a word about a device that was off when a link was lost."""
        if self._may_sleep and self._lookup is None:
            self._start_lookup()
        with suppress(RumpusError):
            await self._router.until(
                lambda: None if self._may_sleep else True, self._timing.resolve
            )

    def wanted(self) -> None:
        """Do not wait for such a word: somebody wants something."""
        self._awake_or_asleep()

    def _awake_or_asleep(self) -> None:
        self._may_sleep = False
        self._router.changed()

    def look_up(self) -> None:
        """Ask where the device is, unless that was asked a moment ago."""
        is_idle = not self._is_stopped and self._lookup is None
        if is_idle and self._now() >= self._next_lookup:
            self._start_lookup()

    async def looked_up(self) -> None:
        """Ask it at any rate, and wait for the answer. Never raises."""
        if not self._is_stopped:
            await asyncio.wait({self._lookup or self._start_lookup()})

    def _start_lookup(self) -> asyncio.Task[None]:
        timing = self._timing
        self._lookups += 1
        pause = min(timing.resolve_interval, float(self._lookups))
        self._next_lookup = self._now() + (
            timing.asleep_interval if self._is_asleep else pause
        )
        create = self._create_task or asyncio.get_running_loop().create_task
        self._lookup = task = create(self._resolve())
        return task

    async def _resolve(self) -> None:
        try:
            async with asyncio.timeout(self._timing.resolve):
                found = await self._resolver()
            if found is not None and not self._is_stopped:
                self._take(found)
        except (RumpusError, OSError) as err:
            problem = str(err) or type(err).__name__
            self._logger.debug("Cannot find %s: %s", self.name, problem)
        except Exception:
            self._logger.exception("Unexpected error looking for %s", self.name)
        finally:
            self._lookup = None
            self._awake_or_asleep()

    async def _knock(self) -> None:
        known = (service.port for service in self._found.services if service.port)
        ports = list(dict.fromkeys((*known, *KNOCK_PORTS)))
        await knock(self._found.address, ports=ports)

    # Waiting

    async def connected(self, timeout: float) -> None:
        """Wait for a link, and for what an attempt at each of the others comes to.

        Raises what made the attempt at the main link fail when there is no link then,
        or none in time; a device that sleeps is not woken for this.
        """
        links = [link for link in self._links if link.is_configured]
        if not links and not self.is_connected:
            raise UnsupportedError("There is nothing of the device to connect to")
        before = {link: link.attempts for link in links}
        self.wake_links()

        def look() -> bool | None:
            if all(
                link.session is not None or link.attempts > before[link]
                for link in links
            ):
                if not self.is_connected:
                    raise self._why_not()
                return True
            if self._is_asleep:
                if not self.is_connected:
                    raise DisconnectedError("The device sleeps")
                return True
            return None

        try:
            await self._router.until(look, timeout)
        except PeerTimeoutError:
            if not self.is_connected:
                raise self._why_not() from None

    def _why_not(self) -> RumpusError:
        """Return what is wrong with the first link that has anything to say."""
        errors = (link.error for link in self._links)
        found = next((error for error in errors if error is not None), None)
        return bare(found or PeerTimeoutError("There was no link in time"))

    # From the links

    def link_changed(
        self, link: Link, event: LinkUp | LinkLost | LinkRefused | None
    ) -> None:
        """Tell what became of a link, and look at everything that it served."""
        self._router.changed()
        if isinstance(event, LinkUp | LinkLost):
            self._lookups = 0
        if isinstance(event, LinkUp):
            # Whoever answers is awake, whatever was said about it.
            self._is_asleep = False
            self._may_sleep = False
        elif isinstance(event, LinkLost):
            self._may_sleep |= self._state.power is PowerState.OFF
        if isinstance(event, LinkRefused):
            self._publish(event)
        elif event is not None:
            self._state.look_at_all(event)

    def session_changed(self, link: Link, aspect: Aspect) -> None:
        """Tell what is news of it."""
        self._state.look_at(aspect)
        self._router.changed()

    def subscribe(self, callback: Callable[[AppleEvent], None]) -> Callable[[], None]:
        """Have every event told; the function that is returned ends that."""
        number = next(self._ids)
        self._subscribers[number] = callback

        def unsubscribe() -> None:
            self._subscribers.pop(number, None)

        return unsubscribe

    def _publish(self, event: AppleEvent) -> None:
        if isinstance(event, VolumeChanged):
            self._mute.heard(event.volume)
        for number in tuple(self._subscribers):
            # One may have ended another, or all, which hear no more then.
            if (callback := self._subscribers.get(number)) is None:
                continue
            try:
                callback(event)
            except Exception:
                self._logger.exception("Unexpected error telling an event")

    # What is known

    @property
    def links(self) -> Mapping[AppleProtocol, LinkStatus]:
        """Return how every link fares."""
        return {link.protocol: link.status for link in self._links}

    @property
    def is_connected(self) -> bool:
        """Whether any link is up."""
        return any(link.session is not None for link in self._links)

    @property
    def is_asleep(self) -> bool:
        """Whether a sleep proxy speaks for the device."""
        return self._is_asleep

    @property
    def found(self) -> FoundDevice:
        """Return where the device is, as far as we know; to be remembered."""
        if self._found.is_asleep is self._is_asleep:
            return self._found
        return replace(self._found, is_asleep=self._is_asleep)

    @property
    def name(self) -> str:
        """Return the name that its owner gave it."""
        return self._found.name

    @property
    def info(self) -> DeviceInfo:
        """Return what it is."""
        return self._state.info

    @property
    def playing(self) -> Playing:
        """Return what is played."""
        return self._state.playing

    @property
    def app(self) -> App | None:
        """Return the app that plays, or played last."""
        return self._state.playing.app

    @property
    def power(self) -> PowerState:
        """Return whether it is awake, by its first witness that knows.

        Without a link it is off while it sleeps, and unknown otherwise.
        """
        if self._is_asleep and not self.is_connected:
            return PowerState.OFF
        return self._state.power

    @property
    def volume(self) -> float | None:
        """Return the volume in percent, None without one that can be known."""
        return self._state.volume

    @property
    def is_muted(self) -> bool | None:
        """Return whether we have muted it, None where we cannot."""
        return self._mute.is_muted(self._state.volume)

    @property
    def output_devices(self) -> tuple[OutputDevice, ...]:
        """Return what plays along."""
        return self._state.output_devices

    @property
    def focus(self) -> bool | None:
        """Return whether a text field has the focus, None when that is unknown."""
        return self._state.focus

    def feature(self, feature: Feature) -> FeatureState:
        """Return whether something can be done or told now (part B, section 7).

        What only a link offers that is down is unavailable.
        """
        return feature_state(self._router, feature)

    def is_available(self, *features: Feature) -> bool:
        """Whether all of these can be done or told now."""
        return all(
            self.feature(feature) is FeatureState.AVAILABLE for feature in features
        )

    # Power

    async def turn_on(self) -> None:
        """Wake the device, also from its deepest sleep; returns when it is awake."""
        await self._power.turn_on()

    async def turn_off(self) -> None:
        """Have the device sleep; returns when it says so, where it says anything."""
        if self._is_asleep and not self.is_connected:
            return
        await self._power.turn_off()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _renewed(old: FoundDevice, new: FoundDevice) -> FoundDevice:
    """Return what is known now: of each service what was told last.

    What somebody tells who knows names alone, as a sleep proxy may, moves nothing.
    """
    services = {service.protocol: service for service in old.services}
    is_named_only = not any(service.port for service in new.services)
    for service in new.services:
        known = services.get(service.protocol)
        if known is not None and known.port and not service.port:
            identifier = service.identifier or known.identifier
            service = replace(known, identifier=identifier)  # noqa: PLW2901
        services[service.protocol] = service
    return replace(
        new,
        address=old.address if is_named_only and new.is_asleep else new.address,
        services=tuple(services.values()),
        info=filled(new.info, old.info),
    )
