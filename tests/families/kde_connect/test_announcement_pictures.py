"""The pictures of our notifications: where they come from, and how they are sent."""

import asyncio
import hashlib
import io
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, patch

from PIL import Image
import pytest

from homeassistant.components.image import Image as EntityImage
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component

from .common import set_up
from .notifications import act, connect, png
from custom_components.rumpus.families.kde_connect import picture as picture_module
from custom_components.rumpus.families.kde_connect.features import (
    announcements as announcements_module,
)
from custom_components.rumpus.families.kde_connect.picture import (
    ICON_SIDE,
    MAX_PICTURE,
    async_icon,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_desktop import Bubble


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A directory that Home Assistant may read."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    hass.config.allowlist_external_dirs.add(str(folder))
    return folder


@pytest.fixture
def gate(folder: Path) -> str:
    """The path of a picture in it."""
    path = folder / "gate.png"
    path.write_bytes(png(1000))
    return str(path)


@pytest.fixture
def camera(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> AsyncMock:
    """What gets a camera's picture; the component itself needs a library for JPEG."""
    get_image = AsyncMock(return_value=EntityImage("image/png", png()))
    module = SimpleNamespace(async_get_image=get_image)
    monkeypatch.setitem(sys.modules, "homeassistant.components.camera", module)
    hass.config.components.add("camera")
    return get_image


def opened(data: bytes) -> Image.Image:
    """Return a picture that has to be a PNG file."""
    return Image.open(io.BytesIO(data), formats=("PNG",))


async def shown(computer: FakeDevice) -> Bubble:
    """Return what the computer shows next."""
    event = await computer.wait_for("notification_shown")
    return computer.desktop.shown[str(event.data["id"])]


# Sending


async def test_on_a_computer(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, gate: str
) -> None:
    """Small, a PNG, and under its hash."""
    await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="x", image=gate)
    bubble = await shown(computer)
    assert bubble.icon is not None
    assert opened(bubble.icon).size == (ICON_SIDE, ICON_SIDE)
    digest = hashlib.md5(bubble.icon, usedforsecurity=False).hexdigest()
    assert bubble.icon_hash == digest
    # It stays when the computer asks again.
    await computer.desktop.request_all()
    bubble = await shown(computer)
    assert bubble.is_silent
    assert bubble.icon is not None


async def test_on_a_phone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, gate: str
) -> None:
    """Phones show it too."""
    await set_up(hass, ours, phone, "pixel")
    await act(hass, phone, "send_notification", message="x", image=gate)
    await phone.wait_for("notification_shown")
    [notification] = phone.notifications.shown.values()
    assert notification.icon is not None
    assert opened(notification.icon).size == (ICON_SIDE, ICON_SIDE)


