"""Remote pointer and keyboard."""

from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError, UnsupportedError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    mousepad,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mousepad import (
    MAX_DISTANCE,
    MAX_KEY_TEXT,
    Button,
    KeyboardState,
    KeyEcho,
    KeyRequest,
    Modifier,
    PointerRequest,
    SpecialKey,
    TvKey,
    tv_key,
)

REQUEST = "kdeconnect.mousepad.request"
ECHO = "kdeconnect.mousepad.echo"
STATE = "kdeconnect.mousepad.keyboardstate"

all_modifiers = st.builds(Modifier, st.integers(0, 15))
distances = st.floats(-MAX_DISTANCE, MAX_DISTANCE)


def asked(**body: JsonValue) -> object:
    """Return the message in a request."""
    return decode_message(Packet(REQUEST, body))


def test_capture_of_a_key_of_kde() -> None:
    message = asked(
        alt=False, ctrl=False, key="hi", sendAck=True, shift=False, specialKey=-1
    )

    assert message == KeyRequest("hi", None, Modifier.NONE, wants_echo=True)


def test_capture_of_the_state_of_kde_without_a_display() -> None:
    assert decode_message(Packet(STATE, {})) == KeyboardState(None)


@pytest.mark.parametrize(
    ("state", "expected"), [(True, True), ("false", False), (0, False), ("?", None)]
)
def test_keyboard_state(state: JsonValue, expected: bool | None) -> None:
    assert decode_message(Packet(STATE, {"state": state})) == KeyboardState(expected)


@pytest.mark.parametrize("number", range(1, 33))
def test_special_keys(number: int) -> None:
    assert asked(specialKey=number) == KeyRequest("", SpecialKey(number))
    assert asked(specialKey=str(number)) == KeyRequest("", SpecialKey(number))


def test_table_of_special_keys() -> None:
    assert [
        SpecialKey.BACKSPACE,
        SpecialKey.LEFT,
        SpecialKey.PAGE_DOWN,
        SpecialKey.ENTER,
        SpecialKey.ESCAPE,
        SpecialKey.SUPER,
        SpecialKey.F1,
        SpecialKey.F12,
    ] == [1, 4, 9, 12, 14, 20, 21, 32]


@pytest.mark.parametrize("number", [None, 0, -1, 33, 2**40, "x", []])
def test_unknown_special_keys_are_none(number: JsonValue) -> None:
    assert asked(specialKey=number, key="a") == KeyRequest("a")
    assert asked(specialKey=number, dx=1) == PointerRequest(1.0)
    for packet_type in (REQUEST, ECHO):
        with pytest.raises(ProtocolError):
            decode_message(Packet(packet_type, {"specialKey": number}))


@pytest.mark.parametrize("text", [None, "", 7, []])
def test_text_that_is_none(text: JsonValue) -> None:
    assert asked(key=text, dx=1) == PointerRequest(1.0)
    assert asked(key=text, specialKey=1) == KeyRequest("", SpecialKey.BACKSPACE)


def test_modifiers() -> None:
    assert asked(key="a", ctrl=True, shift="true", alt=1, super=True) == KeyRequest(
        "a",
        None,
        Modifier.CTRL | Modifier.SHIFT | Modifier.ALT | Modifier.SUPER,
    )
    assert asked(rightclick=True, ctrl=True) == PointerRequest(
        button=Button.RIGHT, clicks=1, modifiers=Modifier.CTRL
    )


def test_limit_of_text() -> None:
    fitting = "k" * MAX_KEY_TEXT

    assert asked(key=fitting) == KeyRequest(fitting)
    for packet_type in (REQUEST, ECHO):
        with pytest.raises(ProtocolError):
            decode_message(Packet(packet_type, {"key": fitting + "k"}))


def test_limit_of_distance() -> None:
    assert asked(dx=MAX_DISTANCE + 1, dy=-MAX_DISTANCE - 0.5) == PointerRequest(
        MAX_DISTANCE, -MAX_DISTANCE
    )


