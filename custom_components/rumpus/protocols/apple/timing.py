"""How long the facade waits for what (part B, section 6; part A, section 9.2)."""

from dataclasses import dataclass, field
from typing import Final

from ..airplay.timing import Timing as AirPlayTiming
from ..companion.timing import Timing as CompanionTiming
from ..mrp.timing import Timing as MrpTiming
from ..reconnect import Backoff

BACKOFF: Final = Backoff((0.5, 1.0, 2.0), 0.1)
"""Between attempts.

A device that is back is to be noticed within 5 s, always. An attempt at nobody gives up
after 5 s and knocks for the last time after 3 s, so that there are 2 s left to wait.
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses of the facade, in seconds, and those of the clients."""

    connect: float = 30.0
    """For one link to come up: HomePods take 8 s for one of its steps alone."""
    close: float = 5.0
    """For one link to say good-bye, before it is left alone."""
    backoff: Backoff = BACKOFF
    refused: float = 60.0
    """Until a device is asked again that refused our credentials."""
    resolve: float = 10.0
    """For an answer where the device is now."""
    resolve_interval: float = 3.0
    """Between two such questions while attempts fail; growing to that by a second each."""
    asleep_interval: float = 30.0
    """The same while the device sleeps, and is not called so that it can."""
    command: float = 8.0
    """For a link to come up that somebody has a command for."""
    wake: float = 30.0
    """The same for a device that is to be switched on."""
    knock_interval: float = 5.0
    """Between two knocks at the door of a device that is to be switched on."""
    power: float = 15.0
    """For a device to say that it went on or off."""
    wakes: int = 10
    """Attempts that announcements may cause at once: anybody can send them."""
    wakes_refill: float = 0.5
    """Such attempts that there may be in a second after that."""
    airplay: AirPlayTiming = field(default_factory=AirPlayTiming)
    companion: CompanionTiming = field(default_factory=CompanionTiming)
    mrp: MrpTiming = field(default_factory=MrpTiming)

    def __post_init__(self) -> None:
        """Raise ValueError for times that are none."""
        times = (
            *(self.connect, self.close, self.refused, self.resolve, self.command),
            *(self.resolve_interval, self.asleep_interval, self.wake, self.power),
            self.knock_interval,
        )
        if min(times) <= 0 or self.wakes < 1 or self.wakes_refill < 0:
            raise ValueError("Times must be positive")


TIMING: Final = Timing()
