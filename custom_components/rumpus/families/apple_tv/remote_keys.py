"""The words of the remote control of an Apple TV: what a user writes becomes steps.

Nothing here does input or output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...protocols.apple.enums import InputAction, Key

MAX_SECONDS: Final = 300.0
"""How long all commands of one call may take, with their holds and pauses."""
MAX_STEPS: Final = 1000
"""Commands of one call, repeats included."""
MAX_COMMAND: Final = 200
"""Characters of a command."""
MAX_HOLD: Final = 60.0
"""Seconds that a key may be held."""
MAX_SWIPE: Final = 10_000
"""Milliseconds that a swipe may take."""
HOLD: Final = 1.0
"""Seconds of a hold that says no time of its own."""
SWIPE: Final = 200
"""Milliseconds of a swipe that says no time of its own."""
PAD: Final = 1000
"""Width and height of the touch pad, whatever its real size is."""

ALIASES: Final[Mapping[str, Key]] = {
    "ok": Key.SELECT,
    "enter": Key.SELECT,
    "back": Key.MENU,
    "tv": Key.HOME,
    "toggle": Key.PLAY_PAUSE,
    "next_track": Key.NEXT,
    "previous_track": Key.PREVIOUS,
    "fast_forward": Key.SKIP_FORWARD,
    "rewind": Key.SKIP_BACKWARD,
}
"""Other names of keys."""
_FAR: Final = 900
_NEAR: Final = 100
_MIDDLE: Final = 500
SWIPES: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "swipe_left": (_FAR, _MIDDLE, _NEAR, _MIDDLE),
    "swipe_right": (_NEAR, _MIDDLE, _FAR, _MIDDLE),
    "swipe_up": (_MIDDLE, _FAR, _MIDDLE, _NEAR),
    "swipe_down": (_MIDDLE, _NEAR, _MIDDLE, _FAR),
}
"""Swipes by name: where they begin and where they end."""
_ACTIONS: Final[Mapping[str, InputAction]] = {
    "single": InputAction.SINGLE,
    "double": InputAction.DOUBLE,
    "hold": InputAction.HOLD,
}
_LINE: Final = 4
"""Numbers of a line on the pad: x and y of its two ends."""


class UnknownCommandError(ValueError):
    """A command that the remote control does not know, or cannot make sense of.

    Its text is in no message: somebody may have tried to type a password.
    """


@dataclass(frozen=True, slots=True)
class Press:
    """A key; `hold` is in seconds, None for as long as such a press usually is.

    Whether a key can be held is for the device to say.
    """

    key: Key
    action: InputAction = InputAction.SINGLE
    hold: float | None = None


@dataclass(frozen=True, slots=True)
class Swipe:
    """A line on the touch pad, 1000 wide and high, in so many milliseconds."""

    start_x: int
    start_y: int
    end_x: int
    end_y: int
    duration_ms: int = SWIPE


@dataclass(frozen=True, slots=True)
class Click:
    """A click on the touch pad."""

    action: InputAction = InputAction.SINGLE


@dataclass(frozen=True, slots=True)
class Skip:
    """A jump of so many seconds, backwards when there are less than none."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Power:
    """Waking the device, or putting it to sleep."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause of so many seconds."""

    seconds: float


type Step = Press | Swipe | Click | Skip | Power | Wait

POWER: Final[Mapping[str, Power]] = {
    "turn_on": Power(is_on=True),
    "wake": Power(is_on=True),
    "turn_off": Power(is_on=False),
    "sleep": Power(is_on=False),
    # The keys of these names exist, but only power waits until the device has obeyed.
    "wakeup": Power(is_on=True),
    "suspend": Power(is_on=False),
}


def known_commands() -> str:
    """Return what commands there are, for who wrote another one."""
    return ", ".join(
        (
            *(key for key in Key if key not in POWER),
            "double:select",
            "hold:select",
            "select@2",
            *SWIPES,
            "swipe:100,500,900,500,300",
            "click",
            "skip:-30",
            *POWER,
            "wait:1.5",
        )
    )


def parse(command: str) -> Step:
    """Return what a command means.

    That is a key (`select`), pressed twice (`double:select`) or held (`hold:select`, or
    `select@2` for two seconds); a swipe by its name, with its time in milliseconds if wanted
    (`swipe_left:300`), or from one point of the pad to another (`swipe:100,500,900,500,300`);
    a click on the pad (`click`, `click:double`); a jump (`skip:-30`); the power
    (`turn_off`); or a pause (`wait:1.5`).  Raises UnknownCommandError.
    """
    if len(command) > MAX_COMMAND:
        raise UnknownCommandError
    body, at, seconds = command.partition("@")
    if at:
        hold = _number(seconds, 0.0, MAX_HOLD)
        return Press(_key(_name(body)), InputAction.HOLD, hold)
    word, colon, value = command.partition(":")
    name = _name(word)
    if name in SWIPES:
        return Swipe(*SWIPES[name], _duration(value) if colon else SWIPE)
    match name, colon:
        case "wait", ":":
            return Wait(_number(value, 0.0, MAX_SECONDS))
        case "skip", ":":
            return Skip(_skip(value))
        case "swipe", ":":
            return _swipe(value)
        case "click", _:
            return Click(_action(value) if colon else InputAction.SINGLE)
        case (("single" | "double" | "hold"), ":"):
            return Press(_key(_name(value)), _ACTIONS[name])
        case _, "":
            return POWER.get(name) or Press(_key(name))
    raise UnknownCommandError


def _name(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def _key(name: str) -> Key:
    if (key := ALIASES.get(name)) is not None:
        return key
    try:
        return Key(name)
    except ValueError:
        raise UnknownCommandError from None


def _action(text: str) -> InputAction:
    if (action := _ACTIONS.get(_name(text))) is None:
        raise UnknownCommandError
    return action


def _swipe(value: str) -> Swipe:
    numbers = value.split(",")
    if len(numbers) not in (_LINE, _LINE + 1):
        raise UnknownCommandError
    start_x, start_y, end_x, end_y = (
        round(_number(number, 0.0, PAD)) for number in numbers[:_LINE]
    )
    duration = _duration(numbers[_LINE]) if len(numbers) > _LINE else SWIPE
    return Swipe(start_x, start_y, end_x, end_y, duration)


def _duration(text: str) -> int:
    return round(_number(text, 1.0, MAX_SWIPE))


def _skip(text: str) -> float:
    seconds = _number(text, -86_400.0, 86_400.0)
    if not seconds:
        raise UnknownCommandError
    return seconds


def _number(text: str, lowest: float, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise UnknownCommandError from None
    # This is also false for what is no number at all.
    if not lowest <= number <= highest:
        raise UnknownCommandError
    return number
