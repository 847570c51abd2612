"""The words of the remote control: what a user writes becomes packets.

Nothing here does input or output.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...protocols.kdeconnect.packet import Packet
from ...protocols.kdeconnect.plugins import digitizer, mousepad, presenter
from ...protocols.kdeconnect.plugins.digitizer import PenUpdate, Tool
from ...protocols.kdeconnect.plugins.mousepad import (
    MAX_KEY_TEXT,
    Button,
    Modifier,
    SpecialKey,
    TvKey,
)

MAX_STROKE: Final = 1000
"""Points of one stroke of the pen."""
CANVAS: Final = 10_000
"""Width and height of the tablet that strokes are drawn on."""
_RESOLUTION: Final = 100


class UnknownCommandError(ValueError):
    """A command that the remote control does not know, or cannot make sense of.

    Its text is in no message: it may be a password.
    """


@dataclass(frozen=True, slots=True)
class Command:
    """What a command sends, and what ends it when it is held."""

    packets: tuple[Packet, ...] = field(repr=False)
    release: Packet | None = None
    """Sent after the time that the user wants the command to be held."""

    @property
    def is_typing(self) -> bool:
        """Whether it presses keys, which a phone takes only while a text field is open."""
        return any(mousepad.is_key(packet) for packet in self.packets)


_KEYS: Final = {key.name.lower(): key for key in SpecialKey} | {
    "pgup": SpecialKey.PAGE_UP,
    "pgdn": SpecialKey.PAGE_DOWN,
    "return": SpecialKey.ENTER,
    "esc": SpecialKey.ESCAPE,
    "del": SpecialKey.DELETE,
}
_MODIFIERS: Final = {
    "alt": Modifier.ALT,
    "ctrl": Modifier.CTRL,
    "control": Modifier.CTRL,
    "shift": Modifier.SHIFT,
    "super": Modifier.SUPER,
    "win": Modifier.SUPER,
    "meta": Modifier.SUPER,
}
_HELD: Final = frozenset({"click", "left_click"})
_WORDS: Final[Mapping[str, Packet]] = {
    "double_click": mousepad.click(count=2),
    "middle_click": mousepad.click(Button.MIDDLE),
    "right_click": mousepad.click(Button.RIGHT),
    "forward_click": mousepad.click(Button.FORWARD),
    "back_click": mousepad.click(Button.BACK),
    "hold": mousepad.hold(),
    "release": mousepad.release(),
    "space": mousepad.key(" "),
    "select": mousepad.press(TvKey.SELECT),
    "tv_home": mousepad.press(TvKey.HOME),
    "back": mousepad.press(TvKey.BACK),
    "close": mousepad.press(TvKey.CLOSE),
    "hide_pointer": presenter.stop(),
    "previous_slide": presenter.previous_slide(),
    "next_slide": presenter.next_slide(),
    "start_show": presenter.start_show(),
    "end_show": presenter.end_show(),
}


def parse(command: str) -> Command:
    """Return what a command means.

    That is a word (`click`, `next_slide`), a key with or without modifiers (`enter`,
    `ctrl+alt+delete`, `ctrl+c`), or a word with a value: `text:` what to type, `move:` and
    `scroll:` pixels to the right and down (scrolling: up), `point:` the same for the presenter's
    pointer in parts of the screen, `draw:` points from 0,0 to 1,1 for the pen.
    Raises UnknownCommandError.
    """
    word, colon, value = command.partition(":")
    name = word.strip().lower().replace(" ", "_").replace("-", "_")
    if colon and (reader := _WITH_VALUE.get(name)) is not None:
        return Command(reader(value))
    if name in _HELD:
        return Command((mousepad.click(),), mousepad.release())
    if (packet := _WORDS.get(name)) is not None:
        return Command((packet,))
    return Command((_key(command),))


def _key(command: str) -> Packet:
    *held, last = _split_keys(command)
    modifiers = Modifier.NONE
    for word in held:
        modifier = _MODIFIERS.get(word.strip().lower())
        if modifier is None:
            raise UnknownCommandError
        modifiers |= modifier
    name = last.strip().lower().replace(" ", "_")
    if (special := _KEYS.get(name)) is not None:
        return mousepad.key(special, modifiers)
    character = last.strip() or last
    if len(character) == 1:
        return mousepad.key(character, modifiers)
    raise UnknownCommandError


def _split_keys(command: str) -> list[str]:
    """Split at the plus signs, but for one that is a key itself."""
    if command.endswith("+"):
        return [*command[:-1].rstrip("+").split("+"), "+"] if command[:-1] else ["+"]
    return command.split("+")


def _typed(value: str) -> tuple[Packet, ...]:
    if not value:
        raise UnknownCommandError
    # A peer refuses what is too long for one packet.
    return tuple(
        mousepad.key(value[start : start + MAX_KEY_TEXT])
        for start in range(0, len(value), MAX_KEY_TEXT)
    )


def _pair(value: str) -> tuple[float, float]:
    words = value.split(",")
    if len(words) != 2:
        raise UnknownCommandError
    try:
        x, y = float(words[0]), float(words[1])
    except ValueError:
        raise UnknownCommandError from None
    if (
        not abs(x) + abs(y) < mousepad.MAX_DISTANCE
    ):  # also infinite, or no number at all
        raise UnknownCommandError
    return x, y


def _stroke(value: str) -> tuple[Packet, ...]:
    points = [_pair(word) for word in value.split()]
    if not 0 < len(points) <= MAX_STROKE or not all(
        0 <= part <= 1 for point in points for part in point
    ):
        raise UnknownCommandError
    path = [(round(x * CANVAS), round(y * CANVAS)) for x, y in points]
    updates = [
        PenUpdate(is_active=True, is_touching=False, tool=Tool.PEN, x=x, y=y)
        for x, y in path[:1]
    ]
    updates += [PenUpdate(is_touching=True, x=x, y=y, pressure=0.5) for x, y in path]
    updates += [PenUpdate(is_touching=False, pressure=0.0), PenUpdate(is_active=False)]
    return (
        digitizer.start_session(CANVAS, CANVAS, _RESOLUTION, _RESOLUTION),
        *(digitizer.pen(update) for update in updates),
        digitizer.end_session(),
    )


_WITH_VALUE: Final[Mapping[str, Callable[[str], tuple[Packet, ...]]]] = {
    "text": _typed,
    "move": lambda value: (mousepad.move(*_pair(value)),),
    "scroll": lambda value: (mousepad.scroll(*_pair(value)),),
    "point": lambda value: (presenter.move(*_pair(value)),),
    "draw": _stroke,
}
