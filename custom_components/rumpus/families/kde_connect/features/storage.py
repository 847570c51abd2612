"""The files of a phone: what its user lets us see of them."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, ClassVar, override

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ....entity import translated_errors
from ....files import DeviceFiles, FileEntry, FileMissingError, Picture, translated
from ....protocols.errors import AuthenticationError, DisconnectedError
from ....protocols.kdeconnect.plugins import Message
from ....protocols.kdeconnect.plugins.sftp import StorageOffer, StorageRefused
from ....protocols.kdeconnect.storage import (
    FileUnavailableError,
    PhoneStorage,
    SessionModule,
    StorageBusyError,
    StorageRefusedError,
    StoredFile,
    import_session,
)
from ....protocols.kdeconnect.storage_paths import (
    decode_item,
    display_name,
    encode_item,
    join,
)
from ..feature import Feature
from ..hub import async_get_hub
from ..options import Option
from ..thumbnails import Thumbnails

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator


class StorageFeature(Feature, DeviceFiles):
    """Looks into the phone's files while somebody does here."""

    option: ClassVar[Option | None] = Option.STORAGE

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Begin nothing."""
        super().__init__(coordinator)
        self._storage = PhoneStorage(
            self.device, lambda: _private_key(self.hass), self._async_load
        )
        self._thumbnails = Thumbnails()
        self._unsub_stop: CALLBACK_TYPE | None = None

    @override
    async def async_start(self) -> None:
        self._unsub_stop = self.hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_on_shutdown
        )

    @override
    async def async_stop(self) -> None:
        if self._unsub_stop is not None:
            self._unsub_stop()
            self._unsub_stop = None
        await self._storage.close()

    async def _async_on_shutdown(self, event: Event) -> None:
        self._unsub_stop = None  # it was listened to once
        await self._storage.close()

    async def _async_load(self) -> SessionModule:
        return await self.hass.async_add_import_executor_job(import_session)

    @callback
    @override
    def disconnected(self) -> None:
        self._storage.disconnected()
        self._thumbnails.clear()

    @callback
    @override
    def unpaired(self) -> None:
        self.disconnected()

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, StorageOffer | StorageRefused):
            self._storage.received(message)

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"storage_is_open": self._storage.is_open}

    # What others see

    @property
    @override
    def is_connected(self) -> bool:
        return self.state.is_connected

    @property
    @override
    def device_name(self) -> str:
        return self.device.name

    @override
    def name_of(self, item: str) -> str:
        path = self._path(item)
        return self._storage.root_name(path) or display_name(path)

    @override
    async def async_list(self, item: str | None) -> list[FileEntry]:
        with self._errors():
            if item is None:
                return [
                    FileEntry(encode_item(root.path), root.name, is_folder=True)
                    for root in await self._storage.roots()
                ]
            folder = self._path(item)
            return [
                FileEntry(
                    encode_item(path),
                    display_name(path),
                    entry.is_folder,
                    entry.size,
                    entry.modified,
                )
                for entry in await self._storage.scan(folder)
                if (path := join(folder, entry.name)) is not None
            ]

    @override
    async def async_stat(self, item: str) -> FileEntry:
        path = self._path(item)
        with self._errors():
            entry = await self._storage.stat(path)
        return FileEntry(
            item, display_name(path), entry.is_folder, entry.size, entry.modified
        )

    @asynccontextmanager
    @override
    async def async_open(self, item: str) -> AsyncGenerator[StoredFile]:
        path = self._path(item)
        with self._errors():
            async with self._storage.open(path) as file:
                yield file

    @override
    async def async_thumbnail(self, item: str, version: str) -> Picture | None:
        return await self._thumbnails.async_get(self, item, version)

    def _path(self, item: str) -> bytes:
        if (path := decode_item(item)) is None:
            raise self._error("storage_missing", FileMissingError)
        return path

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Tell the user what to do."""
        with translated_errors(self.device.name):
            try:
                yield
            except FileUnavailableError as err:
                raise self._error("storage_missing", FileMissingError) from err
            except StorageBusyError as err:
                raise self._error("storage_busy") from err
            except StorageRefusedError as err:
                # The text is the phone's own, for its user.
                raise translated(
                    HomeAssistantError,
                    "storage_refused",
                    {"name": self.device.name, "reason": err.reason},
                ) from err
            except AuthenticationError as err:
                raise self._error("storage_no_entry") from err

    def _error(
        self, key: str, error: type[HomeAssistantError] = HomeAssistantError
    ) -> HomeAssistantError:
        return translated(error, key, {"name": self.device.name})


def _private_key(hass: HomeAssistant) -> str:
    """Return the key of our certificate, with which phones let us in."""
    if (peer := async_get_hub(hass).peer) is None:
        raise DisconnectedError("our end was stopped")
    return peer.credentials.private_key_pem
