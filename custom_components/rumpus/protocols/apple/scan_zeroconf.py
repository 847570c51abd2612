"""Asking everybody, through an instance of zeroconf (part A, sections 1.6 and 1.7)."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Sequence
import contextlib
from dataclasses import replace
import logging
from typing import Final

from zeroconf import (
    BadTypeInNameException,
    Error,
    IPVersion,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from ..errors import ProtocolError
from .dns import split_texts
from .records import (
    PROTOCOLS,
    Announcement,
    ServiceType,
    instance_of,
    mark_proxied,
    read_texts,
    service_type,
    usable_address,
)
from .scan_query import MAX_UNLOCATED, HostQuery, queries_for_instances

_LOGGER = logging.getLogger(__name__)

MAX_NAMES: Final = 256
"""Services that one search looks up."""
MAX_LOOKUPS: Final = 16
"""Services that are looked up at the same time."""
MAX_PROXIES: Final = 8
"""Sleep proxies that are asked."""
PROXY_DELAY: Final = 1.5
"""Seconds that a service has to say where it is, until sleep proxies are asked for it."""
QUIET: Final = 0.3
"""Seconds without news after which a device that is looked for has told all."""


_DOMAIN: Final = ".local."

type Instance = tuple[ServiceType, str]


def full_type(type_: ServiceType) -> str:
    """Return a type as zeroconf calls it."""
    return type_.value + _DOMAIN


def full_name(type_: ServiceType, instance: str) -> str:
    """Return an instance as zeroconf calls it."""
    return f"{instance}.{full_type(type_)}"


def browsed(types: Iterable[ServiceType]) -> list[str]:
    """Return the types that there are instances of to be found."""
    return [full_type(one) for one in types if one is not ServiceType.DEVICE_INFO]


def instance_behind(type_: str, name: str) -> Instance | None:
    """Return what a name of zeroconf's stands for, None for nothing of ours."""
    kind, instance = service_type(type_), instance_of(type_, name)
    return None if kind is None or instance is None else (kind, instance)


def read_cached(
    zeroconf: Zeroconf,
    type_: ServiceType,
    instance: str,
    *,
    allow_loopback: bool = False,
) -> Announcement:
    """Return what zeroconf knows of a service; port 0 when it does not know where it is."""
    found = Announcement(type_, instance, None, 0)
    try:
        info = AsyncServiceInfo(full_type(type_), full_name(type_, instance))
    except BadTypeInNameException:
        return found
    info.load_from_cache(zeroconf)
    found = replace(found, properties=_read_text(info.text))
    if not info.port or not info.server:
        return found
    # The latest word goes first: a device that moved is where it said it is.
    addresses = (
        usable_address(address, allow_loopback=allow_loopback)
        for address in info.parsed_addresses(IPVersion.V4Only)
    )
    return replace(
        found,
        address=next((address for address in addresses if address is not None), None),
        port=info.port,
        host=info.server.lower().removesuffix("."),
    )


def _read_text(data: bytes) -> dict[str, str]:
    try:
        return read_texts(split_texts(data))
    except ProtocolError:
        return {}


async def look_up(
    zeroconf: Zeroconf, type_: ServiceType, instance: str, timeout: float
) -> None:
    """Have zeroconf ask for all records of a service that it does not know yet."""
    with contextlib.suppress(Error):
        info = AsyncServiceInfo(full_type(type_), full_name(type_, instance))
        await info.async_request(zeroconf, timeout * 1000)


async def ask_proxies(
    addresses: Iterable[str],
    instances: Sequence[Instance],
    *,
    port: int,
    timeout: float,
) -> tuple[Announcement, ...]:
    """Ask sleep proxies for services that are known by name alone."""
    types = {type_ for type_, _ in instances} | {ServiceType.DEVICE_INFO}
    names = {(type_, instance.casefold()) for type_, instance in instances}
    queries = [
        HostQuery(address, types, queries_for_instances(instances)).run(port, timeout)
        for address in list(dict.fromkeys(addresses))[:MAX_PROXIES]
    ]
    return tuple(
        replace(one, is_proxied=True)
        for told in await asyncio.gather(*queries)
        for one in told
        if one.key in names or one.type is ServiceType.DEVICE_INFO
    )


