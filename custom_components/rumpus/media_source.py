"""The media source: the files of devices whose users let us see them."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final, override

from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.media_player.browse_media import (
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.components.media_player.const import MediaClass
from homeassistant.components.media_player.errors import BrowseError
from homeassistant.components.media_source import (
    MEDIA_CLASS_MAP,
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .coordinator import RumpusConfigEntry
from .files import DeviceFiles, FileEntry, translated
from .media_types import media_type
from .views import FILE_URL, THUMBNAIL_URL, async_get_files

THUMBNAIL_LIFETIME: Final = timedelta(hours=1)
"""How long the address of a thumbnail is good."""
MAX_SEARCHED_FOLDERS: Final = 500
"""Folders that one search looks into."""
MAX_FOUND: Final = 200
"""Files that one search finds."""
SEARCH_TIME: Final = 10.0
"""Seconds that one search takes; what it has found then is all."""

# Signing takes time: with so many pictures the others have a turn.
_TURN: Final = 100


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the source."""
    return RumpusMediaSource(hass)


class RumpusMediaSource(MediaSource):
    """All devices with files; an identifier is an entry's id, and a file's or folder's item."""

    name: str | None = "Rumpus"

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin nothing."""
        super().__init__(DOMAIN)
        self._hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        if not item.identifier:
            return _folder(None, "Rumpus", [*self._devices()])
        try:
            return await self._async_browse(item.identifier)
        except HomeAssistantError as err:
            raise _as(BrowseError, err) from err

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        entry_id, _, name = (item.identifier or "").partition("/")
        try:
            files = _open_files(self._hass, entry_id)
            mime_type = media_type(files.name_of(name))
            entry = await files.async_stat(name)
        except HomeAssistantError as err:
            raise _as(Unresolvable, err) from err
        if mime_type is None or entry.is_folder:
            raise translated(
                Unresolvable, "storage_not_media", {"name": files.device_name}
            )
        return PlayMedia(FILE_URL.format(entry_id=entry_id, item=name), mime_type)

    @override
    async def async_search_media(
        self, item: MediaSourceItem, query: SearchMediaQuery
    ) -> SearchMedia:
        if not item.identifier:
            # There may be several devices, and each takes its time.
            raise NotImplementedError
        entry_id, _, folder = item.identifier.partition("/")
        try:
            files = _open_files(self._hass, entry_id)
            found = await _async_search(files, folder or None, query)
        except HomeAssistantError as err:
            raise _as(BrowseError, err) from err
        return SearchMedia(
            result=[self._child(entry_id, entry) for entry in _in_order(found)]
        )

    def _devices(self) -> Iterator[BrowseMediaSource]:
        """Yield the devices that can be looked into now."""
        entries: list[RumpusConfigEntry] = self._hass.config_entries.async_entries(
            DOMAIN, include_disabled=False, include_ignore=False
        )
        for entry in sorted(entries, key=lambda entry: entry.title.casefold()):
            if entry.state is not ConfigEntryState.LOADED:
                continue
            files = entry.runtime_data.files
            if files is not None and files.is_connected:
                yield _folder(entry.entry_id, entry.title)

    async def _async_browse(self, identifier: str) -> BrowseMediaSource:
        entry_id, _, item = identifier.partition("/")
        files = _open_files(self._hass, entry_id)
        if item:
            entries = await files.async_list(item)
            # Not before: some names are known only to who has looked.
            title = files.name_of(item)
        else:
            title = files.device_name
            entries = await files.async_list(None)
            if len(entries) == 1:
                # There is no choice to be made.
                entries = await files.async_list(entries[0].item)
            else:
                return _folder(
                    identifier,
                    title,
                    [self._child(entry_id, entry) for entry in entries],
                )
        shown = [entry for entry in entries if _is_shown(entry)]
        children: list[BrowseMediaSource] = []
        for number, entry in enumerate(_in_order(shown), 1):
            children.append(self._child(entry_id, entry))
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return _folder(identifier, title or files.device_name, children)

    def _child(self, entry_id: str, entry: FileEntry) -> BrowseMediaSource:
        identifier = f"{entry_id}/{entry.item}"
        mime_type = media_type(entry.name)
        if entry.is_folder or mime_type is None:
            return _folder(identifier, entry.name)
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=identifier,
            media_class=MEDIA_CLASS_MAP[mime_type.partition("/")[0]],
            media_content_type=mime_type,
            title=entry.name,
            can_play=True,
            can_expand=False,
            thumbnail=self._thumbnail(entry_id, entry, mime_type),
        )

    def _thumbnail(self, entry_id: str, entry: FileEntry, mime_type: str) -> str | None:
        if not mime_type.startswith("image/"):
            return None
        path = THUMBNAIL_URL.format(entry_id=entry_id, item=entry.item)
        version = f"{entry.modified}-{entry.size}"
        return async_sign_path(
            self._hass, f"{path}?version={version}", THUMBNAIL_LIFETIME
        )


def _open_files(hass: HomeAssistant, entry_id: str) -> DeviceFiles:
    """Return the files of an entry; raises HomeAssistantError when they cannot be seen now."""
    files = async_get_files(hass, entry_id)
    if not files.is_connected:
        raise translated(
            HomeAssistantError, "not_connected", {"name": files.device_name}
        )
    return files


def _folder(
    identifier: str | None, title: str, children: list[BrowseMediaSource] | None = None
) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type="",
        title=title,
        can_play=False,
        can_expand=True,
        can_search=identifier is not None,
        children=children,
    )


def _is_shown(entry: FileEntry) -> bool:
    """Tell whether a file or folder is of interest: hidden and other files are not."""
    if entry.name.startswith("."):
        return False
    return entry.is_folder or media_type(entry.name) is not None


def _in_order(entries: Iterable[FileEntry]) -> list[FileEntry]:
    """Return folders first, each by its name."""
    return sorted(
        entries, key=lambda entry: (not entry.is_folder, entry.name.casefold())
    )


def _as[E: HomeAssistantError](kind: type[E], err: HomeAssistantError) -> E:
    """Return an error of another kind with the same text."""
    return kind(
        translation_domain=err.translation_domain,
        translation_key=err.translation_key,
        translation_placeholders=err.translation_placeholders,
    )


async def _async_search(
    files: DeviceFiles, folder: str | None, query: SearchMediaQuery
) -> list[FileEntry]:
    """Return files and folders below a folder whose names have the words of a query."""
    words = query.search_query.casefold().split()
    classes = query.media_filter_classes
    found: list[FileEntry] = []
    try:
        async with asyncio.timeout(SEARCH_TIME):
            waiting = (
                [entry.item for entry in await files.async_list(None)]
                if folder is None
                else [folder]
            )
            # The folder that was asked for has to be there, the others may vanish.
            for item in waiting:
                entries = await files.async_list(item)
                for entry in filter(_is_shown, entries):
                    name = entry.name.casefold()
                    if all(word in name for word in words) and _has_class(
                        entry, classes
                    ):
                        found.append(entry)
                    if entry.is_folder and len(waiting) < MAX_SEARCHED_FOLDERS:
                        waiting.append(entry.item)
                if len(found) >= MAX_FOUND:
                    break
    except TimeoutError:
        pass
    return found[:MAX_FOUND]


def _has_class(entry: FileEntry, classes: list[MediaClass] | None) -> bool:
    if not classes:
        return True
    mime_type = media_type(entry.name)
    if entry.is_folder or mime_type is None:
        return MediaClass.DIRECTORY in classes
    return MEDIA_CLASS_MAP[mime_type.partition("/")[0]] in classes
