"""Announcing and browsing by mDNS (the KDE Connect reference, section 4.2)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import logging
import socket
from typing import Final

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from .const import SERVICE_TYPE, TCP_PORTS, UDP_PORT
from .discovery import is_local_address
from .identity import Identity, is_valid_device_id

_LOGGER = logging.getLogger(__name__)

# Services looked up at once: whoever announces thousands is not served first.
MAX_LOOKUPS: Final = 16
LOOKUP_TIMEOUT_MS: Final = 3000


@dataclass(frozen=True, slots=True)
class FoundService:
    """A device's service: not authenticated, only a hint where to look."""

    device_id: str
    host: str
    port: int


class MdnsDiscovery:
    """Registers our services, one for each identity, and looks for those of others."""

    def __init__(
        self,
        zeroconf: AsyncZeroconf,
        found: Callable[[FoundService], None],
        *,
        is_known: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Use a zeroconf instance that stays the caller's; it is never closed here.

        `is_known` tells whether an id is a paired device's: those are always looked up.
        """
        self._is_known = is_known
        self._zeroconf = zeroconf
        self._found = found
        # Our services by device id.
        self._services: dict[str, AsyncServiceInfo] = {}
        self._announcing: dict[str, asyncio.Future[None]] = {}
        self._browser: AsyncServiceBrowser | None = None
        self._lookups: dict[str, asyncio.Task[None]] = {}

    async def start(self, identity: Identity, addresses: tuple[str, ...]) -> None:
        """Register a service under these IPv4 addresses, and browse.

        Whoever comes later has to hear of what was found before, so the search begins anew.
        """
        device_id = identity.device_id
        info = self._services[device_id] = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{device_id}.{SERVICE_TYPE}",
            addresses=[socket.inet_aton(address) for address in addresses],
            port=identity.tcp_port or UDP_PORT,
            properties={
                "id": device_id,
                "name": identity.name,
                "type": identity.device_type.value,
                "protocol": str(identity.protocol_version),
            },
            server=f"{device_id}.local.",
        )
        # The id is unique: nobody has to be asked whether the name is free.  Saying it
        # three times takes seconds that nobody has to wait for.
        self._announcing[device_id] = asyncio.ensure_future(
            await self._zeroconf.async_register_service(
                info, cooperating_responders=True
            )
        )
        earlier = self._browser
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._changed]
        )
        if earlier is not None:
            await earlier.async_cancel()

    async def stop(self, device_id: str) -> None:
        """Withdraw a service, and with the last one end the search."""
        info = self._services.pop(device_id, None)
        announcing = self._announcing.pop(device_id, None)
        ending: list[asyncio.Future[None]] = []
        if announcing is not None:
            ending.append(announcing)
        if not self._services:
            ending += self._lookups.values()
        for future in ending:
            future.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if not self._services and self._browser is not None:
            await self._browser.async_cancel()
            self._browser = None
        if info is not None:
            await (await self._zeroconf.async_unregister_service(info))

    def _changed(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        device_id = name.removesuffix(f".{SERVICE_TYPE}")
        if (
            state_change is ServiceStateChange.Removed
            or device_id in self._services
            or not is_valid_device_id(device_id)
            or device_id in self._lookups
            or (len(self._lookups) >= MAX_LOOKUPS and not self._is_known(device_id))
        ):
            return
        task = asyncio.get_running_loop().create_task(
            self._look_up(zeroconf, name, device_id),
            name=f"kdeconnect mdns {device_id}",
        )
        self._lookups[device_id] = task
        task.add_done_callback(lambda _: self._lookups.pop(device_id, None))

    async def _look_up(self, zeroconf: Zeroconf, name: str, device_id: str) -> None:
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        if not await info.async_request(zeroconf, LOOKUP_TIMEOUT_MS):
            return
        # KDE 26.08 announces port 0: section 4.2 says what to make of it.
        port = info.port if info.port in TCP_PORTS else None
        for host in info.parsed_addresses(IPVersion.V4Only):
            if is_local_address(host):
                self._found(FoundService(device_id, host, port or TCP_PORTS.start))
                return
        _LOGGER.debug("%s announces no local address", device_id)
