"""The files of a device, as the media source and the views see them, whatever its family."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN

type Picture = tuple[bytes, str]
"""The bytes of a picture and its MIME type."""


class FileMissingError(HomeAssistantError):
    """There is no such file or folder among those that the device shows."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file or folder of a device; `item` stands for it in addresses and never changes.

    `size` is in bytes, `modified` in seconds since 1970; both are None for folders.
    """

    item: str
    name: str
    is_folder: bool
    size: int | None = None
    modified: int | None = None


class ReadableFile(Protocol):
    """An open file."""

    @property
    def size(self) -> int:
        """Bytes that it has."""

    @property
    def modified(self) -> int | None:
        """When it was changed, in seconds since 1970."""

    async def read(self, size: int, offset: int) -> bytes:
        """Return so many bytes from an offset; fewer only where the file ends.

        Raises RumpusError.
        """


class DeviceFiles(ABC):
    """The files of a device. Whatever fails raises a translated HomeAssistantError."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether they can be looked at now."""

    @property
    @abstractmethod
    def device_name(self) -> str:
        """The name of the device."""

    @abstractmethod
    def name_of(self, item: str) -> str:
        """Return the name of a file or folder; raises FileMissingError if it can be none.

        That of a folder where one may begin is the device's own after `async_list`.
        """

    @abstractmethod
    async def async_list(self, item: str | None) -> list[FileEntry]:
        """Return what is in a folder, in no order, or (None) where one may begin."""

    @abstractmethod
    async def async_stat(self, item: str) -> FileEntry:
        """Return what is there."""

    @abstractmethod
    def async_open(self, item: str) -> AbstractAsyncContextManager[ReadableFile]:
        """Open a file for as long as the context lasts."""

    @abstractmethod
    async def async_thumbnail(self, item: str, version: str) -> Picture | None:
        """Return a small picture of a picture; `version` changes when the file does."""


def translated(
    error: type[HomeAssistantError], key: str, placeholders: Mapping[str, str]
) -> HomeAssistantError:
    """Return an error with one of our texts."""
    return error(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=dict(placeholders),
    )
