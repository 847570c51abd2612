"""Files that Home Assistant shares with a device, one after the other."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ....const import DOMAIN
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError, ProtocolError
from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.payload_files import FileAccessError
from ....protocols.kdeconnect.plugins import share
from .share_sources import SourceFile, Sources

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator
    from .share_progress import TransferMeter

MAX_FILES: Final = 500
"""Files that may be shared at once."""


class Outgoing:
    """Sends files to a device: one share after the other, and one file after the other."""

    def __init__(
        self, coordinator: KdeConnectCoordinator, meter: TransferMeter
    ) -> None:
        """Start with none."""
        self._coordinator = coordinator
        self._meter = meter
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @callback
    def cancel(self) -> None:
        """Give up what is sent, and what waits for its turn."""
        for task in self._tasks:
            task.cancel()

    async def async_stop(self) -> None:
        """Give up everything, and wait for that."""
        self.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def async_send(
        self, items: Sequence[str], limit: int, *, open_it: bool
    ) -> None:
        """Share the files behind ids of media items and paths; return when they are there.

        At most `limit` bytes are fetched of each that is not on our disk. Raises
        ServiceValidationError when one of them cannot be shared, before any is sent, and
        HomeAssistantError when it fails or is canceled.
        """
        if len(items) > MAX_FILES:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="share_too_many",
                translation_placeholders={"limit": str(MAX_FILES)},
            )
        await self._async_run(self._async_share(items, limit, open_it))

    async def _async_run(self, work: Coroutine[None, None, None]) -> None:
        """Do something that can be canceled by others than who waits for it."""
        task = self._coordinator.entry.async_create_background_task(
            self._coordinator.hass,
            work,
            f"{DOMAIN} files for {self._coordinator.device_id}",
            eager_start=False,
        )
        self._tasks.add(task)
        try:
            await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise self._error("share_canceled") from None
        finally:
            self._tasks.discard(task)

    async def _async_share(
        self, items: Sequence[str], limit: int, open_it: bool
    ) -> None:
        sources = Sources(self._coordinator.hass, limit)
        try:
            files = await sources.async_get(items)
            async with self._turn:
                await self._async_send_all(files, open_it)
        finally:
            await sources.async_clean()

    async def _async_send_all(self, files: list[SourceFile], open_it: bool) -> None:
        total = sum(file.size for file in files)
        done = 0
        share_id = object()
        self._meter.update(share_id, 0, total)
        try:
            for number, file in enumerate(files, 1):
                packet = share.file(
                    file.name,
                    modified_ms=file.modified_ms,
                    open_it=open_it,
                    count=len(files),
                    total_bytes=total,
                )

                def progress(count: int, done: int = done) -> None:
                    self._meter.update(share_id, done + count, total)

                with translated_errors(self._coordinator.device.name):
                    try:
                        await self._async_send_file(packet, file.path, progress)
                    except DisconnectedError as err:
                        raise self._error(
                            "share_interrupted", number, len(files)
                        ) from err
                    except (ProtocolError, FileAccessError) as err:
                        raise self._error(
                            "share_unreadable", number, len(files)
                        ) from err
                done += file.size
                progress(0, done)
        finally:
            self._meter.end(share_id)

    async def _async_send_file(
        self, packet: Packet, path: Path, progress: Callable[[int], None]
    ) -> None:
        device = self._coordinator.device
        try:
            await device.send_payload(packet, path, progress=progress)
        except DisconnectedError:
            if not device.is_connected:
                raise
            # GSConnect breaks off transfers now and then (section 13, number 21).
            await device.send_payload(packet, path, progress=progress)

    def _error(self, key: str, number: int = 0, count: int = 0) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                "name": self._coordinator.device.name,
                "number": str(number),
                "count": str(count),
            },
        )
