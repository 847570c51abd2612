"""Run the benchmarks.

    python -m benchmarks [kdeconnect ...]

Every figure of another implementation is measured in the same run, on the same input, so
that the ratio counts and not the machine.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine

from benchmarks import kdeconnect, kdeconnect_transfer

BENCHMARKS: dict[str, Callable[[], Coroutine[None, None, None]]] = {
    "kdeconnect": kdeconnect.run,
    "kdeconnect_transfer": kdeconnect_transfer.run,
}


def main() -> None:
    """Run what the command line names, or everything."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in names:
        asyncio.run(BENCHMARKS[name]())


if __name__ == "__main__":
    main()
