"""Files that a device shares with Home Assistant, one after the other."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.event import async_call_later

from ....const import DOMAIN, LOGGER
from ....protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ....protocols.kdeconnect.payload_files import (
    FileAccessError,
    OutOfSpaceError,
    ReceivedFile,
    write_file,
)
from ....protocols.kdeconnect.plugins import clipboard, share
from ..const import EVENT_SHARE, SHARED
from .share_folder import (
    FolderError,
    StoredFile,
    default_folder,
    stored_file,
    usable_folder,
)

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator
    from .share_progress import TransferMeter

MAX_WAITING_FILES: Final = 100
"""Files that a device may announce while others come; the ones beyond are refused."""
BATCH_PATIENCE: Final = 10.0
"""Seconds until the next file of a batch has to be announced."""

MIB: Final = 1024 * 1024

_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (FolderError, "folder_unusable"),
    (OutOfSpaceError, "disk_full"),
    (FileAccessError, "folder_unusable"),
    (MessageTooLargeError, "too_large"),
    (AuthenticationError, "not_trusted"),
    (DisconnectedError, "interrupted"),
    (PeerTimeoutError, "interrupted"),
    (ProtocolError, "interrupted"),  # it ended too early
)

type Offer = share.SharedFile | clipboard.ClipboardFile


def tell(
    coordinator: KdeConnectCoordinator, event_type: str, public: dict[str, Any]
) -> None:
    """Fire an event on the bus, and show the same as a state."""
    coordinator.fire(SHARED, event_type, public)
    coordinator.fire_bus(EVENT_SHARE, {"type": event_type, **public})


@dataclass(slots=True, eq=False)
class _Batch:
    """Files that belong together; None is what the device does not tell."""

    count: int | None = None
    total: int | None = None
    announced: int = 0
    arrived: int = 0
    size: int = 0
    folder: Path | None = None

    def grow(self, count: int | None, total: int | None) -> None:
        """Take totals that a packet tells."""
        self.count = self.count if count is None else count
        self.total = self.total if total is None else total

    @property
    def is_whole(self) -> bool:
        """Whether no further file is to come."""
        return self.count is None or self.arrived >= self.count


class Incoming:
    """Fetches the files that a device announces, in the order of their announcements."""

    def __init__(
        self, coordinator: KdeConnectCoordinator, meter: TransferMeter
    ) -> None:
        """Start with none."""
        self._coordinator = coordinator
        self._meter = meter
        self._waiting: deque[Offer] = deque()
        self._task: asyncio.Task[None] | None = None
        self._was_canceled = False
        self._batch = _Batch()
        self._unsub_patience: CALLBACK_TYPE | None = None

    @property
    def waiting(self) -> int:
        """How many files wait, without the one that comes."""
        return len(self._waiting)

    @callback
    def offered(self, offer: Offer) -> None:
        """Fetch a file as soon as it is its turn."""
        if len(self._waiting) >= MAX_WAITING_FILES:
            self._failed("too_many", offer)
            return
        self._lend_ear()
        if isinstance(offer, share.SharedFile):
            self._batch.grow(offer.count, offer.total_bytes)
        self._batch.announced += 1
        self._waiting.append(offer)
        if self._task is None:
            self._start()

    @callback
    def updated(self, update: share.ShareUpdate) -> None:
        """Take the new totals of the batch that comes or is about to."""
        self._lend_ear()
        self._batch.grow(update.count, update.total_bytes)
        if self._task is None:
            self._have_patience()

    @callback
    def cancel(self) -> None:
        """Give up the file that comes, and the ones that wait."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._close_batch()
        if self._task is not None:
            self._was_canceled = True
            self._task.cancel()
        for offer in waiting:
            self._failed("canceled", offer)

    async def async_stop(self) -> None:
        """Give up everything, and wait until nothing of it is left on the disk."""
        self.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    def _start(self) -> None:
        self._was_canceled = False
        self._task = self._coordinator.entry.async_create_background_task(
            self._coordinator.hass,
            self._async_work(),
            f"{DOMAIN} files of {self._coordinator.device_id}",
            eager_start=False,
        )
        self._task.add_done_callback(self._ended)

    @callback
    def _ended(self, task: asyncio.Task[None]) -> None:
        """Go on with what was announced meanwhile, or look at the batch."""
        self._task = None
        if task.cancelled() and not self._was_canceled:
            return  # Home Assistant stops
        if self._waiting:
            self._start()
        else:
            self._rest()

    # Batches

    def _lend_ear(self) -> None:
        if self._unsub_patience is not None:
            self._unsub_patience()
            self._unsub_patience = None

    def _have_patience(self) -> None:
        """Wait for the next file of the batch, but not for ever."""
        self._unsub_patience = async_call_later(
            self._coordinator.hass, BATCH_PATIENCE, self._lose_patience
        )

    @callback
    def _lose_patience(self, _now: datetime) -> None:
        self._unsub_patience = None
        batch = self._batch
        self._close_batch()
        if batch.announced:
            tell(
                self._coordinator,
                "failed",
                {
                    "reason": "incomplete",
                    "count": batch.count,
                    "arrived": batch.arrived,
                },
            )

    def _close_batch(self) -> None:
        self._lend_ear()
        self._meter.end(self._batch)
        self._batch = _Batch()

    def _rest(self) -> None:
        """Look at the batch now that no further file is announced."""
        batch = self._batch
        if not batch.is_whole and batch.count != 1:
            self._have_patience()
            return
        self._close_batch()
        # A single file has told of itself.
        if batch.count is not None and batch.arrived > 1:
            tell(
                self._coordinator,
                "files",
                {
                    "count": batch.arrived,
                    "size": batch.size,
                    "path": str(batch.folder),
                },
            )

    # Files

    async def _async_work(self) -> None:
        while self._waiting:
            offer = self._waiting.popleft()
            try:
                await self._async_receive(offer)
            except asyncio.CancelledError:
                self._failed("canceled", offer)
                raise

    async def _async_receive(self, offer: Offer) -> None:
        """Fetch a file, and tell what came of it."""
        try:
            stored = await self._async_store(offer)
        except (RumpusError, FolderError) as err:
            reason = next(
                (name for kind, name in _REASONS if isinstance(err, kind)), "failed"
            )
            LOGGER.debug(
                "%s: a file did not arrive: %s", self._coordinator.device_id, err
            )
            self._failed(reason, offer)
        else:
            self._arrived(offer, stored)

    async def _async_store(self, offer: Offer) -> StoredFile:
        coordinator = self._coordinator
        hass, options = coordinator.hass, coordinator.options
        media_dirs = dict(hass.config.media_dirs)

        def prepare() -> Path:
            folder = options.share_folder or default_folder(
                media_dirs, coordinator.device.name
            )
            return usable_folder(media_dirs, folder)

        folder = await hass.async_add_executor_job(prepare)
        target = folder / offer.filename
        payload = offer.payload
        modified_ms = offer.modified_ms if isinstance(offer, share.SharedFile) else None
        received: ReceivedFile
        if payload is None:
            received = await hass.async_add_executor_job(
                write_file, b"", target, modified_ms
            )
        else:
            received = await coordinator.device.fetch_file(
                payload,
                target,
                limit=options.max_file_size * MIB,
                modified_ms=modified_ms,
                progress=self._progress(payload.size or 0),
            )
        return await hass.async_add_executor_job(
            stored_file, media_dirs, received.path, received.size
        )

    def _progress(self, size: int) -> Callable[[int], None]:
        """Return what takes the bytes of a file as they come."""
        batch = self._batch

        def progress(count: int) -> None:
            # One that was canceled is not shown any more.
            if batch is self._batch:
                total = batch.total or batch.size + size
                self._meter.update(batch, batch.size + count, total)

        progress(0)
        return progress

    def _arrived(self, offer: Offer, stored: StoredFile) -> None:
        self._batch.arrived += 1
        self._batch.size += stored.size
        self._batch.folder = stored.path.parent
        tell(
            self._coordinator,
            "file",
            {
                "filename": stored.path.name,
                "path": str(stored.path),
                "media_content_id": stored.media_content_id,
                "mime_type": stored.mime_type,
                "size": stored.size,
                "open": isinstance(offer, share.SharedFile) and offer.open,
                "from_clipboard": isinstance(offer, clipboard.ClipboardFile),
            },
        )

    def _failed(self, reason: str, offer: Offer) -> None:
        tell(
            self._coordinator,
            "failed",
            {"reason": reason, "filename": offer.filename},
        )
