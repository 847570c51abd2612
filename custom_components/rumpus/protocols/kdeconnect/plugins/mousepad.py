"""Remote pointer and keyboard, both ways (the KDE Connect reference, section 11.15)."""

from dataclasses import dataclass, field
from enum import Flag, IntEnum, StrEnum
from typing import Final, Self

from ...errors import ProtocolError, UnsupportedError
from ...json_fields import get_bool, get_int, get_number, get_str
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message

TYPE_REQUEST: Final = "kdeconnect.mousepad.request"
TYPE_ECHO: Final = "kdeconnect.mousepad.echo"
TYPE_KEYBOARD_STATE: Final = "kdeconnect.mousepad.keyboardstate"

MAX_KEY_TEXT: Final = 4096
"""Characters of a text to type; a longer one is refused, since half of it is another text."""
MAX_DISTANCE: Final = 100_000
"""Pixels of one movement; a longer one is cut."""


class SpecialKey(IntEnum):
    """The keys that have no character."""

    BACKSPACE = 1
    TAB = 2
    LINE_FEED = 3
    LEFT = 4
    UP = 5
    RIGHT = 6
    DOWN = 7
    PAGE_UP = 8
    PAGE_DOWN = 9
    HOME = 10
    END = 11
    ENTER = 12
    DELETE = 13
    ESCAPE = 14
    SYS_RQ = 15
    SCROLL_LOCK = 16
    CTRL = 17
    ALT = 18
    SHIFT = 19
    SUPER = 20
    F1 = 21
    F2 = 22
    F3 = 23
    F4 = 24
    F5 = 25
    F6 = 26
    F7 = 27
    F8 = 28
    F9 = 29
    F10 = 30
    F11 = 31
    F12 = 32


class Modifier(Flag):
    """The keys that are held meanwhile."""

    NONE = 0
    ALT = 1
    CTRL = 2
    SHIFT = 4
    SUPER = 8


class Button(StrEnum):
    """The buttons of a pointer; only Android knows the last two."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"
    FORWARD = "forward"
    BACK = "back"


class TvKey(StrEnum):
    """The keys of a TV's remote control."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    SELECT = "select"
    HOME = "home"
    BACK = "back"
    CLOSE = "close"
    PAGE_UP = "page_up"
    PAGE_DOWN = "page_down"
    START = "start"
    END = "end"
    TAB = "tab"
    BACKSPACE = "backspace"
    DELETE = "delete"


_MODIFIERS: Final = {
    "alt": Modifier.ALT,
    "ctrl": Modifier.CTRL,
    "shift": Modifier.SHIFT,
    "super": Modifier.SUPER,
}
_CLICKS: Final = {
    "singleclick": (Button.LEFT, 1),
    "doubleclick": (Button.LEFT, 2),
    "middleclick": (Button.MIDDLE, 1),
    "rightclick": (Button.RIGHT, 1),
    "forwardclick": (Button.FORWARD, 1),
    "backclick": (Button.BACK, 1),
}
_CLICK_FIELDS: Final = {click: name for name, click in _CLICKS.items()}
_TV_KEYS: Final = {
    TvKey.LEFT: (SpecialKey.LEFT, Modifier.NONE),
    TvKey.RIGHT: (SpecialKey.RIGHT, Modifier.NONE),
    TvKey.UP: (SpecialKey.UP, Modifier.NONE),
    TvKey.DOWN: (SpecialKey.DOWN, Modifier.NONE),
    TvKey.SELECT: (SpecialKey.ENTER, Modifier.NONE),
    TvKey.HOME: (SpecialKey.SUPER, Modifier.SUPER),
    TvKey.BACK: (SpecialKey.ESCAPE, Modifier.NONE),
    TvKey.CLOSE: (SpecialKey.F4, Modifier.ALT),
    TvKey.PAGE_UP: (SpecialKey.PAGE_UP, Modifier.NONE),
    TvKey.PAGE_DOWN: (SpecialKey.PAGE_DOWN, Modifier.NONE),
    TvKey.START: (SpecialKey.HOME, Modifier.NONE),
    TvKey.END: (SpecialKey.END, Modifier.NONE),
    TvKey.TAB: (SpecialKey.TAB, Modifier.NONE),
    TvKey.BACKSPACE: (SpecialKey.BACKSPACE, Modifier.NONE),
    TvKey.DELETE: (SpecialKey.DELETE, Modifier.NONE),
}
_TV_KEYS_BY_PRESS: Final = {
    **{press: tv_key for tv_key, press in _TV_KEYS.items()},
    # The key alone is as good as the key held by itself.
    (SpecialKey.SUPER, Modifier.NONE): TvKey.HOME,
    (SpecialKey.LINE_FEED, Modifier.NONE): TvKey.SELECT,
}


