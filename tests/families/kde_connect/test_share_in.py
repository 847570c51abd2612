"""What a device shares with Home Assistant."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .common import get_state, set_up, wait_state, wait_until
from .sharing import (
    SHARED,
    TRANSFER,
    Heard,
    act,
    ended,
    files_in,
    heard,
    media,
    offer,
    prompt,
    set_up_sharing,
    stall,
)
from custom_components.rumpus.families.kde_connect.features import share_in
from custom_components.rumpus.families.kde_connect.features.share import ShareFeature
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.share import (
    SharedFile as SharedFileMessage,
)
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_payload import PayloadError
from tests.fakes.kdeconnect_share import SharedFile
from tests.fakes.kdeconnect_wire import Body

__all__ = ["heard", "media", "prompt"]

SECRET = "the word is swordfish"
LINK = "https://example.com/swordfish?token=1"


async def test_text_and_link(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are for automations, and not for everybody to see."""
    caplog.set_level("DEBUG")
    await set_up(hass, ours, phone, "pixel")

    await phone.share.send_text(SECRET)
    await wait_until(hass, lambda: heard.data)
    await phone.share.send_url(LINK)
    await phone.share.send_url("geo:48.2,16.4")
    await wait_until(hass, lambda: len(heard.data) == 3)

    assert heard.data == [
        {"type": "text", "text": SECRET},
        {"type": "url", "url": LINK},
        {"type": "url", "url": "geo:48.2,16.4"},
    ]
    await hass.async_block_till_done()
    assert get_state(hass, SHARED).attributes["event_type"] == "url"
    for state in hass.states.async_all():
        assert "swordfish" not in str(state.as_dict())
    said = [r.getMessage() for r in caplog.records if r.name.startswith("custom_")]
    assert said
    assert not any("swordfish" in line for line in said)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "https://a\nb", "x" * 9000]
)
async def test_links_that_nobody_should_open(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, link: str
) -> None:
    await set_up(hass, ours, phone, "pixel")
    await phone.share.send_url(link)
    await phone.share.send_text("next")
    await heard.wait("text")
    assert heard.types == ["text"]


@pytest.mark.parametrize("link", ["intent://x#Intent;end", "steam://run/1", "no link"])
async def test_links_of_unknown_schemes(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, link: str
) -> None:
    await set_up(hass, ours, phone, "pixel")
    await phone.share.send_url(link)
    assert await heard.wait("failed") == [{"type": "failed", "reason": "unsafe_link"}]


