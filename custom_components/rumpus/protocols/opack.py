"""OPACK, Apple's compact serialisation (the Apple TV reference, part A, section 3).

Reading takes all types and resolves the pointers that devices replace repeated values with;
writing emits none of them, since a peer cannot tell. Both take time linear in the size.
"""

from collections.abc import Callable
from dataclasses import dataclass
import struct
from typing import Final
from uuid import UUID

from .errors import MessageTooLargeError, ProtocolError

MAX_DEPTH: Final = 64
"""Collections within one another, both ways."""
MAX_ITEMS: Final = 16_384
"""Values in one message, keys of dictionaries, all collections and the chunks of data among
them. A list of very many apps has some 4000."""
MAX_ODD_KEYS: Final = 64
"""Keys of one dictionary that are neither text nor data. Anybody can think of many numbers
that Python's dictionaries take for neighbours, which makes them slow."""
MAX_TEXT: Final = 0xFFFF
"""Bytes of a text that is written: nobody knows for sure how longer ones begin (3.1)."""


@dataclass(frozen=True, slots=True)
class AbsoluteTime:
    """A point in time, in seconds since the beginning of 2001 in UTC."""

    seconds: float


type OpackScalar = bool | int | float | str | bytes | UUID | AbsoluteTime | None
type OpackDict = dict[OpackScalar, OpackValue]
type OpackValue = OpackScalar | list[OpackValue] | OpackDict

_END: Final = 0x03
_ENDLESS_COUNT: Final = 15

_FLOAT32: Final = struct.Struct("<f")
_FLOAT64: Final = struct.Struct("<d")

_INT_SIZES: Final = {0x30: 1, 0x31: 2, 0x32: 4, 0x33: 8, 0x34: 16}
_TEXT_LENGTHS: Final = {0x61: 1, 0x62: 2, 0x63: 3, 0x64: 4}
_DATA_LENGTHS: Final = {0x91: 1, 0x92: 2, 0x93: 4, 0x94: 8}
_POINTER_SIZES: Final = {0xC1: 1, 0xC2: 2, 0xC3: 3, 0xC4: 4}
_SINGLES: Final[dict[int, OpackScalar]] = {
    0x01: True,
    0x02: False,
    0x04: None,
    0x07: -1,
    **{tag: tag - 0x08 for tag in range(0x08, 0x30)},
}


