"""The words of the remote control: what they mean, and which ones make no sense."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.apple_tv.remote_keys import (
    ALIASES,
    MAX_COMMAND,
    MAX_HOLD,
    MAX_SECONDS,
    MAX_SWIPE,
    PAD,
    POWER,
    SWIPE,
    SWIPES,
    Click,
    Power,
    Press,
    Skip,
    Step,
    Swipe,
    UnknownCommandError,
    Wait,
    known_commands,
    parse,
)
from custom_components.rumpus.protocols.apple.enums import InputAction, Key


@pytest.mark.parametrize(
    ("command", "step"),
    [
        ("select", Press(Key.SELECT)),
        (" Volume Up", Press(Key.VOLUME_UP)),
        ("play-pause", Press(Key.PLAY_PAUSE)),
        ("wakeup", Power(is_on=True)),
        ("suspend", Power(is_on=False)),
        ("double:wakeup", Press(Key.WAKE_UP, InputAction.DOUBLE)),
        ("ok", Press(Key.SELECT)),
        ("back", Press(Key.MENU)),
        ("tv", Press(Key.HOME)),
        ("double:home", Press(Key.HOME, InputAction.DOUBLE)),
        ("hold:select", Press(Key.SELECT, InputAction.HOLD)),
        ("single:up", Press(Key.UP)),
        ("menu@2", Press(Key.MENU, InputAction.HOLD, 2.0)),
        ("select @ 0.5", Press(Key.SELECT, InputAction.HOLD, 0.5)),
        ("swipe_left", Swipe(900, 500, 100, 500, SWIPE)),
        ("swipe right", Swipe(100, 500, 900, 500, SWIPE)),
        ("swipe_up:300", Swipe(500, 900, 500, 100, 300)),
        ("swipe-down:1", Swipe(500, 100, 500, 900, 1)),
        ("swipe:100,200,900,300", Swipe(100, 200, 900, 300, SWIPE)),
        ("swipe: 0, 0, 1000, 1000, 10000", Swipe(0, 0, PAD, PAD, MAX_SWIPE)),
        ("click", Click()),
        ("click:double", Click(InputAction.DOUBLE)),
        ("click: hold", Click(InputAction.HOLD)),
        ("skip:30", Skip(30.0)),
        ("skip:-12.5", Skip(-12.5)),
        ("turn_on", Power(is_on=True)),
        ("sleep", Power(is_on=False)),
        ("wait:1.5", Wait(1.5)),
        ("wait:0", Wait(0.0)),
    ],
)
def test_commands(command: str, step: Step) -> None:
    assert parse(command) == step


@pytest.mark.parametrize(
    "command",
    [
        "",
        "my secret password",
        "selec",
        "select:2",
        "double:",
        "double:nothing",
        "triple:select",
        "hold",
        "@2",
        "select@",
        "select@-1",
        f"select@{MAX_HOLD + 1}",
        "select@nan",
        "select@soon",
        "wait",
        "wait:",
        "wait:-1",
        f"wait:{MAX_SECONDS + 1}",
        "wait:nan",
        "wait@1",
        "swipe",
        "swipe:",
        "swipe:1,2,3",
        "swipe:1,2,3,4,5,6",
        "swipe:-1,0,0,0",
        "swipe:0,0,0,1001",
        "swipe:0,0,0,0,0",
        f"swipe:0,0,0,0,{MAX_SWIPE + 1}",
        "swipe:a,b,c,d",
        "swipe_left:0",
        "swipe_left:x",
        "swipe_left@1",
        "swipe_sideways",
        "click:triple",
        "skip",
        "skip:0",
        "skip:inf",
        "skip:86401",
        "turn_on:now",
    ],
)
def test_what_makes_no_sense(command: str) -> None:
    """What was written is in no error: it may have been meant for a text field."""
    with pytest.raises(UnknownCommandError) as caught:
        parse(command)
    assert str(caught.value) == ""


def test_longest_command() -> None:
    """A command may be so long, and not longer."""
    blanks = " " * (MAX_COMMAND - len("select"))
    assert parse(f"{blanks}select") == Press(Key.SELECT)
    with pytest.raises(UnknownCommandError):
        parse(f"{blanks} select")


def test_every_key_is_known() -> None:
    known = known_commands()
    for key in Key:
        step = parse(key)
        assert step == POWER.get(key, Press(key))
        assert key in known
    for name in ALIASES:
        assert isinstance(parse(name), Press)
    for name in (*SWIPES, *POWER):
        assert name in known


@given(st.text())
def test_any_text(text: str) -> None:
    """Nothing that anybody writes does anything but be understood or refused."""
    try:
        step = parse(text)
    except UnknownCommandError:
        return
    assert step == parse(f" {text} ") or len(text) + 2 > MAX_COMMAND


@given(st.tuples(*[st.integers(0, PAD)] * 4), st.integers(1, MAX_SWIPE))
def test_any_swipe(line: tuple[int, int, int, int], duration: int) -> None:
    text = ",".join(str(number) for number in (*line, duration))
    assert parse(f"swipe:{text}") == Swipe(*line, duration)
