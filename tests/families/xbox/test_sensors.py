"""Sensors and binary sensors: titles, surface, media and text field."""

from dataclasses import replace

import pytest

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_state, wait_until
from tests.fakes.xbox import DASHBOARD, GAME, HOME, PLAYER, FakeConsole, FakeMedia
from tests.fakes.xbox_models import CLOSED, FILL, SNAPPED

ACTIVE = "sensor.living_room_active_title"
FULL = "sensor.living_room_full_screen_title"
SNAPPED_TITLE = "sensor.living_room_snapped_title"
SURFACE = "sensor.living_room_surface"
SOURCE = "sensor.living_room_media_source"
LINK = "binary_sensor.living_room_connectivity"
TEXT_FIELD = "binary_sensor.living_room_text_field"
MEDIA = "binary_sensor.living_room_media"

pytestmark = pytest.mark.usefixtures("all_enabled")


async def test_titles(hass: HomeAssistant, console: FakeConsole) -> None:
    """The one in front, the one that fills the screen, and their names."""
    await set_up(hass, console)
    await wait_state(hass, ACTIVE, "Home")
    assert get_state(hass, f"{ACTIVE}_id").state == "2A992D3A"
    assert get_state(hass, FULL).state == "Home"

    console.set_titles([replace(HOME, has_focus=False), replace(GAME, location=FILL)])
    await wait_state(hass, ACTIVE, "Fallout4")
    assert get_state(hass, f"{ACTIVE}_id").state == "4AE8F9B2"
    assert get_state(hass, FULL).state == "Home"

    console.set_titles([replace(DASHBOARD, has_focus=False)])
    await wait_state(hass, ACTIVE, STATE_UNKNOWN)
    assert get_state(hass, f"{ACTIVE}_id").state == STATE_UNKNOWN
    assert get_state(hass, FULL).state == STATE_UNKNOWN


async def test_snapped_title(hass: HomeAssistant, console: FakeConsole) -> None:
    """Only consoles that still snap titles have the sensor."""
    await set_up(hass, console)
    await wait_state(hass, ACTIVE, "Home")
    assert hass.states.get(SNAPPED_TITLE) is None

    console.set_titles([HOME, replace(PLAYER, has_focus=False, location=SNAPPED)])
    await wait_until(hass, lambda: hass.states.get(SNAPPED_TITLE))
    await wait_state(hass, SNAPPED_TITLE, "Player")

    console.set_titles([HOME])
    await wait_state(hass, SNAPPED_TITLE, STATE_UNKNOWN)


async def test_surface(hass: HomeAssistant, console: FakeConsole) -> None:
    """A kind of picture that nobody knows is unknown."""
    await set_up(hass, console)
    assert get_state(hass, SURFACE).state == STATE_UNKNOWN
    for kind, state in enumerate(("blank", "direct", "html", "title_text_entry")):
        console.set_surface(kind)
        await wait_state(hass, SURFACE, state)
    console.set_surface(99)
    await wait_state(hass, SURFACE, STATE_UNKNOWN)


async def test_media(hass: HomeAssistant, console: FakeConsole) -> None:
    """The app that plays may be another than the one in front."""
    await set_up(hass, console)
    assert get_state(hass, SOURCE).state == STATE_UNKNOWN
    assert get_state(hass, MEDIA).state == "off"

    console.media_service.set(FakeMedia())
    await wait_state(hass, SOURCE, "Player")
    assert get_state(hass, MEDIA).state == "on"
    assert get_state(hass, ACTIVE).state == "Home"

    console.media_service.set(FakeMedia(status=CLOSED))
    await wait_state(hass, SOURCE, STATE_UNKNOWN)
    assert get_state(hass, MEDIA).state == "off"


async def test_facts(hass: HomeAssistant, console: FakeConsole) -> None:
    console.locale = "de-DE"
    console.live_tv_provider = 0x162615AD
    await set_up(hass, console)
    await wait_state(hass, "sensor.living_room_language", "de-DE")
    await wait_state(hass, "sensor.living_room_live_tv_provider", "Live TV")


async def test_no_facts(hass: HomeAssistant, console: FakeConsole) -> None:
    console.locale = ""
    await set_up(hass, console)
    await wait_state(hass, "sensor.living_room_live_tv_provider", "none")
    assert get_state(hass, "sensor.living_room_language").state == STATE_UNKNOWN


async def test_a_console_that_tells_nothing(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """What nobody knows is unknown."""
    console.status_delay = 60.0
    await set_up(hass, console)
    for entity_id in (
        ACTIVE,
        f"{ACTIVE}_id",
        FULL,
        SOURCE,
        "sensor.living_room_language",
        "sensor.living_room_live_tv_provider",
    ):
        assert get_state(hass, entity_id).state == STATE_UNKNOWN


async def test_text_field(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    assert get_state(hass, TEXT_FIELD).state == "off"
    console.keyboard.open("Name?")
    await wait_state(hass, TEXT_FIELD, "on")
    console.keyboard.close()
    await wait_state(hass, TEXT_FIELD, "off")


async def test_link(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is known at all times; the others are not."""
    await set_up(hass, console)
    assert get_state(hass, LINK).state == "on"
    console.press_power_button()
    await wait_state(hass, LINK, "off")
    for entity_id in (ACTIVE, SURFACE, MEDIA, TEXT_FIELD):
        assert get_state(hass, entity_id).state == STATE_UNAVAILABLE
