"""On, off, asleep behind a proxy, and gone: what is shown, and what wakes a device."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .common import (
    PLAYER,
    STORE,
    add_entry,
    announce,
    coordinator_of,
    get_state,
    set_up,
    wait_connected,
    wait_data,
    wait_links,
    wait_state,
)
from .conftest import QUICK
from custom_components.rumpus.families.apple_tv import hub
from custom_components.rumpus.protocols.apple.enums import PowerState
from tests.fakes.apple_tv import FakeAppleTv

WAKE = "button.living_room_wake"


async def call(hass: HomeAssistant, action: str) -> None:
    """Do something with the player."""
    await hass.services.async_call(
        "media_player", action, {"entity_id": PLAYER}, blocking=True
    )


async def test_off_and_on_by_itself(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """While it is connected it tells."""
    entry = await set_up(hass, apple_tv)
    apple_tv.sleep(deep=False)
    await wait_state(hass, PLAYER, "off")
    assert coordinator_of(entry).data.power is PowerState.OFF
    assert coordinator_of(entry).data.is_off

    apple_tv.wake()
    await wait_state(hass, PLAYER, "idle")
    assert not coordinator_of(entry).data.is_off


async def test_switched_by_us(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """It really goes off, and on."""
    await set_up(hass, apple_tv)
    await call(hass, "turn_off")
    await apple_tv.wait_for("power", state="asleep")
    await wait_state(hass, PLAYER, "off")
    await call(hass, "turn_on")
    await apple_tv.wait_for("power", state="awake")
    await wait_state(hass, PLAYER, "idle")


async def test_deep_sleep(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """It said that it sleeps, and then was silent: off, and not called all the time."""
    entry = await set_up(hass, apple_tv)
    apple_tv.sleep()
    await wait_connected(entry, is_connected=False)
    await wait_state(hass, PLAYER, "off")
    await announce(hass, apple_tv, is_proxied=True)
    assert coordinator_of(entry).device.is_asleep
    assert coordinator_of(entry).data.is_asleep
    assert get_state(hass, PLAYER).state == "off"

    await call(hass, "turn_on")
    assert apple_tv.is_on
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


async def test_sleep_proxy_alone(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A proxy that answers for the device is word enough, until it is the device again."""
    entry = await add_entry(hass, apple_tv)
    apple_tv.power.knocks_wake = False
    apple_tv.power.sink()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await announce(hass, apple_tv, is_proxied=True)
    await wait_state(hass, PLAYER, "off")

    apple_tv.power.surface()
    await announce(hass, apple_tv)
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


@pytest.mark.parametrize("timing", [replace(QUICK, wake=1.0)])
async def test_cable_pulled(
    hass: HomeAssistant, apple_tv: FakeAppleTv, timing: object
) -> None:
    """What said nothing before it went is not off: nobody knows."""
    entry = await set_up(hass, apple_tv)
    apple_tv.vanish()
    await wait_state(hass, PLAYER, "unavailable")
    assert not coordinator_of(entry).data.is_off
    assert get_state(hass, WAKE).state != "unavailable"

    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            "button", "press", {"entity_id": WAKE}, blocking=True
        )
    assert raised.value.translation_key in {
        "apple_tv_wake_timed_out",
        "apple_tv_not_connected",
    }
    apple_tv.come_back()
    await wait_links(entry)


@pytest.mark.parametrize("was_asleep", [True, False])
async def test_last_word_after_a_restart(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    was_asleep: bool,
) -> None:
    """It stays when Home Assistant is started anew, with what is known of its apps."""
    entry = await add_entry(hass, apple_tv)
    hass_storage[STORE] = {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {
            "devices": {
                str(entry.unique_id): {
                    "was_asleep": was_asleep,
                    "apps": [["com.example.radio", "Radio"], ["com.example.x", None]],
                    "accounts": [["A", "Anna"]],
                }
            }
        },
    }
    await apple_tv.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert get_state(hass, PLAYER).state == ("off" if was_asleep else "unavailable")
    state = coordinator_of(entry).data
    assert [app.name for app in state.apps] == ["Radio", None]
    assert [account.name for account in state.accounts] == ["Anna"]

    await apple_tv.start()
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


async def test_last_word_is_kept(
    hass: HomeAssistant, apple_tv: FakeAppleTv, hass_storage: dict[str, Any]
) -> None:
    """It is what the device itself has said."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps and state.accounts)
    apple_tv.sleep(deep=False)
    await wait_state(hass, PLAYER, "off")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_stop(force=True)
    (stored,) = hass_storage[STORE]["data"]["devices"].values()
    assert stored["was_asleep"] is True
    assert ["com.apple.TVMusic", "Music"] in [list(app) for app in stored["apps"]]


async def asleep_before(
    hass: HomeAssistant, apple_tv: FakeAppleTv, hass_storage: dict[str, Any]
) -> Any:
    """Return an entry whose device slept when Home Assistant ended."""
    entry = await add_entry(hass, apple_tv)
    device = {"was_asleep": True, "apps": [], "accounts": []}
    hass_storage[STORE] = {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": {"devices": {str(entry.unique_id): device}},
    }
    return entry


async def test_restart_does_not_wake(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What slept before is not called while its sleep proxy answers for it."""
    entry = await asleep_before(hass, apple_tv, hass_storage)
    apple_tv.power.sink()
    apple_tv.mark()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await announce(hass, apple_tv, is_proxied=True)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=10))
    await hass.async_block_till_done()
    for _ in range(3):
        await apple_tv.wait_for("mdns_query")
    assert not apple_tv.seen("knocked")
    assert get_state(hass, PLAYER).state == "off"


async def test_restart_while_it_was_woken(
    hass: HomeAssistant, apple_tv: FakeAppleTv, hass_storage: dict[str, Any]
) -> None:
    """It answers for itself: there is nothing to be waited for."""
    entry = await asleep_before(hass, apple_tv, hass_storage)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


async def test_restart_where_nothing_is_heard(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In another subnet nobody says that it sleeps, so it is called after a while."""
    entry = await asleep_before(hass, apple_tv, hass_storage)
    monkeypatch.setattr(hub, "MDNS_PORT", 1)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


# Left alone when Home Assistant starts


async def start_off(hass: HomeAssistant, apple_tv: FakeAppleTv) -> Any:
    """Return an entry whose device is left alone, as when Home Assistant starts."""
    entry = await add_entry(hass, apple_tv, {"start_off": True})
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hass.set_state(CoreState.running)
    await wait_state(hass, PLAYER, "off")
    return entry


async def test_left_alone(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Nobody connects until somebody turns it on, whatever is heard of it."""
    entry = await start_off(hass, apple_tv)
    await announce(hass, apple_tv)
    await apple_tv.wait_for("mdns_query")  # where it is, is asked without waking it
    assert not apple_tv.seen("verify_m1")
    assert get_state(hass, PLAYER).state == "off"

    await call(hass, "turn_on")
    await wait_links(entry)
    await wait_state(hass, PLAYER, "idle")


async def test_left_alone_until_it_announces_itself_anew(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Then it is awake, and cannot be woken any more."""
    entry = await start_off(hass, apple_tv)
    await announce(hass, apple_tv, is_proxied=True)
    await announce(hass, apple_tv)
    await wait_links(entry)


async def test_not_left_alone_after_a_reload(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """The option is for the start of Home Assistant."""
    entry = await set_up(hass, apple_tv, {"start_off": True})
    await wait_data(entry, lambda state: state.is_connected)
