"""Runs the checks: pyatv and Rumpus with the same fake devices.

No Home Assistant takes part. What it is tested with elsewhere is by this known to be what
devices say, as far as pyatv knows; and our client to do as pyatv does.
"""

from functools import partial
from typing import Final

from .checks import CHECKS
from .world import World
from tests.interop.options import Options
from tests.interop.report import Report

_TITLE: Final = "Apple TV"


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
