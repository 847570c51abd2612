"""Commands, keys and gestures (the Apple TV reference, part B, sections 4.2 to 4.4)."""

import asyncio
from collections.abc import Callable
from math import isfinite
from typing import Final, cast

from ..apple.enums import DeviceState, InputAction, RepeatState, ShuffleState
from ..errors import UnsupportedError
from . import hid, messages
from .enums import Command, HidUsage, RepeatMode, SendError, ShuffleMode, TouchPhase
from .errors import CommandRejectedError
from .media import MediaState
from .models import CommandResult
from .proto import mrp_pb2 as pb
from .session import MrpSession
from .timing import Timing

DEFAULT_SKIP: Final = 15.0
"""Seconds, where the device does not name its own."""
MAX_SECONDS: Final = 1e7
"""Of a position or a skip."""
MAX_GESTURE: Final = 10_000
"""Milliseconds of one gesture."""
MAX_HOLD: Final = 60.0
"""Seconds for which a key may be held."""

_SHUFFLE_MODES: Final = {
    ShuffleState.OFF: ShuffleMode.OFF,
    ShuffleState.ALBUMS: ShuffleMode.ALBUMS,
    ShuffleState.SONGS: ShuffleMode.SONGS,
}
_REPEAT_MODES: Final = {
    RepeatState.OFF: RepeatMode.OFF,
    RepeatState.TRACK: RepeatMode.ONE,
    RepeatState.ALL: RepeatMode.ALL,
}


