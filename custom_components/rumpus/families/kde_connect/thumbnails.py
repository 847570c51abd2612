"""Small pictures of a phone's pictures: fetched when somebody looks, few at once, few kept."""

import asyncio
from collections import OrderedDict
from typing import Final

from ...files import DeviceFiles, Picture
from ...media_types import media_type
from ...protocols.exif import HEAD, read_preview
from .artwork import picture_type

MAX_WHOLE: Final = 512 * 1024
"""Bytes of a picture that is its own thumbnail."""
MAX_FETCHES: Final = 4
"""Thumbnails fetched at once; the others wait."""
MAX_KEPT: Final = 500
"""Thumbnails kept of a device, also of pictures that have none."""
MAX_KEPT_BYTES: Final = 16 * 1024 * 1024
"""Bytes of all of them."""
MAX_VERSION: Final = 64
"""Characters of a version."""


class Thumbnails:
    """The thumbnails of one device."""

    def __init__(self) -> None:
        """Start with none."""
        self._turns = asyncio.Semaphore(MAX_FETCHES)
        self._kept: OrderedDict[tuple[str, str], Picture | None] = OrderedDict()
        self._bytes = 0
        # How often all was forgotten: what was on its way then is not kept.
        self._cleared = 0

    async def async_get(
        self, files: DeviceFiles, item: str, version: str
    ) -> Picture | None:
        """Return the thumbnail of a file, None when it has none.

        Raises what the files do.
        """
        key = (item, version[:MAX_VERSION])
        if not (media_type(files.name_of(item)) or "").startswith("image/"):
            return None
        if key not in self._kept:
            cleared = self._cleared
            async with self._turns:
                if key not in self._kept:
                    picture = await _async_fetch(files, item)
                    if cleared != self._cleared:
                        return picture
                    self._keep(key, picture)
        self._kept.move_to_end(key)
        return self._kept[key]

    def clear(self) -> None:
        """Forget them all."""
        self._cleared += 1
        self._kept.clear()
        self._bytes = 0

    def _keep(self, key: tuple[str, str], picture: Picture | None) -> None:
        self._kept[key] = picture
        self._bytes += _size(picture)
        while len(self._kept) > MAX_KEPT or self._bytes > MAX_KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(picture: Picture | None) -> int:
    return 0 if picture is None else len(picture[0])


async def _async_fetch(files: DeviceFiles, item: str) -> Picture | None:
    async with files.async_open(item) as file:
        is_small = file.size <= MAX_WHOLE
        if not is_small and media_type(files.name_of(item)) != "image/jpeg":
            return None
        head = await file.read(min(file.size, HEAD), 0)
        if (preview := read_preview(head)) is not None:
            return preview, "image/jpeg"
        if not is_small:
            return None
        if len(head) == HEAD:
            head += await file.read(file.size - HEAD, HEAD)
    # A browser decides by the type: the name may say anything.
    mime_type = picture_type(head)
    return None if mime_type is None else (head, mime_type)
