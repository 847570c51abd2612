"""Run the benchmarks.

    python -m benchmarks [kdeconnect ...]

Every figure of another implementation is measured in the same run, on the same input, so
that the ratio counts and not the machine.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
import subprocess
import sys
from typing import Final

from benchmarks import (
    apple,
    apple_home,
    apple_mrp,
    faf,
    faf_burst,
    faf_home,
    kdeconnect,
    kdeconnect_home,
    kdeconnect_transfer,
    smartglass,
    smartglass_home,
    smartglass_link,
)

EXACTLY: Final = "--exactly"

BENCHMARKS: dict[str, Callable[[], Coroutine[None, None, None]]] = {
    "apple": apple.run,
    "apple_home": apple_home.run,
    "apple_mrp": apple_mrp.run,
    "faf": faf.run,
    "faf_burst": faf_burst.run,
    "faf_home": faf_home.run,
    "kdeconnect": kdeconnect.run,
    "kdeconnect_home": kdeconnect_home.run,
    "kdeconnect_transfer": kdeconnect_transfer.run,
    "smartglass": smartglass.run,
    "smartglass_home": smartglass_home.run,
    "smartglass_link": smartglass_link.run,
}


def main() -> None:
    """Run what the command line names, or everything."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(EXACTLY, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.names
    # The name of a family stands for all of its benchmarks.
    chosen = [
        key
        for key in BENCHMARKS
        if not names
        or key in names
        or (
            not options.exactly
            and any(f"{key}_".startswith(f"{name}_") for name in names)
        )
    ]
    if not chosen:
        parser.error(f"no such benchmark: {', '.join(names)}")
    if len(chosen) == 1:
        asyncio.run(BENCHMARKS[chosen[0]]())
        return
    for key in chosen:
        # In a process of its own: what one leaves behind, such as threads, is none of another's.
        subprocess.run([sys.executable, "-m", __package__, key, EXACTLY], check=True)


if __name__ == "__main__":
    main()
