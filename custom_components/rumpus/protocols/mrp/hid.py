"""Keys and the touch pad as bytes (the Apple TV reference, part B, sections 4.3, 4.4)."""

import struct
from typing import Final

from .enums import HidUsage, TouchPhase

PAD_SIZE: Final = 1000
"""Width and height of the touch pad that we have."""

_HEAD: Final = bytes.fromhex(
    "438922cf08020000"
    "0000000000000000010000000000000002000000200000000300000001000000000000"
)
_TAIL: Final = bytes.fromhex("0000000000000001000000")
_KEY: Final = struct.Struct(">HHH")
_TOUCH: Final = struct.Struct("<HHHHH")


def key_event(key: HidUsage, *, is_down: bool) -> bytes:
    """Return the 60 bytes of a key that goes down or up."""
    return _HEAD + _KEY.pack(key.page, key.usage, is_down) + _TAIL


def touch_event(x: int, y: int, phase: TouchPhase, device: int) -> bytes:
    """Return a sample of the touch pad; coordinates past its edge stay on it."""
    x, y = (min(max(value, 0), PAD_SIZE) for value in (x, y))
    return _TOUCH.pack(x, y, phase, device & 0xFFFF, 0)