@pytest.mark.parametrize(
    ("field", "button", "clicks"),
    [
        ("singleclick", Button.LEFT, 1),
        ("doubleclick", Button.LEFT, 2),
        ("middleclick", Button.MIDDLE, 1),
        ("rightclick", Button.RIGHT, 1),
        ("forwardclick", Button.FORWARD, 1),
        ("backclick", Button.BACK, 1),
    ],
)
def test_clicks(field: str, button: Button, clicks: int) -> None:
    packet = mousepad.click(button, clicks)

    assert packet == Packet(REQUEST, {field: True})
    assert decode_message(packet) == PointerRequest(button=button, clicks=clicks)


@pytest.mark.parametrize(
    ("button", "count"), [(Button.LEFT, 3), (Button.LEFT, 0), (Button.RIGHT, 2)]
)
def test_clicks_that_have_no_word(button: Button, count: int) -> None:
    with pytest.raises(UnsupportedError):
        mousepad.click(button, count)


def test_left_click_is_the_default() -> None:
    assert mousepad.click() == Packet(REQUEST, {"singleclick": True})


def test_hold_and_release() -> None:
    assert mousepad.hold() == Packet(REQUEST, {"singlehold": True})
    assert decode_message(mousepad.hold()) == PointerRequest(is_hold=True)
    assert mousepad.release() == Packet(REQUEST, {"singlerelease": True})
    assert decode_message(mousepad.release()) == PointerRequest(is_release=True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"x": 7, "y": 8}, PointerRequest(x=7, y=8)),
        ({"x": 7, "dx": 1.5}, PointerRequest(1.5)),
        ({"y": 7, "dy": "2"}, PointerRequest(0.0, 2.0)),
        ({"scroll": True, "dy": 3}, PointerRequest(0.0, 3.0, is_scroll=True)),
        ({"scroll": False, "dy": 3}, PointerRequest(0.0, 3.0)),
    ],
)
def test_movements(body: JsonObject, expected: PointerRequest) -> None:
    assert asked(**body) == expected


def test_scrolling_is_no_movement() -> None:
    assert PointerRequest(1.0).is_moving
    assert not PointerRequest(1.0, is_scroll=True).is_moving
    assert not PointerRequest(x=1, y=1).is_moving


def test_button_wins_over_key_over_movement() -> None:
    assert asked(dx=1, key="a", backclick=True) == PointerRequest(
        1.0, button=Button.BACK, clicks=1
    )
    assert asked(dx=1, key="a", scroll=True) == PointerRequest(1.0, is_scroll=True)
    assert asked(dx=1, key="a", singlehold=False) == KeyRequest("a")


@pytest.mark.parametrize(
    "body",
    [{}, {"dx": 0, "dy": 0}, {"x": 1}, {"singleclick": False}, {"alt": True}],
)
def test_nothing_to_do_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


def test_key_is_required_of_a_key() -> None:
    with pytest.raises(ProtocolError):
        KeyRequest.from_packet(Packet(REQUEST, {"dx": 1}))


@settings(deadline=None)
@given(distances.filter(bool), distances)
def test_movement_round_trips(dx: float, dy: float) -> None:
    assert decode_message(mousepad.move(dx, dy)) == PointerRequest(dx, dy)
    assert decode_message(mousepad.scroll(dx, dy)) == PointerRequest(
        dx, dy, is_scroll=True
    )


@settings(deadline=None)
@given(st.sampled_from(SpecialKey) | texts.filter(bool), all_modifiers, st.booleans())
def test_key_round_trip(
    what: SpecialKey | str, modifiers: Modifier, want_echo: bool
) -> None:
    message = decode_message(mousepad.key(what, modifiers, want_echo=want_echo))

    is_special = isinstance(what, SpecialKey)
    assert message == KeyRequest(
        "" if is_special else cast(str, what),
        what if isinstance(what, SpecialKey) else None,
        modifiers,
        want_echo,
    )


