"""Attachments of text messages: those that are sent, and those that are stored."""

from collections.abc import Sequence
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ....const import DOMAIN
from ....protocols.errors import MessageTooLargeError, RumpusError
from ....protocols.kdeconnect.file_names import safe_file_name
from ....protocols.kdeconnect.packet import Payload
from ....protocols.kdeconnect.payload_files import FileAccessError
from ....protocols.kdeconnect.plugins.sms import (
    MAX_ATTACHMENTS,
    MAX_SENT_ATTACHMENTS,
    OutgoingAttachment,
)
from .share_folder import (
    UNKNOWN_TYPE,
    FolderError,
    StoredFile,
    default_folder,
    stored_file,
    usable_folder,
)
from .share_sources import SourceFile, Sources

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..coordinator import KdeConnectCoordinator

MIB: Final = 1024 * 1024
MAX_ATTACHMENT: Final = 50 * MIB
"""Bytes of an attachment that is fetched."""


async def async_read_attachments(
    hass: HomeAssistant, items: Sequence[str]
) -> list[OutgoingAttachment]:
    """Read the files behind ids of media items and paths.

    Raises ServiceValidationError when one of them cannot be had or all are too much,
    HomeAssistantError when one cannot be fetched.
    """
    if len(items) > MAX_ATTACHMENTS:
        raise _wrong("message_too_many_files", MAX_ATTACHMENTS)
    sources = Sources(hass, MAX_SENT_ATTACHMENTS)
    try:
        files = await sources.async_get(items)
        return await hass.async_add_executor_job(_read_all, files)
    finally:
        await sources.async_clean()


def _read_all(files: Sequence[SourceFile]) -> list[OutgoingAttachment]:
    left = MAX_SENT_ATTACHMENTS
    attachments: list[OutgoingAttachment] = []
    for file in files:
        try:
            with file.path.open("rb") as source:
                data = source.read(left + 1)
        except OSError as err:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="share_not_found"
            ) from err
        left -= len(data)
        if left < 0:
            raise _wrong("message_files_too_large", MAX_SENT_ATTACHMENTS // MIB)
        mime_type, _ = mimetypes.guess_type(file.name)
        attachments.append(
            OutgoingAttachment(file.name, mime_type or UNKNOWN_TYPE, data)
        )
    return attachments


async def async_store_attachment(
    coordinator: KdeConnectCoordinator, payload: Payload, filename: str
) -> StoredFile:
    """Fetch an attachment into the folder for received files; nothing is overwritten.

    Raises HomeAssistantError when the device does not send it or it cannot be stored.
    """
    hass, options = coordinator.hass, coordinator.options
    media_dirs = dict(hass.config.media_dirs)
    name = coordinator.device.name

    def prepare() -> Path:
        folder = options.share_folder or default_folder(media_dirs, name)
        return usable_folder(media_dirs, folder)

    try:
        folder = await hass.async_add_executor_job(prepare)
        received = await coordinator.device.fetch_file(
            payload, folder / safe_file_name(filename), limit=MAX_ATTACHMENT
        )
    except (FolderError, FileAccessError) as err:
        raise _failed("attachment_not_stored", name) from err
    except MessageTooLargeError as err:
        raise _failed("attachment_too_large", name) from err
    except RumpusError as err:
        raise _failed("attachment_interrupted", name) from err
    return await hass.async_add_executor_job(
        stored_file, media_dirs, received.path, received.size
    )


def _failed(translation_key: str, name: str) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "name": name,
            "limit": str(MAX_ATTACHMENT // MIB),
        },
    )


def _wrong(translation_key: str, limit: int) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"limit": str(limit)},
    )
