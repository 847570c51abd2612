"""The pictures of what our players play, for a device that asks for them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from homeassistant.components.media_player.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant, callback

from ....const import DOMAIN, LOGGER
from ....protocols.errors import RumpusError
from ....protocols.kdeconnect.plugins.mpris_provider import album_art
from ..artwork import MAX_ART, picture_type

if TYPE_CHECKING:
    from ..feature import FeatureHost

ART_TIMEOUT: Final = 15.0
"""Seconds for getting a picture and for the device to fetch it; then it is the next one's turn."""

type Current = Callable[[str], str | None]
"""Returns the address of the picture that a player with a name has now."""


class OfferedArt:
    """Sends pictures to one device, one at a time."""

    def __init__(self, coordinator: FeatureHost, current: Current) -> None:
        """Start with nothing to send."""
        self._coordinator = coordinator
        self._current = current
        # One for each player: what was asked for before has changed since.
        self._wanted: dict[str, tuple[str, str]] = {}
        self._task: asyncio.Task[None] | None = None

    @callback
    def want(self, name: str, entity_id: str, url: str) -> None:
        """Send the picture of a player, if it is the one that the player has now."""
        if self._current(name) != url:
            return
        self._wanted[name] = (entity_id, url)
        # One that has nothing to wait for has ended before it is known here.
        if self._task is None or self._task.done():
            coordinator = self._coordinator
            self._task = coordinator.entry.async_create_background_task(
                coordinator.hass, self._async_send_all(), f"{DOMAIN} album art"
            )

    @callback
    def clear(self) -> None:
        """Forget what was asked for, and stop sending."""
        self._wanted.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _async_send_all(self) -> None:
        while self._wanted:
            name = next(iter(self._wanted))
            entity_id, url = self._wanted.pop(name)
            try:
                async with asyncio.timeout(ART_TIMEOUT):
                    await self._async_send(name, entity_id, url)
            except (RumpusError, TimeoutError) as err:
                LOGGER.debug(
                    "%s: album art was not sent: %s",
                    self._coordinator.device_id,
                    type(err).__name__,
                )

    async def _async_send(self, name: str, entity_id: str, url: str) -> None:
        picture = await async_picture(self._coordinator.hass, entity_id)
        # Another track may have begun meanwhile.
        if picture is not None and self._current(name) == url:
            await self._coordinator.device.send_payload(album_art(name, url), picture)


async def async_picture(hass: HomeAssistant, entity_id: str) -> bytes | None:
    """Return the picture of what a media player plays, None when it cannot be had."""
    component = hass.data.get(DATA_COMPONENT)
    entity = None if component is None else component.get_entity(entity_id)
    if entity is None:
        return None
    try:
        data, _ = await entity.async_get_media_image()
    except Exception as err:  # noqa: BLE001 - whatever another integration raises
        LOGGER.debug("%s: no album art: %s", entity_id, type(err).__name__)
        return None
    if data is None or len(data) > MAX_ART or picture_type(data) is None:
        return None
    return data
