"""Numbers of seven bits a byte, the lowest first (the Apple TV reference, part B, 3.1)."""

from typing import Final

from .errors import ProtocolError

MAX_SIZE: Final = 10
"""Bytes of one number: as many as 64 bits need."""
MAX_VALUE: Final = (1 << 64) - 1


def encode(value: int) -> bytes:
    """Return a number from 0 to MAX_VALUE; raises ValueError for another."""
    if not 0 <= value <= MAX_VALUE:
        raise ValueError(f"{value} does not fit into 64 bits")
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def decode(
    data: bytes | bytearray | memoryview, offset: int = 0
) -> tuple[int, int] | None:
    """Return the number that begins at an offset, and the offset of what follows.

    None when the end of it is missing. Raises ProtocolError past MAX_SIZE bytes and past
    MAX_VALUE.
    """
    value = 0
    for index, byte in enumerate(data[offset : offset + MAX_SIZE]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value > MAX_VALUE:
                raise ProtocolError("A number does not fit into 64 bits")
            return value, offset + index + 1
    if len(data) - offset >= MAX_SIZE:
        raise ProtocolError(f"A number of more than {MAX_SIZE} bytes")
    return None