@settings(deadline=None)
@given(texts.filter(bool), st.none() | st.sampled_from(SpecialKey), all_modifiers)
def test_echo_round_trip(
    text: str, special: SpecialKey | None, modifiers: Modifier
) -> None:
    packet = mousepad.echo(KeyRequest(text, special, modifiers, wants_echo=True))

    assert packet.body["isAck"] is True
    assert decode_message(packet) == KeyEcho(text, special, modifiers)


def test_packets_for_the_keyboard() -> None:
    keys = [
        mousepad.key("a"),
        mousepad.press(TvKey.HOME),
        mousepad.key("c", Modifier.CTRL),
    ]
    others = [mousepad.click(), mousepad.move(0, 1), mousepad.echo(KeyRequest("a"))]

    assert all(mousepad.is_key(packet) for packet in keys)
    assert not any(mousepad.is_key(packet) for packet in others)


def test_packets_hold_only_what_is_needed() -> None:
    assert mousepad.key(SpecialKey.F5) == Packet(REQUEST, {"specialKey": 25})
    assert mousepad.key("hi", Modifier.SHIFT, want_echo=True) == Packet(
        REQUEST, {"key": "hi", "shift": True, "sendAck": True}
    )
    assert mousepad.echo(KeyRequest("", SpecialKey.TAB)) == Packet(
        ECHO, {"specialKey": 2, "isAck": True}
    )
    assert mousepad.keyboard_state(True) == Packet(STATE, {"state": True})
    assert decode_message(mousepad.keyboard_state(False)) == KeyboardState(False)


@pytest.mark.parametrize("key", TvKey)
def test_keys_of_a_tv_round_trip(key: TvKey) -> None:
    message = decode_message(mousepad.press(key))

    assert isinstance(message, KeyRequest)
    assert tv_key(message) is key


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"specialKey": 4}, TvKey.LEFT),
        ({"specialKey": 5}, TvKey.UP),
        ({"specialKey": 6}, TvKey.RIGHT),
        ({"specialKey": 7}, TvKey.DOWN),
        ({"specialKey": 12}, TvKey.SELECT),
        ({"specialKey": 3}, TvKey.SELECT),
        ({"key": "\n"}, TvKey.SELECT),
        ({"specialKey": 20, "super": True}, TvKey.HOME),
        ({"specialKey": 20}, TvKey.HOME),
        ({"specialKey": 14}, TvKey.BACK),
        ({"specialKey": 24, "alt": True}, TvKey.CLOSE),
        ({"specialKey": 24}, None),
        ({"specialKey": 4, "ctrl": True}, None),
        ({"specialKey": 4, "alt": True}, None),
        ({"specialKey": 12, "key": "hi"}, None),
        ({"key": "a"}, None),
        ({"key": "\n", "ctrl": True}, None),
    ],
)
def test_table_of_the_tv_remote(body: JsonObject, expected: TvKey | None) -> None:
    message = asked(**body)

    assert isinstance(message, KeyRequest)
    assert tv_key(message) is expected


def test_no_key_is_none_of_a_tv() -> None:
    assert tv_key(KeyRequest("")) is None


@settings(deadline=None)
@given(
    st.sampled_from([REQUEST, ECHO, STATE]),
    bodies(
        "dx",
        "dy",
        "x",
        "y",
        "scroll",
        "singleclick",
        "doubleclick",
        "singlehold",
        "singlerelease",
        "key",
        "specialKey",
        "alt",
        "sendAck",
        "state",
    ),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, PointerRequest | KeyRequest | KeyEcho | KeyboardState)


def test_typed_text_is_not_shown() -> None:
    for message in (KeyRequest("secret"), KeyEcho("secret")):
        assert "secret" not in repr(message)
