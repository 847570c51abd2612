"""The words of the remote control of a console: what a user writes becomes steps.

Nothing here does input or output.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
import math
from typing import Final

from ...protocols.smartglass.enums import GamepadButtons, MediaControlCommand
from ...protocols.smartglass.services.input import MAX_HOLD

MAX_SECONDS: Final = 300.0
"""How long all commands of one call may take, with their holds and pauses."""
MAX_STEPS: Final = 1000
"""Commands of one call, repeats included."""
MAX_COMMAND: Final = 200
"""Characters of a command."""

NO_BUTTONS: Final = GamepadButtons(0)
BUTTONS: Final[Mapping[str, GamepadButtons]] = {
    "a": GamepadButtons.A,
    "b": GamepadButtons.B,
    "x": GamepadButtons.X,
    "y": GamepadButtons.Y,
    "up": GamepadButtons.DPAD_UP,
    "down": GamepadButtons.DPAD_DOWN,
    "left": GamepadButtons.DPAD_LEFT,
    "right": GamepadButtons.DPAD_RIGHT,
    "lb": GamepadButtons.LEFT_SHOULDER,
    "rb": GamepadButtons.RIGHT_SHOULDER,
    "l3": GamepadButtons.LEFT_THUMBSTICK,
    "r3": GamepadButtons.RIGHT_THUMBSTICK,
    "nexus": GamepadButtons.NEXUS,
    "menu": GamepadButtons.MENU,
    "view": GamepadButtons.VIEW,
    "enroll": GamepadButtons.ENROLL,
}
"""Buttons of the gamepad by the name that errors list."""
ALIASES: Final[Mapping[str, str]] = {
    "select": "a",
    "ok": "a",
    "back": "b",
    "dpad_up": "up",
    "dpad_down": "down",
    "dpad_left": "left",
    "dpad_right": "right",
    "left_shoulder": "lb",
    "left_bumper": "lb",
    "right_shoulder": "rb",
    "right_bumper": "rb",
    "left_thumb": "l3",
    "right_thumb": "r3",
    "guide": "nexus",
    "home": "nexus",
    "xbox": "nexus",
    "start": "menu",
}
"""Other names of buttons."""
TRIGGERS: Final = {
    "lt": "lt",
    "left_trigger": "lt",
    "rt": "rt",
    "right_trigger": "rt",
}
STICKS: Final = {
    "ls": "ls",
    "left_stick": "ls",
    "rs": "rs",
    "right_stick": "rs",
}
CENTER: Final = (0.0, 0.0)
_DIAGONAL: Final = math.sqrt(0.5)
DIRECTIONS: Final = {
    "up": (0.0, 1.0),
    "down": (0.0, -1.0),
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "up_left": (-_DIAGONAL, _DIAGONAL),
    "up_right": (_DIAGONAL, _DIAGONAL),
    "down_left": (-_DIAGONAL, -_DIAGONAL),
    "down_right": (_DIAGONAL, -_DIAGONAL),
}
"""Where a stick may be pushed, as x to the right and y up."""
MEDIA_KEYS: Final[Mapping[str, MediaControlCommand]] = {
    "play": MediaControlCommand.PLAY,
    "pause": MediaControlCommand.PAUSE,
    "play_pause": MediaControlCommand.PLAY_PAUSE_TOGGLE,
    "stop": MediaControlCommand.STOP,
    "record": MediaControlCommand.RECORD,
    "next": MediaControlCommand.NEXT_TRACK,
    "previous": MediaControlCommand.PREVIOUS_TRACK,
    "fast_forward": MediaControlCommand.FAST_FORWARD,
    "rewind": MediaControlCommand.REWIND,
    "channel_up": MediaControlCommand.CHANNEL_UP,
    "channel_down": MediaControlCommand.CHANNEL_DOWN,
}
"""Media keys by the name that errors list; all of them may begin with `media:`."""
_MEDIA_ONLY: Final[Mapping[str, MediaControlCommand]] = {
    "back": MediaControlCommand.BACK,
    "view": MediaControlCommand.VIEW,
    "menu": MediaControlCommand.MENU,
}
"""Media keys that need `media:`, since the gamepad has buttons of these names."""
VOLUME_KEYS: Final[Mapping[str, str]] = {
    "volume_up": "vol_up",
    "volume_down": "vol_down",
    "volume_mute": "vol_mute",
    "mute": "vol_mute",
}
"""Buttons of the TV that need no `tv:`."""
TV_PREFIX: Final = "btn."
TV_BUTTONS: Final = (
    *("back", "blue", "ch_down", "ch_enter", "ch_up", "delimiter"),
    *(f"digit_{digit}" for digit in range(10)),
    *("down", "dvr", "exit", "fast_fwd", "format"),
    *("func_a", "func_b", "func_c", "func_d", "green", "guide", "info", "input"),
    *("last", "left", "menu", "page_down", "page_up", "pause", "play", "plus_100"),
    *("power", "power_off", "power_on", "record", "red", "replay", "rewind", "right"),
    *("sap", "seek", "select", "setup", "skip_fwd", "stop", "subtitle", "up"),
    *("vol_down", "vol_mute", "vol_up", "yellow"),
)
"""Buttons that a TV, a receiver or a set-top box may have, without their prefix."""


class UnknownCommandError(ValueError):
    """A command that the remote control does not know, or cannot make sense of.

    Its text is in no message: somebody may have tried to type a password.
    """


@dataclass(frozen=True, slots=True)
class Press:
    """Something held on the gamepad; triggers from 0 to 1, sticks from -1 to 1.

    `hold` is in seconds, None for as long as a press usually is.
    """

    buttons: GamepadButtons = NO_BUTTONS
    left_trigger: float = 0.0
    right_trigger: float = 0.0
    left_stick: tuple[float, float] = CENTER
    right_stick: tuple[float, float] = CENTER
    hold: float | None = None


@dataclass(frozen=True, slots=True)
class MediaKey:
    """A command for what plays."""

    command: MediaControlCommand


@dataclass(frozen=True, slots=True)
class TvKey:
    """A button of the TV, as the console calls it."""

    button_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause of so many seconds."""

    seconds: float