@dataclass(frozen=True, slots=True)
class PointerRequest(Message):
    """What the pointer is to do, in this order: go to, move or scroll, button.

    `dx` and `dy` are pixels to the right and down, or with `is_scroll` an amount of scrolling
    where a positive `dy` is up. `x` and `y` are an absolute position. `button` is clicked
    `clicks` times; `is_hold` and `is_release` press and release the left button.
    """

    dx: float = 0.0
    dy: float = 0.0
    is_scroll: bool = False
    x: int | None = None
    y: int | None = None
    button: Button | None = None
    clicks: int = 0
    is_hold: bool = False
    is_release: bool = False
    modifiers: Modifier = Modifier.NONE

    @property
    def is_moving(self) -> bool:
        """Whether the pointer moves by an offset."""
        return not self.is_scroll and (self.dx, self.dy) != (0.0, 0.0)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request; raises ProtocolError when the pointer has nothing to do."""
        body = packet.body
        button, clicks = next(
            (click for name, click in _CLICKS.items() if get_bool(body, name)),
            (None, 0),
        )
        is_scroll = get_bool(body, "scroll") or False
        x, y = get_int(body, "x"), get_int(body, "y")
        request = cls(
            _distance(body, "dx"),
            _distance(body, "dy"),
            is_scroll,
            x if y is not None else None,
            y if x is not None else None,
            button,
            clicks,
            get_bool(body, "singlehold") or False,
            get_bool(body, "singlerelease") or False,
            _modifiers(body),
        )
        is_some = request.is_moving or is_scroll or request.x is not None
        if not (is_some or button or request.is_hold or request.is_release):
            raise ProtocolError("mousepad packet without anything to do")
        return request


@dataclass(frozen=True, slots=True)
class KeyRequest(Message):
    """What the keyboard is to type: the private `text`, or a key without a character.

    `special` is None when there is only text, `text` is empty when there is only a key.
    Answer with `echo` if it is wanted and done.
    """

    text: str = field(repr=False)
    special: SpecialKey | None = None
    modifiers: Modifier = Modifier.NONE
    wants_echo: bool = False

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a request.

        Raises ProtocolError when there is neither a text nor a known key, or when the text is
        too long.
        """
        text, special = _text(packet.body), _special(packet.body)
        if not text and special is None:
            raise ProtocolError("mousepad packet without a known key")
        wants_echo = get_bool(packet.body, "sendAck") or False
        return cls(text, special, _modifiers(packet.body), wants_echo)


@dataclass(frozen=True, slots=True)
class KeyEcho(Message):
    """The peer has typed what we asked it to; the text is private."""

    text: str = field(repr=False)
    special: SpecialKey | None = None
    modifiers: Modifier = Modifier.NONE

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read an echo; raises ProtocolError when it is none of a known key."""
        text, special = _text(packet.body), _special(packet.body)
        if not text and special is None:
            raise ProtocolError("mousepad echo without a known key")
        return cls(text, special, _modifiers(packet.body))


@dataclass(frozen=True, slots=True)
class KeyboardState(Message):
    """Whether the peer takes keys at the moment; None when it does not know: try it."""

    state: bool | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a state packet; nothing in it is required."""
        return cls(get_bool(packet.body, "state"))


type InputRequest = PointerRequest | KeyRequest


def decode_request(packet: Packet) -> InputRequest:
    """Tell pointer and keyboard apart. Raises ProtocolError when the packet is for neither.

    A packet for both counts for the pointer's button or wheel, else for the keyboard.
    """
    body = packet.body
    for_buttons = (*_CLICKS, "singlehold", "singlerelease", "scroll")
    if any(get_bool(body, name) for name in for_buttons):
        return PointerRequest.from_packet(packet)
    if get_str(body, "key", limit=1) or _special(body) is not None:
        return KeyRequest.from_packet(packet)
    return PointerRequest.from_packet(packet)


