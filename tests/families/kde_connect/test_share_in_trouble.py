"""What goes wrong while a device shares files, and what is given up."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import wait_connected, wait_state
from .sharing import (
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
from custom_components.rumpus.families.kde_connect.features import (
    share_in,
    share_progress,
)
from custom_components.rumpus.protocols.kdeconnect import transfer
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_payload import PayloadError
from tests.fakes.kdeconnect_share import SharedFile

__all__ = ["heard", "media", "prompt"]

SECRET = "the word is swordfish"
LINK = "https://example.com/swordfish?token=1"


@pytest.fixture
async def entry(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, heard: Heard, media: Path
) -> MockConfigEntry:
    """A phone that is connected and may share files."""
    return await set_up_sharing(hass, ours, phone, "pixel")


async def test_max_waiting_files(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is announced beyond is refused, and told."""
    monkeypatch.setattr(share_in, "MAX_WAITING_FILES", 2)
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
    entry: MockConfigEntry, phone: FakeDevice, heard: Heard
) -> None:
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
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    misbehave: Misbehave,
    reason: str,
) -> None:
    """Nothing is left of half a file, and the next one comes."""
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
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "PAYLOAD_IDLE_TIMEOUT", 0.1)
    phone.misbehave = Misbehave.PAYLOAD_STALL
    with pytest.raises(PayloadError):
        await phone.share.send_files(SharedFile("half.bin", b"x" * 1_000_000))
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "interrupted"
    assert files_in(media) == {}


async def test_device_leaves_during_transfer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
    half = await stall(hass, phone)
    await phone.stop()
    (failed,) = await heard.wait("failed")
    assert failed["reason"] == "interrupted"
    assert files_in(media) == {}
    await ended(half)
    await wait_state(hass, TRANSFER, "unavailable")


async def test_disk_full(
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    entry: MockConfigEntry, phone: FakeDevice, heard: Heard, media: Path
) -> None:
    """Something else is where the folder was."""
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
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
    """The file that comes and the ones that wait are given up, later ones come."""
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
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be on its way to us still, and is not shown."""
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
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
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
    hass: HomeAssistant, entry: MockConfigEntry, phone: FakeDevice, media: Path
) -> None:
    half = await stall(hass, phone)
    await hass.async_stop(force=True)
    assert files_in(media) == {}
    with pytest.raises(PayloadError):
        await half


async def test_diagnostics(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    hass_client: ClientSessionGenerator,
) -> None:
    """They tell how many files there are, not which."""
    assert await async_setup_component(hass, "diagnostics", {})
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
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the interval a state is all there is of it."""
    monkeypatch.setattr(share_progress, "PROGRESS_INTERVAL", 3600)
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
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: FakeDevice,
    heard: Heard,
    media: Path,
) -> None:
    half = await stall(hass, phone)
    await phone.unpair()
    await heard.wait("failed")
    assert files_in(media) == {}
    await ended(half)
