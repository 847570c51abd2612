"""Numbers of the Companion link (the Apple TV reference, part A, section 4)."""

from enum import IntEnum
from typing import Final

from ..apple.enums import PowerState
from ..flags import WireFlag


class FrameType(IntEnum):
    """What a frame carries (section 4.1); all that is not understood survives as a number."""

    NO_OP = 0x01
    PAIR_SETUP_START = 0x03
    PAIR_SETUP_NEXT = 0x04
    PAIR_VERIFY_START = 0x05
    PAIR_VERIFY_NEXT = 0x06
    OPACK = 0x08
    """Encrypted OPACK: all messages of a session."""


class MessageType(IntEnum):
    """What a message is (section 4.3)."""

    EVENT = 1
    REQUEST = 2
    RESPONSE = 3


class HidButton(IntEnum):
    """The buttons (section 4.6)."""

    UP = 1
    DOWN = 2
    LEFT = 3
    RIGHT = 4
    MENU = 5
    SELECT = 6
    HOME = 7
    VOLUME_UP = 8
    VOLUME_DOWN = 9
    SIRI = 10
    SCREENSAVER = 11
    SLEEP = 12
    WAKE = 13
    PLAY_PAUSE = 14
    CHANNEL_UP = 15
    CHANNEL_DOWN = 16
    GUIDE = 17
    PAGE_UP = 18
    PAGE_DOWN = 19
    """Also what opens the control centre."""


class MediaCommand(IntEnum):
    """What media control can be told (section 4.6)."""

    PLAY = 1
    PAUSE = 2
    NEXT = 3
    PREVIOUS = 4
    GET_VOLUME = 5
    SET_VOLUME = 6
    SKIP_BY = 7
    FAST_FORWARD_BEGIN = 8
    FAST_FORWARD_END = 9
    REWIND_BEGIN = 10
    REWIND_END = 11
    GET_CAPTIONS = 12
    SET_CAPTIONS = 13


class MediaFlags(WireFlag):
    """What media control can do at present (section 4.6); unknown bits are kept."""

    PLAY = 0x1
    PAUSE = 0x2
    NEXT = 0x4
    PREVIOUS = 0x8
    FAST_FORWARD = 0x10
    REWIND = 0x20
    VOLUME = 0x100
    SKIP_FORWARD = 0x200
    SKIP_BACKWARD = 0x400


class AttentionState(IntEnum):
    """How much the device is with us (section 4.8)."""

    ASLEEP = 1
    SCREENSAVER = 2
    AWAKE = 3
    IDLE = 4


_POWER: Final = {
    AttentionState.ASLEEP: PowerState.OFF,
    AttentionState.SCREENSAVER: PowerState.ON,
    AttentionState.AWAKE: PowerState.ON,
    AttentionState.IDLE: PowerState.ON,
}


def attention_state(value: int) -> AttentionState | int:
    """Return the state of that number, or the number when nobody knows it."""
    try:
        return AttentionState(value)
    except ValueError:
        return value


def power_state(attention: AttentionState | int | None) -> PowerState:
    """Return what a state says about the power; an unknown one says nothing."""
    if not isinstance(attention, AttentionState):
        return PowerState.UNKNOWN
    return _POWER[attention]
