"""KDE Connect in the demo."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import textwrap
import time
from typing import Final, override

from .browser import Browser
from .check_kde_connect import KdeConnectCheck
from .check_kde_connect_phone import PRIVATE_OPTIONS
from .families import CheckedEntry, DemoFamily
from .kde_connect_devices import ACCEPT_AFTER, DEVICES, tcp_port
from .kdeconnect_steering import usages
from .kdeconnect_telling import tell
from .lab import Lab
from .models import ConfigEntry
from .report import Report
from .shapes import JsonObject, as_object, objects
from .walk import set_options

SHOWN: Final = DEVICES[0].name
"""The device that may do everything as soon as it is added."""
COMMANDS: Final = ("script.movie_night", "scene.bedtime", "input_boolean.party_lights")
PLAYER: Final = "media_player.kitchen_radio"
WIDTH: Final = 88


class KdeConnectDemo(DemoFamily):
    """Phones and computers."""

    title = "KDE Connect"
    devices = tuple(device.name for device in DEVICES)

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._check = KdeConnectCheck()

    @override
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        await asyncio.gather(
            *(device.start(lab, folder / "devices", check=check) for device in DEVICES)
        )

    @override
    def guide(self, lab: Lab) -> list[str]:
        lines = []
        for device in DEVICES:
            port = tcp_port(lab.fakes[device.name])
            how = f"add it by its address: {device.address(lab)}, port {port}"
            if device.found != "address":
                means = device.found if lab.place.is_private else "announced"
                how = f"shown as discovered ({means})"
            kind = f"{device.kind}, protocol {device.protocol}"
            lines.append(f"{device.name:<15} {kind:<21} {how}")
        return [
            *lines,
            f"Each accepts pairing by itself after {ACCEPT_AFTER:g} seconds. Its key appears below,",
            "to compare with the one that Home Assistant shows. What is private is allowed for",
            f"{SHOWN} as soon as you have added it; look at Configure beside its entry.",
            'Type a line like "Demo phone: battery 20" and Enter, or one of these:',
            *_usages("both", usages(None)),
            *_usages("phones", usages("phone")),
            *_usages("computers", usages("computer")),
        ]

    @override
    async def accompany(self, lab: Lab) -> None:
        async with await lab.api.subscribe(
            "config_entries/subscribe", type_filter=["device"]
        ) as changes:
            while True:
                for change in objects(await changes.get()):
                    entry = ConfigEntry.parse(as_object(change["entry"]))
                    if change.get("type") == "added" and entry.title == SHOWN:
                        await _allow_all(lab, entry)
                        _say(f"{SHOWN}: may tell and share everything now")

    @override
    def describe(self, event: JsonObject) -> str | None:
        return tell(event)

    @override
    async def check(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        return await self._check.pair_all(lab, report)

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


async def _allow_all(lab: Lab, entry: ConfigEntry) -> None:
    """Allow a device what a user would have to allow, so that there is something to see."""
    forms: dict[str, JsonObject] = {
        "kde_connect_private": dict.fromkeys(PRIVATE_OPTIONS, True),
        "kde_connect_files": {"receive_files": True},
        "kde_connect_offers": {"players": [PLAYER], "commands": [*COMMANDS]},
    }
    for form, values in forms.items():
        await lab.api.wait_entry(entry.entry_id)
        await set_options(lab.api, entry, form, **values)
    await lab.api.wait_entry(entry.entry_id)
    # What a phone tells only when it changes: there is something to see at once.
    await lab.fakes[SHOWN].say("copy A text from the clipboard of the phone")


def _usages(who: str, commands: Sequence[str]) -> list[str]:
    """Return commands in lines of a readable width."""
    text = f"{who + ':':<10} " + "; ".join(commands)
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 13)


def _say(text: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)
