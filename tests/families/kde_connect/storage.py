"""What the tests of a phone's files share."""

from collections.abc import Mapping
from pathlib import Path
import struct
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import paired_entry, wait_connected
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.storage_paths import encode_item
from tests.fakes.kdeconnect import FakeDevice

SONG = bytes(range(256)) * 4000
JPEG = b"\xff\xd8\xff\xdb" + b"tiny" + b"\xff\xd9"


def jpeg(preview: bytes, size: int = 0, orientation: int = 1) -> bytes:
    """Return what looks like a camera's picture, with a preview."""
    first = 8 + 2 + 12 + 4
    data = first + 2 + 24 + 4
    tiff = (
        struct.pack("<2sHI", b"II", 42, 8)
        + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, first)
        + struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, data)
        + struct.pack("<HHII", 0x0202, 4, 1, len(preview))
        + struct.pack("<I", 0)
        + preview
    )
    body = b"Exif\0\0" + tiff
    picture = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return picture + b"\xff\xda" + bytes(max(0, size - len(picture) - 2))


def fill(root: Path) -> None:
    """Put files into a phone."""
    (root / "DCIM" / "Camera").mkdir(parents=True)
    (root / "DCIM" / "Camera" / "1.jpg").write_bytes(jpeg(JPEG, 600_000))
    (root / "DCIM" / "Camera" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 99)
    (root / "DCIM" / "Camera" / "big.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + b"x" * 600_000
    )
    (root / "Music").mkdir()
    (root / "Music" / "b Song.mp3").write_bytes(SONG)
    (root / "Music" / "A song.flac").write_bytes(b"flac")
    (root / "Music" / ".hidden.mp3").write_bytes(b"")
    (root / "Music" / "notes.html").write_text("<script>alert(1)</script>")
    (root / "Music" / "logo.svg").write_text("<svg/>")
    (root / "Music" / "Zoo").mkdir()
    (root / ".thumbnails").mkdir()


async def set_up(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, *, allowed: bool = True
) -> MockConfigEntry:
    """Return an entry of a phone whose files may be seen, and load the media browser."""
    assert await async_setup_component(hass, "media_source", {})
    entry = paired_entry(hass, ours, phone)
    hass.config_entries.async_update_entry(entry, options={"storage": allowed})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")
    return entry


class Browser:
    """The media browser of a user."""

    def __init__(self, hass: HomeAssistant, ws: WebSocketGenerator) -> None:
        self._hass = hass
        self._ws = ws
        self._client: Any = None

    async def ask(self, command: str, content_id: str, **more: object) -> Any:
        """Return the answer to a command."""
        if self._client is None:
            self._client = await self._ws(self._hass)
        await self._client.send_json_auto_id(
            {"type": f"media_source/{command}", "media_content_id": content_id, **more}
        )
        return await self._client.receive_json()

    async def browse(self, path: str) -> Mapping[str, Any]:
        """Return what is in a folder."""
        answer = await self.ask("browse_media", source_id(path))
        assert answer["success"], answer
        result: Mapping[str, Any] = answer["result"]
        return result

    async def error(self, path: str) -> str:
        """Return why a folder cannot be seen."""
        answer = await self.ask("browse_media", source_id(path))
        assert not answer["success"]
        assert answer["error"]["code"] == "browse_media_failed"
        message: str = answer["error"]["message"]
        return message

    async def resolve(self, path: str) -> Mapping[str, Any]:
        """Return where a file can be played."""
        answer = await self.ask("resolve_media", source_id(path))
        assert answer["success"], answer
        result: Mapping[str, Any] = answer["result"]
        return result


def source_id(path: str) -> str:
    """Return the id of something in the source."""
    return f"media-source://rumpus/{path}".rstrip("/")


def item(entry: MockConfigEntry, path: str | bytes) -> str:
    """Return the identifier of a path."""
    raw = path if isinstance(path, bytes) else path.encode()
    return f"{entry.entry_id}/{encode_item(raw)}"


def titles(folder: Mapping[str, Any]) -> list[str]:
    """Return the titles in a folder, in their order."""
    return [child["title"] for child in folder["children"]]
