"""Files that a user wants to share: checked, and brought here if they are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
import mimetypes
from pathlib import Path
import shutil
import stat
import tempfile
from typing import Final
from urllib.parse import unquote

import aiohttp

from homeassistant.components import media_source
from homeassistant.components.media_player.browse_media import (
    async_process_play_media_url,
)
from homeassistant.components.media_source.const import (
    DOMAIN as MEDIA_SOURCE,
    URI_SCHEME,
)
from homeassistant.core import HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import raise_if_invalid_path

from ....const import DOMAIN
from ....protocols.kdeconnect.file_names import safe_file_name
from ..artwork import picture_type
from ..picture import async_snapshot, streaming_entity

DOWNLOAD_TIMEOUT: Final = 600.0
"""Seconds that fetching one media item may take."""
DOWNLOAD_IDLE_TIMEOUT: Final = 30.0
"""Seconds until an answer, and between two pieces of it."""

_CHUNK: Final = 1024 * 1024
# These go on for ever, or are mere lists of pieces.
_STREAMS: Final = frozenset(
    {
        "application/vnd.apple.mpegurl",
        "application/x-mpegurl",
        "multipart/x-mixed-replace",
    }
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to share: where it is, what it is called there, its size and its time."""

    path: Path
    name: str
    size: int
    modified_ms: int | None = None


class Sources:
    """Finds the files of one share, all of them before anything is sent."""

    def __init__(self, hass: HomeAssistant, limit: int) -> None:
        """Fetch at most `limit` bytes of what is not on our disk."""
        self._hass = hass
        self._limit = limit
        self._folder: Path | None = None

    async def async_get(self, items: Sequence[str]) -> list[SourceFile]:
        """Return the files behind ids of media items, paths, and cameras.

        Raises ServiceValidationError when one is missing or not allowed, HomeAssistantError
        when it cannot be fetched.
        """
        return [await self._async_get(item) for item in items]

    async def async_clean(self) -> None:
        """Remove what was fetched."""
        if self._folder is not None:
            await self._hass.async_add_executor_job(shutil.rmtree, self._folder, True)

    async def _async_get(self, item: str) -> SourceFile:
        run = self._hass.async_add_executor_job
        if not media_source.is_media_source_id(item):
            if valid_entity_id(item):
                return await self._async_take(item)
            return await run(_allowed_file, self._hass, item)
        if (entity_id := streaming_entity(item)) is not None:
            return await self._async_take(entity_id)
        if (path := _local_path(self._hass, item)) is not None:
            return await run(_file, path)
        try:
            media = await media_source.async_resolve_media(self._hass, item, None)
        except HomeAssistantError as err:
            raise _wrong("share_not_found") from err
        if media.path is not None:
            return await run(_file, media.path)
        if media.mime_type.lower() in _STREAMS:
            raise _wrong("share_stream")
        try:
            url = async_process_play_media_url(self._hass, media.url)
        except (HomeAssistantError, ValueError) as err:
            raise _not_fetched() from err
        name = await run(_named, item, media.mime_type)
        try:
            return await self._async_fetch(url, name)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise _not_fetched() from err

    async def _async_temporary(self, name: str) -> Path:
        """Return where a file may be that only lives as long as the share."""
        run = self._hass.async_add_executor_job
        if self._folder is None:
            self._folder = Path(await run(tempfile.mkdtemp, None, f"{DOMAIN}-"))
        return Path(await run(tempfile.mkdtemp, None, None, self._folder)) / name

    async def _async_take(self, entity_id: str) -> SourceFile:
        """Take a picture of what a camera or image entity shows."""
        data = await async_snapshot(self._hass, entity_id)
        run = self._hass.async_add_executor_job
        name = await run(_named, split_entity_id(entity_id)[1], picture_type(data))
        path = await self._async_temporary(name)
        await run(path.write_bytes, data)
        return SourceFile(path, name, len(data))

    async def _async_fetch(self, url: str, name: str) -> SourceFile:
        """Copy what is behind an address."""
        run = self._hass.async_add_executor_job
        path = await self._async_temporary(name)
        timeout = aiohttp.ClientTimeout(
            total=DOWNLOAD_TIMEOUT, sock_read=DOWNLOAD_IDLE_TIMEOUT
        )
        size = 0
        async with async_get_clientsession(self._hass).get(
            url, raise_for_status=True, timeout=timeout
        ) as response:
            if response.content_type.lower() in _STREAMS:
                raise _wrong("share_stream")
            file = await run(path.open, "wb")
            try:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    size += len(chunk)
                    if size > self._limit:
                        raise _wrong("share_too_large")
                    await run(file.write, chunk)
            finally:
                await run(file.close)
        return SourceFile(path, name, size)


def _local_path(hass: HomeAssistant, item: str) -> Path | None:
    """Return the path of an item of the local media, None for an item of other sources.

    That source itself does not resolve files of an unknown type.
    """
    prefix = f"{URI_SCHEME}{MEDIA_SOURCE}/"
    if not item.startswith(prefix):
        return None
    key, _, location = item.removeprefix(prefix).partition("/")
    directory = hass.config.media_dirs.get(key)
    try:
        raise_if_invalid_path(location)
    except ValueError as err:
        raise _wrong("share_not_found") from err
    if directory is None or Path(location).is_absolute():
        raise _wrong("share_not_found")
    return Path(directory, location)


def _allowed_file(hass: HomeAssistant, item: str) -> SourceFile:
    """Return a file by its path; where it really is decides."""
    try:
        path = Path(item)
        if not path.is_absolute() or not hass.config.is_allowed_path(item):
            raise _wrong("share_not_allowed")
    except (OSError, ValueError) as err:
        raise _wrong("share_not_found") from err
    return _file(path)


def _file(path: Path) -> SourceFile:
    try:
        status = path.stat()
    except (OSError, ValueError) as err:
        raise _wrong("share_not_found") from err
    if not stat.S_ISREG(status.st_mode):
        raise _wrong("share_not_found")
    return SourceFile(
        path, safe_file_name(path.name), status.st_size, status.st_mtime_ns // 10**6
    )


def _named(item: str, mime_type: str | None) -> str:
    """Return a name for what has none: the last part of its id, with a suffix."""
    name = safe_file_name(unquote(item.partition("?")[0]))
    if mimetypes.guess_type(name)[0] is None:
        name = safe_file_name(
            f"{name}{mimetypes.guess_extension(mime_type or '') or ''}"
        )
    return name


def _wrong(translation_key: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=translation_key
    )


def _not_fetched() -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="share_not_fetched"
    )
