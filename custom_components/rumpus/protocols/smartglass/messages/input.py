"""Messages of the input channel (the SmartGlass reference, sections 7.13 to 7.15)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from ...binary import F32, U32, U64, Array, Enum16, Flags16, Structure, layout
from ..enums import GamepadButtons, MessageType, TouchAction
from .base import Message

MAX_TOUCH_POINTS: Final = 64
"""Fingers in one message."""
RELEASED: Final = GamepadButtons(0)
"""No button is held down."""


@layout()
@dataclass(frozen=True, slots=True)
class Gamepad(Message):
    """The whole state of a gamepad (section 7.13).

    Triggers go from 0 to 1, thumbsticks from -1 to 1; consoles ignore the timestamp.
    """

    message_type: ClassVar[MessageType] = MessageType.GAMEPAD

    timestamp: U64 = 0
    buttons: Flags16[GamepadButtons] = RELEASED
    left_trigger: F32 = 0.0
    right_trigger: F32 = 0.0
    left_thumbstick_x: F32 = 0.0
    left_thumbstick_y: F32 = 0.0
    right_thumbstick_x: F32 = 0.0
    right_thumbstick_y: F32 = 0.0


@layout()
@dataclass(frozen=True, slots=True)
class TouchPoint(Structure):
    """A finger; ids begin with 1, the place is in pixels of the size in LocalJoin."""

    touchpoint_id: U32
    touchpoint_action: Enum16[TouchAction]
    touchpoint_x: U32
    touchpoint_y: U32


@dataclass(frozen=True, slots=True)
class Touch(Message):
    """Fingers on the screen (section 7.14); the timestamp is in milliseconds."""

    touch_msg_timestamp: U32
    touchpoints: Annotated[tuple[TouchPoint, ...], Array(MAX_TOUCH_POINTS)] = ()


@layout()
@dataclass(frozen=True, slots=True)
class SystemTouch(Touch):
    """Touches for the system."""

    message_type: ClassVar[MessageType] = MessageType.SYSTEM_TOUCH


@layout()
@dataclass(frozen=True, slots=True)
class TitleTouch(Touch):
    """Touches for a title."""

    message_type: ClassVar[MessageType] = MessageType.TITLE_TOUCH


@layout()
@dataclass(frozen=True, slots=True)
class Accelerometer(Message):
    """Acceleration of the client (section 7.15)."""

    message_type: ClassVar[MessageType] = MessageType.ACCELEROMETER

    timestamp: U64
    acceleration_x: F32
    acceleration_y: F32
    acceleration_z: F32


@layout()
@dataclass(frozen=True, slots=True)
class Gyrometer(Message):
    """Angular velocity of the client (section 7.15)."""

    message_type: ClassVar[MessageType] = MessageType.GYROMETER

    timestamp: U64
    angular_velocity_x: F32
    angular_velocity_y: F32
    angular_velocity_z: F32


@layout()
@dataclass(frozen=True, slots=True)
class Inclinometer(Message):
    """How the client is held (section 7.15)."""

    message_type: ClassVar[MessageType] = MessageType.INCLINOMETER

    timestamp: U64
    pitch: F32
    roll: F32
    yaw: F32


@layout()
@dataclass(frozen=True, slots=True)
class Compass(Message):
    """Where the client points to, in degrees (section 7.15)."""

    message_type: ClassVar[MessageType] = MessageType.COMPASS

    timestamp: U64
    magnetic_north: F32
    true_north: F32


@layout()
@dataclass(frozen=True, slots=True)
class Orientation(Message):
    """How the client is turned, as a quaternion (section 7.15)."""

    message_type: ClassVar[MessageType] = MessageType.ORIENTATION

    timestamp: U64
    rotation_matrix_value: F32
    w: F32
    x: F32
    y: F32
    z: F32
