"""The remote control: words become presses, media keys and buttons of the TV."""

import asyncio
from typing import Any

import pytest

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import get_state, set_up, wait_attribute, wait_state, wait_until
from custom_components.rumpus.families.xbox.remote_keys import MAX_SECONDS, MAX_STEPS
from custom_components.rumpus.protocols.smartglass.services.input import MAX_HOLD
from tests.fakes.xbox import GAME, FakeConsole, FakeMedia
from tests.fakes.xbox_models import FAST_FORWARD

REMOTE = "remote.living_room"
PLAYER = "media_player.living_room"


async def send(hass: HomeAssistant, *commands: str, **data: Any) -> None:
    """Send commands without pauses, held as shortly as can be."""
    await hass.services.async_call(
        "remote",
        "send_command",
        {
            ATTR_ENTITY_ID: REMOTE,
            "command": list(commands),
            "delay_secs": 0,
            "hold_secs": 0.001,
            **data,
        },
        blocking=True,
    )


def pad(console: FakeConsole) -> list[dict[str, Any]]:
    """Return what has changed on the gamepad, without repetitions and times."""
    states: list[dict[str, Any]] = []
    for event in console.presses:
        state = {
            key: value
            for key, value in event.data.items()
            if key not in ("timestamp", "sequence", "participant") and value
        }
        if not states or states[-1] != state:
            states.append(state)
    return states


async def wait_released(console: FakeConsole, count: int) -> list[dict[str, Any]]:
    """Wait until so many changes have come, the last of which is the release."""
    while len(states := pad(console)) < count:
        await console.wait_for("gamepad")
    return states


async def test_activities_are_not_recorded(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The list of all titles would be written with every one that starts."""
    await set_up(hass, console)

    info = get_state(hass, REMOTE).state_info
    assert info is not None
    assert "activity_list" in info["unrecorded_attributes"]


async def test_buttons(hass: HomeAssistant, console: FakeConsole) -> None:
    """A press is a button that goes down and up again, in the order of the commands."""
    await set_up(hass, console)

    await send(hass, "a", "dpad up", "a+lb")

    assert await wait_released(console, 6) == [
        {"buttons": 0x0010},
        {},
        {"buttons": 0x0100},
        {},
        {"buttons": 0x1010},
        {},
    ]


async def test_triggers_and_sticks(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)

    await send(hass, "rt:0.5", "ls:up", "rs:0.25,-1", "a+lt+ls:left")

    assert await wait_released(console, 8) == [
        {"right_trigger": 0.5},
        {},
        {"left_thumbstick_y": 1.0},
        {},
        {"right_thumbstick_x": 0.25, "right_thumbstick_y": -1.0},
        {},
        {"buttons": 0x0010, "left_trigger": 1.0, "left_thumbstick_x": -1.0},
        {},
    ]


async def test_chords_of_several_calls(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """One waits until the other has ended."""
    await set_up(hass, console)

    await asyncio.gather(send(hass, "a+lt"), send(hass, "b+rt"))

    assert await wait_released(console, 4) == [
        {"buttons": 0x0010, "left_trigger": 1.0},
        {},
        {"buttons": 0x0020, "right_trigger": 1.0},
        {},
    ]


async def test_times(hass: HomeAssistant, console: FakeConsole) -> None:
    """A hold of its own, the hold of the call, and pauses."""
    await set_up(hass, console)

    await send(hass, "a@0.2", "wait:0.15", "b", hold_secs=0.05)

    await wait_released(console, 4)
    changes = [
        event
        for before, event in zip(
            [None, *console.presses], console.presses, strict=False
        )
        if before is None or before.data["buttons"] != event.data["buttons"]
    ]
    down, up, next_down, next_up = (event.at for event in changes)
    # What is heard may be a little late, at the beginning as at the end.
    assert up - down > 0.15
    assert next_down - up > 0.1
    assert next_up - next_down > 0.02


async def test_one_command_without_anything_else(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The press is as long as the options say."""
    await set_up(hass, console)

    await hass.services.async_call(
        "remote",
        "send_command",
        {ATTR_ENTITY_ID: REMOTE, "command": "nexus"},
        blocking=True,
    )

    assert await wait_released(console, 2) == [{"buttons": 0x0002}, {}]
    down, up = (event.at for event in console.presses[:2])
    assert up - down > 0.05


async def test_repeats(hass: HomeAssistant, console: FakeConsole) -> None:
    """All commands are repeated, with a pause in between."""
    await set_up(hass, console)

    await send(hass, "x", "y", num_repeats=2, delay_secs=0.01)

    downs = [state["buttons"] for state in await wait_released(console, 8) if state]
    assert downs == [0x40, 0x80, 0x40, 0x80]


async def test_media_keys(hass: HomeAssistant, console: FakeConsole) -> None:
    console.media_service.set(FakeMedia())
    await set_up(hass, console)

    await send(hass, "fast forward")
    await console.wait_for("media_command", command=FAST_FORWARD)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "record")
    assert caught.value.translation_key == "xbox_not_supported"


async def wait_tv(hass: HomeAssistant) -> None:
    """Wait until it is known what the console controls."""
    await wait_until(
        hass, lambda: get_state(hass, PLAYER).attributes["supported_features"] & 1024
    )


