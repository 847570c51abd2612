"""The picture of what is played, all three ways (part B, section 4.8)."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
import re
from typing import Final

from ..apple.models import Artwork, ArtworkFetcher
from ..errors import RumpusError
from . import messages
from .metadata import MAX_IDENTIFIER, MAX_URL
from .players import Item, Player
from .playing import artwork_id
from .session import MrpSession

MAX_ARTWORK: Final = 8 * 1024 * 1024
"""Bytes of one picture; a larger one is none."""
MAX_CACHED: Final = 4
"""Pictures that are kept."""
MAX_TRIES: Final = 3
"""Pictures that are loaded for one caller, while something else is played each time."""
MAX_PIXELS: Final = 4096
"""Width and height that can be asked for."""
ANY_SIZE: Final = 999_999
"""Stands for a size that nobody asked for, in addresses."""
DEFAULT_TYPE: Final = "image/jpeg"
"""What a picture is when the device does not say it."""

_ADDRESS: Final = re.compile(r"https?://[^\s/?#\[\]@]", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


type Key = tuple[str, int, int]


class ArtworkLoader:
    """Gets pictures, and keeps the last few by their id and size."""

    def __init__(
        self,
        session: Callable[[], MrpSession],
        player: Callable[[], Player | None],
        fetch: ArtworkFetcher | None,
    ) -> None:
        """Prepare; without `fetch` pictures come from the device alone."""
        self._session = session
        self._player = player
        self._fetch = fetch
        self._cache: OrderedDict[Key, Artwork] = OrderedDict()
        self._lock = asyncio.Lock()
        # How often there was another picture under the same id.
        self._changes = 0

    def forget(self, identifier: str | None = None) -> None:
        """Forget the pictures of one id, or all of them: there are others."""
        self._changes += 1
        for key in [
            key for key in self._cache if identifier is None or key[0] == identifier
        ]:
            del self._cache[key]

    async def get(self, width: int | None, height: int | None) -> Artwork | None:
        """Return the picture of what is played, None without one.

        Sizes are wishes, in pixels. Raises DisconnectedError and PeerTimeoutError.
        """
        wide = min(width, MAX_PIXELS) if width and width > 0 else 0
        high = min(height, MAX_PIXELS) if height and height > 0 else -1
        async with self._lock:
            for _ in range(MAX_TRIES):
                player = self._player()
                item = None if player is None else player.item
                identifier = artwork_id(item)
                if player is None or item is None or identifier is None:
                    return None
                key = (identifier, wide, high)
                if (artwork := self._cache.get(key)) is not None:
                    self._cache.move_to_end(key)
                    return artwork
                changes = self._changes
                artwork = await self._load(player, item, wide, high)
                if changes == self._changes and self._is_current(identifier):
                    self._keep(key, artwork)
                    return artwork
            # Whoever asked is told that there is another one, and asks again.
            return None

    def _is_current(self, identifier: str) -> bool:
        """Return whether it is still played: a picture is of what is played now."""
        player = self._player()
        return player is not None and artwork_id(player.item) == identifier

    def _keep(self, key: Key, artwork: Artwork | None) -> None:
        if artwork is not None:
            self._cache[key] = artwork
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)

    async def _load(
        self, player: Player, item: Item, width: int, height: int
    ) -> Artwork | None:
        metadata = item.metadata
        if self._fetch is not None:
            for url in (
                fill_template(metadata.artwork_identifier or "", width, height),
                metadata.artwork_url,
            ):
                if url is None or not _is_address(url):
                    continue
                try:
                    fetched = await self._fetch(url)
                except RumpusError, OSError:  # time-outs are among these
                    continue
                if fetched is None:
                    continue
                data, mimetype = fetched
                if 0 < len(data) <= MAX_ARTWORK:
                    return Artwork(
                        data,
                        mimetype,
                        width if width > 0 else None,
                        height if height > 0 else None,
                    )
        return await self._request(
            player.location, metadata.artwork_mime_type, width, height
        )

    async def _request(
        self, location: int, mimetype: str | None, width: int, height: int
    ) -> Artwork | None:
        answer = await self._session().request(
            messages.artwork_request(location, width, height)
        )
        items = answer.set_state.playback_queue.content_items
        # A device may send the one item alone, or all of them.
        if not 0 <= location < len(items):
            location = 0
        if not items or not 0 < len(items[location].artwork_data) <= MAX_ARTWORK:
            return None
        item = items[location]
        return Artwork(
            item.artwork_data,
            mimetype
            or item.metadata.artwork_mime_type[:MAX_IDENTIFIER]
            or DEFAULT_TYPE,
            item.artwork_data_width if item.artwork_data_width > 0 else None,
            item.artwork_data_height if item.artwork_data_height > 0 else None,
        )


def fill_template(template: str, width: int, height: int) -> str | None:
    """Return the address that a template stands for; None if it asks for more.

    Without placeholders it is an address itself, or none at all.
    """
    values = {
        "w": str(width if width > 0 else ANY_SIZE),
        "h": str(height if height > 0 else ANY_SIZE),
        "c": "bb",
        "f": "png",
    }
    if not set(_PLACEHOLDER.findall(template)) <= values.keys():
        return None
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _is_address(url: str) -> bool:
    """Return whether something can be fetched there."""
    return len(url) <= MAX_URL and _ADDRESS.match(url) is not None
