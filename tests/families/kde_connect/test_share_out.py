"""What Home Assistant shares with a device."""

import asyncio
from pathlib import Path
from typing import override

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.image import Image
from homeassistant.components.media_source import (
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component

from .common import get_state, wait_state, wait_until
from .sharing import act, files_in, set_up_sharing
from custom_components.rumpus.families.kde_connect.features import (
    share_out,
    share_progress,
    share_sources,
)
from custom_components.rumpus.protocols.kdeconnect import payload, transfer
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins import share
from tests.fakes.kdeconnect import FakeDevice, FakeEvent, Misbehave

TRANSFER = "sensor.tower_file_transfer"
IDLE = {"unknown", "unavailable"}
SECRET = "the word is swordfish"


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A directory that Home Assistant may read, where its media are."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs = {"local": str(folder)}
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder


@pytest.fixture
async def tower(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, media: Path
) -> MockConfigEntry:
    """A computer that is set up."""
    return await set_up_sharing(hass, ours, computer, "tower")


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show all progress."""
    monkeypatch.setattr(share_progress, "PROGRESS_INTERVAL", 0)
    monkeypatch.setattr(transfer, "PROGRESS_INTERVAL", 0)


async def refused(
    hass: HomeAssistant, entry: MockConfigEntry, **data: object
) -> HomeAssistantError:
    """Share something that cannot be, and return the error."""
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, "share", **data)
    assert error.value.translation_domain == "rumpus"
    assert SECRET not in str(error.value)
    return error.value


async def test_text_and_link(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await act(hass, tower, "share", text=SECRET)
    await act(hass, tower, "share", url=" https://example.com/swordfish ")
    await computer.wait_for("shared", lambda event: event.data["form"] == "url")
    assert computer.share.texts == [SECRET]
    assert computer.share.urls == ["https://example.com/swordfish"]
    own = [r.getMessage() for r in caplog.records if r.name.startswith("custom_")]
    assert not any("swordfish" in line for line in own)


def is_last(event: FakeEvent) -> bool:
    """Tell whether a file was the last one of its batch."""
    return event.data["complete"] is True


async def wait_sending(hass: HomeAssistant) -> None:
    """Wait until a transfer is under way."""
    await wait_until(hass, lambda: get_state(hass, TRANSFER).state not in IDLE)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({}, "share_which"),
        ({"text": ""}, "share_which"),
        ({"files": []}, "share_which"),
        ({"text": SECRET, "url": "https://example.com"}, "share_which"),
        ({"text": SECRET, "files": ["/etc/passwd"]}, "share_which"),
        ({"url": "javascript:alert(1)"}, "share_url"),
        ({"url": "file:///etc/passwd"}, "share_url"),
        ({"url": "example.com"}, "share_url"),
        ({"url": "https://" + "x" * share.MAX_SHARED_URL}, "share_url"),
        ({"text": "x" * (share.MAX_SHARED_TEXT + 1)}, "share_text_too_long"),
        ({"files": ["/etc/passwd"]}, "share_not_allowed"),
        ({"files": ["etc/passwd"]}, "share_not_allowed"),
        ({"files": ["/x\0y/z"]}, "share_not_found"),
        ({"files": ["camera.nobody"]}, "picture_not_found"),
        ({"files": ["media-source://media_source/local/../a"]}, "share_not_found"),
        ({"files": ["media-source://media_source/local//etc"]}, "share_not_found"),
        ({"files": ["media-source://media_source/other/a"]}, "share_not_found"),
        ({"files": ["media-source://nobody/x"]}, "share_not_found"),
    ],
)
async def test_wrong_use(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    computer: FakeDevice,
    data: dict[str, object],
    key: str,
) -> None:
    """Nothing is sent then."""
    error = await refused(hass, tower, **data)
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == key
    assert not [p for p in computer.received if p.type.endswith("share.request")]


async def test_wrong_files_among_right_ones(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """All are looked at before any is sent; links count by where they lead."""
    (media / "a").write_text("a")
    (media / "folder").mkdir()
    (media / "link").symlink_to("/etc/passwd")
    for wrong, key in (
        ("folder", "share_not_found"),
        ("missing", "share_not_found"),
        ("link", "share_not_allowed"),
        ("../a", "share_not_allowed"),
    ):
        files = [str(media / "a"), f"{media}/{wrong}"]
        assert (await refused(hass, tower, files=files)).translation_key == key
    assert not [p for p in computer.received if p.type.endswith("share.request")]


async def test_max_files(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share_out, "MAX_FILES", 2)
    error = await refused(hass, tower, files=[str(media / "a")] * 3)
    assert error.translation_key == "share_too_many"


async def test_files(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """They arrive one after the other, with their times, as one batch."""
    assert await async_setup_component(hass, "media_source", {})
    big = bytes(range(256)) * 4000
    (media / "big.bin").write_bytes(big)
    (media / "empty").write_bytes(b"")
    (media / "ä photo.jpg").write_bytes(b"jpg")
    await act(
        hass,
        tower,
        "share",
        files=[
            str(media / "big.bin"),
            "media-source://media_source/local/empty",
            {
                "media_content_id": "media-source://media_source/local/ä photo.jpg",
                "media_content_type": "image/jpeg",
            },
        ],
        open=True,
    )
    # The action has ended: everything is there, and the last one ends the batch.
    shown = await computer.wait_for("shared", is_last)
    assert shown.data["filename"] == "ä photo.jpg"
    files = computer.share.files
    assert list(files) == ["big.bin", "empty", "ä photo.jpg"]
    assert files["big.bin"].data == big
    assert files["empty"].size == 0
    modified = (media / "big.bin").stat().st_mtime_ns // 10**6
    assert files["big.bin"].modified == modified
    assert files["big.bin"].opened
    assert computer.share.totals == {
        "numberOfFiles": 3,
        "totalPayloadSize": len(big) + 3,
    }
    await wait_state(hass, TRANSFER, "unknown")


async def test_an_empty_file_alone(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    (media / "empty").write_bytes(b"")
    await act(hass, tower, "share", files=str(media / "empty"))
    await computer.wait_for("shared")
    assert computer.share.totals == {}
    assert computer.share.files["empty"].size == 0


async def test_fifty_files(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    names = [f"{number}.bin" for number in range(50)]
    for number, name in enumerate(names):
        (media / name).write_bytes(bytes([number]) * 1000)
    await act(hass, tower, "share", files=[str(media / name) for name in names])
    await computer.wait_for("shared", is_last)
    assert list(computer.share.files) == names
    assert all(
        file.data == bytes([number]) * 1000
        for number, file in enumerate(computer.share.files.values())
    )


async def test_strict_phone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, media: Path
) -> None:
    """Android divides by the total size and counts the files."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    for name in "abc":
        (media / name).write_text(name * 10)
    await act(hass, entry, "share", files=[str(media / name) for name in "abc"])
    await phone.wait_for("shared", is_last)
    assert list(phone.share.files) == ["a", "b", "c"]


async def test_not_connected(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    (media / "a").write_text("a")
    await computer.stop()
    await wait_state(hass, TRANSFER, "unavailable")
    for data in (
        {"files": [str(media / "a")]},
        {"text": SECRET},
        {"url": "http://x.org"},
    ):
        error = await refused(hass, tower, **data)
        assert error.translation_key == "not_connected"


async def test_device_that_takes_nothing(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, media: Path
) -> None:
    computer.incoming -= {"kdeconnect.share.request"}
    entry = await set_up_sharing(hass, ours, computer, "tower")
    (media / "a").write_text("a")
    for data in ({"files": [str(media / "a")]}, {"text": SECRET}):
        error = await refused(hass, entry, **data)
        assert error.translation_key == "not_supported"


async def test_one_failure_is_forgiven(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """A file that breaks off is sent once more."""
    (media / "a").write_bytes(b"x" * 5_000_000)
    computer.misbehave = Misbehave.FETCH_HANG_UP
    sharing = hass.async_create_task(
        act(hass, tower, "share", files=[str(media / "a")])
    )
    await computer.wait_for("fetch_failed")
    computer.misbehave = Misbehave.NOTHING
    await sharing
    await computer.wait_for("shared")
    assert computer.share.files["a"].size == 5_000_000


async def test_interrupted(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """Twice is enough; the user learns which file it was."""
    (media / "a").write_bytes(b"x" * 5_000_000)
    computer.misbehave = Misbehave.FETCH_HANG_UP
    error = await refused(hass, tower, files=[str(media / "a")] * 2)
    assert error.translation_key == "share_interrupted"
    assert error.translation_placeholders == {
        "name": "Tower",
        "number": "1",
        "count": "2",
    }
    announced = [p for p in computer.received if p.type.endswith("share.request")]
    assert len(announced) == 2
    await wait_state(hass, TRANSFER, "unknown")


async def test_device_leaves_during_transfer(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    (media / "a").write_bytes(b"x" * 20_000_000)
    computer.misbehave = Misbehave.FETCH_STALL
    sharing = hass.async_create_task(refused(hass, tower, files=[str(media / "a")]))
    await wait_sending(hass)
    await computer.wait_packet("share.request")
    await computer.stop()
    assert (await sharing).translation_key == "share_interrupted"


@pytest.mark.parametrize(
    ("misbehave", "key"),
    [
        (Misbehave.FETCH_NEVER, "timed_out"),
        (Misbehave.FETCH_WRONG_CERTIFICATE, "not_trusted"),
    ],
)
async def test_nobody_fetches(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    computer: FakeDevice,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    misbehave: Misbehave,
    key: str,
) -> None:
    monkeypatch.setattr(payload, "PAYLOAD_RECEIVER_TIMEOUT", 0.5)
    (media / "a").write_text("a")
    computer.misbehave = misbehave
    error = await refused(hass, tower, files=[str(media / "a")])
    assert error.translation_key == key


async def test_file_that_vanishes(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was there when it was looked at."""
    (media / "a").write_text("a")
    (media / "b").write_text("b")
    found = share_sources.Sources.async_get

    async def async_get(
        self: share_sources.Sources, items: list[str]
    ) -> list[share_sources.SourceFile]:
        files = await found(self, items)
        (media / "b").unlink()
        return files

    monkeypatch.setattr(share_sources.Sources, "async_get", async_get)
    error = await refused(hass, tower, files=[str(media / "a"), str(media / "b")])
    assert error.translation_key == "share_unreadable"
    assert error.translation_placeholders == {
        "name": "Tower",
        "number": "2",
        "count": "2",
    }


async def test_cancel(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """What is sent and what waits for its turn end with an error."""
    (media / "a").write_bytes(b"x" * 20_000_000)
    computer.misbehave = Misbehave.FETCH_STALL
    first = hass.async_create_task(refused(hass, tower, files=[str(media / "a")]))
    await computer.wait_packet("share.request")
    second = hass.async_create_task(refused(hass, tower, files=[str(media / "a")]))
    await wait_sending(hass)
    await act(hass, tower, "cancel_share")
    for sharing in (first, second):
        assert (await sharing).translation_key == "share_canceled"
    await computer.wait_for("fetch_failed")
    await wait_state(hass, TRANSFER, "unknown")
    computer.misbehave = Misbehave.NOTHING
    (media / "b").write_text("b")
    await act(hass, tower, "share", files=[str(media / "b")])


async def test_unload_during_transfer(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    (media / "a").write_bytes(b"x" * 20_000_000)
    computer.misbehave = Misbehave.FETCH_STALL
    sharing = hass.async_create_task(refused(hass, tower, files=[str(media / "a")]))
    await computer.wait_packet("share.request")
    await wait_sending(hass)
    assert await hass.config_entries.async_unload(tower.entry_id)
    assert (await sharing).translation_key == "share_canceled"


async def test_action_that_is_canceled(
    hass: HomeAssistant, tower: MockConfigEntry, computer: FakeDevice, media: Path
) -> None:
    """The automation that shares is stopped."""
    (media / "a").write_bytes(b"x" * 20_000_000)
    computer.misbehave = Misbehave.FETCH_STALL
    sharing = hass.async_create_task(
        act(hass, tower, "share", files=[str(media / "a")])
    )
    await computer.wait_packet("share.request")
    await wait_sending(hass)
    sharing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sharing
    await computer.wait_for("fetch_failed")
    await wait_state(hass, TRANSFER, "unknown")


class RemoteMedia(MediaSource):
    """Media that are on no disk of ours."""

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        if item.identifier == "gone":
            raise Unresolvable("gone")
        if item.identifier == "disk":
            return PlayMedia("/nowhere", "text/plain", path=Path(__file__))
        if item.identifier == "wrong":
            return PlayMedia("http://[", "audio/mpeg")
        if item.identifier == "named.mp3":
            return PlayMedia("/far/song", "audio/mpeg")
        if item.identifier == "hls":
            return PlayMedia("/far/hls", "application/x-mpegURL")
        return PlayMedia(f"/far/{item.identifier}", "audio/mpeg")


async def _serve(request: web.Request) -> web.StreamResponse:
    match request.match_info["name"]:
        case "song":
            return web.Response(body=b"la" * 1000, content_type="audio/mpeg")
        case "large":
            return web.Response(body=b"x" * (1024 * 1024 + 1))
        case "camera":
            return web.Response(content_type="multipart/x-mixed-replace")
    raise web.HTTPNotFound


@pytest.fixture
async def far_media(
    hass: HomeAssistant,
    tower: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """A media source with addresses only; returns where temporary files are."""
    mock_integration(hass, MockModule("far"))
    platform = type("Platform", (), {})()

    async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
        return RemoteMedia("far")

    platform.async_get_media_source = async_get_media_source
    mock_platform(hass, "far.media_source", platform)
    assert await async_setup_component(hass, "media_source", {})
    assert await async_setup_component(hass, "far", {})
    hass.http.app.router.add_get("/far/{name}", _serve)
    client = await hass_client()
    url = client.make_url("")
    hass.config.internal_url = f"http://127.0.0.1:{url.port}"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return temporary


async def test_media_from_afar(
    hass: HomeAssistant, far_media: Path, tower: MockConfigEntry, computer: FakeDevice
) -> None:
    """They are fetched first, and nothing of them stays."""
    await act(
        hass,
        tower,
        "share",
        files=[
            "media-source://far/song",
            "media-source://far/song",
            "media-source://far/named.mp3",
            "media-source://far/disk",
        ],
    )
    await computer.wait_for("shared", is_last)
    files = {name: file.data for name, file in computer.share.files.items()}
    assert len(files.pop("test_share_out.py")) > 1000
    assert files == {
        "song.mp3": b"la" * 1000,
        "song (1).mp3": b"la" * 1000,
        "named.mp3": b"la" * 1000,
    }
    assert files_in(far_media) == {}


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("gone", "share_not_found"),
        ("missing", "share_not_fetched"),
        ("wrong", "share_not_fetched"),
        ("hls", "share_stream"),
        ("camera", "share_stream"),
        ("large", "share_too_large"),
    ],
)
async def test_media_that_cannot_be_fetched(
    hass: HomeAssistant,
    far_media: Path,
    tower: MockConfigEntry,
    computer: FakeDevice,
    item: str,
    key: str,
) -> None:
    hass.config_entries.async_update_entry(tower, options={"max_file_size": 1})
    await hass.config_entries.async_reload(tower.entry_id)
    await wait_state(hass, TRANSFER, "unknown")
    files = ["media-source://far/song", f"media-source://far/{item}"]
    assert (await refused(hass, tower, files=files)).translation_key == key
    assert files_in(far_media) == {}
    assert computer.share.files == {}


@pytest.mark.parametrize(
    "item", ["image.door", "media-source://image/image.door"], ids=["entity", "media"]
)
async def test_what_an_image_shows(
    hass: HomeAssistant,
    far_media: Path,
    tower: MockConfigEntry,
    computer: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    item: str,
) -> None:
    """The stream of it would never end."""

    async def async_get_image(hass: HomeAssistant, entity_id: str) -> Image:
        assert entity_id == "image.door"
        return Image("image/png", b"\x89PNG\r\n\x1a\n...")

    monkeypatch.setattr(
        "homeassistant.components.image.async_get_image", async_get_image
    )
    await act(hass, tower, "share", files=[item])
    await computer.wait_for("shared")
    assert list(computer.share.files) == ["door.png"]
    assert files_in(far_media) == {}
