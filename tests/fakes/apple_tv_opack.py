"""OPACK as the fake Apple TV reads and writes it, independent of the integration.

The Apple TV reference, part A, section 3.
"""

import struct
from typing import Self
from uuid import UUID

from tests.fakes.apple_tv_crypto import WireError

type OpackValue = (
    bool
    | int
    | float
    | str
    | bytes
    | UUID
    | list[OpackValue]
    | dict[str, OpackValue]
    | None
)

_MAX_DEPTH = 64


class Wide(int):
    """An integer that is written in more bytes than it needs, as real devices do."""

    size: int

    def __new__(cls, value: int, size: int = 4) -> Self:
        """Make one of 1, 2, 4, 8 or 16 bytes."""
        made = super().__new__(cls, value)
        made.size = size
        return made


def pack(value: OpackValue, *, pointers: bool = True) -> bytes:
    """Write a value; what repeats becomes a pointer, as real devices do."""
    return _Writer(pointers=pointers).value(value)


class _Writer:
    def __init__(self, *, pointers: bool) -> None:
        self._pointers = pointers
        self._table: dict[bytes, int] = {}

    def value(self, value: OpackValue) -> bytes:
        if isinstance(value, dict):
            parts = [self.value(item) for pair in value.items() for item in pair]
            return _wrap(0xE0, len(value), b"".join(parts))
        if isinstance(value, list):
            return _wrap(0xD0, len(value), b"".join(map(self.value, value)))
        data = _scalar(value)
        if len(data) == 1:
            return data
        index = self._table.get(data)
        if index is None or not self._pointers:
            self._table.setdefault(data, len(self._table))
            return data
        if index <= 0x20:
            return bytes((0xA0 + index,))
        if index <= 0xFF:
            return bytes((0xC1, index))
        return b"\xc2" + index.to_bytes(2, "little")


def _wrap(base: int, count: int, inner: bytes) -> bytes:
    if count < 15:
        return bytes((base + count,)) + inner
    return bytes((base + 15,)) + inner + b"\x03"


def _scalar(
    value: bool | float | str | bytes | UUID | None,
) -> bytes:
    match value:
        case None:
            return b"\x04"
        case True:
            return b"\x01"
        case False:
            return b"\x02"
        case Wide():
            return _integer(int(value), value.size)
        case int():
            if 0 <= value < 40:
                return bytes((8 + value,))
            size = next(size for size in (1, 2, 4, 8, 16) if value < 1 << size * 8)
            return _integer(value, size)
        case float():
            return b"\x36" + struct.pack("<d", value)
        case UUID():
            return b"\x05" + value.bytes
        case str():
            return _sized(value.encode(), 0x40, 0x61)
        case bytes():
            return _sized(value, 0x70, 0x91)


def _integer(value: int, size: int) -> bytes:
    return bytes((0x2F + size.bit_length(),)) + value.to_bytes(size, "little")


def _sized(data: bytes, short: int, long: int) -> bytes:
    if len(data) <= 0x20:
        return bytes((short + len(data),)) + data
    if len(data) <= 0xFF:
        return bytes((long, len(data))) + data
    return bytes((long + 1,)) + len(data).to_bytes(2, "little") + data


def unpack(data: bytes) -> OpackValue:
    """Read a value; bytes behind it are an error. Raises WireError."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise WireError("bytes behind an OPACK value")
    return value


def unpack_dict(data: bytes) -> dict[str, OpackValue]:
    """Read a dictionary. Raises WireError."""
    value = unpack(data)
    if not isinstance(value, dict):
        raise WireError("not an OPACK dictionary")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._table: list[OpackValue] = []
        self._known: set[bytes] = set()
        self.at = 0

    def _take(self, size: int) -> bytes:
        piece = self._data[self.at : self.at + size]
        if len(piece) < size:
            raise WireError("OPACK runs past its end")
        self.at += size
        return piece

    def value(self, depth: int) -> OpackValue:
        if depth > _MAX_DEPTH:
            raise WireError("OPACK is nested too deeply")
        start = self.at
        tag = self._take(1)[0]
        if 0xD0 <= tag <= 0xDF:
            return self._array(tag & 15, depth)
        if tag >= 0xE0:
            return self._dict(tag & 15, depth)
        if 0xA0 <= tag <= 0xC4:
            return self._pointer(tag)
        value = self._scalar(tag)
        raw = self._data[start : self.at]
        if len(raw) > 1 and raw not in self._known:
            self._known.add(raw)
            self._table.append(value)
        return value

    def _more(self, count: int, done: int) -> bool:
        if count < 15:
            return done < count
        if self.at < len(self._data) and self._data[self.at] == 3:
            self.at += 1
            return False
        return True

    def _array(self, count: int, depth: int) -> OpackValue:
        found: list[OpackValue] = []
        while self._more(count, len(found)):
            found.append(self.value(depth + 1))
        return found

    def _dict(self, count: int, depth: int) -> OpackValue:
        found: dict[str, OpackValue] = {}
        done = 0
        while self._more(count, done):
            key = self.value(depth + 1)
            if not isinstance(key, str):
                raise WireError("a key of an OPACK dictionary is no text")
            found[key] = self.value(depth + 1)
            done += 1
        return found

    def _pointer(self, tag: int) -> OpackValue:
        size = {0xC1: 1, 0xC2: 2, 0xC3: 4, 0xC4: 8}.get(tag)
        index = tag - 0xA0
        if size:
            index = int.from_bytes(self._take(size), "little")
        if index >= len(self._table):
            raise WireError("an OPACK pointer leads nowhere")
        return self._table[index]

    def _scalar(self, tag: int) -> OpackValue:
        constants: dict[int, OpackValue] = {1: True, 2: False, 4: None, 7: -1}
        if tag in constants:
            return constants[tag]
        if 0x08 <= tag <= 0x2F:
            return tag - 8
        if 0x30 <= tag <= 0x34:
            return int.from_bytes(self._take(1 << (tag - 0x30)), "little")
        if tag == 0x05:
            return UUID(bytes=self._take(16))
        if tag in (0x06, 0x36):
            return float(struct.unpack("<d", self._take(8))[0])
        if tag == 0x35:
            return float(struct.unpack("<f", self._take(4))[0])
        if 0x40 <= tag <= 0x64:
            size = tag - 0x40 if tag <= 0x60 else self._length(1 + tag - 0x61)
            try:
                return self._take(size).decode()
            except UnicodeDecodeError as error:
                raise WireError("a text of OPACK is no UTF-8") from error
        if 0x70 <= tag <= 0x94:
            return self._take(
                tag - 0x70 if tag <= 0x90 else self._length(1 << tag - 0x91)
            )
        raise WireError(f"unknown OPACK tag {tag:02x}")

    def _length(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")
