"""Apple TVs and HomePods in the demo."""

import asyncio
from pathlib import Path
import textwrap
from typing import Final, override

from .apple_devices import APPLES, KITCHEN, LOUNGE, can_start, introduce
from .browser import Browser
from .check_apple_tv import AppleTvCheck
from .families import CheckedEntry, DemoFamily
from .lab import Lab
from .report import Report
from .shapes import JsonObject, get_object
from tests.fakes.apple_tv_program_commands import COMMANDS

WIDTH: Final = 88
_WORDS: Final = {
    "pin_shown": "shows the PIN {pin} on its screen, for {protocol}",
    "pin_hidden": "shows the PIN no more",
    "paired": "is paired for {protocol}",
    "setup_refused": "refuses to pair {protocol}: {why}",
    "companion_verified": "has a new client: keys, apps, text",
    "companion_lost": "lost a client: keys, apps, text",
    "mrp_ready": "has a new client: what plays",
    "session_ended": "lost a client: what plays ({reason})",
    "power": "is {state}, by {by}",
    "knocked": "is woken through its sleep proxy",
    "launch": "opens {target}",
    "account": "has another user",
    "button": "feels its key {name} for {length:.2f} s",
    "command": "is told {name}",
    "media": "is told {name}",
    "volume": "has its volume at {volume:.0%}",
    "outputs": "plays together with {identifiers}",
    "text": "has {length} characters in its text field",
    "restarted": "was restarted",
    "vanished": "is silent now",
    "came_back": "answers again",
    "error": "did not understand: {reason}",
}
"""What happens to a fake device, in words for the user of the demo."""


class AppleTvDemo(DemoFamily):
    """An Apple TV and a HomePod."""

    title = "Apple TV and HomePod"
    devices = tuple(apple.name for apple in APPLES)

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._check = AppleTvCheck()

    @override
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        if not can_start(lab):
            return
        await asyncio.gather(
            *(apple.start(lab, folder / "apples", check=check) for apple in APPLES)
        )
        await introduce(lab)

    @override
    def guide(self, lab: Lab) -> list[str]:
        if not can_start(lab):
            return [
                "Not here: an Apple TV is asked what it is at port 5353 of its address, which",
                "this system has for itself. Run the demo as root on Linux.",
            ]
        hows = {apple: f"at {apple.address(lab)}" for apple in APPLES}
        if lab.place.is_private:
            hows = dict.fromkeys(APPLES, "shown as discovered")
        usages = "; ".join(
            f"{name} {command.usage}".strip()
            for name, command in COMMANDS.items()
            if name != "help"
        )
        lines = [
            f"{apple.name:<18} {apple.model:<20} {how}" for apple, how in hows.items()
        ]
        if not lab.place.is_private:
            lines += [
                "Add integration > Rumpus > An Apple TV or HomePod, and enter the address: nothing",
                "is announced on the loopback.",
            ]
        return [
            *lines,
            f"Add {LOUNGE.name}: the PINs that it shows are printed here. {KITCHEN.name}",
            "needs none. Both play an evening by themselves. Switch the Apple TV off and on,",
            "start apps, join the HomePod. Let it sleep with its network, ask for text, play:",
            f'"{LOUNGE.name}: deep", "{LOUNGE.name}: text", "{LOUNGE.name}: play film";',
            "or one of these:",
            *textwrap.wrap(
                usages, WIDTH, initial_indent="  ", subsequent_indent=" " * 4
            ),
        ]

    @override
    async def accompany(self, lab: Lab) -> None:
        """Need no help: both play an evening by themselves."""

    @override
    def describe(self, event: JsonObject) -> str | None:
        words = _WORDS.get(str(event.get("kind")))
        return None if words is None else words.format_map(get_object(event, "data"))

    @override
    async def check(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        return await self._check.add_all(lab, report)

    @override
    async def check_restarted(self, lab: Lab, report: Report) -> None:
        await self._check.all_back(lab, report)

    @override
    async def check_removed(self, lab: Lab, report: Report) -> None:
        await self._check.remove_first(lab, report)

    @override
    async def check_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        await self._check.add_first_in_browser(lab, report, browser, shots)
