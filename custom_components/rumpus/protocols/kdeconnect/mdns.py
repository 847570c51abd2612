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
    """Registers our service and looks for those of others."""

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
        self._info: AsyncServiceInfo | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._lookups: dict[str, asyncio.Task[None]] = {}
        self._announcing: asyncio.Future[None] | None = None
        self._own_id = ""

    async def start(self, identity: Identity, addresses: tuple[str, ...]) -> None:
        """Register our service under these IPv4 addresses and begin to browse."""
        self._own_id = identity.device_id
        self._info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{identity.device_id}.{SERVICE_TYPE}",
            addresses=[socket.inet_aton(address) for address in addresses],
            port=identity.tcp_port or UDP_PORT,
            properties={
                "id": identity.device_id,
                "name": identity.name,
                "type": identity.device_type.value,
                "protocol": str(identity.protocol_version),
            },
            server=f"{identity.device_id}.local.",
        )
        # The id is unique: nobody has to be asked whether the name is free.  Saying it
        # three times takes seconds that nobody has to wait for.
        self._announcing = asyncio.ensure_future(
            await self._zeroconf.async_register_service(
                self._info, cooperating_responders=True
            )
        )
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._changed]
        )

    async def stop(self) -> None:
        """Withdraw our service and end the search."""
        tasks: list[asyncio.Future[None]] = list(self._lookups.values())
        if self._announcing is not None:
            tasks.append(self._announcing)
            self._announcing = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._browser is not None:
            await self._browser.async_cancel()
            self._browser = None
        if self._info is not None:
            await (await self._zeroconf.async_unregister_service(self._info))
            self._info = None

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
            or device_id == self._own_id
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
