"""KDE Connect in the demo."""

import asyncio
from pathlib import Path
from typing import override

from .browser import Browser
from .check_kde_connect import KdeConnectCheck
from .families import CheckedEntry, DemoFamily
from .kde_connect_devices import ACCEPT_AFTER, DEVICES, tcp_port
from .lab import Lab
from .report import Report
from .shapes import JsonObject, get_optional_str


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
            "to compare with the one that Home Assistant shows.",
            'Type a line like "Demo phone: battery 20" (or: request, unpair, ping TEXT) and Enter.',
        ]

    @override
    def describe(self, event: JsonObject) -> str | None:
        key = get_optional_str(event, "verification_key")
        match event["event"]:
            case "link_up":
                return "connected"
            case "link_down":
                return "disconnected"
            case "pairing_requested":
                return f"is asked for pairing, shows the key {key}"
            case "paired":
                return f"paired, key {key}"
            case "pairing_failed" | "unpaired" as what:
                return f"{what.replace('_', ' ')} ({event.get('reason')})"
            case "ring":
                return "rings!"
            case "ping":
                return f"ping: {event.get('message')}"
            case "command_run" | "player_action" | "lock_set" as what:
                hidden = {"at", "event", "device", "type"}
                about = [
                    f"{name} {value}"
                    for name, value in event.items()
                    if name not in hidden
                ]
                return f"{what.replace('_', ' ')}: {', '.join(about)}"
            case _:
                return None

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
