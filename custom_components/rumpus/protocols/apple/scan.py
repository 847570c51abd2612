"""Looking for devices, by asking addresses or everybody (part A, sections 1.5 to 1.7)."""

import asyncio
from collections.abc import Collection, Iterable
import ipaddress
import logging
import socket
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from ..errors import DisconnectedError, PeerTimeoutError, RumpusError
from .const import AppleProtocol
from .knock import knock as knock_at
from .records import devices, merge
from .scan_query import HostQuery, queries_for, types_of
from .scan_zeroconf import scan as scan_zeroconf
from .services import FoundDevice

__all__ = [
    "DNS_PORT",
    "SCAN_TIMEOUT",
    "merge",
    "resolve",
    "scan_multicast",
    "scan_unicast",
]

_LOGGER = logging.getLogger(__name__)

DNS_PORT: Final = 5353
SCAN_TIMEOUT: Final = 5.0
"""Seconds that a scan takes at most."""
RESOLVE_TIMEOUT: Final = 3.0
"""Seconds for the name of a host to be looked up."""
MAX_HOSTS: Final = 32
"""Hosts that are asked at the same time; more have to wait."""


async def resolve(host: str, *, timeout: float = RESOLVE_TIMEOUT) -> str:
    """Return the address of a host, IPv4 where there is one.

    Raises DisconnectedError when there is no such host, PeerTimeoutError.
    """
    host = host.strip()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except TimeoutError as err:
        raise PeerTimeoutError("Nobody tells the address of that host") from err
    # Also names that cannot be written in DNS, or hold a NUL.
    except (OSError, ValueError) as err:
        raise DisconnectedError("There is no host of that name") from err
    addresses = [str(entry[4][0]) for entry in found]
    addresses.sort(key=lambda address: ":" in address)
    if not addresses:
        raise DisconnectedError("That host has no address")
    return addresses[0]


async def scan_unicast(
    hosts: Collection[str],
    *,
    port: int = DNS_PORT,
    timeout: float = SCAN_TIMEOUT,
    protocols: Collection[AppleProtocol] | None = None,
    identifiers: Collection[str] | None = None,
    knock: bool = True,
) -> tuple[FoundDevice, ...]:
    """Ask these addresses or host names; what does not answer is not in the result.

    With `identifiers` only devices that have one of them are returned, and the scan ends
    soon after there is one. It ends early, too, when everything has been answered.
    """
    places = asyncio.Semaphore(MAX_HOSTS)

    async def ask(host: str) -> tuple[FoundDevice, ...]:
        async with places:
            return await _ask_host(host, port, timeout, protocols, identifiers, knock)

    answers = await asyncio.gather(*map(ask, dict.fromkeys(hosts)))
    return _wanted((device for answer in answers for device in answer), identifiers)


async def _ask_host(
    host: str,
    port: int,
    timeout: float,
    protocols: Collection[AppleProtocol] | None,
    identifiers: Collection[str] | None,
    knock: bool,
) -> tuple[FoundDevice, ...]:
    try:
        address = await resolve(host, timeout=min(timeout, RESOLVE_TIMEOUT))
    except RumpusError as err:
        _LOGGER.debug("A host cannot be asked: %s", err)
        return ()
    types = types_of(protocols)
    query = HostQuery(address, types, queries_for(types), wanted=identifiers or ())
    knocking = (
        asyncio.ensure_future(knock_at(address, timeout=timeout)) if knock else None
    )
    try:
        return devices(await query.run(port, timeout))
    finally:
        if knocking is not None:
            knocking.cancel()
            await asyncio.gather(knocking, return_exceptions=True)


async def scan_multicast(
    zeroconf: AsyncZeroconf,
    *,
    timeout: float = SCAN_TIMEOUT,
    protocols: Collection[AppleProtocol] | None = None,
    identifiers: Collection[str] | None = None,
    allow_loopback: bool = False,
    proxy_port: int = DNS_PORT,
) -> tuple[FoundDevice, ...]:
    """Ask everybody, for the whole time unless a wanted device is found.

    The instance of zeroconf stays the caller's; what it knows already is used first.
    Sleep proxies are asked at `proxy_port` for devices that only they know.
    """
    told = await scan_zeroconf(
        zeroconf.zeroconf,
        types_of(protocols),
        timeout=timeout,
        wanted=frozenset(identifiers or ()),
        allow_loopback=allow_loopback,
        proxy_port=proxy_port,
    )
    return _wanted(devices(told), identifiers)


def _wanted(
    found: Iterable[FoundDevice], identifiers: Collection[str] | None
) -> tuple[FoundDevice, ...]:
    """Return the devices that there is something to know by, each once."""
    return tuple(
        device
        for device in merge(device for device in found if device.is_ready)
        if identifiers is None or device.is_same_as(identifiers)
    )
