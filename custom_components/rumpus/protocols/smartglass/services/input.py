"""Buttons, sticks, touch and sensors (the SmartGlass reference, sections 7.13 to 7.15, 12.1).

Consoles heed the gamepad in the dashboard, in system screens and in apps, not in games.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..enums import GamepadButtons
from ..messages import (
    Accelerometer,
    Compass,
    Gyrometer,
    Inclinometer,
    Orientation,
    TouchPoint,
)
from .link import Service

DEFAULT_HOLD: Final = 0.1
"""Seconds that a button is held for a tap."""

type Reading = Accelerometer | Gyrometer | Inclinometer | Compass | Orientation


class Stick(Enum):
    """The sticks of a gamepad."""

    LEFT = "left"
    RIGHT = "right"


class Trigger(Enum):
    """The triggers of a gamepad."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class GamepadState:
    """All of a gamepad at one moment: sticks from -1 to 1, triggers from 0 to 1.

    y of a stick is positive upwards.
    """

    buttons: GamepadButtons = GamepadButtons(0)
    left_trigger: float = 0.0
    right_trigger: float = 0.0
    left_x: float = 0.0
    left_y: float = 0.0
    right_x: float = 0.0
    right_y: float = 0.0


class InputService(Service):
    """A gamepad, a touch screen and sensors. See the methods for what each raises."""

    async def press(
        self,
        *buttons: GamepadButtons,
        hold: float = DEFAULT_HOLD,
        repeats: int = 1,
        pause: float = DEFAULT_HOLD,
    ) -> None:
        """Press buttons together, hold them for some seconds and release them."""
        raise NotImplementedError

    async def hold(self, *buttons: GamepadButtons) -> None:
        """Press buttons that stay down, also while others are pressed, until let go."""
        raise NotImplementedError

    async def let_go(self, *buttons: GamepadButtons) -> None:
        """Release buttons that `hold` pressed; all of them when none are named."""
        raise NotImplementedError

    async def move(
        self, stick: Stick, x: float, y: float, hold: float = DEFAULT_HOLD
    ) -> None:
        """Push a stick, hold it there for some seconds and let it back to its centre."""
        raise NotImplementedError

    async def pull(
        self, trigger: Trigger, value: float = 1.0, hold: float = DEFAULT_HOLD
    ) -> None:
        """Pull a trigger, hold it for some seconds and let it go."""
        raise NotImplementedError

    async def gamepad(self, state: GamepadState) -> None:
        """Put the gamepad into a state that stays."""
        raise NotImplementedError

    def release(self) -> None:
        """Release everything at once, before the session ends. Never raises."""
        raise NotImplementedError

    async def touch(self, *points: TouchPoint, is_title: bool = False) -> None:
        """Send touch points as they are, in the native size announced."""
        raise NotImplementedError

    async def tap(self, x: int, y: int, hold: float = DEFAULT_HOLD) -> None:
        """Touch a point and leave it."""
        raise NotImplementedError

    async def drag(self, path: Sequence[tuple[int, int]], step: float = 0.02) -> None:
        """Move a finger along points, with some seconds between two of them."""
        raise NotImplementedError

    async def sense(self, *readings: Reading) -> None:
        """Send what sensors read."""
        raise NotImplementedError
