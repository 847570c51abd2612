"""The actions and entities for text, apps, the touch pad and users."""

from dataclasses import replace
from typing import Any

import pytest

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import (
    PLAYER,
    coordinator_of,
    get_state,
    set_up,
    wait_attribute,
    wait_connected,
    wait_data,
    wait_state,
)
from .conftest import QUICK
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.keyboard import MAX_TEXT
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem

FIELD = "binary_sensor.living_room_text_field"
KEYBOARD = "text.living_room_keyboard"
USER = "select.living_room_user"
SECRET = "correct horse battery"


async def act(
    hass: HomeAssistant, name: str, *, answers: bool = False, **data: Any
) -> ServiceResponse:
    """Call an action of the integration for the only device."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    device = coordinator_of(entry).registry_device
    assert device is not None
    return await hass.services.async_call(
        DOMAIN,
        name,
        {"device_id": device.id, **data},
        blocking=True,
        return_response=answers,
    )


async def test_typing(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The field that has the focus is filled, added to, and emptied."""
    await set_up(hass, apple_tv)
    assert get_state(hass, FIELD).state == "off"
    assert get_state(hass, KEYBOARD).state == STATE_UNAVAILABLE
    field = apple_tv.open_text("Old")
    await wait_state(hass, FIELD, "on")

    await act(hass, "set_text", text="films")
    await wait_typed(apple_tv, "films")
    await act(hass, "append_text", text=" with dogs")
    await wait_typed(apple_tv, "films with dogs")
    await act(hass, "clear_text")
    await wait_typed(apple_tv, "")
    await act(hass, "send_text", text="one")
    await wait_typed(apple_tv, "one")
    await act(hass, "send_text", text=" two", append=True)
    await wait_typed(apple_tv, "one two")
    await hass.services.async_call(
        "text",
        "set_value",
        {ATTR_ENTITY_ID: KEYBOARD, "value": "three"},
        blocking=True,
    )
    await wait_typed(apple_tv, "three")
    assert field is apple_tv.text_field

    apple_tv.close_text()
    await wait_state(hass, FIELD, "off")
    assert get_state(hass, KEYBOARD).state == STATE_UNAVAILABLE


async def wait_typed(fake: FakeAppleTv, text: str) -> None:
    """Wait until a text is in the field: what is typed gets no answer."""
    assert fake.text_field is not None
    while fake.text_field.text != text:
        await fake.wait_for("text")


async def test_what_is_typed_is_nowhere(
    hass: HomeAssistant, apple_tv: FakeAppleTv, caplog: pytest.LogCaptureFixture
) -> None:
    """A password is in no state, no log and no diagnostics."""
    entry = await set_up(hass, apple_tv)
    apple_tv.open_text(SECRET, is_secure=True)
    await wait_state(hass, FIELD, "on")

    await act(hass, "set_text", text=f"{SECRET} staple")
    await apple_tv.wait_for("text")

    # Not unknown: the frontend would show that as a text to be deleted.
    assert get_state(hass, KEYBOARD).state == ""
    for state in hass.states.async_all():
        assert SECRET not in str(state.as_dict())
    assert SECRET not in caplog.text
    assert SECRET not in repr(coordinator_of(entry).diagnostics())


async def test_no_field(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)

    cases: dict[str, dict[str, Any]] = {
        "set_text": {"text": SECRET},
        "append_text": {"text": SECRET},
        "clear_text": {},
    }
    for name, data in cases.items():
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, name, **data)
        assert caught.value.translation_key == "apple_tv_no_text_field"
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"text": "x", "submit": True},
        {"cancel": True},
    ],
)
async def test_fields_are_neither_confirmed_nor_closed(
    hass: HomeAssistant, apple_tv: FakeAppleTv, data: dict[str, Any]
) -> None:
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "send_text", **data)

    assert caught.value.translation_key == "apple_tv_text_what"


