"""What the keys are called in each protocol (part B, sections 4.3 and 8; part A, 4.6)."""

from collections.abc import Mapping
from typing import Final

from ..companion.enums import HidButton
from ..mrp.enums import HidUsage
from .enums import InputAction, Key

type Actions = frozenset[InputAction]

ONCE: Final[Actions] = frozenset({InputAction.SINGLE})
EVERY: Final[Actions] = frozenset(InputAction)
HELD: Final[Actions] = frozenset({InputAction.SINGLE, InputAction.HOLD})

COMPANION_BUTTONS: Final[Mapping[Key, HidButton]] = {
    Key.UP: HidButton.UP,
    Key.DOWN: HidButton.DOWN,
    Key.LEFT: HidButton.LEFT,
    Key.RIGHT: HidButton.RIGHT,
    Key.SELECT: HidButton.SELECT,
    Key.MENU: HidButton.MENU,
    Key.HOME: HidButton.HOME,
    Key.PLAY_PAUSE: HidButton.PLAY_PAUSE,
    Key.VOLUME_UP: HidButton.VOLUME_UP,
    Key.VOLUME_DOWN: HidButton.VOLUME_DOWN,
    Key.CHANNEL_UP: HidButton.CHANNEL_UP,
    Key.CHANNEL_DOWN: HidButton.CHANNEL_DOWN,
    Key.PAGE_UP: HidButton.PAGE_UP,
    Key.PAGE_DOWN: HidButton.PAGE_DOWN,
    Key.SIRI: HidButton.SIRI,
    Key.SCREENSAVER: HidButton.SCREENSAVER,
    Key.GUIDE: HidButton.GUIDE,
    Key.CONTROL_CENTER: HidButton.PAGE_DOWN,
}
MRP_USAGES: Final[Mapping[Key, HidUsage]] = {
    Key.UP: HidUsage.UP,
    Key.DOWN: HidUsage.DOWN,
    Key.LEFT: HidUsage.LEFT,
    Key.RIGHT: HidUsage.RIGHT,
    Key.SELECT: HidUsage.SELECT,
    Key.MENU: HidUsage.MENU,
    Key.HOME: HidUsage.HOME,
    Key.HOME_HOLD: HidUsage.HOME,
    Key.TOP_MENU: HidUsage.TOP_MENU,
    Key.SIRI: HidUsage.SIRI,
    Key.VOLUME_UP: HidUsage.VOLUME_UP,
    Key.VOLUME_DOWN: HidUsage.VOLUME_DOWN,
    Key.SUSPEND: HidUsage.SUSPEND,
    Key.WAKE_UP: HidUsage.WAKE_UP,
}

_SPECIAL: Final[Mapping[Key, Actions]] = {
    Key.HOME_HOLD: ONCE,
    Key.TOP_MENU: ONCE,
    Key.SUSPEND: ONCE,
    Key.WAKE_UP: ONCE,
    Key.VOLUME_UP: HELD,
    Key.VOLUME_DOWN: HELD,
}
_MEDIA: Final[Mapping[Key, Actions]] = dict.fromkeys(
    (Key.PLAY, Key.PAUSE, Key.NEXT, Key.PREVIOUS, Key.SKIP_FORWARD, Key.SKIP_BACKWARD),
    ONCE,
)

COMPANION_KEYS: Final[Mapping[Key, Actions]] = {
    **dict.fromkeys(COMPANION_BUTTONS, EVERY),
    **_MEDIA,
}
"""The keys that Companion has, and how each can be pressed."""
MRP_KEYS: Final[Mapping[Key, Actions]] = {
    **{key: _SPECIAL.get(key, EVERY) for key in MRP_USAGES},
    **_MEDIA,
    Key.PLAY_PAUSE: ONCE,
    Key.STOP: ONCE,
}
"""The same of MRP."""
