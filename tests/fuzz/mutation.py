"""What goes wrong with bytes on their way, or is made to."""

from collections.abc import Callable, Sequence
import random
from typing import Final

MAX_SIZE: Final = 2048
"""Bytes of a mutated input."""

_TELLING_BYTES: Final = b"\x00\x01\x7f\x80\xfe\xff"


class Mutator:
    """Makes broken copies of inputs; the same ones for the same seed."""

    def __init__(self, corpus: Sequence[bytes], seed: int) -> None:
        """Take valid inputs, parts of which also end up in each other."""
        self.chance = random.Random(seed)
        self._corpus = corpus
        self._ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip_bits,
            self._truncate,
            self._splice,
            self._change_length,
            self._change_length,
            self._overwrite,
            self._delete,
            self._insert,
            self._repeat,
        )

    def mutated(self, data: bytes) -> bytes:
        """Return a copy with one to four things wrong, seldom nothing but noise."""
        chance = self.chance
        if chance.random() < 0.02:
            return chance.randbytes(chance.randrange(200))
        broken = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            chance.choice(self._ways)(broken)
        return bytes(broken[:MAX_SIZE])

    def _place(self, data: bytearray) -> int:
        return self.chance.randrange(len(data)) if data else 0

    def _flip_bits(self, data: bytearray) -> None:
        for _ in range(self.chance.randint(1, 8)):
            if data:
                data[self._place(data)] ^= 1 << self.chance.randrange(8)

    def _truncate(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _splice(self, data: bytearray) -> None:
        other = self.chance.choice(self._corpus)
        start = self.chance.randrange(len(other))
        data[self._place(data) :] = other[start:]

    def _change_length(self, data: bytearray) -> None:
        """Write a number over two or four bytes, where a length may be."""
        size = self.chance.choice((2, 2, 4))
        place = self._place(data)
        if place + size <= len(data):
            limit = self.chance.choice((4, 256, len(data) + 2, 1 << 16, 1 << 8 * size))
            number = self.chance.randrange(min(limit, 1 << 8 * size))
            data[place : place + size] = number.to_bytes(size)

    def _overwrite(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] = self.chance.choice(_TELLING_BYTES)

    def _delete(self, data: bytearray) -> None:
        place = self._place(data)
        del data[place : place + self.chance.randint(1, 8)]

    def _insert(self, data: bytearray) -> None:
        place = self._place(data)
        data[place:place] = self.chance.randbytes(self.chance.randint(1, 8))

    def _repeat(self, data: bytearray) -> None:
        place = self._place(data)
        piece = data[place : place + self.chance.randint(1, 32)]
        data[place:place] = piece * self.chance.randint(1, 16)
