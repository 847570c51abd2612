"""The command line: ``python -m tests.interop [SUITE...]``."""

import argparse
import asyncio
from pathlib import Path
import signal
import sys
from typing import Final

from .apple.suite import run as run_apple
from .faf.suite import run as run_faf
from .kdeconnect.suite import run as run_kdeconnect
from .options import Options
from .report import print_end
from .smartglass.suite import run as run_smartglass

SUITES: Final = {
    "apple": run_apple,
    "faf": run_faf,
    "kdeconnect": run_kdeconnect,
    "smartglass": run_smartglass,
}


def main() -> int:
    """Run the suites that were named, or all; 0 when every check is fine."""
    parser = argparse.ArgumentParser(
        prog="script/interop",
        description="Checks Rumpus in a real Home Assistant against programs of other projects.",
    )
    parser.add_argument(
        "suites",
        nargs="*",
        choices=[*SUITES, []],
        metavar="SUITE",
        help=", ".join(SUITES),
    )
    parser.add_argument(
        "--flavour",
        action="append",
        metavar="NAME",
        help="only this release of the peer",
    )
    parser.add_argument(
        "--only", metavar="TEXT", help="only checks with TEXT in their title"
    )
    parser.add_argument(
        "--debug", action="store_true", help="let the peers log everything"
    )
    parser.add_argument(
        "--integration",
        type=Path,
        metavar="FOLDER",
        help="check this copy of the integration",
    )
    options = parser.parse_args()
    chosen = Options(
        flavours=tuple(options.flavour or ()),
        only=options.only or "",
        debug=options.debug,
        integration=options.integration,
    )
    fine = True
    try:
        for name in options.suites or SUITES:
            fine &= asyncio.run(_run(name, chosen))
    except asyncio.CancelledError, KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    finally:
        print_end()
    return 0 if fine else 1


async def _run(name: str, options: Options) -> bool:
    """Run a suite; SIGTERM ends it in order, as Ctrl-C does."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await SUITES[name](options)


if __name__ == "__main__":
    sys.exit(main())
