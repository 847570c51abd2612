"""This project's side of the SmartGlass benchmark; see `benchmarks.smartglass`."""

from collections.abc import Callable
import json
import sys
import time

from custom_components.rumpus.protocols.smartglass.crypto import Crypto
from custom_components.rumpus.protocols.smartglass.messages import (
    Message,
    MessageFragment,
    decode_message,
    encode_message,
)
from custom_components.rumpus.protocols.smartglass.packets import MessageHeader

type Opened = tuple[MessageHeader, Message | MessageFragment]

BATCH = 200
"""Datagrams between two looks at the clock."""


def decode(crypto: Crypto, datagram: bytes) -> Opened:
    """Open a datagram and decode what is in it."""
    header, plaintext = crypto.open_message(datagram)
    if header.is_fragment:
        return header, MessageFragment.decode(plaintext)
    return header, decode_message(header.message_type, plaintext)


def encode(crypto: Crypto, opened: Opened) -> bytes:
    """Encode a message and seal it."""
    header, message = opened
    return crypto.seal_message(header, encode_message(message))


def per_second[T, R](
    function: Callable[[Crypto, T], R], crypto: Crypto, value: T, seconds: float
) -> float:
    """Return how often a function can be called in a second of the processor."""
    count, start = 0, time.process_time()
    while (passed := time.process_time() - start) < seconds:
        for _ in range(BATCH):
            function(crypto, value)
        count += BATCH
    return count / passed


def main() -> None:
    """Read the work, then measure what each further line asks for."""
    work = json.loads(sys.stdin.readline())
    crypto = Crypto.from_expanded_secret(bytes.fromhex(work["secret"]))
    for line in sys.stdin:
        order = json.loads(line)
        datagram = bytes.fromhex(work["datagrams"][order["name"]])
        opened = decode(crypto, datagram)
        assert encode(crypto, opened) == datagram
        if order["way"] == "decode":
            result = per_second(decode, crypto, datagram, order["seconds"])
        else:
            result = per_second(encode, crypto, opened, order["seconds"])
        print(result, flush=True)


if __name__ == "__main__":
    main()
