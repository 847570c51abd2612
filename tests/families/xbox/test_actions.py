"""Actions: text, television and titles."""

from typing import Any, cast

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util.json import JsonObjectType

from .common import get_state, set_up, wait_state, wait_until
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.protocols.smartglass.services import tv as tv_module
from custom_components.rumpus.protocols.smartglass.services.text import MAX_TITLE_TEXT
from custom_components.rumpus.protocols.smartglass.services.text_edit import MAX_TEXT
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_text import ACCEPTED, CANCELLED, PASSWORD_SCOPE

TEXT_FIELD = "binary_sensor.living_room_text_field"
PLAYER = "media_player.living_room"
HEADEND = "516b9ea7-5292-97ec-e7d4-f843fab6d392"
CHANNEL = "bb1ca492-232b-adfe-1f39-d010eb7f1702"


async def call(hass: HomeAssistant, name: str, **data: Any) -> JsonObjectType:
    """Call an action that may answer; return the answer."""
    answer = await hass.services.async_call(
        DOMAIN,
        name,
        {"device_id": device_id(hass), **data},
        blocking=True,
        return_response=name != "send_text",
    )
    return cast(JsonObjectType, answer)


def device_id(hass: HomeAssistant) -> str:
    """Return the registry's id of the only console."""
    (device,) = dr.async_get(hass).devices
    return device.id


async def test_send_text(
    hass: HomeAssistant, console: FakeConsole, caplog: pytest.LogCaptureFixture
) -> None:
    """What is typed is in the field, and nowhere else."""
    await set_up(hass, console)
    console.keyboard.open("Password?", text="old", scope=PASSWORD_SCOPE)
    await wait_state(hass, TEXT_FIELD, "on")
    caplog.clear()

    await call(hass, "send_text", text="Häuser")
    assert console.keyboard.text == "Häuser"
    await call(hass, "send_text", text=" 2", append=True)
    assert console.keyboard.text == "Häuser 2"
    await call(hass, "send_text", text="hunter2", submit=True)
    await console.wait_for("text_done", result=ACCEPTED)

    assert console.keyboard.text == "hunter2"
    await wait_state(hass, TEXT_FIELD, "off")
    ours = [record.getMessage() for record in caplog.records if "rumpus" in record.name]
    assert "hunter2" not in "".join(ours)
    assert "hunter2" not in repr([state.as_dict() for state in hass.states.async_all()])


@pytest.mark.parametrize(
    ("data", "result"), [({"submit": True}, ACCEPTED), ({"cancel": True}, CANCELLED)]
)
async def test_close_a_text_field(
    hass: HomeAssistant, console: FakeConsole, data: dict[str, bool], result: int
) -> None:
    await set_up(hass, console)
    console.keyboard.open("Name?", text="old")
    await wait_state(hass, TEXT_FIELD, "on")

    await call(hass, "send_text", **data)

    await console.wait_for("text_done", result=result)
    assert console.keyboard.text == "old"
    await wait_state(hass, TEXT_FIELD, "off")


async def test_text_that_makes_no_sense(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    await set_up(hass, console)
    senseless: tuple[dict[str, Any], ...] = (
        {},
        {"append": True},
        {"append": True, "submit": True},
        {"text": "a", "cancel": True},
        {"submit": True, "cancel": True},
        {"append": True, "cancel": True},
    )

    for data in senseless:
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "send_text", **data)
        assert caught.value.translation_key == "xbox_text_what"


async def test_no_text_field(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)

    for data in ({"text": "hunter2"}, {"submit": True}, {"cancel": True}):
        with pytest.raises(HomeAssistantError) as caught:
            await call(hass, "send_text", **data)
        assert caught.value.translation_key == "xbox_no_text_field"
        assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ({"max_length": 5}, 5),
        ({"by_title": True}, MAX_TITLE_TEXT),
        ({}, MAX_TEXT),
    ],
)
async def test_a_text_that_is_too_long(
    hass: HomeAssistant, console: FakeConsole, field: dict[str, Any], limit: int
) -> None:
    await set_up(hass, console)
    console.keyboard.open("Name?", **field)
    await wait_state(hass, TEXT_FIELD, "on")

    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "send_text", text="x" * (limit + 1))

    assert caught.value.translation_key == "xbox_text_too_long"
    assert caught.value.translation_placeholders == {
        "name": "Living room",
        "limit": str(limit),
    }
    assert console.keyboard.text == ""


async def test_tv_lineup(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)

    lineup = cast(dict[str, Any], await call(hass, "get_tv_lineup"))

    assert lineup["missing"] == []
    television, box, tuner = lineup["devices"]
    assert (television["id"], television["type"]) == ("0", "tv")
    assert (television["name"], television["brand"]) == ("Television", "Loopback")
    assert "vol_up" in television["buttons"]
    assert (box["name"], box["model"]) == (None, None)
    assert tuner["buttons"] == []
    assert lineup["providers"] == [
        {
            "lineup_id": HEADEND,
            "name": "Loopback Cable",
            "source": "tuner",
            "can_stream": True,
        }
    ]
    (tuned,) = lineup["lineups"]
    assert tuned["lineup_id"] == HEADEND
    assert tuned["channels"][1] == {
        "channel_id": CHANNEL,
        "number": "2",
        "name": "Sports Two",
    }
    assert lineup["apps"][1]["channels"] == [
        {"channel_id": "playlist-1", "name": "Playlist"}
    ]
    assert {"channel_id", "lineup_id", "number"} == set(lineup["recent"][0])


