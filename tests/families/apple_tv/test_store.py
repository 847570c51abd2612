"""What is kept over a restart."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .common import STORE
from custom_components.rumpus.families.apple_tv.store import (
    MAX_ACCOUNTS,
    MAX_APPS,
    MAX_ID,
    DeviceRecord,
    async_get_store,
    bounded_accounts,
    bounded_apps,
)
from custom_components.rumpus.protocols.apple.models import Account, App

RECORD = DeviceRecord(
    was_asleep=True,
    apps=(App("com.example.radio", "Radio"), App("com.example.x")),
    accounts=(Account("A", "Anna"),),
)


def stored(**devices: object) -> dict[str, Any]:
    """Return what the file may hold."""
    return {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {"devices": devices},
    }


async def test_records(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """They are read as they were written."""
    store = async_get_store(hass)
    await store.async_load()
    assert store.record("A") == DeviceRecord()
    store.keep("A", RECORD)
    store.keep("A", RECORD)
    store.keep("B", DeviceRecord())
    await hass.async_stop(force=True)
    written = hass_storage[STORE]["data"]

    hass_storage[STORE]["data"] = written
    hass.data.clear()
    again = async_get_store(hass)
    assert again is not store
    await again.async_load()
    await again.async_load()
    assert again.record("A") == RECORD


async def test_forgetting(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """The last one takes the file with it."""
    hass_storage[STORE] = stored(
        A={"was_asleep": False, "apps": [], "accounts": []},
        B={"was_asleep": True, "apps": [], "accounts": []},
    )
    store = async_get_store(hass)
    await store.async_forget("C")
    await store.async_forget("A")
    assert list(hass_storage[STORE]["data"]["devices"]) == ["B"]
    await store.async_forget("B")
    assert STORE not in hass_storage


@pytest.mark.parametrize(
    "damage",
    [
        {"A": None},
        {"A": {}},
        {"A": {"was_asleep": True, "apps": [1], "accounts": []}},
        {"A": {"was_asleep": True, "apps": [["a", "b", "c"]], "accounts": []}},
        {"A": {"was_asleep": True, "apps": [], "accounts": 7}},
    ],
)
async def test_damage(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    damage: dict[str, object],
) -> None:
    """What cannot be read is lost, and nothing else."""
    hass_storage[STORE] = stored(**damage)
    store = async_get_store(hass)
    await store.async_load()
    assert store.record("A") == DeviceRecord()
    assert "is damaged" in caplog.text


def test_bounds() -> None:
    """A device may tell anything."""
    apps = tuple(App(f"app{number}", "x" * 1000) for number in range(MAX_APPS + 1))
    assert len(bounded_apps(apps)) == MAX_APPS
    assert all(len(app.name or "") <= 64 for app in bounded_apps(apps))
    assert bounded_apps((App("x" * (MAX_ID + 1), "X"), App(""), App("y", "\x00"))) == (
        App("y", None),
    )

    accounts = tuple(Account(str(number), "A") for number in range(MAX_ACCOUNTS + 1))
    assert len(bounded_accounts(accounts)) == MAX_ACCOUNTS
    assert (
        bounded_accounts(
            (Account("x" * (MAX_ID + 1), "X"), Account("", "Y"), Account("z", " \n"))
        )
        == ()
    )
