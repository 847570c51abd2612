"""Photos that the device's user takes when asked to; devices from before 2023 know that."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, override

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ....const import DOMAIN, LOGGER
from ....protocols.errors import RumpusError
from ....protocols.kdeconnect.packet import Payload
from ....protocols.kdeconnect.plugins import Message, photo
from ..artwork import picture_type
from ..feature import Feature

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

MAX_PHOTO: Final = 20 * 1024 * 1024
"""Bytes of a photo; it is kept in memory."""


@dataclass(frozen=True, slots=True)
class Photo:
    """The photo that was taken last: what it is, its MIME type, and when it came."""

    data: bytes = field(repr=False)
    mime_type: str
    taken_at: datetime


class PhotoFeature(Feature):
    """Asks for a photo, and keeps the last one.

    A photo that nobody has asked for is not fetched.
    """

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without one."""
        super().__init__(coordinator)
        self._is_wanted = False
        self.photo: Photo | None = None

    async def async_take(self) -> None:
        """Ask for a photo; it comes when the device's user has taken it."""
        await self.coordinator.async_send(photo.request())
        self._is_wanted = True

    @callback
    @override
    def connected(self) -> None:
        self._publish()

    @callback
    @override
    def unpaired(self) -> None:
        self._is_wanted = False
        self.photo = None

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case photo.PhotoTaken(payload=payload) if self._is_wanted:
                self._is_wanted = False
                self.coordinator.entry.async_create_background_task(
                    self.hass,
                    self._async_fetch(payload),
                    f"{DOMAIN} photo of {self.coordinator.device_id}",
                )
            case photo.PhotoCanceled():
                self._is_wanted = False
            case photo.PhotoWanted() if self.device.supports(photo.TYPE):
                # There is no camera for it here; an old computer waits for an answer.
                self.coordinator.ask(photo.cancel())

    async def _async_fetch(self, payload: Payload) -> None:
        device_id = self.coordinator.device_id
        try:
            data = await self.device.fetch(payload, MAX_PHOTO)
        except RumpusError as err:
            LOGGER.debug("%s: no photo: %s", device_id, err)
            return
        if (mime_type := picture_type(data)) is None:
            LOGGER.debug("%s: the photo is not a picture", device_id)
            return
        self.photo = Photo(data, mime_type, dt_util.utcnow())
        self._publish()

    def _publish(self) -> None:
        taken_at = None if self.photo is None else self.photo.taken_at
        self.coordinator.publish(replace(self.state, photo_taken_at=taken_at))

    @override
    def diagnostics(self) -> dict[str, object]:
        return {"has_photo": self.photo is not None}
