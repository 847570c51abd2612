"""The words of the remote control: what they mean, and which ones make no sense."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.families.xbox.remote_keys import (
    ALIASES,
    BUTTONS,
    MAX_COMMAND,
    MAX_SECONDS,
    MEDIA_KEYS,
    TV_BUTTONS,
    VOLUME_KEYS,
    MediaKey,
    Press,
    Step,
    TvKey,
    UnknownCommandError,
    Wait,
    known_commands,
    parse,
    tv_button_id,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    GamepadButtons,
    MediaControlCommand,
)
from custom_components.rumpus.protocols.smartglass.services.input import MAX_HOLD


@pytest.mark.parametrize(
    ("command", "step"),
    [
        ("a", Press(GamepadButtons.A)),
        (" Left Shoulder", Press(GamepadButtons.LEFT_SHOULDER)),
        ("dpad-up", Press(GamepadButtons.DPAD_UP)),
        ("home", Press(GamepadButtons.NEXUS)),
        ("select", Press(GamepadButtons.A)),
        ("back", Press(GamepadButtons.B)),
        ("l3", Press(GamepadButtons.LEFT_THUMBSTICK)),
        ("a+B", Press(GamepadButtons.A | GamepadButtons.B)),
        ("nexus@2", Press(GamepadButtons.NEXUS, hold=2.0)),
        ("a+b @ 0.5", Press(GamepadButtons.A | GamepadButtons.B, hold=0.5)),
        ("lt", Press(left_trigger=1.0)),
        ("right_trigger:0.25", Press(right_trigger=0.25)),
        ("a+lt:0.5", Press(GamepadButtons.A, left_trigger=0.5)),
        ("ls:up", Press(left_stick=(0.0, 1.0))),
        ("right stick: left", Press(right_stick=(-1.0, 0.0))),
        ("rs:0.5,-1", Press(right_stick=(0.5, -1.0))),
        ("ls:down+rs:right@1", Press(
            left_stick=(0.0, -1.0), right_stick=(1.0, 0.0), hold=1.0
        )),
        ("play", MediaKey(MediaControlCommand.PLAY)),
        ("Play Pause", MediaKey(MediaControlCommand.PLAY_PAUSE_TOGGLE)),
        ("media:fast_forward", MediaKey(MediaControlCommand.FAST_FORWARD)),
        ("media:back", MediaKey(MediaControlCommand.BACK)),
        ("media:view", MediaKey(MediaControlCommand.VIEW)),
        ("menu", Press(GamepadButtons.MENU)),
        ("media:menu", MediaKey(MediaControlCommand.MENU)),
        ("tv:power", TvKey("btn.power")),
        ("tv:btn.digit_5", TvKey("btn.digit_5")),
        ("volume_up", TvKey("btn.vol_up")),
        ("mute", TvKey("btn.vol_mute")),
        ("wait:1.5", Wait(1.5)),
    ],
)  # fmt: skip
def test_commands(command: str, step: Step) -> None:
    assert parse(command) == step


@pytest.mark.parametrize(
    "command",
    [
        "",
        "+",
        "a+",
        "juggle",
        "text:hunter2",
        "a:1",
        "a@",
        "a@soon",
        "a@-1",
        f"a@{MAX_HOLD + 1}",
        "play@1",
        "a+play",
        "lt:2",
        "lt:nan",
        "lt:0",
        "ls",
        "ls:",
        "ls:sideways",
        "ls:1",
        "ls:0,0",
        "ls:1,2",
        "ls:1,x",
        "wait",
        "wait:",
        f"wait:{MAX_SECONDS + 1}",
        "wait:inf",
        "tv:",
        "tv:eject",
        "media:",
        "media:eject",
    ],
)
def test_what_makes_no_sense(command: str) -> None:
    with pytest.raises(UnknownCommandError):
        parse(command)


def test_max_command() -> None:
    """A command that is one character longer is not even looked at."""
    assert parse("a".ljust(MAX_COMMAND)) == Press(GamepadButtons.A)
    with pytest.raises(UnknownCommandError):
        parse("a".ljust(MAX_COMMAND + 1))


def test_all_buttons_can_be_pressed() -> None:
    """Every button of the protocol has a name, and every other name means one of those."""
    assert sum(BUTTONS.values()) == sum(GamepadButtons)
    assert all(ALIASES[alias] in BUTTONS for alias in ALIASES)
    assert not set(ALIASES) & set(BUTTONS)


def test_all_media_keys_can_be_pressed() -> None:
    """Every command has a name but seeking, which needs a position."""
    words = {*MEDIA_KEYS, "back", "view", "menu"}
    commands = {parse(f"media:{word}") for word in words}
    assert commands == {
        MediaKey(command)
        for command in MediaControlCommand
        if command is not MediaControlCommand.SEEK
    }


def test_no_word_means_two_things() -> None:
    assert not {*BUTTONS, *ALIASES} & {*MEDIA_KEYS, *VOLUME_KEYS}


def test_buttons_of_the_tv() -> None:
    """Those that all TVs may have, and those that the console has told of."""
    assert len(TV_BUTTONS) == len(set(TV_BUTTONS)) == 57
    for button in TV_BUTTONS:
        assert tv_button_id(button) == f"btn.{button}"
    assert parse("tv:netflix", {"btn.netflix"}) == TvKey("btn.netflix")
    with pytest.raises(UnknownCommandError):
        parse("tv:netflix")


def test_what_is_known_is_understood() -> None:
    """The list in the error has no word that is refused."""
    words = known_commands().split(", ")
    for word in words[: len(BUTTONS)]:
        assert parse(word)
    assert len(known_commands()) < 400


@settings(max_examples=50)
@given(st.text(max_size=50) | st.from_regex(r"(ls|lt|tv|wait)[:@+][-0-9.,a-z]*"))
def test_any_command_is_understood_or_refused(command: str) -> None:
    """And what was written is in no error."""
    try:
        step = parse(command)
    except UnknownCommandError as err:
        assert str(err) == ""  # noqa: PT017
    else:
        assert isinstance(step, Press | MediaKey | TvKey | Wait)