async def test_files_are_not_taken_unless_allowed(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """Nothing is fetched then, and the user learns why."""
    await set_up(hass, ours, phone, "pixel")
    phone.payloads.timeout = 0.2
    await phone.share.send_update(1, 3)
    with pytest.raises(PayloadError):
        await phone.share.send_files(SharedFile("a.txt", b"abc"))
    assert await heard.wait("failed") == [{"type": "failed", "reason": "not_allowed"}]
    state = get_state(hass, SHARED)
    assert state.attributes["reason"] == "not_allowed"
    assert files_in(media) == {}


async def test_file(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """It is in the media directory, where the media browser finds it."""
    assert await async_setup_component(hass, "media_source", {})
    await set_up_sharing(hass, ours, phone, "pixel")

    await phone.share.send_files(
        SharedFile("holiday.jpg", b"\xff\xd8\xff" * 1000, modified=1_600_000_000_123)
    )
    (told,) = await heard.wait("file")

    path = media / "rumpus" / "Pixel" / "holiday.jpg"
    assert told == {
        "type": "file",
        "filename": "holiday.jpg",
        "path": str(path),
        "media_content_id": "media-source://media_source/local/rumpus/Pixel/holiday.jpg",
        "mime_type": "image/jpeg",
        "size": 3000,
        "open": False,
        "from_clipboard": False,
    }
    assert path.read_bytes() == b"\xff\xd8\xff" * 1000
    assert path.stat().st_mtime_ns == 1_600_000_000_123_000_000
    await hass.async_block_till_done()
    attributes = get_state(hass, SHARED).attributes
    assert attributes["event_type"] == "file"
    assert attributes["path"] == str(path)
    assert get_state(hass, TRANSFER).state == "unknown"


async def test_empty_file(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    await phone.share.send_files(SharedFile("nothing", b""))
    (told,) = await heard.wait("file")
    assert told["size"] == 0
    assert told["mime_type"] == "application/octet-stream"
    assert told["media_content_id"] is None
    assert files_in(media) == {"rumpus/Pixel/nothing": b""}


async def test_collision(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """Nothing is ever overwritten."""
    await set_up_sharing(hass, ours, phone, "pixel")
    for data in (b"one", b"two", b""):
        await phone.share.send_files(SharedFile("a.txt", data))
    await heard.wait("file", 3)
    folder = "rumpus/Pixel"
    assert files_in(media) == {
        f"{folder}/a.txt": b"one",
        f"{folder}/a (1).txt": b"two",
        f"{folder}/a (2).txt": b"",
    }
    assert [told["filename"] for told in heard.of("file")] == [
        "a.txt",
        "a (1).txt",
        "a (2).txt",
    ]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("/etc/shadow", "shadow"),
        ("..", "unnamed"),
        (".hidden", "hidden"),
        ("", "unnamed"),
        ("a\x00b\n.txt", "ab.txt"),
        ("x" * 400 + ".png", "x" * 196 + ".png"),
    ],
)
async def test_hostile_names(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    name: str,
    stored: str,
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    await phone.share.send_files(SharedFile(name, b"x"))
    await heard.wait("file")
    assert files_in(media.parent) == {f"media/rumpus/Pixel/{stored}": b"x"}


async def test_name_that_the_media_browser_refuses(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    await phone.share.send_files(SharedFile("a..b~.png", b"x"))
    (told,) = await heard.wait("file")
    assert told["media_content_id"] is None
    assert files_in(media) == {"rumpus/Pixel/a..b~.png": b"x"}


async def test_fifty_files(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """One event each, and one for the whole batch."""
    await set_up_sharing(hass, ours, phone, "pixel")
    files = [SharedFile(f"{n}.bin", bytes([n]) * n * 100) for n in range(50)]
    await phone.share.send_files(*files)
    (whole,) = await heard.wait("files")
    size = sum(len(file.data) for file in files)
    folder = media / "rumpus" / "Pixel"
    assert whole == {"type": "files", "count": 50, "size": size, "path": str(folder)}
    assert heard.types == ["file"] * 50 + ["files"]
    assert files_in(folder) == {file.name: file.data for file in files}
    await hass.async_block_till_done()
    assert get_state(hass, TRANSFER).state == "unknown"


async def test_files_that_are_announced_together(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """They come one after the other all the same."""
    await set_up_sharing(hass, ours, phone, "pixel")
    phone.share.announces_at_once = True
    files = [SharedFile(f"{n}", bytes([n]) * 50_000) for n in range(8)]
    await phone.share.send_files(*files)
    await heard.wait("files")
    assert files_in(media / "rumpus" / "Pixel") == {f.name: f.data for f in files}


async def test_a_batch_that_grows(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
    """The totals of updates count, also of one that comes first."""
    await set_up_sharing(hass, ours, computer, "tower")
    computer.share.style = "valent"
    first = offer(computer, SharedFile("1", b"a" * 100_000), SharedFile("2", b"b"))
    await computer.wait_for("payload_sent")
    await computer.share.send_files(SharedFile("3", b"c"))
    await first
    (whole,) = await heard.wait("files")
    assert whole["count"] == 3
    assert whole["size"] == 100_002


async def test_files_without_totals(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
    """Each is a batch of its own."""
    await set_up_sharing(hass, ours, computer, "tower")
    computer.share.style = "gsconnect"
    await computer.share.send_files(SharedFile("1", b"a"), SharedFile("2", b"b"))
    await heard.wait("file", 2)
    await hass.async_block_till_done()
    assert heard.types == ["file", "file"]


async def test_a_batch_that_stays_incomplete(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    body: Body = {"filename": "1", "numberOfFiles": 3, "totalPayloadSize": 9}
    await phone.payloads.deliver(phone.peer(), "share.request", body, b"abc")
    await heard.wait("file")
    await wait_state(hass, TRANSFER, "33")
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=share_in.BATCH_PATIENCE)
    )
    (failed,) = await heard.wait("failed")
    assert failed == {
        "type": "failed",
        "reason": "incomplete",
        "count": 3,
        "arrived": 1,
    }
    await wait_state(hass, TRANSFER, "unknown")


async def test_an_incomplete_batch_that_is_canceled(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """It is not waited for any more."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    body: Body = {"filename": "1", "numberOfFiles": 2, "totalPayloadSize": 9}
    await phone.payloads.deliver(phone.peer(), "share.request", body, b"abc")
    await heard.wait("file")
    await wait_state(hass, TRANSFER, "33")
    await act(hass, entry, "cancel_share")
    await wait_state(hass, TRANSFER, "unknown")
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=share_in.BATCH_PATIENCE)
    )
    await hass.async_block_till_done()
    assert heard.types == ["file"]


async def test_updates_during_a_transfer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """The progress is that of the whole batch."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    await phone.share.send_update(2, 5_000_000)
    await phone.share.send_text("mark")
    await heard.wait("text")
    await act(hass, entry, "cancel_share")
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "canceled"
    await ended(half)


async def test_files_that_come_right_after_a_cancel(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """They are another matter, even while the old one still ends."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    feature = entry.runtime_data.get(ShareFeature)
    feature.received(SharedFileMessage("before", None))
    feature.unpaired()
    feature.received(SharedFileMessage("after", None))
    (told,) = await heard.wait("file")
    assert told["filename"] == "after"
    assert {data["filename"] for data in heard.of("failed")} == {"half.bin", "before"}
    await ended(half)
    # Also before the first of them has begun.
    feature.received(SharedFileMessage("before", None))
    feature.unpaired()
    feature.received(SharedFileMessage("last", None))
    await heard.wait("file", 2)
    assert set(files_in(media)) == {"rumpus/Pixel/after", "rumpus/Pixel/last"}


async def test_totals_without_files(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """They are forgotten without a word."""
    await set_up_sharing(hass, ours, phone, "pixel")
    await phone.share.send_update(3, 9)
    await phone.share.send_text("next")
    await heard.wait("text")
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=share_in.BATCH_PATIENCE)
    )
    await hass.async_block_till_done()
    assert heard.types == ["text"]
