"""Xbox consoles in the demo."""

import asyncio
from pathlib import Path
import textwrap
from typing import Final, override

from .browser import Browser
from .check_xbox import XboxCheck
from .families import CheckedEntry, DemoFamily
from .lab import Lab
from .report import Report
from .shapes import JsonObject, get_object
from .xbox_consoles import CONSOLES
from tests.fakes.xbox_commands import COMMANDS

WIDTH: Final = 88
_WORDS: Final = {
    "state": "is {value}",
    "joined": "has a new client",
    "left": "lost a client ({by})",
    "connect_answer": "answers a client with result {result}",
    "gamepad": "feels its gamepad, buttons {buttons:04x}",
    "media_command": "is told how to play: command {command:x}",
    "text_opened": "asks for text",
    "text_done": "got its text",
    "send_key": "presses {button_id} of the TV",
    "set_channel": "changes the channel",
    "title_launch": "is asked for a title, and does what consoles do: nothing",
    "game_dvr": "records the last seconds",
    "error": "did not understand: {reason}",
}
"""What happens to a fake console, in words for the user of the demo."""


class XboxDemo(DemoFamily):
    """Consoles."""

    title = "Xbox"
    devices = tuple(console.name for console in CONSOLES)

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._check = XboxCheck()

    @override
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        await asyncio.gather(
            *(
                console.start(lab, folder / "consoles", check=check)
                for console in CONSOLES
            )
        )
        if not check:
            await lab.fakes[CONSOLES[1].name].say("refuse 3")

    @override
    def guide(self, lab: Lab) -> list[str]:
        first, second = CONSOLES
        how = "shown as discovered"
        if not lab.place.is_private:
            how = f"add it by its address: {first.address(lab)}"
        usages = "; ".join(
            f"{name} {command.usage}".strip()
            for name, command in COMMANDS.items()
            if name != "help"
        )
        return [
            f"{first.name:<18} {first.model:<18} {how}",
            f"{second.name:<18} {second.model:<18} at {second.address(lab)}; lets nobody in",
            f'until its setting is changed: type "{second.name}: refuse none" and Enter.',
            f"{first.name} plays an evening by itself. Try the power button of either:",
            f'"{first.name}: button", or one of these:',
            *textwrap.wrap(
                usages, WIDTH, initial_indent="  ", subsequent_indent=" " * 4
            ),
        ]

    @override
    async def accompany(self, lab: Lab) -> None:
        """Need no help: a console plays its evening by itself."""

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
