"""Runs the checks: Qt and `websockets` with our client and with the fake lobby.

No Home Assistant takes part. Of the lobby's own server there is nothing here; but its
formats are Qt's and the WebSocket's, and these two have them first hand.
"""

from functools import partial
from typing import Final

from .checks import CHECKS
from .world import World
from tests.interop.options import Options
from tests.interop.report import Report

_TITLE: Final = "FAF lobby"


async def run(options: Options) -> bool:
    """Run all checks; tell whether every one is fine."""
    chosen = [(title, check) for title, check in CHECKS if options.only in title]
    report = Report()
    world = World()
    try:
        await world.start()
        for title, check in chosen:
            await report.check(f"{_TITLE}: {title}", partial(check, world))
    finally:
        await world.stop()
    report.total()
    return report.is_fine
