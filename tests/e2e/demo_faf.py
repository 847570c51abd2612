"""Lobbies of Forged Alliance Forever in the demo."""

import asyncio
from pathlib import Path
import textwrap
from typing import Final, override

from .browser import Browser
from .check_faf import FafCheck
from .faf_lobbies import (
    BRACKMAN,
    CLUB,
    FRIEND,
    LOBBIES,
    PASSWORD,
    RHIZA,
    SPARE,
    WATCHER,
)
from .families import CheckedEntry, DemoFamily
from .lab import Lab
from .report import Report
from .shapes import JsonObject, get_object
from tests.fakes.faf_commands import COMMANDS

WIDTH: Final = 88
_WORDS: Final = {
    "signed_in": "{login} signs in",
    "signed_out": "{login} goes",
    "login_refused": "refuses somebody: {reason}",
    "kicked": "{login} is signed out: {reason}",
    "friend_added": "{login} has a new friend",
    "friend_removed": "{login} has a friend less",
    "foe_added": "{login} has a new foe",
    "foe_removed": "{login} has a foe less",
    "avatar": "{login} has another picture",
    "match": "the matchmaker has found a match of {queue}",
    "match_cancelled": "a match is cancelled",
    "shutdown": "shuts down: {step}",
    "error": "did not understand: {reason}",
}
"""What happens to a fake lobby, in words for the user of the demo."""


class FafDemo(DemoFamily):
    """Two lobbies: one with an evening's players, one with nobody in it."""

    title = "Forged Alliance Forever"
    devices = tuple(lobby.name for lobby in LOBBIES)

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._check = FafCheck()

    @override
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        await asyncio.gather(*(lobby.start(lab, check=check) for lobby in LOBBIES))

    @override
    def guide(self, lab: Lab) -> list[str]:
        usages = "; ".join(
            f"{name} {command.usage}".strip()
            for name, command in COMMANDS.items()
            if name != "help"
        )
        return [
            f"{CLUB.name:<18} {CLUB.where(lab):<24} {WATCHER} / {PASSWORD}",
            f"{SPARE.name:<18} {SPARE.where(lab):<24} the same, or no account at all",
            "Nothing announces a lobby: Add integration > Rumpus > A lobby of Forged Alliance",
            "Forever > A lobby on a server of your own. Then press the gear beside it and",
            f"follow {RHIZA} and {BRACKMAN}; {FRIEND} is a friend of the account. The",
            f"players of {CLUB.name} have an evening by themselves. Let somebody else sign in",
            "with the account, and repair that under Settings > System > Repairs; let the",
            f'server be away for a while; open a game: "{CLUB.name}: kick {WATCHER}",',
            f'"{CLUB.name}: disappear", "{CLUB.name}: host {FRIEND} scmp_009 Come in";',
            "or one of these:",
            *textwrap.wrap(
                usages, WIDTH, initial_indent="  ", subsequent_indent=" " * 4
            ),
        ]

    @override
    async def accompany(self, lab: Lab) -> None:
        """Need no help: the players have an evening by themselves."""

    @override
    def describe(self, event: JsonObject) -> str | None:
        data = get_object(event, "data")
        words = _WORDS.get(str(event.get("kind")))
        if event.get("kind") == "signed_out" and data.get("login") != WATCHER:
            return None  # players come and go all evening
        return None if words is None else words.format_map(data)

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
