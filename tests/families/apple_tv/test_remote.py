"""The remote control: words become keys, swipes, clicks and power."""

import asyncio
from typing import Any

import pytest

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import (
    PLAYER,
    REMOTE,
    get_state,
    set_up,
    wait_attribute,
    wait_connected,
    wait_data,
    wait_state,
)
from custom_components.rumpus.families.apple_tv.remote_keys import (
    MAX_HOLD,
    MAX_SECONDS,
    MAX_STEPS,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem


async def send(hass: HomeAssistant, *commands: str, **data: Any) -> None:
    """Send commands without pauses."""
    await hass.services.async_call(
        "remote",
        "send_command",
        {ATTR_ENTITY_ID: REMOTE, "command": list(commands), "delay_secs": 0, **data},
        blocking=True,
    )


def keys(fake: FakeAppleTv) -> list[str]:
    """Return the keys that were pressed over the Companion link or over MRP."""
    return [str(event.data["name"]) for event in fake.events.seen("button")]


async def test_keys(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Keys go down and up again, in the order of the commands."""
    await set_up(hass, apple_tv)

    await send(hass, "up", "double:select", "menu", "guide")

    assert keys(apple_tv) == ["up", "select", "select", "menu", "guide"]


async def test_held_keys(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Held as it is said, or as all of the call."""
    await set_up(hass, apple_tv)

    await send(hass, "select@0.2", "hold:home")
    await send(hass, "guide", "menu@0.3", hold_secs=0.1)

    lengths = {
        str(event.data["name"]): float(str(event.data["length"]))
        for event in apple_tv.events.seen("button")
    }
    assert lengths["select"] == pytest.approx(0.2, abs=0.15)
    assert lengths["home"] >= 0.05  # what a hold is in these tests
    assert lengths["guide"] == pytest.approx(0.1, abs=0.09)
    assert lengths["menu"] == pytest.approx(0.3, abs=0.15)


async def test_swipes_and_clicks(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A finger goes over the pad in a line, and is lifted at its end."""
    await set_up(hass, apple_tv)

    await send(hass, "swipe_left:50", "swipe:100,200,300,400,20", "click")

    touches = apple_tv.companion.commands.touches
    presses = [(touch.x, touch.y) for touch in touches if touch.phase == 1]
    ends = [(touch.x, touch.y) for touch in touches if touch.phase == 4]
    assert presses[0] == (900, 500)
    assert presses[-1] == (100, 200)
    assert ends[-1] == (300, 400)
    assert "select" in keys(apple_tv)


async def test_repeats_and_pauses(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)

    loop = asyncio.get_running_loop()
    begun = loop.time()
    await send(hass, "up", "wait:0.05", num_repeats=2, delay_secs=0.05)

    # Two pauses of its own, and three between the commands.
    assert loop.time() - begun >= 0.24
    assert keys(apple_tv) == ["up", "up"]


async def test_media_commands(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Those are for what plays."""
    await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FakeItem("f", "Film", duration=600.0))
    await wait_state(hass, PLAYER, "playing")

    await send(hass, "pause")
    await wait_state(hass, PLAYER, "paused")
    await send(hass, "skip:100")
    await wait_attribute(hass, PLAYER, "media_position", 100)
    await send(hass, "skip:-40")
    await wait_attribute(hass, PLAYER, "media_position", 60)


async def test_key_that_cannot_be_held(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Skipping is a command; the device has no such key to hold."""
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "hold:skip_forward")

    assert caught.value.translation_key == "apple_tv_press_not_supported"


async def test_power_words(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A sequence may begin with waking the device."""
    await set_up(hass, apple_tv)

    await send(hass, "turn_off")
    await wait_state(hass, REMOTE, "off")
    assert not apple_tv.is_on

    await send(hass, "turn_on", "up")
    await wait_state(hass, REMOTE, "on")
    assert keys(apple_tv)[-1] == "up"


async def test_nonsense(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """If one makes no sense nothing is sent, and the text is not repeated."""
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, "up", "my password")

    assert caught.value.translation_key == "apple_tv_unknown_command"
    placeholders = caught.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["number"] == "2"
    assert "password" not in str(placeholders)
    assert keys(apple_tv) == []


@pytest.mark.parametrize(
    ("commands", "data"),
    [
        (["up"] * (MAX_STEPS + 1), {}),
        (["up"], {"num_repeats": 255, "delay_secs": 2}),
        ([f"wait:{MAX_SECONDS}", f"wait:{MAX_SECONDS}"], {}),
        (["up"], {"hold_secs": MAX_HOLD + 1}),
    ],
)
async def test_too_much(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    commands: list[str],
    data: dict[str, Any],
) -> None:
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, *commands, **data)

    assert caught.value.translation_key == "apple_tv_too_many_commands"
    assert keys(apple_tv) == []


async def test_activities(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Apps are activities; one that is not there wakes nobody."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)
    identifier, name = next(iter(apple_tv.apps.items()))
    assert name in get_state(hass, REMOTE).attributes["activity_list"]
    info = get_state(hass, REMOTE).state_info
    assert info is not None
    assert "activity_list" in info["unrecorded_attributes"]
    await hass.services.async_call(
        "remote", "turn_off", {ATTR_ENTITY_ID: REMOTE}, blocking=True
    )
    await wait_state(hass, REMOTE, "off")

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            "remote",
            "turn_on",
            {ATTR_ENTITY_ID: REMOTE, "activity": "no such app"},
            blocking=True,
        )
    assert not apple_tv.is_on
    await hass.services.async_call(
        "remote",
        "turn_on",
        {ATTR_ENTITY_ID: REMOTE, "activity": name},
        blocking=True,
    )

    assert get_state(hass, REMOTE).state == "on"
    assert apple_tv.companion.commands.launches == [identifier]
    apple_tv.mrp.media.play(identifier, FakeItem("f", "Film"))
    await wait_attribute(hass, REMOTE, "current_activity", name)


async def test_while_the_device_is_away(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A command for a device that sleeps and does not wake up is an error, not a log line."""
    entry = await set_up(hass, apple_tv)
    apple_tv.sleep()
    await wait_connected(entry, is_connected=False)
    await apple_tv.stop()

    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, "up")

    assert caught.value.translation_key in (
        "apple_tv_not_connected",
        "apple_tv_timed_out",
    )