class Remote:
    """A remote control. Everything raises DisconnectedError and PeerTimeoutError."""

    def __init__(
        self, session: Callable[[], MrpSession], media: MediaState, timing: Timing
    ) -> None:
        """Prepare; `session` raises DisconnectedError without one."""
        self._session = session
        self._media = media
        self._timing = timing
        self._keys = asyncio.Lock()
        self._pad = asyncio.Lock()
        self._pad_identifier: int | None = None

    def is_enabled(self, command: int) -> bool:
        """Return whether the player in front takes a command now."""
        info = self._media.command(command)
        return info is not None and info.is_enabled

    async def command(
        self, command: Command, options: pb.CommandOptions | None = None
    ) -> CommandResult:
        """Send a command and return how it was taken.

        Raises CommandRejectedError unless the device says that it took it.
        """
        answer = await self._session().request(messages.command(command, options))
        if not answer.HasField("send_command_result"):
            raise CommandRejectedError(command, None, None)
        result = answer.send_command_result
        status = None
        if result.HasField("handler_return_status"):
            status = int(result.handler_return_status)
        error = int(SendError.NO_ERROR)
        if result.HasField("send_error"):
            error = int(result.send_error)
        elif result.command_result.HasField("send_error"):
            error = int(result.command_result.send_error)
        elif status:
            # Nothing says that it was taken, and something that it was not.
            raise CommandRejectedError(command, None, status)
        if error != SendError.NO_ERROR:
            raise CommandRejectedError(command, error, status)
        return CommandResult(error, status)

    async def toggle(self) -> CommandResult | None:
        """Pause or go on; None when there is nothing to do either to."""
        if self.is_enabled(Command.TOGGLE_PLAY_PAUSE):
            return await self.command(Command.TOGGLE_PLAY_PAUSE)
        player = self._media.player
        state = None if player is None else player.state
        if state is DeviceState.PLAYING:
            return await self.command(Command.PAUSE)
        if state is DeviceState.PAUSED:
            return await self.command(Command.PLAY)
        return None

    async def skip(self, command: Command, seconds: float | None) -> CommandResult:
        """Skip by seconds, or by as many as the device prefers."""
        if not seconds:
            info = self._media.command(command)
            preferred = () if info is None else info.preferred_intervals
            seconds = preferred[0] if preferred else DEFAULT_SKIP
        options = pb.CommandOptions(skip_interval=_seconds(seconds))
        return await self.command(command, options)

    async def seek(self, position: float) -> CommandResult:
        """Go on at a position, in seconds."""
        return await self.command(
            Command.SEEK_TO_PLAYBACK_POSITION,
            pb.CommandOptions(playback_position=_seconds(position)),
        )

    async def set_shuffle(self, state: ShuffleState) -> CommandResult:
        """Choose what is shuffled."""
        mode = cast("pb.ShuffleMode", int(_SHUFFLE_MODES[state]))
        return await self.command(
            Command.CHANGE_SHUFFLE_MODE,
            pb.CommandOptions(shuffle_mode=mode, send_options=0),
        )

    async def set_repeat(self, state: RepeatState) -> CommandResult:
        """Choose what is repeated."""
        mode = cast("pb.RepeatMode", int(_REPEAT_MODES[state]))
        return await self.command(
            Command.CHANGE_REPEAT_MODE,
            pb.CommandOptions(repeat_mode=mode, send_options=0),
        )

    async def press(
        self, key: HidUsage, action: InputAction, hold: float | None = None
    ) -> None:
        """Press a key, and wait until the device has worked it off.

        `hold` is for how many seconds a held one stays down. Raises ValueError past
        MAX_HOLD.
        """
        seconds = self._timing.hold if hold is None else hold
        if not 0 <= seconds <= MAX_HOLD:
            raise ValueError(f"A key is held for 0 to {MAX_HOLD:.0f} seconds")
        async with self._keys:
            if action is InputAction.HOLD:
                await self._press(key, seconds)
            else:
                for _ in range(2 if action is InputAction.DOUBLE else 1):
                    await self._press(key, 0)

    def step(self, key: HidUsage) -> None:
        """Press a key without waiting for anything."""
        session = self._session()
        for is_down in (True, False):
            session.send(messages.hid_event(hid.key_event(key, is_down=is_down)))

    async def turn_off_by_menu(self) -> None:
        """Choose "sleep" in the menu that the home key opens (section 4.7).

        Up to tvOS 17: later menus begin with something else.
        """
        async with self._keys:
            await self._press(HidUsage.HOME, self._timing.hold)
            await asyncio.sleep(self._timing.menu)
            await self._press(HidUsage.SELECT, 0)

    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        """Tell where a finger is on the pad of 1000 by 1000, and what it does."""
        async with self._pad:
            await self._touch(x, y, phase)

    async def tap(self, x: int, y: int) -> None:
        """Tap the pad."""
        async with self._pad:
            await self._touch(x, y, TouchPhase.BEGAN)
            try:
                await asyncio.sleep(self._timing.tap)
            finally:
                await self._touch(x, y, TouchPhase.ENDED)

    async def swipe(
        self, start: tuple[int, int], end: tuple[int, int], duration_ms: int
    ) -> None:
        """Swipe from one point to another one in that time."""
        if not 0 <= duration_ms <= MAX_GESTURE:
            raise ValueError(f"A gesture takes 0 to {MAX_GESTURE} ms")
        (x0, y0), (x1, y1) = start, end
        steps = max(1, round(duration_ms / 1000 / self._timing.touch))
        async with self._pad:
            await self._touch(x0, y0, TouchPhase.BEGAN)
            x, y = x0, y0
            try:
                for step in range(1, steps + 1):
                    await asyncio.sleep(duration_ms / 1000 / steps)
                    x = x0 + round((x1 - x0) * step / steps)
                    y = y0 + round((y1 - y0) * step / steps)
                    await self._touch(x, y, TouchPhase.MOVED)
            finally:
                await self._touch(x, y, TouchPhase.ENDED)

    async def _press(self, key: HidUsage, seconds: float) -> None:
        session = self._session()
        session.send(messages.hid_event(hid.key_event(key, is_down=True)))
        try:
            if seconds:
                await asyncio.sleep(seconds)
        finally:
            # A key that stays down would repeat itself for ever.
            if session.is_connected:
                session.send(messages.hid_event(hid.key_event(key, is_down=False)))
        await session.request(messages.make(pb.MESSAGE_TYPE_GENERIC))

    async def _touch(self, x: int, y: int, phase: TouchPhase) -> None:
        if self._pad_identifier is None:
            self._pad_identifier = await self._register_pad()
        data = hid.touch_event(x, y, phase, self._pad_identifier)
        self._session().send(messages.touch(data))

    async def _register_pad(self) -> int:
        answer = await self._session().request(
            messages.register_touch_pad(hid.PAD_SIZE)
        )
        result = answer.register_hid_device_result
        if not result.HasField("device_identifier") or result.error_code:
            raise UnsupportedError("The device gave us no touch pad")
        return result.device_identifier


def _seconds(number: float) -> float:
    if not isfinite(number) or abs(number) > MAX_SECONDS:
        raise ValueError("There is no such time")
    return number
