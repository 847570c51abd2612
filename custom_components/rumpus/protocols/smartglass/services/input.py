"""Buttons, sticks, touch and sensors (the SmartGlass reference, sections 7.13 to 7.15, 12.1).

Consoles heed the gamepad in the dashboard, in system screens and in apps, not in games.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
import contextlib
from dataclasses import dataclass, replace
from enum import Enum
import time
from typing import Final, override

from ...errors import ProtocolError, RumpusError
from ..enums import GamepadButtons, TouchAction
from ..messages import (
    Accelerometer,
    Compass,
    Gamepad,
    Gyrometer,
    Inclinometer,
    Orientation,
    SystemTouch,
    TitleTouch,
    TouchPoint,
)
from ..messages.input import RELEASED
from .link import ChannelLink, Emit, Service

DEFAULT_HOLD: Final = 0.1
"""Seconds that a button is held for a tap, and between two taps of a series."""
RELEASE_AGAIN: Final = 0.06
"""Seconds after which a release is sent once more: nobody acks it, and a button whose
release got lost would stay down."""
MAX_HOLD: Final = 60.0
"""Seconds that one press, pause or step may take."""
MAX_REPEATS: Final = 1000
"""Presses in one series."""
MAX_TOUCH_POINTS: Final = 10
"""Fingers at once."""
MAX_PATH: Final = 1000
"""Points that one finger moves along."""
SCREEN: Final = (1080, 1920)
"""Width and height that touch points are in, unless LocalJoin announced another size."""

_MILLISECONDS: Final = 0xFFFF_FFFF

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

    buttons: GamepadButtons = RELEASED
    left_trigger: float = 0.0
    right_trigger: float = 0.0
    left_x: float = 0.0
    left_y: float = 0.0
    right_x: float = 0.0
    right_y: float = 0.0

    def releases(self, before: GamepadState) -> bool:
        """Tell whether this lets go of anything that was pressed or pushed before."""
        return bool(before.buttons & ~self.buttons) or any(
            was and not now
            for was, now in zip(before._analog(), self._analog(), strict=True)
        )

    def over(self, resting: GamepadState) -> GamepadState:
        """Return this together with what is held already."""
        return GamepadState(
            self.buttons | resting.buttons,
            *(
                now or before
                for now, before in zip(self._analog(), resting._analog(), strict=True)
            ),
        )

    def _analog(self) -> tuple[float, ...]:
        return (
            self.left_trigger,
            self.right_trigger,
            self.left_x,
            self.left_y,
            self.right_x,
            self.right_y,
        )

    def message(self) -> Gamepad:
        """Return the message that tells it. Raises ProtocolError for what is out of range."""
        triggers, sticks = self._analog()[:2], self._analog()[2:]
        if not all(0 <= value <= 1 for value in triggers):
            raise ProtocolError("Triggers go from 0 to 1")
        if not all(-1 <= value <= 1 for value in sticks):
            raise ProtocolError("Sticks go from -1 to 1")
        return Gamepad(
            timestamp=time.time_ns() // 1000,
            buttons=self.buttons,
            left_trigger=self.left_trigger,
            right_trigger=self.right_trigger,
            left_thumbstick_x=self.left_x,
            left_thumbstick_y=self.left_y,
            right_thumbstick_x=self.right_x,
            right_thumbstick_y=self.right_y,
        )


_NEUTRAL: Final = GamepadState()


class InputService(Service):
    """A gamepad, a touch screen and sensors.

    Whatever is done with the gamepad is done one after the other, in the order of the
    calls: each call has its turn from the press to the second release. All methods
    raise ProtocolError for what is out of range, ChannelError and DisconnectedError when
    there is no channel or it closes meanwhile.
    """

    def __init__(
        self, link: ChannelLink, emit: Emit, *, screen: tuple[int, int] = SCREEN
    ) -> None:
        """Use a channel; `screen` is the native size that LocalJoin announced."""
        super().__init__(link, emit)
        self._screen = screen
        self._turns = asyncio.Lock()
        self._fingers = asyncio.Lock()
        # What stays when nothing is pressed for a moment.
        self._resting = _NEUTRAL
        # What was sent last.
        self._shown = _NEUTRAL
        self._again: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()

    @override
    def closed(self) -> None:
        """The channel goes: let go of everything, as long as somebody listens."""
        self.release()
        super().closed()

    # The gamepad.

    async def press(
        self,
        *buttons: GamepadButtons,
        hold: float = DEFAULT_HOLD,
        repeats: int = 1,
        pause: float = DEFAULT_HOLD,
    ) -> None:
        """Press buttons together, hold them for some seconds and release them.

        Does it `repeats` times with `pause` seconds between a release and the next press.
        The release is sent also when the caller is cancelled.
        """
        mask = _combine(buttons)
        await self._act(
            lambda state: replace(state, buttons=state.buttons | mask),
            hold,
            repeats,
            pause,
        )

    async def move(
        self, stick: Stick, x: float, y: float, hold: float = DEFAULT_HOLD
    ) -> None:
        """Push a stick, hold it there for some seconds and let it back to its centre."""
        if stick is Stick.LEFT:
            await self._act(lambda state: replace(state, left_x=x, left_y=y), hold)
        else:
            await self._act(lambda state: replace(state, right_x=x, right_y=y), hold)

    async def pull(
        self, trigger: Trigger, value: float = 1.0, hold: float = DEFAULT_HOLD
    ) -> None:
        """Pull a trigger, hold it for some seconds and let it go."""
        if trigger is Trigger.LEFT:
            await self._act(lambda state: replace(state, left_trigger=value), hold)
        else:
            await self._act(lambda state: replace(state, right_trigger=value), hold)

    async def chord(self, state: GamepadState, hold: float = DEFAULT_HOLD) -> None:
        """Press, pull and push all that a state has, and let go of it after some seconds.

        What is held besides stays down.
        """
        await self._act(state.over, hold)

    async def hold(self, *buttons: GamepadButtons) -> None:
        """Press buttons that stay down, also while others are pressed, until let go."""
        mask = _combine(buttons)
        async with self._turn():
            self._rest(replace(self._resting, buttons=self._resting.buttons | mask))

    async def let_go(self, *buttons: GamepadButtons) -> None:
        """Release buttons that `hold` pressed; all of them when none are named."""
        mask = _combine(buttons) if buttons else None
        async with self._turn():
            held = self._resting.buttons
            left = RELEASED if mask is None else held & ~mask
            self._rest(replace(self._resting, buttons=left))

    async def gamepad(self, state: GamepadState) -> None:
        """Put the gamepad into a state that stays."""
        # A whole state also says what is released, so it need not wait for that to be
        # repeated: sticks may move as often as their owner wants.
        async with self._turn(is_patient=False):
            self._rest(state)

    def release(self) -> None:
        """Release everything at once, before the session ends. Never raises."""
        if self._shown == _NEUTRAL and self._again is None:
            return
        self._resting = _NEUTRAL
        self._forget_again()
        with contextlib.suppress(RumpusError):
            self._show(_NEUTRAL)

    async def _act(
        self,
        change: Callable[[GamepadState], GamepadState],
        hold: float,
        repeats: int = 1,
        pause: float = DEFAULT_HOLD,
    ) -> None:
        """Change the state for a while, as often as wanted."""
        _check_seconds(hold, pause)
        if not 0 < repeats <= MAX_REPEATS:
            raise ProtocolError(f"A series has 1 to {MAX_REPEATS} presses")
        async with self._turn():
            for count in range(repeats):
                if count:
                    # A part of it has passed until the release was out twice.
                    await self._pause(max(pause - RELEASE_AGAIN, 0))
                await self._act_once(change(self._resting), hold)

    async def _act_once(self, state: GamepadState, hold: float) -> None:
        period = self._period
        self._show(state)
        try:
            await self._pause(hold)
        except BaseException:
            # Nothing may stay down, and the release must not hide why we stop. What was
            # down when the channel closed has been let go of by that.
            if period == self._period:
                with contextlib.suppress(RumpusError):
                    self._relax()
            raise
        self._relax()
        await self._quiet.wait()

    def _show(self, state: GamepadState) -> None:
        message = state.message()
        self._shown = state
        self._link.send_nowait(message)

    def _rest(self, state: GamepadState) -> None:
        is_release = state.releases(self._resting)
        self._show(state)
        self._resting = state
        if is_release:
            self._release_again()

    def _relax(self) -> None:
        """Go back to what stays, and say so twice."""
        self._show(self._resting)
        self._release_again()

    def _release_again(self) -> None:
        self._forget_again()
        self._quiet.clear()
        self._again = asyncio.get_running_loop().call_later(
            RELEASE_AGAIN, self._send_release_again
        )

    def _send_release_again(self) -> None:
        self._forget_again()
        with contextlib.suppress(RumpusError):
            self._show(self._resting)

    def _forget_again(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._quiet.set()

    @contextlib.asynccontextmanager
    async def _turn(self, *, is_patient: bool = True) -> AsyncIterator[None]:
        """Wait until nobody else uses the gamepad and the last release is out twice."""
        period = self._period
        async with self._turns:
            if is_patient:
                await self._quiet.wait()
            self._require_period(period)
            yield
            if is_patient:
                await self._quiet.wait()

    # Touch and sensors.

    async def touch(self, *points: TouchPoint, is_title: bool = False) -> None:
        """Send touch points as they are, and wait for the ack.

        Coordinates are in the native size; `is_title` sends them to the title instead of
        the system. Raises what ChannelLink.send does, too.
        """
        await self._link.send(self._touch_message(points, is_title=is_title))

    async def tap(self, x: int, y: int, hold: float = DEFAULT_HOLD) -> None:
        """Touch a point and leave it after some seconds."""
        await self.drag(((x, y), (x, y)), hold)

    async def drag(self, path: Sequence[tuple[int, int]], step: float = 0.02) -> None:
        """Move a finger along points, with some seconds between two of them.

        The finger is lifted also when the caller is cancelled or an ack is missing.
        """
        _check_seconds(step)
        if not 2 <= len(path) <= MAX_PATH:
            raise ProtocolError(f"A path has 2 to {MAX_PATH} points")
        period = self._period
        async with self._fingers:
            self._require_period(period)
            points = [_finger(TouchAction.MOVE, *place) for place in path[1:-1]]
            points.append(_finger(TouchAction.UP, *path[-1]))
            down = self._touch_message((_finger(TouchAction.DOWN, *path[0]),))
            steps = [self._touch_message((point,)) for point in points]
            try:
                await self._link.send(down)
                for message in steps:
                    await self._pause(step)
                    await self._link.send(self._now(message))
            except BaseException:
                cancel = _finger(TouchAction.CANCEL, *path[-1])
                with contextlib.suppress(RumpusError):
                    self._link.send_nowait(self._touch_message((cancel,)))
                raise

    async def sense(self, *readings: Reading) -> None:
        """Send what sensors read; nothing acks it."""
        for reading in readings:
            self._link.send_nowait(reading)

    def _touch_message(
        self, points: Sequence[TouchPoint], *, is_title: bool = False
    ) -> SystemTouch | TitleTouch:
        if not 0 < len(points) <= MAX_TOUCH_POINTS:
            raise ProtocolError(f"There are 1 to {MAX_TOUCH_POINTS} fingers")
        width, height = self._screen
        for point in points:
            if not (
                0 <= point.touchpoint_x <= width and 0 <= point.touchpoint_y <= height
            ):
                raise ProtocolError("A touch point outside of the screen")
        kind = TitleTouch if is_title else SystemTouch
        return kind(touch_msg_timestamp=_now_ms(), touchpoints=tuple(points))

    @staticmethod
    def _now(message: SystemTouch | TitleTouch) -> SystemTouch | TitleTouch:
        return replace(message, touch_msg_timestamp=_now_ms())


def _combine(buttons: Iterable[GamepadButtons]) -> GamepadButtons:
    """Return buttons as one mask. Raises ProtocolError when there are none."""
    mask = RELEASED
    for button in buttons:
        mask |= button
    if not mask:
        raise ProtocolError("No button to press")
    return mask


def _check_seconds(*seconds: float) -> None:
    if not all(0 <= value <= MAX_HOLD for value in seconds):
        raise ProtocolError(f"Times go from 0 to {MAX_HOLD} seconds")


def _finger(action: TouchAction, x: int, y: int) -> TouchPoint:
    return TouchPoint(
        touchpoint_id=1, touchpoint_action=action, touchpoint_x=x, touchpoint_y=y
    )


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000) & _MILLISECONDS
