"""Runs the checks of the fake console; no Home Assistant takes part.

Whatever Home Assistant is tested with elsewhere is by this known to be what a console says.
"""

from functools import partial
from typing import Final

from .checks import CHECKS
from .environment import ensure_peer
from .world import World
from tests.interop.kdeconnect.network import Network
from tests.interop.options import Options
from tests.interop.report import Report

_TITLE: Final = "the Python client and the fake Xbox"


async def run(options: Options) -> bool:
    """Run all checks; tell whether every one is fine."""
    chosen = [(title, check) for title, check in CHECKS if options.only in title]
    python = ensure_peer()
    report = Report()
    with Network() as network:
        world = World(network, python)
        try:
            await world.start()
            for title, check in chosen:
                await report.check(f"{_TITLE}: {title}", partial(check, world))
        finally:
            await world.stop()
    report.total()
    return report.is_fine