async def test_not_fetched(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    gate: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that has the picture already does not fetch it; MAX_OFFERS may wait."""
    monkeypatch.setattr(announcements_module, "PICTURE_WAIT", 0.05)
    monkeypatch.setattr(announcements_module, "MAX_OFFERS", 1)
    computer.desktop.fetches = False
    await connect(hass, ours, computer)
    for number in range(3):
        await act(hass, computer, "send_notification", message=f"{number}", image=gate)
        assert (await shown(computer)).text == f"{number}"
    tasks = [
        task
        for task in asyncio.all_tasks()
        if "notification picture" in task.get_name()
    ]
    assert len(tasks) == 1


async def test_given_up_for_another(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    gate: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waited for a picture that was given up goes on: it is shown without."""
    monkeypatch.setattr(announcements_module, "MAX_OFFERS", 1)
    computer.desktop.fetches = False
    await connect(hass, ours, computer)
    first = hass.async_create_task(
        act(hass, computer, "send_notification", message="1", image=gate)
    )
    await shown(computer)
    monkeypatch.setattr(announcements_module, "PICTURE_WAIT", 0.05)
    await act(hass, computer, "send_notification", message="2", image=gate)
    await first
    await shown(computer)


async def test_lost_before_it_is_fetched(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, gate: str
) -> None:
    """That is told as any other loss."""
    computer.desktop.fetches = False
    await connect(hass, ours, computer)
    action = hass.async_create_task(
        act(hass, computer, "send_notification", message="x", image=gate)
    )
    await shown(computer)
    await computer.stop()
    with pytest.raises(HomeAssistantError) as caught:
        await action
    assert caught.value.translation_key == "not_connected"


# Reading


async def test_media(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, tmp_path: Path
) -> None:
    """An item of the media browser, as the action's selector gives it."""
    (tmp_path / "gate.png").write_bytes(png())
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    await connect(hass, ours, computer)
    await act(
        hass,
        computer,
        "send_notification",
        message="x",
        image={
            "media_content_id": "media-source://media_source/local/gate.png",
            "media_content_type": "image/png",
        },
    )
    assert (await shown(computer)).icon is not None


@pytest.mark.parametrize(
    "source",
    [
        "media-source://media_source/local/../secret.png",
        "media-source://media_source/local/missing.png",
        "media-source://nobody/x",
        "media-source://tts/x?message=secret",
        "media-source://camera/camera.secret",
        "media-source://image/secret",
        "camera.secret",
        "light.secret",
    ],
)
async def test_no_such_picture(
    hass: HomeAssistant, tmp_path: Path, source: str
) -> None:
    """The error says what to give instead."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    assert await async_setup_component(hass, "image", {})
    with pytest.raises(ServiceValidationError) as caught:
        await async_icon(hass, source)
    assert caught.value.translation_key == "picture_not_found"
    assert "secret" not in str(caught.value)


async def test_media_without_a_file(hass: HomeAssistant) -> None:
    """What is no file is not read."""
    from homeassistant.components.media_source import PlayMedia  # noqa: PLC0415

    with (
        patch(
            "homeassistant.components.media_source.async_resolve_media",
            return_value=PlayMedia("/api/x", "image/png"),
        ),
        pytest.raises(ServiceValidationError) as caught,
    ):
        await async_icon(hass, "media-source://somewhere/x")
    assert caught.value.translation_key == "picture_not_found"


@pytest.mark.parametrize("source", ["camera.gate", "media-source://camera/camera.gate"])
async def test_camera(hass: HomeAssistant, camera: AsyncMock, source: str) -> None:
    """A camera's picture of now."""
    assert opened(await async_icon(hass, source)).size == (8, 8)
    camera.assert_awaited_once_with(hass, "camera.gate")


async def test_a_camera_that_fails(hass: HomeAssistant, camera: AsyncMock) -> None:
    """The error says what to give instead."""
    camera.side_effect = HomeAssistantError("secret")
    with pytest.raises(ServiceValidationError) as caught:
        await async_icon(hass, "camera.gate")
    assert caught.value.translation_key == "picture_not_found"
    assert "secret" not in str(caught.value)


async def test_image_entity(hass: HomeAssistant) -> None:
    """The picture of an image entity."""
    hass.config.components.add("image")
    with patch(
        "homeassistant.components.image.async_get_image",
        return_value=EntityImage("image/png", png()),
    ):
        assert opened(await async_icon(hass, "image.gate")).size == (8, 8)


async def test_paths_that_are_not_allowed(hass: HomeAssistant, tmp_path: Path) -> None:
    """Nothing else is read, and not even whether it is there is told."""
    (tmp_path / "gate.png").write_bytes(png())
    for path in (tmp_path / "gate.png", tmp_path / "missing.png", Path("/etc/passwd")):
        with pytest.raises(ServiceValidationError) as caught:
            await async_icon(hass, str(path))
        assert caught.value.translation_key == "picture_not_allowed"


async def test_a_missing_file(hass: HomeAssistant, folder: Path) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await async_icon(hass, str(folder / "missing.png"))
    assert caught.value.translation_key == "picture_not_found"


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", png()[:40], b"\x89PNG\r\n\x1a\n" + bytes(100)]
)
async def test_no_pictures(hass: HomeAssistant, folder: Path, data: bytes) -> None:
    """What cannot be read as a picture is not sent."""
    path = folder / "x.png"
    path.write_bytes(data)
    with pytest.raises(ServiceValidationError) as caught:
        await async_icon(hass, str(path))
    assert caught.value.translation_key == "picture_not_readable"


async def test_limit_of_bytes(
    hass: HomeAssistant, folder: Path, camera: AsyncMock
) -> None:
    """MAX_PICTURE, of a file and of what a camera gives."""
    path = folder / "x.png"
    data = png() + bytes(MAX_PICTURE)
    path.write_bytes(data)
    camera.return_value = EntityImage("image/png", data)
    for source in (str(path), "camera.gate"):
        with pytest.raises(ServiceValidationError) as caught:
            await async_icon(hass, source)
        assert caught.value.translation_key == "picture_too_large"


async def test_limit_of_pixels(
    hass: HomeAssistant, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_PIXELS: a small file may hold a huge picture."""
    monkeypatch.setattr(picture_module, "MAX_PIXELS", 999_999)
    with pytest.raises(ServiceValidationError) as caught:
        await async_icon(hass, gate)
    assert caught.value.translation_key == "picture_too_large"
    monkeypatch.setattr(picture_module, "MAX_PIXELS", 1_000_000)
    assert await async_icon(hass, gate)


def photo(**changes: Any) -> bytes:
    """Return a photo that was taken upright and says where."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    exif[0x010E] = "secret place"
    file = io.BytesIO()
    Image.effect_noise((4000, 2000), 100).save(file, "JPEG", exif=exif, **changes)
    return file.getvalue()


async def test_photo(hass: HomeAssistant, folder: Path) -> None:
    """It stands upright, is small whatever it shows, and does not tell where it was."""
    path = folder / "photo.jpg"
    path.write_bytes(photo(comment=b"secret comment"))
    icon = await async_icon(hass, str(path))
    assert opened(icon).size == (ICON_SIDE // 2, ICON_SIDE)
    assert b"secret" not in icon
    assert not opened(icon).getexif()
    assert len(icon) < 1024 * 1024


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
async def test_modes(hass: HomeAssistant, folder: Path, mode: str) -> None:
    """Whatever its colours are."""
    path = folder / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new(mode, (20, 10)).save(path)
    assert opened(await async_icon(hass, str(path))).size == (20, 10)
