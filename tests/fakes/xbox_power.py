"""Whether a fake console is on, and what wakes it (section 13)."""

import asyncio
from typing import TYPE_CHECKING

from tests.fakes.xbox_network import Address
from tests.fakes.xbox_wire import Reader, Simple

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole


class Power:
    """The state ("on", "booting", "standby", "unplugged"), and the ways between."""

    def __init__(self, console: FakeConsole, *, is_on: bool) -> None:
        self._console = console
        self.state: str = "on" if is_on else "standby"
        self._packets = 0
        self._timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Cancel what would come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def become(self, state: str) -> None:
        """Be in a state from now on."""
        self.stop()
        self._packets = 0
        if state != self.state:
            self.state = state
            self._console.events.emit("state", value=state)

    def boot(self) -> None:
        """Begin to start."""
        if self.state == "on":
            return
        if self._console.boot_delay <= 0:
            self.become("on")
            return
        self.become("booting")
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._console.boot_delay, self.become, "on")

    def received(self, packet: Simple, address: Address) -> None:
        """Take a PowerOn. Raises WireError."""
        reader = Reader(packet.body)
        live_id = reader.string()
        reader.end()
        console = self._console
        right = live_id == console.live_id
        console.events.emit("power_on", host=address[0], live_id=live_id, right=right)
        if self.state != "standby" or not right or console.energy_saving:
            return
        self._packets += 1
        if self._packets >= console.wake_packets:
            self.boot()
