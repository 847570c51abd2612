"""Sensors, binary sensors and buttons."""

from dataclasses import replace

import pytest

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .common import (
    PLAYER,
    get_state,
    set_up,
    wait_connected,
    wait_data,
    wait_links,
    wait_state,
)
from .conftest import QUICK
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem

APP = "sensor.living_room_app"
KIND = "sensor.living_room_media_type"
LINK = "binary_sensor.living_room_connectivity"
COMPANION = "binary_sensor.living_room_companion_link"
AIRPLAY = "binary_sensor.living_room_airplay_link"
WAKE = "button.living_room_wake"


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


async def test_app_and_kind(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """What plays, in which app; the name of the list counts."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps)
    assert get_state(hass, KIND).state == "none"
    assert get_state(hass, APP).state == STATE_UNKNOWN

    identifier, name = next(iter(apple_tv.apps.items()))
    apple_tv.mrp.media.play(identifier, FakeItem("f", "Film"))
    await wait_state(hass, KIND, "video")
    await wait_state(hass, APP, name)
    apple_tv.mrp.media.play(identifier, FakeItem("e", "Pilot", series="Rumpus"))
    await wait_state(hass, KIND, "tv")

    apple_tv.mrp.media.play(
        "com.example.radio",
        FakeItem("s", "Song", media_type=pb.MEDIA_TYPE_AUDIO),
        name="Radio",
    )
    await wait_state(hass, KIND, "music")
    await wait_state(hass, APP, "Radio")

    apple_tv.mrp.media.clear()
    await wait_state(hass, KIND, "none")


async def test_genre_is_disabled_at_first(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    await set_up(hass, apple_tv)

    entry = er.async_get(hass).async_get("sensor.living_room_genre")
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_genre(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    entry = await set_up(hass, apple_tv)
    er.async_get(hass).async_update_entity("sensor.living_room_genre", disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_links(entry)

    apple_tv.mrp.media.play("com.example.films", FakeItem("f", "Film", genre="Drama"))

    await wait_state(hass, "sensor.living_room_genre", "Drama")


async def test_links(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Each link by itself, and whether there is any."""
    entry = await set_up(hass, apple_tv)
    for entity_id in (LINK, COMPANION, AIRPLAY):
        assert get_state(hass, entity_id).state == "on"

    assert get_state(hass, KIND).state == "none"
    await apple_tv.airplay.stop()
    await wait_state(hass, AIRPLAY, "off")
    # Whether anything plays nobody knows now.
    assert get_state(hass, KIND).state == STATE_UNKNOWN
    assert get_state(hass, COMPANION).state == "on"
    assert get_state(hass, LINK).state == "on"

    await apple_tv.companion.stop()
    await wait_state(hass, COMPANION, "off")
    await wait_state(hass, LINK, "off")
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE

    await apple_tv.restart()
    await wait_links(entry)
    await wait_state(hass, LINK, "on")


async def test_buttons(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The screensaver, sleep, and waking up."""
    await set_up(hass, apple_tv)

    await press(hass, "button.living_room_screensaver")
    await apple_tv.wait_for("button", name="screensaver")

    await press(hass, "button.living_room_sleep")
    await wait_state(hass, PLAYER, "off")
    assert not apple_tv.is_on
    await press(hass, WAKE)
    await wait_state(hass, PLAYER, "idle")
    assert apple_tv.is_on


@pytest.mark.parametrize("timing", [replace(QUICK, wake=2.0)])
async def test_waking_what_is_unavailable(
    hass: HomeAssistant, apple_tv: FakeAppleTv, timing: object
) -> None:
    """A device that went without a word can be tried, from its button."""
    entry = await set_up(hass, apple_tv)
    apple_tv.vanish()
    await wait_connected(entry, is_connected=False)
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE
    assert get_state(hass, WAKE).state != STATE_UNAVAILABLE

    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, WAKE)
    assert caught.value.translation_key == "apple_tv_wake_timed_out"

    apple_tv.come_back()
    await press(hass, WAKE)

    await wait_state(hass, PLAYER, "idle")


async def test_homepod_has_no_standby(
    hass: HomeAssistant, homepod: FakeAppleTv
) -> None:
    """And no apps, no text, no users."""
    await set_up(hass, homepod)

    entity_ids = {state.entity_id for state in hass.states.async_all()}
    assert "remote.kitchen" not in entity_ids
    assert "button.kitchen_wake" not in entity_ids
    assert "button.kitchen_sleep" not in entity_ids
    assert "text.kitchen_keyboard" not in entity_ids
    assert "binary_sensor.kitchen_text_field" not in entity_ids
    assert "select.kitchen_user" not in entity_ids
    assert "select.kitchen_sound_output" not in entity_ids
    assert "binary_sensor.kitchen_airplay_link" in entity_ids
