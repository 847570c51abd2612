"""What a device shares with Home Assistant."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .common import get_state, set_up, wait_connected, wait_state, wait_until
from .sharing import (
    SHARED,
    TRANSFER,
    Heard,
    act,
    ended,
    files_in,
    offer,
    set_up_sharing,
)
from custom_components.rumpus.families.kde_connect.features import (
    share_in,
    share_progress,
)
from custom_components.rumpus.families.kde_connect.features.share import ShareFeature
from custom_components.rumpus.protocols.kdeconnect import transfer
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.plugins.share import (
    SharedFile as SharedFileMessage,
)
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_payload import PayloadError
from tests.fakes.kdeconnect_share import SharedFile
from tests.fakes.kdeconnect_wire import Body

SECRET = "the word is swordfish"
LINK = "https://example.com/swordfish?token=1"


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """The only media directory."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs = {"local": str(folder)}
    return folder


@pytest.fixture
def heard(hass: HomeAssistant) -> Heard:
    """What is told on the bus."""
    return Heard(hass)


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show all progress."""
    monkeypatch.setattr(share_progress, "PROGRESS_INTERVAL", 0)
    monkeypatch.setattr(transfer, "PROGRESS_INTERVAL", 0)


async def stall(hass: HomeAssistant, fake: FakeDevice) -> asyncio.Task[None]:
    """Let a device send half of a file, and no more."""
    fake.misbehave = Misbehave.PAYLOAD_STALL
    half = offer(fake, SharedFile("half.bin", b"x" * 1_000_000))
    await wait_state(hass, TRANSFER, "50")
    return half


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
    assert await heard.wait("failed") == [
        {"type": "failed", "reason": "not_allowed", "filename": "a.txt"}
    ]
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


async def test_max_waiting_files(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is announced beyond is refused, and told."""
    monkeypatch.setattr(share_in, "MAX_WAITING_FILES", 2)
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    stalled = await stall(hass, phone)
    phone.misbehave = Misbehave.NOTHING
    for name in "123":
        phone.peer().send("share.request", {"filename": name})
    assert await heard.wait("failed") == [
        {"type": "failed", "reason": "too_many", "filename": "3"}
    ]
    await act(hass, entry, "cancel_share")
    await heard.wait("failed", 4)
    with pytest.raises(PayloadError):
        await stalled


async def test_too_large(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """It is refused by what is announced, and by what comes."""
    await set_up_sharing(hass, ours, phone, "pixel", max_file_size=1)
    phone.payloads.timeout = 0.2
    big = SharedFile("big", b"x" * (1024 * 1024 + 1))
    with pytest.raises(PayloadError):
        await phone.share.send_files(big)
    await heard.wait("failed")
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE | Misbehave.PAYLOAD_ENDLESS
    phone.payloads.timeout = 10
    with pytest.raises(PayloadError):
        await phone.share.send_files(big)
    told = await heard.wait("failed", 2)
    assert [data["reason"] for data in told] == ["too_large", "too_large"]
    assert files_in(media) == {}


async def test_unknown_size(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    phone.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE
    phone.share.style = "gsconnect"
    await phone.share.send_files(SharedFile("a", b"x" * 1000))
    (told,) = await heard.wait("file")
    assert told["size"] == 1000


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (Misbehave.PAYLOAD_SHORT, "interrupted"),
        (Misbehave.PAYLOAD_REFUSED, "interrupted"),
        (Misbehave.PAYLOAD_WRONG_CERTIFICATE, "not_trusted"),
    ],
)
async def test_cut_transfer(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    misbehave: Misbehave,
    reason: str,
) -> None:
    """Nothing is left of half a file, and the next one comes."""
    await set_up_sharing(hass, ours, phone, "pixel")
    phone.misbehave = misbehave
    failed = offer(phone, SharedFile("half.bin", b"x" * 3_000_000))
    assert await heard.wait("failed") == [
        {"type": "failed", "reason": reason, "filename": "half.bin"}
    ]
    await ended(failed)
    assert files_in(media) == {}
    phone.misbehave = Misbehave.NOTHING
    await phone.share.send_files(SharedFile("whole.bin", b"y"))
    await heard.wait("file")
    assert files_in(media) == {"rumpus/Pixel/whole.bin": b"y"}


async def test_stalled_transfer(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "PAYLOAD_IDLE_TIMEOUT", 0.1)
    await set_up_sharing(hass, ours, phone, "pixel")
    phone.misbehave = Misbehave.PAYLOAD_STALL
    with pytest.raises(PayloadError):
        await phone.share.send_files(SharedFile("half.bin", b"x" * 1_000_000))
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "interrupted"
    assert files_in(media) == {}


