"""Where credentials are kept, and where they are not."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    UnknownEntry,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow

from .common import (
    IDENTITY,
    PAIRINGS,
    add_entry,
    flows,
    found,
    go,
    look,
    secrets_of,
    set_up,
    shown,
    start_user,
    through,
    wait_links,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv import AppleTvFamily
from custom_components.rumpus.families.apple_tv.pairings import (
    Pairings,
    PairingStore,
    async_get_pairing_store,
)
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from tests.fakes.apple_tv import FakeAppleTv

TEXT = str(HapCredentials(bytes(32), bytes([7]) * 32, b"device", b"client"))
PAIRED = Pairings(IDENTITY, {AppleProtocol.COMPANION: TEXT})


def stored(**devices: object) -> dict[str, Any]:
    """Return what the file may hold."""
    return {
        "version": 1,
        "minor_version": 1,
        "key": PAIRINGS,
        "data": {"devices": devices},
    }


def add_bare(hass: HomeAssistant, unique_id: str) -> MockConfigEntry:
    """Return an entry that nobody sets up."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=unique_id)
    entry.add_to_hass(hass)
    return entry


def forget_all(hass: HomeAssistant) -> PairingStore:
    """Return the store as it is after a restart: it has read nothing yet."""
    old = async_get_pairing_store(hass)
    del hass.data[f"{DOMAIN}_apple_tv_pairings"]
    new = async_get_pairing_store(hass)
    assert new is not old
    return new


async def last_pin(hass: HomeAssistant) -> ConfigFlowResult:
    """Add the device until there is one PIN left to be typed."""
    result = await go(hass, await start_user(hass), address="127.0.0.1")
    result = await through(hass, await go(hass, result), "apple_tv_look")
    result = await through(hass, await go(hass, result, pin="1234"), "apple_tv_begin")
    assert result["step_id"] == "apple_tv_pin_companion"
    return result


# The file