async def test_longest_text(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)
    apple_tv.open_text()
    await wait_state(hass, FIELD, "on")

    await act(hass, "set_text", text="x" * MAX_TEXT)
    await wait_typed(apple_tv, "x" * MAX_TEXT)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "set_text", text="x" * (MAX_TEXT + 1))
    assert caught.value.translation_key == "apple_tv_text_too_long"


async def test_apps(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The list is the device's of now, and each app of it can be started."""
    await set_up(hass, apple_tv)
    apple_tv.apps = {"com.example.one": "One", "com.example.two": "Two"}

    answer = await act(hass, "get_apps", answers=True)
    assert answer == {
        "apps": [
            {"id": "com.example.one", "name": "One"},
            {"id": "com.example.two", "name": "Two"},
        ]
    }
    await act(hass, "launch_app", app="com.example.two")
    await act(hass, "launch_app", app="https://example.com/film")
    assert apple_tv.companion.commands.launches == [
        "com.example.two",
        "https://example.com/film",
    ]
    with pytest.raises(ServiceValidationError):
        await act(hass, "launch_app", app="What is this")


async def test_touch_pad(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)

    await act(
        hass,
        "swipe",
        start_x=0,
        start_y=100,
        end_x=200,
        end_y=300,
        duration_ms=20,
    )
    touches = apple_tv.companion.commands.touches
    assert (touches[0].x, touches[0].y, touches[0].phase) == (0, 100, 1)
    assert (touches[-1].x, touches[-1].y, touches[-1].phase) == (200, 300, 4)

    await act(hass, "click", click="double")
    names = [event.data["name"] for event in apple_tv.events.seen("button")]
    assert names == ["select", "select"]


async def test_skip(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    await set_up(hass, apple_tv)
    apple_tv.mrp.media.play("com.example.films", FakeItem("f", "Film", duration=600.0))
    await wait_state(hass, PLAYER, "playing")

    await act(hass, "skip", seconds=100)
    await wait_attribute(hass, PLAYER, "media_position", 100)
    await act(hass, "skip", seconds=-30)
    await wait_attribute(hass, PLAYER, "media_position", 70)


async def test_action_that_apple_tvs_have_not(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    await set_up(hass, apple_tv)

    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "launch_title", title="Halo")

    assert caught.value.translation_key == "apple_tv_no_action"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("set_text", {"text": "x"}),
        ("launch_app", {"app": "Music"}),
        ("click", {}),
    ],
)
async def test_homepod_has_no_screen(
    hass: HomeAssistant, homepod: FakeAppleTv, name: str, data: dict[str, Any]
) -> None:
    """It is not about pairing: there is nothing to be typed on or started."""
    await set_up(hass, homepod)

    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, name, **data)

    assert caught.value.translation_key == "apple_tv_no_screen"


@pytest.mark.parametrize("timing", [replace(QUICK, command=0.5)])
async def test_actions_while_the_device_is_away(
    hass: HomeAssistant, apple_tv: FakeAppleTv, timing: object
) -> None:
    entry = await set_up(hass, apple_tv)
    apple_tv.vanish()
    await wait_connected(entry, is_connected=False)

    for name, data in (
        ("set_text", {"text": "x"}),
        ("launch_app", {"app": "com.example.one"}),
        ("click", {}),
        ("skip", {"seconds": 5}),
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, name, **data)
        assert not isinstance(caught.value, ServiceValidationError)
    for name in ("get_apps", "get_output_devices"):
        with pytest.raises(HomeAssistantError):
            await act(hass, name, answers=True)


async def test_users(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The users of the device; who it is, it does not tell until one is chosen."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.accounts)
    await hass.async_block_till_done()
    names = list(apple_tv.accounts.values())
    state = get_state(hass, USER)
    assert state.attributes["options"] == names
    assert state.state == STATE_UNKNOWN

    await hass.services.async_call(
        "select",
        "select_option",
        {ATTR_ENTITY_ID: USER, "option": names[-1]},
        blocking=True,
    )

    assert apple_tv.current_account == list(apple_tv.accounts)[-1]
    assert get_state(hass, USER).state == names[-1]
