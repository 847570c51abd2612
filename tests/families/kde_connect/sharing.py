"""What the tests of sharing have in common."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr

from .common import paired_entry, wait_connected, wait_state, wait_until
from custom_components.rumpus.families.kde_connect.features import share_progress
from custom_components.rumpus.protocols.kdeconnect import transfer
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_share import SharedFile

SHARED = "event.pixel_shared"
TRANSFER = "sensor.pixel_file_transfer"


async def set_up_sharing(
    hass: HomeAssistant,
    ours: Credentials,
    fake: FakeDevice,
    name: str,
    **options: object,
) -> MockConfigEntry:
    """Return an entry that is connected and may receive files, unless told otherwise."""
    entry = paired_entry(hass, ours, fake)
    hass.config_entries.async_update_entry(
        entry, options={"receive_files": True, **options}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    return entry


class Heard:
    """The events on the bus about what is shared."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Hear them from now on."""
        self._hass = hass
        self._events: list[Event[Mapping[str, Any]]] = async_capture_events(
            hass, "rumpus_share"
        )

    @property
    def data(self) -> list[Mapping[str, Any]]:
        """What they say, without whose they are."""
        return [
            {
                key: value
                for key, value in event.data.items()
                if key not in ("device_id", "name")
            }
            for event in self._events
        ]

    @property
    def types(self) -> list[str]:
        """Their types."""
        return [data["type"] for data in self.data]

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """Return those of one type."""
        return [data for data in self.data if data["type"] == kind]

    async def wait(self, kind: str, count: int = 1) -> list[Mapping[str, Any]]:
        """Wait for so many of a type, and return them."""
        await wait_until(self._hass, lambda: len(self.of(kind)) >= count)
        return self.of(kind)


def device_id_of(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the id of an entry's device in the registry."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


async def act(
    hass: HomeAssistant, entry: MockConfigEntry, action: str, **data: object
) -> None:
    """Call one of the integration's actions for an entry's device, and wait for its end."""
    await hass.services.async_call(
        "rumpus",
        action,
        {"device_id": device_id_of(hass, entry), **data},
        blocking=True,
    )


def offer(fake: FakeDevice, *files: SharedFile) -> asyncio.Task[None]:
    """Let a device share files in the background."""
    return asyncio.create_task(fake.share.send_files(*files))


async def stall(hass: HomeAssistant, fake: FakeDevice) -> asyncio.Task[None]:
    """Let a device send half of a file, and no more."""
    fake.misbehave = Misbehave.PAYLOAD_STALL
    half = offer(fake, SharedFile("half.bin", b"x" * 1_000_000))
    await wait_state(hass, TRANSFER, "50")
    return half


async def ended(task: asyncio.Task[None]) -> None:
    """Wait for the end of a transfer, whichever it is."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, hidden ones too, by their relative paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Fixtures: who imports one names it in its `__all__`.


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
