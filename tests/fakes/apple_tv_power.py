"""Sleep and wake of a fake Apple TV.

Two things can be asleep. The box is off, in screensaver or on: `attention`, what the
user means. Deeply asleep is its network: nothing but a sleep proxy answers for it,
until somebody knocks at one of its ports or it is woken by hand.
"""

import asyncio
from typing import TYPE_CHECKING

from tests.fakes.apple_tv_core import ASLEEP, AWAKE, SCREENSAVER

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv

_NAMES = {ASLEEP: "asleep", SCREENSAVER: "screensaver", AWAKE: "awake"}


class Power:
    """The state, and what changes it."""

    sleeps_deeply = False  # when it is turned off by a controller
    knocks_wake = True  # a connection wakes the network
    wake_delay = 0.0  # seconds from the knock until it answers

    def __init__(self, device: FakeAppleTv) -> None:
        self._device = device
        self._timer: asyncio.TimerHandle | None = None
        self.attention = AWAKE
        self.is_deep = False

    def stop(self) -> None:
        """Forget what would happen later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def set(self, attention: int, by: str) -> None:
        """Change what the box does, and tell everybody."""
        if attention == self.attention:
            return
        was_on = self.attention != ASLEEP
        self.attention = attention
        self._device.emit("power", state=_NAMES.get(attention, attention), by=by)
        self._device.companion.power_changed()
        if was_on != (attention != ASLEEP):
            self._device.power_changed()

    def sink(self) -> None:
        """Leave the network: drop everybody; a sleep proxy answers."""
        if self.is_deep:
            return
        self.is_deep = True
        self._device.emit("deep", asleep=True)
        self._device.drop()
        self._device.presence_changed()

    def surface(self) -> None:
        """Be in the network again; the box is as it was."""
        self.stop()
        if not self.is_deep:
            return
        self.is_deep = False
        self._device.emit("deep", asleep=False)
        self._device.companion.release()
        self._device.presence_changed()

    def knocked(self, port: int) -> None:
        """Somebody connected."""
        if not self.is_deep:
            return
        self._device.emit("knocked", port=port)
        if not self.knocks_wake or self._timer is not None:
            return
        if self.wake_delay <= 0:
            self.surface()
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.wake_delay, self.surface)