async def test_device_leaves_during_transfer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    await phone.stop()
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "interrupted"
    assert files_in(media) == {}
    await ended(half)
    await wait_state(hass, TRANSFER, "unavailable")


async def test_disk_full(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    phone.payloads.timeout = 0.2

    class Usage:
        free = 2

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    failed = offer(phone, SharedFile("a", b"abc"))
    assert await heard.wait("failed") == [
        {"type": "failed", "reason": "disk_full", "filename": "a"}
    ]
    await asyncio.wait([failed])
    assert isinstance(failed.exception(), PayloadError)
    assert files_in(media) == {}


async def test_folder_gone_bad(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """Something else is where the folder was."""
    await set_up_sharing(hass, ours, phone, "pixel")
    (media / "rumpus").write_text("in the way")
    await phone.share.send_files(SharedFile("a", b""))
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "folder_unusable"


async def test_no_media_directory(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard
) -> None:
    hass.config.media_dirs = {}
    await set_up_sharing(hass, ours, phone, "pixel")
    await phone.share.send_files(SharedFile("a", b""))
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "folder_unusable"


async def test_cancel(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """The file that comes and the ones that wait are given up, later ones come."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    phone.peer().send("share.request", {"filename": "waits"})
    phone.peer().send("share.request", {"text": "mark"})
    await heard.wait("text")
    await act(hass, entry, "cancel_share")
    failed = await heard.wait("failed", 2)
    assert {data["filename"]: data["reason"] for data in failed} == {
        "half.bin": "canceled",
        "waits": "canceled",
    }
    with pytest.raises(PayloadError):
        await half
    await wait_state(hass, TRANSFER, "unknown")
    assert files_in(media) == {}
    phone.misbehave = Misbehave.NOTHING
    await phone.share.send_files(SharedFile("next", b"y"))
    await heard.wait("file")


async def test_progress_of_what_was_canceled(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be on its way to us still, and is not shown."""
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    told: list[Callable[[int], None]] = []

    async def fetch_file(
        *_: object, progress: Callable[[int], None], **__: object
    ) -> None:
        told.append(progress)
        await asyncio.Event().wait()

    monkeypatch.setattr(RemoteDevice, "fetch_file", fetch_file)
    half = offer(phone, SharedFile("half.bin", b"x" * 10))
    await wait_state(hass, TRANSFER, "0")
    await act(hass, entry, "cancel_share")
    told[0](5)
    await heard.wait("failed")
    await wait_state(hass, TRANSFER, "unknown")
    half.cancel()
    await ended(half)


async def test_unload_during_transfer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert files_in(media) == {}
    with pytest.raises(PayloadError):
        await half
    phone.misbehave = Misbehave.NOTHING
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")
    await phone.share.send_files(SharedFile("next", b"y"))
    await heard.wait("file")


async def test_stop_during_transfer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    await hass.async_stop(force=True)
    assert files_in(media) == {}
    with pytest.raises(PayloadError):
        await half


async def test_diagnostics(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    hass_client: ClientSessionGenerator,
) -> None:
    """They tell how many files there are, not which."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    phone.peer().send("share.request", {"filename": "swordfish"})
    phone.peer().send("share.request", {"text": SECRET})
    await heard.wait("text")
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert isinstance(facts, dict)
    assert isinstance(facts["state"], dict)
    assert facts["state"]["files_waiting"] == 1
    assert facts["state"]["transfer"] == 50
    assert "swordfish" not in str(facts)
    assert "half.bin" not in str(facts)
    await act(hass, entry, "cancel_share")
    await ended(half)


async def test_rate_of_progress(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the interval a state is all there is of it."""
    monkeypatch.setattr(share_progress, "PROGRESS_INTERVAL", 3600)
    await set_up_sharing(hass, ours, phone, "pixel")
    changes = async_capture_events(hass, "state_changed")
    await phone.share.send_files(SharedFile("a", b"x" * 5_000_000))
    await heard.wait("file")
    await hass.async_block_till_done()
    states = [
        change.data["new_state"].state
        for change in changes
        if change.data["entity_id"] == TRANSFER
    ]
    assert states == ["0", "unknown"]


async def test_unpaired_during_transfer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    await set_up_sharing(hass, ours, phone, "pixel")
    half = await stall(hass, phone)
    await phone.unpair()
    await heard.wait("failed")
    assert files_in(media) == {}
    await ended(half)
