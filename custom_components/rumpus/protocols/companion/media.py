"""Media control and the volume (the Apple TV reference, part A, section 4.6)."""

import asyncio
from collections.abc import Callable
import logging
from typing import Final

from ..errors import PeerTimeoutError, RumpusError, UnsupportedError
from ..opack import OpackDict
from .enums import MediaCommand, MediaFlags
from .events import CompanionEvent, MediaFlagsChanged, VolumeChanged
from .link import Link
from .messages import get_float, get_int
from .timing import Timing

_LOGGER = logging.getLogger(__name__)

MAX_FLAGS: Final = 2**32 - 1
MAX_VOLUME: Final = 100.0
SAME_VOLUME: Final = 1.0
"""Points out of 100 by which two volumes are still one: devices have steps of their own."""
DEFAULT_SKIP: Final = 10.0
"""Seconds."""

_TOGGLE_CAPTIONS: Final = 4


class Media:
    """What plays on the device, as far as it can be told to go on or to stop."""

    def __init__(
        self, link: Link, timing: Timing, emit: Callable[[CompanionEvent], None]
    ) -> None:
        """Control the device behind the link, and emit what changes."""
        self._link = link
        self._timing = timing
        self._emit = emit
        self._volume_told = asyncio.Event()
        self._is_asking = False
        self._ask_again = False
        self.flags = MediaFlags(0)
        self.volume: float | None = None

    # What the device tells.

    def flags_received(self, content: OpackDict) -> None:
        """Take the content of an `_iMC` event."""
        number = get_int(content, "_mcF")
        if number is None or number > MAX_FLAGS:
            return
        flags = MediaFlags(number)
        if flags != self.flags:
            self.flags = flags
            self._emit(MediaFlagsChanged(flags))
        # It says that the volume has changed, but not to what.
        if MediaFlags.VOLUME not in flags:
            self._set_volume(None)
        elif self._is_asking:
            self._ask_again = True
        else:
            self._link.spawn(self._follow_volume())

    async def _follow_volume(self) -> None:
        """Ask for the volume, and again when it has changed meanwhile."""
        self._is_asking = self._ask_again = True
        try:
            while self._ask_again:
                self._ask_again = False
                await self.get_volume()
        except RumpusError as err:
            _LOGGER.debug("The volume is not known: %s", err)
        finally:
            self._is_asking = False

    def _volume_seen(self, content: OpackDict) -> None:
        level = get_float(content, "_vol")
        if level is not None and MediaFlags.VOLUME in self.flags:
            self._set_volume(min(max(level, 0.0), 1.0) * MAX_VOLUME)
            self._volume_told.set()

    def _set_volume(self, volume: float | None) -> None:
        if volume != self.volume:
            self.volume = volume
            self._emit(VolumeChanged(volume))

    # What the device is told.

    async def command(
        self, command: MediaCommand, arguments: OpackDict | None = None
    ) -> OpackDict:
        """Send a command and return what the device answers."""
        return await self._link.request(
            "_mcc", {"_mcc": int(command), **(arguments or {})}
        )

    async def skip(self, seconds: float) -> None:
        """Skip forward, or back by a negative number of seconds."""
        # Always a float: the device does not understand negative integers.
        await self.command(MediaCommand.SKIP_BY, {"_skpS": float(seconds)})

    async def get_volume(self) -> float:
        """Return the volume, from 0 to 100; UnsupportedError when there is none."""
        content = await self._link.request(
            "_mcc", {"_mcc": int(MediaCommand.GET_VOLUME)}, seen=self._volume_seen
        )
        level = get_float(content, "_vol")
        if level is None:
            raise UnsupportedError("The device does not tell its volume")
        return min(max(level, 0.0), 1.0) * MAX_VOLUME

    async def set_volume(self, volume: float) -> None:
        """Set the volume, from 0 to 100, and wait until the device has done so.

        Raises ValueError for another number, PeerTimeoutError when it has not.
        """
        if not 0 <= volume <= MAX_VOLUME:
            raise ValueError("A volume is between 0 and 100")
        before = self.volume
        # What is told before the device has taken the new volume is the old one.
        await self._link.request(
            "_mcc",
            {"_mcc": int(MediaCommand.SET_VOLUME), "_vol": volume / MAX_VOLUME},
            seen=lambda _: self._volume_told.clear(),
        )
        if before is not None and abs(before - volume) < SAME_VOLUME / 2:
            return  # there may be nothing to tell
        try:
            async with asyncio.timeout(self._timing.volume):
                await self._volume_told.wait()
        except TimeoutError:
            # It may have been that before, or the device forgot to tell.
            if abs(await self.get_volume() - volume) > SAME_VOLUME:
                raise PeerTimeoutError("The volume has not changed") from None

    async def captions(self) -> int | None:
        """Return what the device says about its captions: 2 or 3, nobody knows which."""
        return get_int(await self.command(MediaCommand.GET_CAPTIONS), "_mcs")

    async def toggle_captions(self) -> None:
        """Switch captions on or off."""
        await self.command(MediaCommand.SET_CAPTIONS, {"_mcs": _TOGGLE_CAPTIONS})