async def test_keeping(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What was written is there as soon as the call returns, and after a restart."""
    for unique_id in ("A", "B"):
        add_bare(hass, unique_id)
    store = async_get_pairing_store(hass)
    assert await store.async_get("A") is None
    await store.async_keep("A", PAIRED)
    assert list(hass_storage[PAIRINGS]["data"]["devices"]) == ["A"]
    await store.async_keep("B", Pairings(IDENTITY))

    again = forget_all(hass)
    assert await again.async_get("A") == PAIRED
    assert await again.async_get("B") == Pairings(IDENTITY)
    await again.async_forget("A")
    await again.async_forget("C")
    assert list(hass_storage[PAIRINGS]["data"]["devices"]) == ["B"]
    await again.async_forget("B")
    assert PAIRINGS not in hass_storage


async def test_pairings_without_an_entry(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """They are deleted: Home Assistant may have ended before it wrote the entry."""
    add_bare(hass, "A")
    hass_storage[PAIRINGS] = stored(A=PAIRED.to_dict(), B=PAIRED.to_dict())
    store = async_get_pairing_store(hass)
    assert await store.async_get("B") is None
    assert await store.async_get("A") == PAIRED
    assert list(hass_storage[PAIRINGS]["data"]["devices"]) == ["A"]


@pytest.mark.parametrize(
    "damage",
    [
        None,
        {},
        {"identity": IDENTITY.to_dict()},
        {"identity": {}, "credentials": {}},
        {"identity": None, "credentials": {}},
        {"identity": IDENTITY.to_dict(), "credentials": 7},
        {"identity": IDENTITY.to_dict(), "credentials": {"companion": 7}},
        {"identity": IDENTITY.to_dict(), "credentials": {"companion": "1234567890"}},
        {"identity": IDENTITY.to_dict(), "credentials": {"telnet": TEXT}},
    ],
)
async def test_damage(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    damage: object,
) -> None:
    """The other devices' pairings stay; nothing of them is told."""
    for unique_id in ("A", "B"):
        add_bare(hass, unique_id)
    hass_storage[PAIRINGS] = stored(A=damage, B=PAIRED.to_dict())
    store = async_get_pairing_store(hass)
    assert await store.async_get("A") is None
    assert await store.async_get("B") == PAIRED
    (told,) = [one for one in caplog.records if one.name == "custom_components.rumpus"]
    assert "has to be paired again" in told.getMessage()
    assert "1234567890" not in told.getMessage()
    assert told.exc_info is None
    # It is not left behind either.
    await store.async_forget("A")
    assert list(hass_storage[PAIRINGS]["data"]["devices"]) == ["B"]


@pytest.mark.parametrize("data", [{}, {"devices": None}, [], 7])
async def test_damaged_file(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    data: object,
) -> None:
    """Nothing is known, and everything can be paired again."""
    hass_storage[PAIRINGS] = stored() | {"data": data}
    store = async_get_pairing_store(hass)
    assert await store.async_get("A") is None
    assert "have to be paired again" in caplog.text


# Entries


async def test_loaded_again(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Who we are and what proves it is the same after that."""
    entry = await set_up(hass, apple_tv)
    before = await secrets_of(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    forget_all(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)
    assert await secrets_of(hass, entry) == before
    assert not flows(hass)


async def test_two_devices(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    homepod: FakeAppleTv,
    hass_storage: dict[str, Any],
) -> None:
    """Each has its own pairings, which go with its entry."""
    entry = await set_up(hass, apple_tv)
    other = await set_up(hass, homepod)
    devices = hass_storage[PAIRINGS]["data"]["devices"]
    assert set(devices) == {entry.unique_id, other.unique_id}
    assert set(devices[entry.unique_id]["credentials"]) == {"airplay", "companion"}
    assert devices[other.unique_id]["credentials"] == {}

    await hass.config_entries.async_remove(entry.entry_id)
    assert list(hass_storage[PAIRINGS]["data"]["devices"]) == [other.unique_id]
    await wait_links(other)
    await hass.config_entries.async_remove(other.entry_id)
    assert PAIRINGS not in hass_storage


async def test_lost_identity(
    hass: HomeAssistant, homepod: FakeAppleTv, hass_storage: dict[str, Any]
) -> None:
    """A device that lets everybody in gets to know us anew, without a question."""
    entry = await add_entry(hass, homepod)
    del hass_storage[PAIRINGS]
    forget_all(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)
    assert not flows(hass)
    (device,) = hass_storage[PAIRINGS]["data"]["devices"].values()
    assert device["identity"]["rp_id"] != IDENTITY.rp_id


def lose_all(hass_storage: dict[str, Any]) -> None:
    """Lose the file."""
    del hass_storage[PAIRINGS]


def damage_all(hass_storage: dict[str, Any]) -> None:
    """Damage what is in the file."""
    for device in hass_storage[PAIRINGS]["data"]["devices"].values():
        device["credentials"]["companion"] = "12:34"


def lose_one(hass_storage: dict[str, Any]) -> None:
    """Lose one of two."""
    for device in hass_storage[PAIRINGS]["data"]["devices"].values():
        del device["credentials"]["companion"]


@pytest.mark.parametrize(
    ("lose", "label", "pins"),
    [
        (lose_all, "AirPlay, Companion", 2),
        (damage_all, "AirPlay, Companion", 2),
        (lose_one, "Companion", 1),
    ],
)
async def test_lost_pairings(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    lose: Any,
    label: str,
    pins: int,
) -> None:
    """The user is told, and pairs again what was paired."""
    entry = await add_entry(hass, apple_tv)
    before = await secrets_of(hass, entry)
    hass_storage[PAIRINGS] = deepcopy(hass_storage[PAIRINGS])
    lose(hass_storage)
    forget_all(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "apple_tv_pairings_lost"
    (flow,) = flows(hass)
    result = await look(hass, flow)
    assert result["step_id"] == "apple_tv_reauth_lost"
    assert shown(result)["protocol"] == label
    result = await through(hass, await go(hass, result), "apple_tv_look")
    for left in range(pins, 0, -1):
        result = await go(hass, result, pin="1234")
        if left > 1:
            result = await through(hass, result, "apple_tv_begin")
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await wait_links(entry)
    assert entry.data["paired"] == ["airplay", "companion"]
    after = await secrets_of(hass, entry)
    assert set(after) == set(before)
    assert (after["airplay"] == before["airplay"]) is (pins == 1)
    assert after["companion"] != before["companion"]


# Flows


async def test_nothing_is_stored_before_the_end(
    hass: HomeAssistant, apple_tv: FakeAppleTv, hass_storage: dict[str, Any]
) -> None:
    """Whoever closes the dialog leaves nothing behind."""
    result = await last_pin(hass)
    assert PAIRINGS not in hass_storage
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert PAIRINGS not in hass_storage


async def test_written_before_the_entry(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no entry without them."""
    keep = PairingStore.async_keep
    entries: list[list[ConfigEntry]] = []

    async def async_keep(store: PairingStore, *args: Any) -> None:
        await keep(store, *args)
        entries.append(hass.config_entries.async_entries(DOMAIN))

    result = await last_pin(hass)
    monkeypatch.setattr(PairingStore, "async_keep", async_keep)
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entries == [[]]
    await wait_links(result["result"])


async def test_closed_while_it_writes(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no entry, and nothing in the file."""
    result = await last_pin(hass)
    keep = PairingStore.async_keep

    async def async_keep(store: PairingStore, *args: Any) -> None:
        await keep(store, *args)
        assert PAIRINGS in hass_storage
        hass.config_entries.flow.async_abort(result["flow_id"])

    monkeypatch.setattr(PairingStore, "async_keep", async_keep)
    with pytest.raises(UnknownFlow):
        await go(hass, result, pin="1234")
    assert not hass.config_entries.async_entries(DOMAIN)
    assert PAIRINGS not in hass_storage


async def test_another_flow_was_quicker(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Its pairings are those that stay."""
    result = await last_pin(hass)
    store = async_get_pairing_store(hass)
    async with store.lock:
        late = asyncio.create_task(go(hass, result, pin="1234"))
        await apple_tv.wait_for("paired", protocol="companion")
        unique_id = (await found(apple_tv)).identifier
        assert unique_id is not None
        add_bare(hass, unique_id)
        await store.async_keep(unique_id, PAIRED)
    result = await late
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert await store.async_get(unique_id) == PAIRED


async def test_removed_while_it_is_paired_again(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing comes back of an entry that is deleted."""
    forget = AppleTvFamily.async_remove_entry
    removed = asyncio.Event()

    async def async_remove_entry(*args: Any) -> None:
        removed.set()
        await forget(*args)

    monkeypatch.setattr(AppleTvFamily, "async_remove_entry", async_remove_entry)
    entry = await set_up(hass, apple_tv)
    apple_tv.desk.unpair("companion")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))
    result = await look(hass, flows(hass)[0])
    result = await through(hass, await go(hass, result), "apple_tv_look")
    apple_tv.mark()
    store = async_get_pairing_store(hass)
    async with store.lock:
        late = asyncio.create_task(go(hass, result, pin="1234"))
        await apple_tv.wait_for("paired", protocol="companion")
        removal = asyncio.create_task(hass.config_entries.async_remove(entry.entry_id))
        await removed.wait()
    with pytest.raises(UnknownEntry):
        await late
    await removal
    assert PAIRINGS not in hass_storage