type Step = Press | MediaKey | TvKey | Wait


def known_commands() -> str:
    """Return what commands there are, for who wrote another one."""
    return ", ".join(
        (
            *BUTTONS,
            "lt, rt (lt:0.5)",
            "ls:up, rs:up (ls:0.5,-1)",
            *MEDIA_KEYS,
            *list(VOLUME_KEYS)[:3],
            "tv:power and other buttons of the TV",
            "wait:1.5",
        )
    )


def parse(command: str, tv_buttons: Collection[str] = ()) -> Step:
    """Return what a command means; `tv_buttons` are those that the console has told of.

    That is a button (`a`, `nexus`), a trigger (`lt`, `rt:0.5`), a stick and where to
    (`ls:up`, `rs:0.5,-1`) or several of them at once (`a+lb`), each of which may be held
    (`nexus@2`, seconds); a media key (`play`), a button of the TV (`tv:power`), or a pause
    (`wait:1.5`).  Raises UnknownCommandError.
    """
    if len(command) > MAX_COMMAND:
        raise UnknownCommandError
    body, at, hold = command.partition("@")
    if at:
        return _press(body, _number(hold, 0.0, MAX_HOLD))
    word, colon, value = command.partition(":")
    match _name(word), colon:
        case "wait", ":":
            return Wait(_number(value, 0.0, MAX_SECONDS))
        case "tv", ":":
            return TvKey(_tv_button(_name(value), tv_buttons))
        case "media", ":":
            return MediaKey(_media_key(_name(value)))
        case name, "" if name in MEDIA_KEYS:
            return MediaKey(MEDIA_KEYS[name])
        case name, "" if name in VOLUME_KEYS:
            return TvKey(f"{TV_PREFIX}{VOLUME_KEYS[name]}")
    return _press(command, None)


def tv_button_id(button: str, tv_buttons: Collection[str] = ()) -> str:
    """Return what the console calls a button of the TV; raises UnknownCommandError."""
    return _tv_button(_name(button), tv_buttons)


def _name(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def _tv_button(name: str, tv_buttons: Collection[str]) -> str:
    short = name.removeprefix(TV_PREFIX)
    button_id = f"{TV_PREFIX}{short}"
    if short in TV_BUTTONS or button_id in tv_buttons:
        return button_id
    raise UnknownCommandError


def _media_key(name: str) -> MediaControlCommand:
    if (key := MEDIA_KEYS.get(name) or _MEDIA_ONLY.get(name)) is None:
        raise UnknownCommandError
    return key


def _press(text: str, hold: float | None) -> Press:
    """Read what is held at the same time."""
    buttons = NO_BUTTONS
    triggers = {"lt": 0.0, "rt": 0.0}
    sticks = {"ls": CENTER, "rs": CENTER}
    for part in text.split("+"):
        word, colon, value = part.partition(":")
        name = _name(word)
        if not colon and (button := BUTTONS.get(ALIASES.get(name, name))) is not None:
            buttons |= button
        elif (trigger := TRIGGERS.get(name)) is not None:
            triggers[trigger] = _number(value, 0.0) if colon else 1.0
        elif colon and (stick := STICKS.get(name)) is not None:
            sticks[stick] = _direction(value)
        else:
            raise UnknownCommandError
    press = Press(
        buttons, triggers["lt"], triggers["rt"], sticks["ls"], sticks["rs"], hold
    )
    if press == Press(hold=hold):
        # A trigger that is not pulled, or a stick that is not moved.
        raise UnknownCommandError
    return press


def _direction(value: str) -> tuple[float, float]:
    if (direction := DIRECTIONS.get(_name(value))) is not None:
        return direction
    x, comma, y = value.partition(",")
    if not comma:
        raise UnknownCommandError
    return _number(x, -1.0), _number(y, -1.0)


def _number(text: str, lowest: float, highest: float = 1.0) -> float:
    try:
        number = float(text)
    except ValueError:
        raise UnknownCommandError from None
    # This is also false for what is no number at all.
    if not lowest <= number <= highest:
        raise UnknownCommandError
    return number