def tv_key(request: KeyRequest) -> TvKey | None:
    """Return the key of a TV's remote control that a key request means, None for the others.

    A text is none, except a line feed, which some keyboards send for Enter.
    """
    special = request.special
    if request.text:
        if request.text not in {"\n", "\r"}:
            return None
        special = SpecialKey.ENTER
    if special is None:
        return None
    return _TV_KEYS_BY_PRESS.get((special, request.modifiers))


def move(dx: float, dy: float) -> Packet:
    """Move the pointer by pixels to the right and down."""
    return Packet(TYPE_REQUEST, {"dx": dx, "dy": dy})


def scroll(dx: float, dy: float) -> Packet:
    """Scroll; a positive `dy` is up."""
    return Packet(TYPE_REQUEST, {"scroll": True, "dx": dx, "dy": dy})


def click(button: Button = Button.LEFT, count: int = 1) -> Packet:
    """Click a button once, or the left one twice.

    Raises UnsupportedError for any other count, which the protocol has no word for.
    """
    name = _CLICK_FIELDS.get((button, count))
    if name is None:
        raise UnsupportedError(f"the {button.value} button cannot click {count} times")
    return Packet(TYPE_REQUEST, {name: True})


def hold() -> Packet:
    """Press the left button and keep it down."""
    return Packet(TYPE_REQUEST, {"singlehold": True})


def release() -> Packet:
    """Release the left button."""
    return Packet(TYPE_REQUEST, {"singlerelease": True})


def key(
    what: SpecialKey | str,
    modifiers: Modifier = Modifier.NONE,
    *,
    want_echo: bool = False,
) -> Packet:
    """Press a key, or type a text, with modifiers held."""
    body = _key_fields("" if isinstance(what, SpecialKey) else what, modifiers)
    if isinstance(what, SpecialKey):
        body["specialKey"] = what.value
    if want_echo:
        body["sendAck"] = True
    return Packet(TYPE_REQUEST, body)


def is_key(packet: Packet) -> bool:
    """Tell whether one of our packets is for the keyboard."""
    fields = packet.body.keys() & {"key", "specialKey"}
    return packet.type == TYPE_REQUEST and bool(fields)


def press(what: TvKey) -> Packet:
    """Press a key of a TV's remote control."""
    return key(*_TV_KEYS[what])


def echo(request: KeyRequest) -> Packet:
    """Tell that a request for a key was carried out."""
    body = _key_fields(request.text, request.modifiers)
    if request.special is not None:
        body["specialKey"] = request.special.value
    return Packet(TYPE_ECHO, {**body, "isAck": True})


def keyboard_state(state: bool) -> Packet:
    """Tell whether we take keys."""
    return Packet(TYPE_KEYBOARD_STATE, {"state": state})


def _key_fields(text: str, modifiers: Modifier) -> JsonObject:
    body: JsonObject = {"key": text} if text else {}
    for name, modifier in _MODIFIERS.items():
        if modifier in modifiers:
            body[name] = True
    return body


def _text(body: JsonObject) -> str:
    text = body.get("key")
    if not isinstance(text, str):
        return ""
    if len(text) > MAX_KEY_TEXT:
        raise ProtocolError("mousepad packet with too long a text")
    return text


def _special(body: JsonObject) -> SpecialKey | None:
    try:
        return SpecialKey(get_int(body, "specialKey") or 0)
    except ValueError:
        return None


def _modifiers(body: JsonObject) -> Modifier:
    modifiers = Modifier.NONE
    for name, modifier in _MODIFIERS.items():
        if get_bool(body, name):
            modifiers |= modifier
    return modifiers


def _distance(body: JsonObject, key: str) -> float:
    distance = get_number(body, key) or 0.0
    return min(max(distance, -MAX_DISTANCE), MAX_DISTANCE)


DECODERS: Final[Decoders] = {
    TYPE_REQUEST: decode_request,
    TYPE_ECHO: KeyEcho.from_packet,
    TYPE_KEYBOARD_STATE: KeyboardState.from_packet,
}
