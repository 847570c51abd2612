"""Feed broken packets to the decoders, until one goes wrong or all are read.

python -m tests.fuzz [apple] [faf] [smartglass] [--count N] [--seed S]
"""

import argparse
import random
import resource
import sys
import time
import warnings

from .apple import AppleFuzzer
from .faf import FafFuzzer
from .smartglass import FuzzError, SmartglassFuzzer

FUZZERS: dict[str, type[AppleFuzzer | FafFuzzer | SmartglassFuzzer]] = {
    "apple": AppleFuzzer,
    "faf": FafFuzzer,
    "smartglass": SmartglassFuzzer,
}
MAX_GROWTH = 32 * 1024
"""KiB that the program may grow while it runs."""


def main() -> int:
    """Run what the command line asks for; 0 when nothing went wrong."""
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FUZZERS))
    parser.add_argument("--count", type=int, default=1_000_000, help="packets")
    parser.add_argument("--seed", type=int, help="to see the same packets again")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(FUZZERS)
    if unknown:
        parser.error(f"no such decoders: {', '.join(sorted(unknown))}")
    # Certificates of all kinds: what the parser says about some is not news.
    warnings.simplefilter("ignore")
    seed = random.getrandbits(32) if arguments.seed is None else arguments.seed
    for name in arguments.names or FUZZERS:
        if not _run(name, arguments.count, seed):
            return 1
    return 0


def _run(name: str, count: int, seed: int) -> bool:
    print(f"{name}: {count:,} packets, --seed {seed}", flush=True)
    fuzzer = FUZZERS[name](seed)
    # Everything that is made once is there after the first packets.
    fuzzer.run(min(count, 10_000))
    before = _memory()
    start = time.perf_counter()
    try:
        report = fuzzer.run(count)
    except FuzzError as err:
        print(f"failed: {err}: {err.__cause__!r}")
        return False
    passed, grown = time.perf_counter() - start, _memory() - before
    for target, number in sorted(report.by_target.items()):
        print(f"  {target:24} {number:>9,}")
    print(
        f"  {report.refused:,} refused, {count - report.refused:,} read in {passed:.1f} s;"
        f" slowest {report.slowest * 1000:.2f} ms, memory grew by {grown / 1024:.1f} MiB"
    )
    if grown > MAX_GROWTH:
        print("failed: more memory than that is kept somewhere")
        return False
    return True


def _memory() -> int:
    """Return the largest memory of this process so far, in KiB."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest // 1024 if sys.platform == "darwin" else largest


if __name__ == "__main__":
    sys.exit(main())
