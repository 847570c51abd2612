"""Run the benchmarks.

    python -m benchmarks [kdeconnect ...]

Every figure of another implementation is measured in the same run, on the same input, so
that the ratio counts and not the machine.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine

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
    names = parser.parse_args().names
    # The name of a family stands for all of its benchmarks.
    chosen = [
        key
        for key in BENCHMARKS
        if not names or any(f"{key}_".startswith(f"{name}_") for name in names)
    ]
    if not chosen:
        parser.error(f"no such benchmark: {', '.join(names)}")
    for key in chosen:
        asyncio.run(BENCHMARKS[key]())


if __name__ == "__main__":
    main()
