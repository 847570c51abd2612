"""Looking for devices, by asking addresses or everybody (part A, sections 1.5 to 1.7)."""

from collections.abc import Collection, Iterable
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from .const import AppleProtocol
from .services import FoundDevice

DNS_PORT: Final = 5353
SCAN_TIMEOUT: Final = 5.0
"""Seconds that a scan takes at most."""


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
    as soon as there is one. It ends early, too, when everything has been answered.
    """
    raise NotImplementedError


async def scan_multicast(
    zeroconf: AsyncZeroconf,
    *,
    timeout: float = SCAN_TIMEOUT,
    protocols: Collection[AppleProtocol] | None = None,
    identifiers: Collection[str] | None = None,
) -> tuple[FoundDevice, ...]:
    """Ask everybody, for the whole time unless a wanted device is found.

    The instance of zeroconf stays the caller's; what it knows already is used first.
    """
    raise NotImplementedError


def merge(devices: Iterable[FoundDevice]) -> tuple[FoundDevice, ...]:
    """Return each device once: those that share an identifier are one."""
    raise NotImplementedError
