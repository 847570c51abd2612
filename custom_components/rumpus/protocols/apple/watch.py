"""Watching devices come, go, move, fall asleep and wake up (part A, sections 1.6, 1.7)."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
import contextlib
import logging
from typing import Final, override

# The first two are public, but are not listed as such.
from zeroconf import (  # type: ignore[attr-defined]
    DNSOutgoing,
    DNSQuestion,
    Error,
    RecordUpdate,
    RecordUpdateListener,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from .dns import CLASS_IN, RecordType
from .records import PROTOCOLS, Announcement, ServiceType, service_type
from .scan_zeroconf import (
    Instance,
    ask_proxies,
    browsed,
    full_name,
    instance_behind,
    look_up,
    read_cached,
)
from .services import FoundDevice
from .watch_sightings import MAX_DEVICES, Key, Sighting, SightingKind, Sightings

__all__ = [
    "DEBOUNCE",
    "MAX_DEVICES",
    "WATCHED",
    "Sighting",
    "SightingKind",
    "Watcher",
]

_LOGGER: Final = logging.getLogger(__name__)

DEBOUNCE: Final = 0.5
"""Seconds after a word about a device until it is passed on, with all that follows it."""
LOOKUP_TIMEOUT: Final = 3.0
"""Seconds for a service to say where it is, or for sleep proxies to say it."""
MAX_LOOKUPS: Final = 16
"""Services that are looked up at the same time; those of known devices come on top."""
CONFIRM: Final = 1.5
"""Seconds for a device to contradict the sleep proxy that named its services."""
MAX_CHECKS: Final = 64
"""Services whose sleep is being confirmed."""
STIR_INTERVAL: Final = 10.0
"""Seconds in which a service that says what is known already is heard once."""
MAX_HEARD: Final = 512
"""Services of which it is known when they were heard."""
MDNS_PORT: Final = 5353

WATCHED: Final = (
    ServiceType.AIRPLAY,
    ServiceType.COMPANION,
    ServiceType.MRP,
    ServiceType.RAOP,
    ServiceType.SLEEP_PROXY,
)
"""The types that are browsed for."""

_QUERY_FLAGS: Final = 0


class Watcher:
    """Hears what is announced, and tells it device by device."""

    def __init__(
        self,
        zeroconf: AsyncZeroconf | None = None,
        *,
        debounce: float = DEBOUNCE,
        allow_loopback: bool = False,
        proxy_port: int = MDNS_PORT,
    ) -> None:
        """Use an instance that stays the caller's; without one only `feed` tells."""
        self._zeroconf = None if zeroconf is None else zeroconf.zeroconf
        self._debounce = debounce
        self._allow_loopback = allow_loopback
        self._proxy_port = proxy_port
        self._sightings = Sightings()
        self._subscribers: dict[object, Callable[[Sighting], None]] = {}
        self._browser: AsyncServiceBrowser | None = None
        self._ears: _Ears | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lookups: dict[Key, asyncio.Task[None]] = {}
        self._checks: dict[Key, asyncio.TimerHandle] = {}
        self._heard: dict[Key, float] = {}

    @property
    def devices(self) -> tuple[FoundDevice, ...]:
        """The devices that are known right now."""
        return self._sightings.devices

    def find(self, identifiers: Collection[str]) -> FoundDevice | None:
        """Return the device that has one of these identifiers."""
        for device in self.devices:
            if device.is_same_as(identifiers):
                return device
        return None

    def remember(self, device: FoundDevice) -> None:
        """Know a device from earlier: of one asleep no more than the name may be heard."""
        self._sightings.remember(device)

    async def start(self) -> None:
        """Begin to browse."""
        if self._zeroconf is None or self._browser is not None:
            return
        self._ears = _Ears(self._hear)
        self._zeroconf.async_add_listener(self._ears, None)
        self._browser = AsyncServiceBrowser(
            self._zeroconf, browsed(WATCHED), handlers=[self._changed]
        )

    async def stop(self) -> None:
        """End it; what was known is forgotten, and nothing is told any more."""
        self._subscribers.clear()
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.async_cancel()
        ears, self._ears = self._ears, None
        if ears is not None and self._zeroconf is not None:
            self._zeroconf.async_remove_listener(ears)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for check in self._checks.values():
            check.cancel()
        self._checks.clear()
        lookups = list(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)
        self._heard.clear()
        self._sightings = Sightings()

    def subscribe(self, callback: Callable[[Sighting], None]) -> Callable[[], None]:
        """Hear of every device that is ready, until the returned function is called.

        Those that are known already are told first, as APPEARED.
        """
        key = object()
        self._subscribers[key] = callback

        def unsubscribe() -> None:
            self._subscribers.pop(key, None)

        for device in self.devices:
            self._tell_one(key, Sighting(device, SightingKind.APPEARED))
        return unsubscribe

    def feed(self, announcement: Announcement) -> None:
        """Take in what somebody else has heard; see records.announcement."""
        if self._sightings.add(announcement):
            self._tell_soon()

    def feed_goodbye(self, type_: str, name: str) -> None:
        """Take in that a service is gone; names as for records.announcement."""
        found = instance_behind(type_, name)
        if found is not None and self._sightings.remove(_key(found)):
            self._tell_soon()

    # What is told

    def _tell_soon(self) -> None:
        """Wait for what else is said in one breath; not longer, however much follows."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._debounce, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if len(self._heard) > MAX_HEARD:
            self._heard.clear()
        for sighting in self._sightings.update():
            for key in list(self._subscribers):
                self._tell_one(key, sighting)

    def _tell_one(self, key: object, sighting: Sighting) -> None:
        """Tell somebody who has not been ended meanwhile, and outlive what that raises."""
        if (callback := self._subscribers.get(key)) is None:
            return
        try:
            callback(sighting)
        except Exception:
            _LOGGER.exception("Unexpected error telling of a device")

    # What zeroconf hears

    def _changed(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        found = instance_behind(service_type, name)
        if found is None:
            return
        if state_change is ServiceStateChange.Removed:
            self.feed_goodbye(service_type, name)
        else:
            self._resolve(zeroconf, found)

    def _resolve(self, zeroconf: Zeroconf, found: Instance) -> None:
        """Take in a service, and ask it for what is not known of it."""
        known = self._read(zeroconf, found)
        if known.address is not None:
            self.feed(known)
            if known.properties or found[0] not in PROTOCOLS:
                return
        key = _key(found)
        is_known = self._sightings.is_remembered(known.name, known.identifier)
        if key in self._lookups or (
            len(self._lookups) >= MAX_LOOKUPS
            and (not is_known or len(self._lookups) >= 2 * MAX_LOOKUPS)
        ):
            return
        self._lookups[key] = self._start(self._look_up(zeroconf, found))
        self._lookups[key].add_done_callback(lambda _: self._lookups.pop(key, None))

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work, name="apple look-up")

    def _read(self, zeroconf: Zeroconf, found: Instance) -> Announcement:
        return read_cached(zeroconf, *found, allow_loopback=self._allow_loopback)

    async def _look_up(self, zeroconf: Zeroconf, found: Instance) -> None:
        await look_up(zeroconf, *found, LOOKUP_TIMEOUT)
        told = self._read(zeroconf, found)
        if told.port or found[0] not in PROTOCOLS:
            self.feed(told)
            return
        # Only its name is known: it sleeps, and its sleep proxy may know more.
        proxies = self._sightings.proxies
        if proxies and not self._sightings.is_remembered(told.name, told.identifier):
            for one in await ask_proxies(
                proxies, [found], port=self._proxy_port, timeout=LOOKUP_TIMEOUT
            ):
                if one.key == told.key:
                    told = one
        self.feed(told)

    def _hear(
        self,
        zeroconf: Zeroconf,
        named: Collection[Instance],
        located: Collection[Instance],
    ) -> None:
        """Take in which services one packet names, and of which it says where they are."""
        now = asyncio.get_running_loop().time()
        for found in located:
            key = _key(found)
            check = self._checks.pop(key, None)
            if check is not None:
                check.cancel()
            elif self._sightings.is_unlocated(key):
                self._resolve(zeroconf, found)
            elif now - self._heard.get(key, float("-inf")) < STIR_INTERVAL:
                continue
            elif self._sightings.stir(key):
                self._heard[key] = now
                self._tell_soon()
        if not located:
            for found in named:
                self._check(zeroconf, found)

    def _check(self, zeroconf: Zeroconf, found: Instance) -> None:
        """Ask a device that may be asleep where it is: only when awake it answers."""
        key = _key(found)
        if (
            key in self._checks
            or len(self._checks) >= MAX_CHECKS
            or not self._sightings.is_located(key)
        ):
            return
        out = DNSOutgoing(_QUERY_FLAGS)
        out.add_question(DNSQuestion(full_name(*found), RecordType.SRV, CLASS_IN))
        # Nobody who listens to zeroconf should suffer from a name that cannot be asked for.
        with contextlib.suppress(Error):
            zeroconf.async_send(out)
        self._checks[key] = asyncio.get_running_loop().call_later(
            CONFIRM, self._fell_asleep, found
        )

    def _fell_asleep(self, found: Instance) -> None:
        self._checks.pop(_key(found), None)
        self.feed(Announcement(*found, None, 0))


def _key(found: Instance) -> Key:
    return found[0], found[1].casefold()


def _instance_at(name: str) -> Instance | None:
    """Return the instance that a record is about."""
    instance, *type_ = name.rsplit("._", 2)
    kind = service_type("".join(f"_{part}." for part in type_).removesuffix("."))
    return (
        (kind, instance)
        if kind is not None and kind in PROTOCOLS and instance
        else None
    )


class _Ears(RecordUpdateListener):
    """Hears packet by packet what a browser does not tell: who says nothing but names."""

    def __init__(
        self,
        heard: Callable[[Zeroconf, Collection[Instance], Collection[Instance]], None],
    ) -> None:
        super().__init__()
        self._heard = heard
        self._zeroconf: Zeroconf | None = None
        self._named: dict[Instance, None] = {}
        self._located: dict[Instance, None] = {}

    @override
    def async_update_records(
        self, zc: Zeroconf, now: float, records: list[RecordUpdate]
    ) -> None:
        """Note what is named and what is located, of the types that are watched."""
        self._zeroconf = zc
        for update in records:
            record = update.new
            if record.is_expired(now):
                continue
            if record.type == RecordType.PTR:
                found = instance_behind(record.name, getattr(record, "alias", ""))
                if found is not None and found[0] in PROTOCOLS:
                    self._named[found] = None
            elif record.type == RecordType.SRV:
                found = _instance_at(record.name)
                if found is not None:
                    self._located[found] = None

    @override
    def async_update_records_complete(self) -> None:
        """Tell of them, now that zeroconf knows them, too."""
        named, self._named = self._named, {}
        located, self._located = self._located, {}
        if self._zeroconf is not None and (named or located):
            self._heard(self._zeroconf, named, located)
