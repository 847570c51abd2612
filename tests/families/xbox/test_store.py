"""What is kept over a restart."""

from typing import Any
from uuid import UUID

import pytest

from homeassistant.core import HomeAssistant

from .common import CLIENT_UUID, STORE, add_entry, set_up, stored
from custom_components.rumpus.families.xbox.state import SeenTitle
from custom_components.rumpus.families.xbox.store import (
    MAX_TITLES,
    ConsoleRecord,
    async_get_store,
)
from tests.fakes.xbox import FakeConsole

LIVE_ID = "FD00112233445566"


async def test_id_of_the_installation_is_made_once(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Consoles count clients by it."""
    made = await async_get_store(hass).async_load()

    assert await async_get_store(hass).async_load() == made
    assert hass_storage[STORE]["data"] == {"client_uuid": str(made), "consoles": {}}


async def test_id_of_the_installation_is_used(
    hass: HomeAssistant, console: FakeConsole, installation: str
) -> None:
    """It is what the console hears."""
    await set_up(hass, console)

    (connected,) = console.seen("connected")
    assert UUID(str(connected.data["client_uuid"])) == UUID(installation)


async def test_records(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """They are read as they were written."""
    hass_storage[STORE] = stored(was_off=True)
    store = async_get_store(hass)

    assert await store.async_load() == UUID(CLIENT_UUID)

    assert store.record(LIVE_ID) == ConsoleRecord(
        was_off=True,
        sw_version="10.0.19041",
        titles={
            0x4AE8F9B2: SeenTitle(0x4AE8F9B2, "Fallout 4", "Publisher.Fallout4_abc!App")
        },
    )
    assert store.record("FD") == ConsoleRecord()


@pytest.mark.parametrize(
    "damage",
    [
        {"client_uuid": "nonsense"},
        {"client_uuid": None},
        {"consoles": []},
        {"consoles": {LIVE_ID: {}}},
        {"consoles": {LIVE_ID: None}},
        {"consoles": {LIVE_ID: {"was_off": 1, "sw_version": None, "titles": [1]}}},
    ],
)
async def test_damaged(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    damage: dict[str, Any],
) -> None:
    """A file that nobody can read is as good as none."""
    hass_storage[STORE] = stored(was_off=True)
    hass_storage[STORE]["data"] |= damage
    store = async_get_store(hass)

    made = await store.async_load()

    assert store.record(LIVE_ID) == ConsoleRecord()
    assert hass_storage[STORE]["data"] == {"client_uuid": str(made), "consoles": {}}
    assert "damaged" in caplog.text


async def test_stored_values_are_bounded(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """MAX_TITLES, MAX_NAME, MAX_AUM and MAX_VERSION, whoever wrote the file."""
    hass_storage[STORE] = stored(was_off=False)
    console = hass_storage[STORE]["data"]["consoles"][LIVE_ID]
    console["sw_version"] = "1" * 1000
    console["titles"] = [
        [number, "n" * 1000, "a" * 1000] for number in range(MAX_TITLES + 5)
    ]
    store = async_get_store(hass)
    await store.async_load()

    record = store.record(LIVE_ID)

    assert record.sw_version is not None
    assert len(record.sw_version) == 64
    assert list(record.titles) == list(range(5, MAX_TITLES + 5))
    assert {len(title.name) for title in record.titles.values()} == {64}
    assert {len(title.aum) for title in record.titles.values()} == {256}


def test_max_titles() -> None:
    """Those that ran longest ago go."""
    record = ConsoleRecord()
    for number in range(MAX_TITLES + 5):
        record = record.seen(SeenTitle(number, "x"))
    record = record.seen(SeenTitle(10, "y"))

    assert len(record.titles) == MAX_TITLES
    assert list(record.titles)[-1] == 10
    assert record.titles[10].name == "y"
    assert 4 not in record.titles


async def test_removed(
    hass: HomeAssistant, console: FakeConsole, hass_storage: dict[str, Any]
) -> None:
    """With its entry a console is forgotten, and the others are not."""
    hass_storage[STORE] = stored(was_off=True)
    hass_storage[STORE]["data"]["consoles"]["F4"] = {
        "was_off": True,
        "sw_version": None,
        "titles": [],
    }
    entry = await set_up(hass, console)

    await hass.config_entries.async_remove(entry.entry_id)

    assert list(hass_storage[STORE]["data"]["consoles"]) == ["F4"]
    assert hass_storage[STORE]["data"]["client_uuid"] == CLIENT_UUID
    assert not async_get_store(hass).record(console.live_id).was_off


async def test_removed_before_it_was_set_up(
    hass: HomeAssistant, console: FakeConsole, hass_storage: dict[str, Any]
) -> None:
    """There is nothing to forget, or nothing read yet."""
    hass_storage[STORE] = stored(was_off=True)
    entry = add_entry(hass, console)

    await hass.config_entries.async_remove(entry.entry_id)

    assert hass_storage[STORE]["data"]["consoles"] == {}
    await async_get_store(hass).async_forget("FD")
