"""Watching devices come, go, move, fall asleep and wake up (part A, sections 1.6, 1.7)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from .records import Announcement
from .services import FoundDevice

DEBOUNCE: Final = 0.5
"""Seconds after a word about a device until it is passed on, with all that follows it."""
MAX_DEVICES: Final = 64
"""Devices that are known at once: anybody can announce any number of them."""


class SightingKind(StrEnum):
    """What became of a device."""

    APPEARED = "appeared"
    CHANGED = "changed"
    ASLEEP = "asleep"
    AWAKE = "awake"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was last heard of a device, and why it is told.

    AWAKE: the device itself speaks again where its sleep proxy did, or it announced itself
    anew, unchanged: something that waits for it should try now.
    """

    device: FoundDevice
    kind: SightingKind


class Watcher:
    """Hears what is announced, and tells it device by device."""

    def __init__(
        self, zeroconf: AsyncZeroconf | None = None, *, debounce: float = DEBOUNCE
    ) -> None:
        """Use an instance that stays the caller's; without one only `feed` tells."""

    @property
    def devices(self) -> tuple[FoundDevice, ...]:
        """The devices that are known right now."""
        raise NotImplementedError

    def find(self, identifiers: Collection[str]) -> FoundDevice | None:
        """Return the device that has one of these identifiers."""
        raise NotImplementedError

    async def start(self) -> None:
        """Begin to browse."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End it; what was known is forgotten, and nothing is told any more."""
        raise NotImplementedError

    def subscribe(self, callback: Callable[[Sighting], None]) -> Callable[[], None]:
        """Hear of every device that is ready, until the returned function is called.

        Those that are known already are told first, as APPEARED.
        """
        raise NotImplementedError

    def feed(self, announcement: Announcement) -> None:
        """Take in what somebody else has heard; see records.announcement."""
        raise NotImplementedError

    def feed_goodbye(self, type_: str, name: str) -> None:
        """Take in that a service is gone; names as for records.announcement."""
        raise NotImplementedError