async def test_a_part_of_a_tv_lineup(hass: HomeAssistant, console: FakeConsole) -> None:
    """What the console answers with an error is left out, and that is told."""
    console.tv_service.tv.errors = {"GetTunerLineups": "No tuner"}
    await set_up(hass, console)

    lineup = await call(hass, "get_tv_lineup")

    assert lineup["missing"] == ["lineups"]
    assert "lineups" not in lineup
    assert "devices" in lineup


async def test_no_tv_lineup(hass: HomeAssistant, console: FakeConsole) -> None:
    console.tv_service.tv.errors = dict.fromkeys(
        (
            "GetConfiguration",
            "GetHeadendInfo",
            "GetTunerLineups",
            "GetAppChannelLineups",
            "GetRecentChannels",
        ),
        "Nothing here",
    )
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "get_tv_lineup")
    assert caught.value.translation_key == "xbox_tv_failed"


async def test_no_tv_channel(hass: HomeAssistant, console: FakeConsole) -> None:
    """Newer consoles have none."""
    console.refuse_channel("tv")
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "get_tv_lineup")
    assert caught.value.translation_key == "xbox_channel_closed"
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "press_tv_button", button="vol_up")
    assert caught.value.translation_key == "xbox_no_tv"


async def test_tv_lineup_that_breaks(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of our own is not taken for one of the console."""
    await set_up(hass, console)

    async def fail(self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tv_module.TvService, "get_tuner_lineups", fail)
    with pytest.raises(ZeroDivisionError):
        await call(hass, "get_tv_lineup")


async def test_tune(hass: HomeAssistant, console: FakeConsole) -> None:
    """By ids or by name; the answer is what the console shows then."""
    await set_up(hass, console)

    answer = await call(hass, "tune_channel", channel_id=CHANNEL, lineup_id=HEADEND)
    await console.wait_for("set_channel", channel_id=CHANNEL, lineup=HEADEND)
    assert answer["tuner_channel_id"] == CHANNEL
    assert answer["is_hdmi"] is False

    answer = await call(hass, "tune_channel", channel_name="Börse Drei")
    assert answer["tuner_channel_id"] == CHANNEL[:-1] + "3"

    console.tv_service.tv.errors = {"GetLiveTVInfo": "Nothing"}
    assert await call(hass, "tune_channel", channel_name="News One") == {}

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "tune_channel", channel_name="No such")
    assert caught.value.translation_key == "xbox_channel_failed"


async def test_which_channel(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    senseless: tuple[dict[str, str], ...] = (
        {},
        {"channel_id": CHANNEL},
        {"lineup_id": HEADEND},
        {"channel_name": "News One", "channel_id": CHANNEL},
        {"channel_name": "News One", "lineup_id": HEADEND},
        {"channel_name": "News One", "channel_id": CHANNEL, "lineup_id": HEADEND},
    )

    for data in senseless:
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "tune_channel", **data)
        assert caught.value.translation_key == "xbox_which_channel"

    assert not console.seen("set_channel")


async def wait_tv(hass: HomeAssistant) -> None:
    """Wait until it is known what the console controls."""
    await wait_until(
        hass, lambda: get_state(hass, PLAYER).attributes["supported_features"] & 1024
    )


async def test_press_tv_button(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    await wait_tv(hass)

    answer = await call(hass, "press_tv_button", button="Vol Up")
    assert answer == {
        "button": "vol_up",
        "device_id": "0",
        "device_type": "tv",
        "device_name": "Television",
    }
    await console.wait_for("send_key", button_id="btn.vol_up", device_id="0")
    answer = await call(
        hass, "press_tv_button", button="btn.power", tv_device="Fakebox"
    )
    assert (answer["device_id"], answer["device_name"]) == ("1", None)


async def test_tv_buttons_that_fail(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    await wait_tv(hass)

    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "press_tv_button", button="eject")
    assert caught.value.translation_key == "xbox_unknown_tv_button"
    assert "vol_up" in str(caught.value)

    # The console has changed its mind since.
    console.tv_service.tv.devices = []
    with pytest.raises(HomeAssistantError) as failed:
        await call(hass, "press_tv_button", button="vol_up")
    assert failed.value.translation_key == "xbox_tv_refused"

    console.tv_service.tv.errors = {"SendKey": "Broken"}
    with pytest.raises(HomeAssistantError) as failed:
        await call(hass, "press_tv_button", button="vol_up")
    assert failed.value.translation_key == "xbox_tv_failed"


async def test_launch(hass: HomeAssistant, console: FakeConsole) -> None:
    """Consoles ignore it since 2019; if one does not, there is an answer."""
    await set_up(hass, console)

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "launch_title", title="Dashboard")
    assert caught.value.translation_key == "xbox_title_not_launched"

    console.honours_launch = True
    answer = await call(hass, "launch_title", title="4AE8F9B2", location="fill")
    assert answer == {"uri": "ms-xbl-4AE8F9B2://default/"}
    await console.wait_for("title_launch", location=1, honoured=True)

    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "launch_title", title="Tetris")
    assert caught.value.translation_key == "xbox_unknown_title"


async def test_an_action_that_consoles_do_not_have(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    await set_up(hass, console)

    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN, "mute_ringer", {"device_id": [device_id(hass)]}, blocking=True
        )
    assert caught.value.translation_key == "xbox_no_action"


async def test_a_console_that_is_off(hass: HomeAssistant, console: FakeConsole) -> None:
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, PLAYER, "off")

    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "send_text", text="hunter2")
    assert caught.value.translation_key == "xbox_not_connected"
