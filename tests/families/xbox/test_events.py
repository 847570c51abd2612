"""Events: text fields, pairing and titles."""

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_attribute, wait_state
from tests.fakes.xbox import DASHBOARD, GAME, HOME, FakeConsole
from tests.fakes.xbox_text import PASSWORD_SCOPE

TEXT_FIELD = "event.living_room_text_field"
PAIRING = "event.living_room_pairing"
TITLE = "event.living_room_title"


async def test_text_field(hass: HomeAssistant, console: FakeConsole) -> None:
    """What is asked for is told, and not what is typed."""
    await set_up(hass, console)
    assert get_state(hass, TEXT_FIELD).state == STATE_UNKNOWN

    console.keyboard.open(
        "Password?", text="hunter2", scope=PASSWORD_SCOPE, max_length=20
    )
    await wait_attribute(hass, TEXT_FIELD, "event_type", "opened")
    attributes = get_state(hass, TEXT_FIELD).attributes
    assert attributes["prompt"] == "Password?"
    assert attributes["is_password"] is True
    assert attributes["max_length"] == 20

    console.keyboard.type("hunter23")
    console.keyboard.close(accepted=True)
    await wait_attribute(hass, TEXT_FIELD, "event_type", "closed")
    assert get_state(hass, TEXT_FIELD).attributes["accepted"] is True

    console.keyboard.open("Name?")
    await wait_attribute(hass, TEXT_FIELD, "event_type", "opened")
    assert get_state(hass, TEXT_FIELD).attributes["max_length"] is None
    console.keyboard.close(accepted=False)
    await wait_attribute(hass, TEXT_FIELD, "event_type", "closed")
    assert get_state(hass, TEXT_FIELD).attributes["accepted"] is False
    assert "hunter" not in repr([state.as_dict() for state in hass.states.async_all()])


async def test_pairing(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    console.set_pairing(1)
    await wait_attribute(hass, PAIRING, "event_type", "paired")
    console.set_pairing(0)
    await wait_attribute(hass, PAIRING, "event_type", "not_paired")


async def test_titles(hass: HomeAssistant, console: FakeConsole) -> None:
    """One event for each title that starts or stops; what runs at first is no event."""
    await set_up(hass, console)
    assert get_state(hass, TITLE).state == STATE_UNKNOWN

    console.set_titles([DASHBOARD, HOME, GAME])
    await wait_attribute(hass, TITLE, "event_type", "started")
    attributes = get_state(hass, TITLE).attributes
    assert attributes["title_id"] == "4AE8F9B2"
    assert attributes["name"] == "Fallout4"

    console.set_titles([DASHBOARD, GAME])
    await wait_attribute(hass, TITLE, "event_type", "stopped")
    attributes = get_state(hass, TITLE).attributes
    assert attributes["title_id"] == "2A992D3A"
    assert attributes["name"] == "Home"


async def test_a_console_that_is_off(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    console.press_power_button()
    for entity_id in (TEXT_FIELD, PAIRING, TITLE):
        await wait_state(hass, entity_id, STATE_UNAVAILABLE)
