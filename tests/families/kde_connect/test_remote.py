"""The remote control: words become keys, text, pointer and pen."""

import asyncio
from types import SimpleNamespace

from hypothesis import given, strategies as st
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import get_state, set_up, wait_state
from custom_components.rumpus.families.kde_connect.features import input as input_module
from custom_components.rumpus.families.kde_connect.remote_commands import (
    CANVAS,
    MAX_STROKE,
    UnknownCommandError,
    parse,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.packet import encode_packet
from custom_components.rumpus.protocols.kdeconnect.plugins.mousepad import (
    MAX_DISTANCE,
    MAX_KEY_TEXT,
    KeyRequest,
    Modifier,
    SpecialKey,
    decode_request,
)
from tests.fakes.kdeconnect import FakeDevice

REMOTE = "remote.tower_remote_control"
PHONE = "remote.pixel_remote_control"
KEYBOARD = "binary_sensor.pixel_keyboard"
SECRET = "correct horse battery staple"


async def send(hass: HomeAssistant, *commands: str, **data: object) -> None:
    """Send commands without pauses."""
    await hass.services.async_call(
        "remote",
        "send_command",
        {"entity_id": REMOTE, "command": list(commands), "delay_secs": 0, **data},
        blocking=True,
    )


@pytest.mark.parametrize(
    ("command", "special", "text", "modifiers"),
    [
        ("enter", SpecialKey.ENTER, "", Modifier.NONE),
        ("Page Down", SpecialKey.PAGE_DOWN, "", Modifier.NONE),
        ("esc", SpecialKey.ESCAPE, "", Modifier.NONE),
        ("f11", SpecialKey.F11, "", Modifier.NONE),
        ("ctrl+alt+delete", SpecialKey.DELETE, "", Modifier.CTRL | Modifier.ALT),
        ("Win + l", None, "l", Modifier.SUPER),
        ("ctrl+C", None, "C", Modifier.CTRL),
        ("a", None, "a", Modifier.NONE),
        ("+", None, "+", Modifier.NONE),
        ("ctrl++", None, "+", Modifier.CTRL),
        (":", None, ":", Modifier.NONE),
        ("space", None, " ", Modifier.NONE),
        ("tv_home", SpecialKey.SUPER, "", Modifier.SUPER),
        ("back", SpecialKey.ESCAPE, "", Modifier.NONE),
        ("next-slide", SpecialKey.PAGE_DOWN, "", Modifier.NONE),
        (f"text:{SECRET}", None, SECRET, Modifier.NONE),
        ("text: a:b", None, " a:b", Modifier.NONE),
    ],
)
def test_keys(
    command: str, special: SpecialKey | None, text: str, modifiers: Modifier
) -> None:
    (packet,) = parse(command).packets
    key = decode_request(packet)
    assert isinstance(key, KeyRequest)
    assert (key.special, key.text, key.modifiers) == (special, text, modifiers)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "juggle",
        "hyper+a",
        "text:",
        "move:1",
        "move:a,b",
        "move:nan,1",
        "scroll:inf,0",
        f"move:{MAX_DISTANCE},0",
        "draw:",
        "draw:0,2",
        "draw:" + "0,0 " * (MAX_STROKE + 1),
    ],
)
def test_what_makes_no_sense(command: str) -> None:
    with pytest.raises(UnknownCommandError):
        parse(command)


@given(st.text(max_size=50))
def test_any_command_is_understood_or_refused(command: str) -> None:
    """And nothing that was written is shown when the result is."""
    try:
        parsed = parse(command)
    except UnknownCommandError as err:
        assert str(err) == ""  # noqa: PT017
    else:
        assert parsed.packets
        assert "packets" not in repr(parsed)
        for packet in parsed.packets:
            encode_packet(packet)


def test_a_long_text_goes_in_parts() -> None:
    assert len(parse("text:" + "x" * (MAX_KEY_TEXT + 1)).packets) == 2


def test_a_stroke_is_on_the_canvas() -> None:
    start, down, *_, end = parse("draw:0,0 1,0.5").packets
    assert start.body["width"] == CANVAS
    assert (down.body["x"], down.body["y"]) == (0, 0)
    assert end.body == {"action": "end"}


