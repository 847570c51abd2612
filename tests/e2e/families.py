"""The families of devices that the demo shows: one entry in FAMILIES for each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from .browser import Browser
from .lab import Lab
from .report import Report
from .shapes import JsonObject


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """A config entry that the check made, and how.

    `asleep` are the ends of the ids of entities that are unavailable in the end, and should be.
    """

    entry_id: str
    device: str
    way: str
    asleep: frozenset[str] = frozenset()


class DemoFamily(ABC):
    """Fake devices of one family, how to start them and how to try them."""

    title: str
    devices: tuple[str, ...]

    @abstractmethod
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        """Start the fake devices; what they remember is kept in the folder.

        For the check they leave every answer to it, for the demo they answer by themselves.
        """

    @abstractmethod
    def guide(self, lab: Lab) -> list[str]:
        """Return lines that tell a user of the demo what there is to try."""

    @abstractmethod
    def describe(self, event: JsonObject) -> str | None:
        """Return what an event of a fake means to a user of the demo, None for nothing."""

    @abstractmethod
    async def accompany(self, lab: Lab) -> None:
        """Do what makes a demo worth seeing, until Home Assistant ends."""

    @abstractmethod
    async def check(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        """Walk every config flow, pair and command every device."""

    @abstractmethod
    async def check_restarted(self, lab: Lab, report: Report) -> None:
        """Check that every device is back after a restart of Home Assistant."""

    @abstractmethod
    async def check_removed(self, lab: Lab, report: Report) -> None:
        """Delete an entry and check that its device can be added again."""

    @abstractmethod
    async def check_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        """Add the device whose entry was deleted by its card, in a browser."""
