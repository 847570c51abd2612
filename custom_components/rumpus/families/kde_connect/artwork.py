"""Album art: fetched when somebody looks at it, from the device or from the web."""

import asyncio
from collections import OrderedDict
import hashlib
from typing import Final

import aiohttp

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ...const import LOGGER
from ...protocols.errors import MessageTooLargeError, RumpusError
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.packet import Payload
from ...protocols.kdeconnect.plugins.mpris import AlbumArt, Player, request_album_art

MAX_ART: Final = 5 * 1024 * 1024
"""Bytes of one picture."""
MAX_CACHED: Final = 8
"""Pictures kept of a device."""
ART_TIMEOUT: Final = 10.0
"""Seconds that a device has to announce a picture, and a web server to send one."""

_CHUNK: Final = 64 * 1024
_WEB: Final = ("http://", "https://")
# What is not known to be a picture is never shown: a browser might run it.
_SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}

type Picture = tuple[bytes, str]
"""The bytes of a picture and its MIME type."""


def art_key(player: Player, *, from_device: bool) -> str | None:
    """Return what changes with a player's picture, None when there is none to be had.

    Some players show every picture under one address: so title and album count as well.
    """
    url = player.album_art_url
    if url is None or not (from_device or url.lower().startswith(_WEB)):
        return None
    text = "\0".join((url, player.title or "", player.album or ""))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def picture_type(data: bytes) -> str | None:
    """Return the MIME type of a picture by its first bytes, None for anything else."""
    for signature, mime_type in _SIGNATURES.items():
        if data.startswith(signature):
            return mime_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


class Artwork:
    """Fetches the pictures of one device's players, one at a time, and keeps the last few."""

    def __init__(self, hass: HomeAssistant, device: RemoteDevice) -> None:
        """Start with none."""
        self._hass = hass
        self._device = device
        self._lock = asyncio.Lock()
        self._cache: OrderedDict[str, Picture | None] = OrderedDict()
        # How often the device has been away: what failed because of that is tried again.
        self._away = 0
        self._wanted: tuple[str, str] | None = None
        self._announced: asyncio.Future[Payload] | None = None

    async def async_get(self, player: Player, key: str) -> Picture | None:
        """Return a player's picture, None when it cannot be had."""
        async with self._lock:
            if key not in self._cache:
                away = self._away
                picture = await self._async_fetch(player)
                if away != self._away:
                    return picture
                # A picture that failed is not tried again until it changes.
                self._cache[key] = picture
                if len(self._cache) > MAX_CACHED:
                    self._cache.popitem(last=False)
            return self._cache[key]

    @callback
    def received(self, art: AlbumArt) -> None:
        """Take the device's word that a picture waits; unless asked for, it may go on waiting."""
        announced = self._announced
        if (
            announced is None
            or announced.done()
            or self._wanted != (art.player, art.url)
        ):
            return
        announced.set_result(art.payload)

    @callback
    def clear(self) -> None:
        """Forget the pictures: the device has been away and may have others."""
        self._away += 1
        self._cache.clear()

    async def _async_fetch(self, player: Player) -> Picture | None:
        url = player.album_art_url or ""
        try:
            if url.lower().startswith(_WEB):
                data = await self._async_fetch_from_web(url)
            else:
                data = await self._async_fetch_from_device(player.name, url)
        except (RumpusError, aiohttp.ClientError, TimeoutError, ValueError) as err:
            LOGGER.debug(
                "%s: no album art: %s", self._device.device_id, type(err).__name__
            )
            return None
        if (mime_type := picture_type(data)) is None:
            LOGGER.debug("%s: album art is not a picture", self._device.device_id)
            return None
        return data, mime_type

    async def _async_fetch_from_device(self, player: str, url: str) -> bytes:
        self._announced = asyncio.get_running_loop().create_future()
        self._wanted = (player, url)
        try:
            await self._device.send(request_album_art(player, url))
            async with asyncio.timeout(ART_TIMEOUT):
                payload = await self._announced
        finally:
            self._announced = self._wanted = None
        return await self._device.fetch(payload, MAX_ART)

    async def _async_fetch_from_web(self, url: str) -> bytes:
        data = bytearray()
        async with (
            asyncio.timeout(ART_TIMEOUT),
            async_get_clientsession(self._hass).get(
                url, raise_for_status=True
            ) as response,
        ):
            async for chunk in response.content.iter_chunked(_CHUNK):
                data += chunk
                if len(data) > MAX_ART:
                    raise MessageTooLargeError(
                        f"the picture is larger than {MAX_ART} bytes"
                    )
        return bytes(data)
