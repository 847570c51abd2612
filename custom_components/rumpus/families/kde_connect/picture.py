"""Pictures for a device, out of what users have at hand: files, media, cameras."""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from homeassistant.components import image, media_source
from homeassistant.components.image.const import DOMAIN as IMAGE
from homeassistant.components.media_source.const import URI_SCHEME
from homeassistant.core import HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ...const import DOMAIN

MAX_PICTURE: Final = 20 * 1024 * 1024
"""Bytes of a picture that is read."""
MAX_PIXELS: Final = 50_000_000
"""Pixels of a picture that is read."""
ICON_SIDE: Final = 384
"""Pixels of the longer side of what is sent: below 1 MiB, whatever it shows."""

_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
_CAMERA: Final = "camera"


async def async_icon(hass: HomeAssistant, source: str) -> bytes:
    """Return a small PNG file of a picture, without what else a file tells of it.

    `source` is the id of an item of a media source, a camera or image entity, or the path of
    a file in an allowed directory. Raises ServiceValidationError when it cannot be had.
    """
    data = await _async_read(hass, source)
    return await hass.async_add_executor_job(_shrink, data)


async def _async_read(hass: HomeAssistant, source: str) -> bytes:
    if not media_source.is_media_source_id(source):
        if valid_entity_id(source):
            return await async_snapshot(hass, source)
        return await hass.async_add_executor_job(_read_allowed, hass, source)
    if (entity_id := streaming_entity(source)) is not None:
        return await async_snapshot(hass, entity_id)
    try:
        media = await media_source.async_resolve_media(hass, source, None)
    except HomeAssistantError as err:
        raise _wrong("picture_not_found") from err
    if media.path is None:
        raise _wrong("picture_not_found")
    return await hass.async_add_executor_job(_read, media.path)


def streaming_entity(source: str) -> str | None:
    """Return the entity that the item of a media source streams for ever, None for others."""
    for domain in (_CAMERA, IMAGE):
        prefix = f"{URI_SCHEME}{domain}/"
        if source.startswith(prefix):
            return source.removeprefix(prefix)
    return None


async def async_snapshot(hass: HomeAssistant, entity_id: str) -> bytes:
    """Return what a camera or image entity shows now.

    Raises ServiceValidationError when there is no such entity, or it shows nothing.
    """
    domain = split_entity_id(entity_id)[0] if valid_entity_id(entity_id) else ""
    if domain not in (_CAMERA, IMAGE) or domain not in hass.config.components:
        raise _wrong("picture_not_found")
    try:
        if domain == _CAMERA:
            # What it imports itself is there only where cameras are.
            from homeassistant.components.camera import async_get_image  # noqa: PLC0415

            return (await async_get_image(hass, entity_id)).content
        return (await image.async_get_image(hass, entity_id)).content
    except HomeAssistantError as err:
        raise _wrong("picture_not_found") from err


def _read_allowed(hass: HomeAssistant, path: str) -> bytes:
    if not hass.config.is_allowed_path(path):
        raise _wrong("picture_not_allowed")
    return _read(Path(path))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE + 1)
    except (OSError, ValueError) as err:
        raise _wrong("picture_not_found") from err
    if len(data) > MAX_PICTURE:
        raise _wrong("picture_too_large")
    return data


def _shrink(data: bytes) -> bytes:
    if len(data) > MAX_PICTURE:
        raise _wrong("picture_too_large")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _wrong("picture_too_large")
            # Less work where the format allows for it.
            picture.draft("RGB", (ICON_SIDE, ICON_SIDE))
            small = ImageOps.exif_transpose(picture).convert("RGBA")
        small.thumbnail((ICON_SIDE, ICON_SIDE))
        file = io.BytesIO()
        Image.frombytes("RGBA", small.size, small.tobytes()).save(file, "PNG")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        raise _wrong("picture_not_readable") from err
    return file.getvalue()


def _wrong(translation_key: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=translation_key
    )
