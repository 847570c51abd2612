"""What is known of a console's power: only what it says itself, and whether it is there."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .common import (
    LINK,
    PLAYER,
    STORE,
    add_entry,
    coordinator_of,
    get_state,
    set_up,
    stored,
    wait_connected,
    wait_state,
    wait_until,
    watched,
)
from .conftest import QUICK
from custom_components.rumpus.families.xbox.hub import async_get_hub
from custom_components.rumpus.protocols import reconnect
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.fakes.xbox import GAME, FakeConsole


async def turn(hass: HomeAssistant, how: str) -> None:
    """Turn the console on or off."""
    await hass.services.async_call(
        "media_player", f"turn_{how}", {"entity_id": PLAYER}, blocking=True
    )


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged about the link."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.getMessage().startswith("Connection to")
    ]


async def test_connects(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that is on is connected to; the session ends with the entry."""
    entry = await set_up(hass, console)

    assert get_state(hass, LINK).state == "on"
    assert get_state(hass, PLAYER).state == "idle"
    assert coordinator_of(entry).data.power == "on"
    assert len(console.participants) == 1

    assert await hass.config_entries.async_unload(entry.entry_id)
    await console.wait_for("left", by="client")


async def test_session_ends_with_home_assistant(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The console need not find out by itself."""
    await set_up(hass, console)

    await hass.async_stop(force=True)

    await console.wait_for("left", by="client")


async def test_switched_off_by_its_button(
    hass: HomeAssistant, console: FakeConsole, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so itself: then it is off, until it is back."""
    caplog.set_level("INFO", "custom_components.rumpus")
    entry = await set_up(hass, console)

    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    assert get_state(hass, LINK).state == "off"
    assert coordinator_of(entry).data.power == "off"
    console.press_power_button()
    await wait_state(hass, LINK, "on")
    await wait_state(hass, PLAYER, "idle")
    assert lines(caplog) == [
        "Connection to Living room is lost: it went off",
        "Connection to Living room is back",
    ]


async def test_goes_off_with_an_empty_list_of_titles(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """That one followed by silence is a word, too."""
    await set_up(hass, console)

    console.set_titles([])
    console.unplug()

    await wait_state(hass, PLAYER, "off")


def test_how_long_it_takes_to_know() -> None:
    """A console that goes off is known to be off within 8 seconds, whatever gets lost."""
    timing = Timing()

    assert max(timing.farewell, timing.silence) + timing.heartbeat <= 8.0


async def test_unplugged(
    hass: HomeAssistant,
    console: FakeConsole,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Silence is no word: nobody knows what has become of it, after a restart neither."""
    caplog.set_level("INFO", "custom_components.rumpus")
    monkeypatch.setattr(reconnect, "LINK_GRACE", 0.0)
    entry = await set_up(hass, console)
    lost = asyncio.Event()
    monkeypatch.setattr(Console, "connect", watched(lost, Console.connect))

    console.unplug()
    await wait_state(hass, PLAYER, STATE_UNAVAILABLE)

    assert get_state(hass, LINK).state == "off"
    assert coordinator_of(entry).data.power == "unavailable"
    await lost.wait()
    assert lines(caplog) == ["Connection to Living room is lost: silence"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE
    console.plug_in()
    await wait_state(hass, PLAYER, "idle")


async def test_unplugged_while_off(hass: HomeAssistant, console: FakeConsole) -> None:
    """Its last word counts."""
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    console.unplug()
    assert await hass.config_entries.async_reload(entry.entry_id)

    assert get_state(hass, PLAYER).state == "off"
    assert get_state(hass, LINK).state == "off"


@pytest.mark.parametrize(
    ("was_off", "state"), [(True, "off"), (False, STATE_UNAVAILABLE)]
)
async def test_start_while_the_console_is_asleep(
    hass: HomeAssistant,
    console: FakeConsole,
    hass_storage: dict[str, Any],
    was_off: bool,
    state: str,
) -> None:
    """What it said last is known after a restart, and what had run on it before."""
    hass_storage[STORE] = stored(was_off=was_off)
    console.turn_off()
    entry = add_entry(hass, console)

    assert await hass.config_entries.async_setup(entry.entry_id)

    assert get_state(hass, PLAYER).state == state
    assert get_state(hass, LINK).state == "off"
    (seen,) = coordinator_of(entry).data.titles_seen.values()
    assert (seen.title_id, seen.name) == (GAME.title_id, "Fallout 4")


async def test_last_word_is_kept(
    hass: HomeAssistant, console: FakeConsole, hass_storage: dict[str, Any]
) -> None:
    """It is in the file as soon as it is said, and taken back when the console is on."""
    entry = await set_up(hass, console)

    def was_off() -> bool:
        kept: bool = hass_storage[STORE]["data"]["consoles"][console.live_id]["was_off"]
        return kept

    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert was_off()

    console.press_power_button()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)
    await hass.async_stop(force=True)
    assert not was_off()


async def test_restarts(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that starts anew has another certificate, and is known by its Live ID."""
    entry = await set_up(hass, console)

    console.restart()
    await wait_connected(hass, entry, is_connected=False)
    await wait_connected(hass, entry)

    assert get_state(hass, PLAYER).state == "idle"


async def test_reboot_is_not_off(hass: HomeAssistant, console: FakeConsole) -> None:
    """Other reasons to leave tell nothing of the power."""
    entry = await set_up(hass, console)
    states: list[str] = []
    coordinator = coordinator_of(entry)
    entry.async_on_unload(
        coordinator.async_add_listener(
            lambda: states.append(coordinator.data.power.value)
        )
    )

    console.disconnect_clients(6)
    await wait_connected(hass, entry, is_connected=False)
    await wait_connected(hass, entry)

    assert "unavailable" in states
    assert "off" not in states


# Turning on and off


async def test_turn_on(hass: HomeAssistant, console: FakeConsole) -> None:
    """Packets are sent until the console answers; then it is connected to."""
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    console.wake_packets = 2
    console.boot_delay = 0.05

    await turn(hass, "on")

    assert coordinator_of(entry).data.is_connected
    assert get_state(hass, PLAYER).state == "idle"
    assert len(console.seen("power_on", right=True)) >= 2
    # There is nothing to do then.
    seen = len(console.seen("power_on"))
    await turn(hass, "on")
    assert len(console.seen("power_on")) == seen


async def test_turn_on_twice_at_once(hass: HomeAssistant, console: FakeConsole) -> None:
    """One of them wakes the console, and the other one finds it awake."""
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    await asyncio.gather(turn(hass, "on"), turn(hass, "on"))

    assert coordinator_of(entry).data.is_connected
    assert len(console.seen("connected")) == 2


async def test_turn_on_somewhere_else(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that wakes up at another address is followed, even in a flood of forgeries."""
    monkeypatch.setattr("custom_components.rumpus.families.xbox.link.MAX_WAKES", 0)
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    await console.change_port()
    discoverer = async_get_hub(hass).discoverer
    assert discoverer is not None
    discoverer.network = replace(
        discoverer.network, targets=((console.address, console.port),)
    )

    await turn(hass, "on")

    assert entry.data["port"] == console.port
    assert coordinator_of(entry).data.is_connected


async def test_turn_on_right_after_it_went_off(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wish counts at once, though a console that goes off is left alone for a while."""
    monkeypatch.setattr(reconnect, "LINK_GRACE", 0.0)
    monkeypatch.setattr("custom_components.rumpus.families.xbox.link.OFF_PAUSE", 3600.0)
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    requests = len(console.seen("connect_request"))
    console.press_power_button()
    for _ in range(3):
        await console.wait_for("discovery_request")
    assert len(console.seen("connect_request")) == requests

    await turn(hass, "on")

    assert coordinator_of(entry).data.is_connected


async def test_turn_on_fails(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that saves energy cannot be woken, and the error says so."""
    monkeypatch.setattr(
        "custom_components.rumpus.families.xbox.link.WAKE_DEADLINE", 0.2
    )
    await set_up(hass, console)
    console.energy_saving = True
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    with pytest.raises(HomeAssistantError) as caught:
        await turn(hass, "on")

    assert caught.value.translation_key == "xbox_wake_timed_out"
    assert caught.value.translation_placeholders == {"name": "Living room"}
    assert "energy-saving" in str(caught.value)
    assert get_state(hass, PLAYER).state == "off"


async def test_turn_on_and_no_session(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes up, and nobody is let in in time."""
    monkeypatch.setattr(
        "custom_components.rumpus.families.xbox.link.CONNECT_DEADLINE", 0.9
    )
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    console.mute_connects = True

    with pytest.raises(HomeAssistantError) as caught:
        await turn(hass, "on")

    assert caught.value.translation_key == "xbox_timed_out"


async def test_turn_on_and_refused(hass: HomeAssistant, console: FakeConsole) -> None:
    """The error tells why the console lets nobody in."""
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    console.refuse(4)

    with pytest.raises(HomeAssistantError) as caught:
        await turn(hass, "on")

    assert caught.value.translation_key == "xbox_refused_limit"
    # It runs, so it is not off any more.
    await wait_state(hass, PLAYER, STATE_UNAVAILABLE)


async def test_turn_off(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is off when it has said that it goes off."""
    await set_up(hass, console)

    await turn(hass, "off")

    assert get_state(hass, PLAYER).state == "off"
    assert console.seen("power_off", right=True)
    # There is nothing to do then.
    await turn(hass, "off")
    assert len(console.seen("power_off")) == 1


async def test_turn_off_during_an_update(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Consoles that install an update say yes and stay on: that is an error."""
    await set_up(hass, console)
    console.is_updating = True

    with pytest.raises(HomeAssistantError) as caught:
        await turn(hass, "off")

    assert caught.value.translation_key == "xbox_timed_out"
    assert get_state(hass, PLAYER).state == "idle"


async def test_turn_off_out_of_reach(hass: HomeAssistant, console: FakeConsole) -> None:
    """What cannot be told is an error, not silence."""
    entry = await set_up(hass, console)
    console.unplug()
    await wait_connected(hass, entry, is_connected=False)

    with pytest.raises(HomeAssistantError) as caught:
        await coordinator_of(entry).async_turn_off()

    assert caught.value.translation_key == "xbox_timed_out"


async def test_turn_off_connects_first(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that refused, and would be asked again in a minute, is asked at once."""
    monkeypatch.setattr(
        "custom_components.rumpus.families.xbox.link.REFUSED_PAUSE", 3600.0
    )
    console.refuse(4)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: ir.async_get(hass).issues)
    console.refuse(None)

    await coordinator_of(entry).async_turn_off()

    assert get_state(hass, PLAYER).state == "off"


async def test_unload_while_somebody_waits(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Who waits for the console is told that it is let go."""
    entry = await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")
    console.mute_connects = True
    waiting = hass.async_create_task(coordinator_of(entry).async_turn_on())
    console.mark()
    await console.wait_for("connect_request")

    assert await hass.config_entries.async_unload(entry.entry_id)

    with pytest.raises(HomeAssistantError) as caught:
        await waiting
    assert caught.value.translation_key == "xbox_not_connected"


# Being there


async def test_vanishes_while_connecting(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """It answers who it is, and then nothing; it is asked again when it is back."""
    console.mute_connects = True
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("connect_request")
    console.unplug()
    console.mute_connects = False
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE

    console.plug_in()

    await wait_connected(hass, entry)


@pytest.mark.parametrize("timing", [replace(QUICK, silence=30.0, heartbeat=10.0)])
async def test_answers_change_nothing_while_connected(
    hass: HomeAssistant, console: FakeConsole, timing: Timing
) -> None:
    """Anybody can answer a search in a console's name: a session does not care."""
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    data = dict(entry.data)
    # Somebody else sends what the console would send.
    async with FakeConsole(credentials=console.credentials) as forger:
        discoverer = async_get_hub(hass).discoverer
        assert discoverer is not None
        assert (await discoverer.find(forger.address, forger.port)).port == forger.port

    assert entry.data == data
    assert coordinator.data.is_connected
    assert coordinator.console.port == console.port


async def test_turned_off_by_several(hass: HomeAssistant, console: FakeConsole) -> None:
    """The voice, a scene and a finger: whoever comes late has nothing to do."""
    await set_up(hass, console)

    await asyncio.gather(*(turn(hass, "off") for _ in range(3)))

    assert get_state(hass, PLAYER).state == "off"
    assert len(console.seen("power_off")) == 1


async def test_unloaded_while_it_is_woken(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Nobody goes on to wake it, and who wanted that is told."""
    console.energy_saving = True
    entry = await set_up(hass, console)
    await turn(hass, "off")
    discoverer = async_get_hub(hass).discoverer
    assert discoverer is not None
    waiting = [hass.async_create_task(turn(hass, "on")) for _ in range(2)]
    await console.wait_for("power_on")

    assert await hass.config_entries.async_unload(entry.entry_id)

    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(outcome, HomeAssistantError)
        assert outcome.translation_key == "xbox_not_connected"
    assert not discoverer.is_running


async def test_nobody_waits_any_more_while_it_is_woken(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """An automation that is stopped takes its wish with it; the next one counts."""
    console.energy_saving = True
    await set_up(hass, console)
    await turn(hass, "off")
    waiting = hass.async_create_task(turn(hass, "on"))
    await console.wait_for("power_on")

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    console.energy_saving = False
    await turn(hass, "on")
    assert get_state(hass, LINK).state == "on"
