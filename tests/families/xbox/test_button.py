"""Buttons: record that, and turn on."""

import pytest

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import get_state, set_up, wait_state
from custom_components.rumpus.families.xbox import account
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from tests.fakes.xbox import FakeConsole

RECORD = "button.living_room_record_that"
TURN_ON = "button.living_room_turn_on"
PLAYER = "media_player.living_room"


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


async def test_record_without_an_account(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The console would say nothing and do nothing; we say why."""
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, RECORD)

    assert caught.value.translation_key == "xbox_not_signed_in"
    assert not console.seen("game_dvr")


async def test_record(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many seconds as the options say, up to now."""
    token = "x" * 2000

    async def async_tokens(*args: object, **kwargs: object) -> Tokens:
        return Tokens("4711", token)

    monkeypatch.setattr(account, "async_tokens", async_tokens)
    console.accounts = {"4711": token}
    await set_up(hass, console, options={"record_seconds": 45})

    await press(hass, RECORD)
    await console.wait_for(
        "game_dvr", start_time_delta=-45, end_time_delta=0, effective=True
    )

    console.reject("game_dvr_record")
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, RECORD)
    assert caught.value.translation_key == "xbox_rejected"


async def test_turn_on_what_is_unavailable(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """A console that went silent without a word may only sleep."""
    await set_up(hass, console)
    console.says_empty_titles = False
    console.unplug()
    await wait_state(hass, PLAYER, STATE_UNAVAILABLE)
    assert get_state(hass, RECORD).state == STATE_UNAVAILABLE
    assert get_state(hass, TURN_ON).state == STATE_UNKNOWN
    console.plug_in(is_on=False)

    await press(hass, TURN_ON)

    assert console.is_on
    await wait_state(hass, PLAYER, "idle")


async def test_nobody_wakes_up(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what may be the matter."""
    monkeypatch.setattr(
        "custom_components.rumpus.families.xbox.link.WAKE_DEADLINE", 0.2
    )
    console.energy_saving = True
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, TURN_ON)

    assert caught.value.translation_key == "xbox_wake_timed_out"
    assert "energy-saving" in str(caught.value)
    assert get_state(hass, PLAYER).state == "off"