async def test_keyboard_and_pointer(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What is sent is what happens on the computer, in its order."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    await send(hass, "text:Häuser", "backspace", "move:10,-2.5", "scroll:0,3")
    await send(hass, "right click", num_repeats=2)
    await send(hass, "ctrl+s")
    while len(computer.input.keys) < 3:
        await computer.wait_for("key")

    assert computer.input.text == "Häuse"
    assert computer.input.moves == [(10, -2.5)]
    assert computer.input.scrolls == [(0, 3)]
    assert computer.input.clicks == ["rightclick", "rightclick"]
    assert computer.input.keys[-1].modifiers == {"ctrl"}


async def test_one_command_without_anything_else(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """Home Assistant fills in no pause of its own."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    await hass.services.async_call(
        "remote",
        "send_command",
        {"entity_id": REMOTE, "command": "enter"},
        blocking=True,
    )

    assert (await computer.wait_packet("mousepad.request"))["specialKey"] == 12


async def test_hold(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A click that is held is a button that goes down and up again."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    await send(hass, "click", hold_secs=0.01)

    down = await computer.wait_packet("mousepad.request")
    up = await computer.wait_packet("mousepad.request")
    assert (down, up) == ({"singlehold": True}, {"singlerelease": True})


async def test_presenter_and_pen(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    computer.incoming |= {"kdeconnect.digitizer", "kdeconnect.digitizer.session"}
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    await send(hass, "point:0.25,-0.5", "hide_pointer", "draw:0.1,0.2 0.3,0.4")

    assert await computer.wait_packet("presenter") == {"dx": 0.25, "dy": -0.5}
    assert await computer.wait_packet("presenter") == {"stop": True}
    session = await computer.wait_packet("digitizer.session")
    assert session["action"] == "start"
    assert await computer.wait_packet("digitizer.session") == {"action": "end"}
    assert any(stroke.get("touching") for stroke in computer.digitizer.strokes)


async def test_nothing_is_sent_unless_all_makes_sense(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The error says which command it is, and not what was in it."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    with pytest.raises(ServiceValidationError) as error:
        await send(hass, "enter", f"txt:{SECRET}")

    assert error.value.translation_key == "unknown_command"
    assert error.value.translation_placeholders == {"number": "2"}
    assert SECRET not in str(error.value)
    assert computer.input.keys == []


async def test_what_was_typed_is_not_logged(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "custom_components.rumpus")
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")
    await send(hass, f"text:{SECRET}")
    await computer.wait_for("key")
    ours_said = [r.getMessage() for r in caplog.records if "rumpus" in r.name]
    assert not any(SECRET in line for line in ours_said)


@pytest.mark.parametrize("action", ["turn_on", "turn_off"])
async def test_power(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, action: str
) -> None:
    """The protocol has no word for it, and the error says what to do instead."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            "remote", action, {"entity_id": REMOTE}, blocking=True
        )
    assert error.value.translation_key == f"cannot_{action}"


async def test_gone_while_the_button_is_down(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, REMOTE, "on")

    sending = asyncio.create_task(send(hass, "click", hold_secs=0.5))
    await computer.wait_packet("mousepad.request")
    await computer.stop()

    with pytest.raises(HomeAssistantError) as error:
        await sending
    assert error.value.translation_key == "not_connected"


async def test_keyboard_state_of_a_phone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A phone takes text only while a text field has the focus."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, KEYBOARD, "off")
    await phone.input.set_takes_keys(True)
    await wait_state(hass, KEYBOARD, "on")
    assert get_state(hass, PHONE).state == "on"


@pytest.mark.parametrize("command", [f"text:{SECRET}", "enter", "back", "ctrl+c"])
async def test_keys_without_a_text_field(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, command: str
) -> None:
    """The phone would drop them without a word; pointing it does not mind."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, KEYBOARD, "off")

    with pytest.raises(ServiceValidationError) as error:
        await send(hass, "move:1,2", "click", command, entity_id=PHONE)

    assert error.value.translation_key == "no_text_field"
    assert error.value.translation_placeholders == {"name": "Pixel"}
    while not phone.input.clicks:
        await phone.wait_for("pointer")
    assert phone.input.moves == [(1, 2)]


async def test_a_text_field_that_a_command_opens(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The state that counts is that when a key is to be pressed."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, KEYBOARD, "off")

    async def pause(seconds: float) -> None:
        await phone.wait_for("pointer")
        await phone.input.set_takes_keys(True)
        await wait_state(hass, KEYBOARD, "on")

    monkeypatch.setattr(input_module, "asyncio", SimpleNamespace(sleep=pause))
    await send(hass, "click", "text:a", entity_id=PHONE)

    await phone.wait_for("key")
    assert phone.input.text == "a"


async def test_keys_while_nothing_is_known_of_text_fields(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.outgoing -= {"kdeconnect.mousepad.keyboardstate"}
    phone.input.takes_keys = None
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PHONE, "on")

    await send(hass, "text:a", entity_id=PHONE)

    await phone.wait_for("key")
    assert phone.input.text == "a"