async def test_tv_buttons(hass: HomeAssistant, console: FakeConsole) -> None:
    """The device that has the button, or the one that is asked for."""
    await set_up(hass, console)
    await wait_tv(hass)

    await send(hass, "volume_up", "tv:power", "tv:guide")
    await console.wait_for("send_key", button_id="btn.vol_up", device_id="0")
    await console.wait_for("send_key", button_id="btn.power", device_id="0")
    await console.wait_for("send_key", button_id="btn.guide", device_id="1")
    await send(hass, "tv:power", device="stb")
    await console.wait_for("send_key", button_id="btn.power", device_id="1")


async def test_tv_buttons_that_nothing_has(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Nothing is pressed before it either."""
    await set_up(hass, console)
    await wait_tv(hass)

    for command, data, key in (
        ("tv:netflix", {}, "xbox_unknown_command"),
        ("tv:red", {"device": "tuner"}, "xbox_no_tv_button"),
        ("tv:red", {"device": "radio"}, "xbox_unknown_tv_device"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await send(hass, "a", command, **data)
        assert caught.value.translation_key == key

    assert not console.presses


async def test_unknown_command(
    hass: HomeAssistant, console: FakeConsole, caplog: pytest.LogCaptureFixture
) -> None:
    """The error says which one it is and what there is, and not what was in it."""
    await set_up(hass, console)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "a", "text:hunter2")

    assert "command number 2" in str(caught.value)
    assert "nexus" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert not console.presses


async def test_bounds(hass: HomeAssistant, console: FakeConsole) -> None:
    """What would take too long does not begin."""
    await set_up(hass, console)
    too_much: tuple[tuple[list[str], dict[str, Any]], ...] = (
        (["a"] * (MAX_STEPS + 1), {}),
        (["a"], {"num_repeats": MAX_STEPS + 1}),
        ([f"wait:{MAX_SECONDS}", "a"], {}),
        (["wait:100"], {"num_repeats": 4}),
        (["a", "b"], {"delay_secs": MAX_SECONDS}),
        (["a"], {"delay_secs": float("inf")}),
        (["a"], {"hold_secs": MAX_HOLD + 1}),
    )

    for commands, data in too_much:
        with pytest.raises(ServiceValidationError) as caught:
            await send(hass, *commands, **data)
        assert caught.value.translation_key == "xbox_too_many_commands"

    assert not console.presses


async def test_nothing_to_send(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)

    await send(hass)
    await send(hass, "a", num_repeats=0)
    await send(hass, "wait:0", delay_secs=-1)

    assert not console.presses


async def test_a_call_that_is_cancelled(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Nothing stays down."""
    await set_up(hass, console)
    calls = [
        hass.async_create_task(send(hass, command))
        for command in ("a@60", "a+lt@60", "ls:up@60")
    ]
    await console.wait_for("gamepad", buttons=0x10)

    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await console.wait_for("gamepad", buttons=0)
    await send(hass, "b")

    assert pad(console)[-2:] == [{"buttons": 0x20}, {}]


async def test_activity(hass: HomeAssistant, console: FakeConsole) -> None:
    """The title in front is what the console is used for."""
    await set_up(hass, console)
    await wait_attribute(hass, REMOTE, "current_activity", "Home")
    console.launch(GAME)
    await wait_attribute(hass, REMOTE, "current_activity", "Fallout4")
    assert get_state(hass, REMOTE).attributes["activity_list"] == [
        "Dashboard",
        "Fallout4",
        "Home",
    ]
    console.set_titles([])
    await wait_attribute(hass, REMOTE, "current_activity", None)


async def test_power(hass: HomeAssistant, console: FakeConsole) -> None:
    """Off and on, with an activity that consoles do not launch any more."""
    await set_up(hass, console)
    assert get_state(hass, REMOTE).state == "on"

    await hass.services.async_call(
        "remote", "turn_off", {ATTR_ENTITY_ID: REMOTE}, blocking=True
    )
    await wait_state(hass, REMOTE, "off")
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, "a")
    assert caught.value.translation_key == "xbox_not_connected"

    with pytest.raises(ServiceValidationError) as unknown:
        await hass.services.async_call(
            "remote",
            "turn_on",
            {ATTR_ENTITY_ID: REMOTE, "activity": "Tetris"},
            blocking=True,
        )
    assert unknown.value.translation_key == "xbox_unknown_title"
    assert get_state(hass, REMOTE).state == "off"

    await hass.services.async_call(
        "remote", "turn_on", {ATTR_ENTITY_ID: REMOTE}, blocking=True
    )
    await wait_state(hass, REMOTE, "on")
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(
            "remote",
            "turn_on",
            {ATTR_ENTITY_ID: REMOTE, "activity": "Dashboard"},
            blocking=True,
        )
    assert caught.value.translation_key == "xbox_title_not_launched"


async def test_unplugged(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    console.unplug()
    await wait_state(hass, REMOTE, STATE_UNAVAILABLE)


async def test_no_input_channel(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that lets nobody press buttons says so."""
    console.refuse_channel("input")
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, "a")
    assert caught.value.translation_key == "xbox_channel_closed"