async def scan(
    zeroconf: Zeroconf,
    types: Collection[ServiceType],
    *,
    timeout: float,
    wanted: frozenset[str],
    allow_loopback: bool,
    proxy_port: int,
) -> tuple[Announcement, ...]:
    """Look for services until one with a wanted identifier is found, or time is over."""
    search = _Search(zeroconf, types, wanted, allow_loopback)
    return await search.run(timeout, proxy_port)


class _Search:
    """One search: the names that came up, and what is done to learn more of them."""

    def __init__(
        self,
        zeroconf: Zeroconf,
        types: Collection[ServiceType],
        wanted: frozenset[str],
        allow_loopback: bool,
    ) -> None:
        self._zeroconf = zeroconf
        self._types = types
        self._wanted = wanted
        self._allow_loopback = allow_loopback
        self._names: dict[Instance, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MAX_LOOKUPS)
        self._proxied: tuple[Announcement, ...] = ()
        self._done = asyncio.Event()
        self._is_found = False
        self._quiet: asyncio.TimerHandle | None = None
        self._until = 0.0

    async def run(self, timeout: float, proxy_port: int) -> tuple[Announcement, ...]:
        loop = asyncio.get_running_loop()
        self._until = loop.time() + timeout
        browser = AsyncServiceBrowser(
            self._zeroconf, browsed(self._types), handlers=[self._changed]
        )
        self._start(self._ask_proxies(proxy_port, timeout))
        try:
            async with asyncio.timeout(timeout):
                await self._done.wait()
        except TimeoutError:
            pass
        finally:
            if self._quiet is not None:
                self._quiet.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await browser.async_cancel()
        return (*mark_proxied(self._told()), *self._proxied)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="apple scan")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
            self._names.pop(found, None)
        elif found not in self._names and len(self._names) < MAX_NAMES:
            self._names[found] = None
            self._start(self._look_up(*found))
        self._check(found)

    async def _look_up(self, type_: ServiceType, instance: str) -> None:
        async with self._places:
            left = self._until - asyncio.get_running_loop().time()
            await look_up(self._zeroconf, type_, instance, max(left, 0.0))
        self._check((type_, instance))

    def _check(self, found: Instance) -> None:
        """End soon after a wanted device was found, if nothing is heard any more."""
        if not self._wanted:
            return
        one = self._read(*found)
        self._is_found |= one.identifier in self._wanted and one.address is not None
        if self._is_found:
            if self._quiet is not None:
                self._quiet.cancel()
            loop = asyncio.get_running_loop()
            self._quiet = loop.call_later(QUIET, self._done.set)

    def _told(self) -> list[Announcement]:
        told = [self._read(*name) for name in self._names]
        boards = {
            one.instance: self._read(ServiceType.DEVICE_INFO, one.instance)
            for one in told
            if one.type in PROTOCOLS
        }
        return [*told, *(one for one in boards.values() if one.properties)]

    def _read(self, type_: ServiceType, instance: str) -> Announcement:
        return read_cached(
            self._zeroconf, type_, instance, allow_loopback=self._allow_loopback
        )

    async def _ask_proxies(self, port: int, timeout: float) -> None:
        await asyncio.sleep(min(PROXY_DELAY, timeout / 2))
        told = self._told()
        unlocated = [
            (one.type, one.instance)
            for one in told
            if one.type in PROTOCOLS and not one.port
        ]
        proxies = [
            one.address
            for one in told
            if one.type is ServiceType.SLEEP_PROXY and one.address is not None
        ]
        if not unlocated or not proxies:
            return
        left = self._until - asyncio.get_running_loop().time() - QUIET
        self._proxied = await ask_proxies(
            proxies, unlocated[:MAX_UNLOCATED], port=port, timeout=max(left, QUIET)
        )
        if self._wanted.intersection(one.identifier or "" for one in self._proxied):
            self._done.set()
