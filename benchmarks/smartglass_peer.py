"""xbox-smartglass-core's side of the SmartGlass benchmark; see `benchmarks.smartglass`.

Runs in an environment of its own, which has nothing of this project.
"""
# mypy: disable-error-code="import-not-found,no-any-unimported"
# xbox-smartglass-core is not installed where the types are checked.

import json
import sys
import time
from typing import Any

from xbox.sg import packer
from xbox.sg.crypto import Crypto

BATCH = 50
"""Datagrams between two looks at the clock."""


def per_second(function: Any, value: Any, crypto: Any, seconds: float) -> float:
    """Return how often a function can be called in a second of the processor."""
    count, start = 0, time.process_time()
    while (passed := time.process_time() - start) < seconds:
        for _ in range(BATCH):
            function(value, crypto)
        count += BATCH
    return count / passed


def main() -> None:
    """Read the work, then measure what each further line asks for."""
    work = json.loads(sys.stdin.readline())
    crypto: Any = Crypto.from_shared_secret(bytes.fromhex(work["secret"]))
    for line in sys.stdin:
        order = json.loads(line)
        datagram = bytes.fromhex(work["datagrams"][order["name"]])
        message: Any = packer.unpack(datagram, crypto)
        assert packer.pack(message, crypto) == datagram
        if order["way"] == "decode":
            result = per_second(packer.unpack, datagram, crypto, order["seconds"])
        else:
            result = per_second(packer.pack, message, crypto, order["seconds"])
        print(result, flush=True)


if __name__ == "__main__":
    main()
