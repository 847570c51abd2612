"""The folder for received files: always inside one of Home Assistant's media directories.

Everything here blocks and belongs into the executor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import mimetypes
import os
from pathlib import Path
from typing import Final

from homeassistant.components.media_source.const import (
    DOMAIN as MEDIA_SOURCE,
    URI_SCHEME,
)
from homeassistant.util import raise_if_invalid_path

from ....const import DOMAIN
from ....protocols.kdeconnect.file_names import safe_file_name

UNKNOWN_TYPE: Final = "application/octet-stream"


class FolderError(Exception):
    """A folder cannot be used; the message is a key of the translations of errors in flows."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that has arrived, as events tell of it; `media_content_id` is for the player.

    That is None for a name or a type that Home Assistant's media browser does not take.
    """

    path: Path
    size: int
    mime_type: str
    media_content_id: str | None


def default_folder(media_dirs: Mapping[str, str], device_name: str) -> Path:
    """Return the folder of a device for which none was chosen.

    Raises FolderError when Home Assistant has no media directory.
    """
    return _first(media_dirs) / DOMAIN / safe_file_name(device_name)


def usable_folder(media_dirs: Mapping[str, str], folder: str | Path) -> Path:
    """Create a folder if need be, and return where it really is.

    A relative one is in the first media directory. Raises FolderError when it is outside of
    the media directories, wherever links lead, or cannot be written to.
    """
    path = _first(media_dirs) / folder
    try:
        # Nothing may be created outside either.
        _require_inside(media_dirs, path.resolve())
        path.mkdir(parents=True, exist_ok=True)
        path = path.resolve(strict=True)
        _require_inside(media_dirs, path)
    except (OSError, ValueError, RuntimeError) as err:
        raise FolderError("folder_unusable") from err
    if not os.access(path, os.W_OK | os.X_OK):
        raise FolderError("folder_unusable")
    return path


def stored_file(media_dirs: Mapping[str, str], path: Path, size: int) -> StoredFile:
    """Describe a file that has arrived."""
    mime_type, _ = mimetypes.guess_type(path.name)
    if mime_type is None:
        return StoredFile(path, size, UNKNOWN_TYPE, None)
    return StoredFile(path, size, mime_type, _media_content_id(media_dirs, path))


def _first(media_dirs: Mapping[str, str]) -> Path:
    for directory in media_dirs.values():
        return Path(directory)
    raise FolderError("no_media_directory")


def _require_inside(media_dirs: Mapping[str, str], path: Path) -> None:
    if not any(
        path.is_relative_to(Path(directory).resolve())
        for directory in media_dirs.values()
    ):
        raise FolderError("folder_outside")


def _media_content_id(media_dirs: Mapping[str, str], path: Path) -> str | None:
    for key, directory in media_dirs.items():
        root = Path(directory).resolve()
        if path.is_relative_to(root):
            location = path.relative_to(root).as_posix()
            try:
                raise_if_invalid_path(location)
            except ValueError:
                return None
            return f"{URI_SCHEME}{MEDIA_SOURCE}/{key}/{location}"
    return None