def decode(
    data: bytes, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> OpackValue:
    """Return the value at the beginning of some bytes; what is behind it is ignored.

    Of keys that a dictionary has twice the last one counts, as for Python 1, 1.0 and true
    are one key. Raises ProtocolError for what is no OPACK, MessageTooLargeError past a
    bound.
    """
    return _Reader(data, max_depth, max_items).read()


def decode_dict(
    data: bytes, *, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> OpackDict:
    """Return the same when it has to be a dictionary; ProtocolError for all else."""
    value = decode(data, max_depth=max_depth, max_items=max_items)
    if not isinstance(value, dict):
        raise ProtocolError("OPACK holds no dictionary")
    return value


def encode(value: OpackValue) -> bytes:
    """Return the bytes of a value, with all integers as short as they can be.

    Raises ProtocolError for what OPACK cannot carry: integers below -1 (send a float), or of
    more than 16 bytes, and text that is no Unicode; MessageTooLargeError past a bound.
    """
    out = bytearray()
    _write(value, out, 0)
    return bytes(out)


# Reading.


class _Reader:
    """Reads one message, and keeps the table that its pointers lead to."""

    def __init__(self, data: bytes, max_depth: int, max_items: int) -> None:
        self._data = data
        self._size = len(data)
        self._offset = 0
        self._max_depth = max_depth
        self._items_left = max_items
        self._table: list[OpackScalar] = []
        # What is in the table, by its bytes: texts, and the rest with their types since
        # 40, 40.0 and a wider 40 are three.
        self._texts: dict[bytes, str] = {}
        self._known: dict[tuple[int, bytes], OpackScalar] = {}

    def read(self) -> OpackValue:
        """Return the value at the beginning."""
        if isinstance(value := self._value(0), _End):
            raise _stray_end()
        return value

    def _value(self, depth: int) -> OpackValue | _End:
        """Return the next value, or the mark that ends a collection."""
        start = self._offset + 1
        if start > self._size:
            raise _cut_off()
        tag = self._data[start - 1]
        if tag == _END:
            self._offset = start
            return _END_MARK
        self._items_left -= 1
        if self._items_left < 0:
            raise _too_many()
        if 0x40 < tag <= 0x60:
            # Nearly all that there is, so without further ado.
            self._offset = end = start + tag - 0x40
            if end > self._size:
                raise _cut_off()
            raw = self._data[start:end]
            return self._texts.get(raw) or self._enter_text(raw)
        self._offset = start
        if tag < 0xD0:
            return _SINGLES[tag] if tag in _SINGLES else self._read_scalar(tag)
        if depth >= self._max_depth:
            raise MessageTooLargeError("OPACK nests too deep")
        if tag < 0xE0:
            return self._read_array(tag - 0xD0, depth + 1)
        if tag < 0xF0:
            return self._read_dict(tag - 0xE0, depth + 1)
        raise _unknown(tag)

    def _read_array(self, count: int, depth: int) -> list[OpackValue]:
        items: list[OpackValue] = []
        if count != _ENDLESS_COUNT:
            for _ in range(count):
                if isinstance(item := self._value(depth), _End):
                    raise _stray_end()
                items.append(item)
            return items
        while not isinstance(item := self._value(depth), _End):
            items.append(item)
        return items

    def _read_dict(self, count: int, depth: int) -> OpackDict:
        if count == _ENDLESS_COUNT:
            return self._read_endless_dict(depth)
        items: OpackDict = {}
        read = self._value
        for _ in range(count):
            key, item = read(depth), read(depth)
            if isinstance(item, _End) or isinstance(key, (_End, list, dict)):
                is_end = key is _END_MARK or item is _END_MARK
                raise _stray_end() if is_end else _odd_key()
            items[key] = item
        return items

    def _read_endless_dict(self, depth: int) -> OpackDict:
        items: OpackDict = {}
        odd_keys = 0
        while not isinstance(key := self._value(depth), _End):
            if not isinstance(key, str | bytes):
                odd_keys += 1
                if odd_keys > MAX_ODD_KEYS:
                    raise MessageTooLargeError("OPACK has too many odd keys")
                if isinstance(key, list | dict):
                    raise _odd_key()
            if isinstance(item := self._value(depth), _End):
                raise _stray_end()
            items[key] = item
        return items

    def _read_scalar(self, tag: int) -> OpackScalar:
        if tag >= 0xA0:
            return self._follow(tag)
        if 0x40 <= tag <= 0x64 or tag == 0x6F:
            return self._read_text(tag)
        if 0x70 <= tag <= 0x94 or tag == 0x9F:
            return self._read_data(tag)
        if (size := _INT_SIZES.get(tag)) is not None:
            return self._enter(tag, self._take(size), _integer)
        match tag:
            case 0x05:
                return self._enter(tag, self._take(16), _uuid)
            case 0x06:
                return self._enter(tag, self._take(8), _absolute_time)
            case 0x35:
                return self._enter(tag, self._take(4), _float32)
            case 0x36:
                return self._enter(tag, self._take(8), _float64)
        return self._follow(tag)

    def _read_text(self, tag: int) -> OpackScalar:
        if tag == 0x6F:
            end = self._data.find(0, self._offset)
            if end < 0:
                raise _cut_off()
            raw = self._take(end - self._offset)
            self._offset += 1
        elif tag <= 0x60:
            raw = self._take(tag - 0x40)
        else:
            raw = self._take(self._number(_TEXT_LENGTHS[tag]))
        if tag == 0x40:
            return ""
        return self._texts[raw] if raw in self._texts else self._enter_text(raw)

    def _read_data(self, tag: int) -> OpackScalar:
        if tag == 0x9F:
            chunks: list[bytes] = []
            while (inner := self._take(1)[0]) != _END:
                self._count()
                chunks.append(self._take_data(inner))
            return self._enter(0x70, b"".join(chunks), bytes)
        raw = self._take_data(tag)
        return raw if tag == 0x70 else self._enter(0x70, raw, bytes)

    def _take_data(self, tag: int) -> bytes:
        if 0x70 <= tag <= 0x90:
            return self._take(tag - 0x70)
        if (size := _DATA_LENGTHS.get(tag)) is None:
            raise ProtocolError(f"OPACK has no chunk of data of type {tag:#04x}")
        return self._take(self._number(size))

    def _follow(self, tag: int) -> OpackScalar:
        """Return what a pointer leads to."""
        if 0xA0 <= tag <= 0xC0:
            index = tag - 0xA0
        elif (size := _POINTER_SIZES.get(tag)) is not None:
            index = self._number(size)
        else:
            raise _unknown(tag)
        if index >= len(self._table):
            raise ProtocolError("OPACK points behind its table")
        return self._table[index]

    def _enter_text(self, raw: bytes) -> str:
        """Return a text, and enter it into the table unless it is empty or there."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            # Its own text would repeat what the peer sent.
            raise ProtocolError("OPACK text is not UTF-8") from None
        self._texts[raw] = text
        self._table.append(text)
        return text

    def _enter(
        self, kind: int, raw: bytes, make: Callable[[bytes], OpackScalar]
    ) -> OpackScalar:
        """Return a value, and enter it into the table unless it is there."""
        entry = (kind, raw)
        if entry in self._known:
            return self._known[entry]
        value = self._known[entry] = make(raw)
        self._table.append(value)
        return value

    def _count(self) -> None:
        self._items_left -= 1
        if self._items_left < 0:
            raise _too_many()

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _take(self, size: int) -> bytes:
        start = self._offset
        self._offset = end = start + size
        if end > self._size:
            raise _cut_off()
        return self._data[start:end]


class _End:
    """The mark that ends a collection without a count."""


_END_MARK: Final = _End()


def _cut_off() -> ProtocolError:
    return ProtocolError("OPACK is cut off")


def _stray_end() -> ProtocolError:
    return ProtocolError("OPACK ends a collection where there is none")


def _odd_key() -> ProtocolError:
    return ProtocolError("OPACK has a collection as a key")


def _unknown(tag: int) -> ProtocolError:
    return ProtocolError(f"OPACK has no type {tag:#04x}")


def _too_many() -> MessageTooLargeError:
    return MessageTooLargeError("OPACK holds too many values")


def _integer(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _uuid(raw: bytes) -> UUID:
    return UUID(bytes=raw)


def _float32(raw: bytes) -> float:
    (value,) = _FLOAT32.unpack(raw)
    return float(value)


def _float64(raw: bytes) -> float:
    (value,) = _FLOAT64.unpack(raw)
    return float(value)


def _absolute_time(raw: bytes) -> AbsoluteTime:
    return AbsoluteTime(_float64(raw))


# Writing.


def _write(value: OpackValue, out: bytearray, depth: int) -> None:
    if type(value) is str:  # most of all
        _write_text(value, out)
    elif isinstance(value, dict):
        _write_dict(value, out, depth)
    elif isinstance(value, list):
        _begin_collection(0xD0, len(value), out, depth)
        for item in value:
            _write(item, out, depth + 1)
        if len(value) >= _ENDLESS_COUNT:
            out.append(_END)
    else:
        _write_scalar(value, out)


def _write_dict(value: OpackDict, out: bytearray, depth: int) -> None:
    _begin_collection(0xE0, len(value), out, depth)
    depth += 1
    for key, item in value.items():
        if type(key) is str:
            _write_text(key, out)
        else:
            _write_scalar(key, out)
        if type(item) is str:
            _write_text(item, out)
        else:
            _write(item, out, depth)
    if len(value) >= _ENDLESS_COUNT:
        out.append(_END)


def _begin_collection(tag: int, count: int, out: bytearray, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise MessageTooLargeError("OPACK nests too deep")
    out.append(tag + count if count < _ENDLESS_COUNT else tag + _ENDLESS_COUNT)


def _write_scalar(value: OpackScalar, out: bytearray) -> None:
    match value:
        case None:
            out.append(0x04)
        case bool():
            out.append(0x01 if value else 0x02)
        case int():
            _write_integer(value, out)
        case float():
            out.append(0x36)
            out += _FLOAT64.pack(value)
        case bytes():
            _write_data(value, out)
        case UUID():
            out.append(0x05)
            out += value.bytes
        case AbsoluteTime():
            out.append(0x06)
            out += _FLOAT64.pack(value.seconds)
        case _:
            _write_text(value, out)


def _write_integer(value: int, out: bytearray) -> None:
    if value == -1:
        out.append(0x07)
        return
    if 0 <= value < 40:
        out.append(0x08 + value)
        return
    for tag, size in _INT_SIZES.items():
        if 0 <= value < 1 << (8 * size):
            out.append(tag)
            out += value.to_bytes(size, "little")
            return
    raise ProtocolError("OPACK cannot carry this integer")


def _write_text(value: str, out: bytearray) -> None:
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise ProtocolError("Text has half a character in it") from None
    size = len(raw)
    if size <= 32:
        out.append(0x40 + size)
    elif size <= 0xFF:
        out.append(0x61)
        out.append(size)
    elif size <= MAX_TEXT:
        out.append(0x62)
        out += size.to_bytes(2, "little")
    else:
        raise MessageTooLargeError(f"Text of more than {MAX_TEXT} bytes")
    out += raw


def _write_data(value: bytes, out: bytearray) -> None:
    size = len(value)
    if size <= 32:
        out.append(0x70 + size)
    else:
        tag, width = next(
            (tag, width)
            for tag, width in _DATA_LENGTHS.items()
            if size < 1 << (8 * width)
        )
        out.append(tag)
        out += size.to_bytes(width, "little")
    out += value
