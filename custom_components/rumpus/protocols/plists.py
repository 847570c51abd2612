"""Property lists: binary ones, both ways, and XML ones that old devices answer with.

The reader of the binary form is ours because a hostile one can be far larger than it
looks: every object may be referred to from anywhere, so it is read here with a budget for
what it unfolds to. The writer is ours since it is the faster one. The Apple TV reference,
part A, section 5.1 says what these lists are for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
import datetime as dt
import math
import struct
from typing import TYPE_CHECKING, Final

from .errors import MessageTooLargeError, ProtocolError

if TYPE_CHECKING:
    from plistlib import UID

MAX_SIZE: Final = 1024 * 1024
"""Bytes of a property list, unless the caller names another number."""
MAX_XML: Final = 64 * 1024
"""Bytes of one in XML, which takes long to read; nobody sends large ones in that form."""
MAX_DEPTH: Final = 32
"""Dictionaries and arrays inside each other."""
MAX_OBJECTS: Final = 20_000
"""Values that a binary one unfolds to, keys included; a hundred are usual."""
MAX_TABLE: Final = MAX_OBJECTS
"""Objects in the table of a binary one, whether anything refers to them or not."""
MAX_NUMBER: Final = 2**128
"""Largest magnitude of a whole number that is taken for a float."""

type PlistValue = (
    bool
    | int
    | float
    | str
    | bytes
    | dt.datetime
    | UID
    | list[PlistValue]
    | dict[str, PlistValue]
    | None
)
type PlistDict = dict[str, PlistValue]

_MAGIC: Final = b"bplist0"
_HEADER_SIZE: Final = 8
_TRAILER: Final = struct.Struct(">6xBBQQQ")
_EPOCH: Final = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
_XML_STARTS: Final = (b"<?xml", b"<plist", b"<!DOC", b"\xef\xbb\xbf<")


def dumps(value: PlistDict | list[PlistValue]) -> bytes:
    """Return a value as a binary property list.

    Raises ProtocolError for what that form cannot hold, like other keys than texts.
    """
    objects: list[bytes | _Container] = []
    _flatten(value, objects)
    size = _width(len(objects))
    parts = [item if isinstance(item, bytes) else item.encode(size) for item in objects]
    table = _HEADER_SIZE + sum(map(len, parts))
    width = _width(table)
    offsets = bytearray()
    place = _HEADER_SIZE
    for part in parts:
        offsets += place.to_bytes(width)
        place += len(part)
    trailer = _TRAILER.pack(width, size, len(parts), 0, table)
    return b"".join((_MAGIC, b"0", *parts, offsets, trailer))


@dataclass(slots=True)
class _Container:
    """An array or a dictionary, as its type and what it refers to."""

    kind: int
    length: int
    refs: list[int]

    def encode(self, size: int) -> bytes:
        head = _head(self.kind, self.length)
        if size == 1:
            return head + bytes(self.refs)
        return head + b"".join([ref.to_bytes(size) for ref in self.refs])


def _flatten(value: PlistValue, objects: list[bytes | _Container]) -> int:
    """Append a value and all in it, and return where it stands."""
    place = len(objects)
    if isinstance(value, dict):
        container = _Container(0xD0, len(value), [])
        objects.append(container)
        for key in value:
            if not isinstance(key, str):
                raise ProtocolError("A property list has texts as keys")
            objects.append(_encode_text(key))
        container.refs += range(place + 1, len(objects))
        _flatten_all(value.values(), container.refs, objects)
    elif isinstance(value, list):
        container = _Container(0xA0, len(value), [])
        objects.append(container)
        _flatten_all(value, container.refs, objects)
    else:
        objects.append(_encode(value))
    return place


def _flatten_all(
    values: Iterable[PlistValue], refs: list[int], objects: list[bytes | _Container]
) -> None:
    for value in values:
        if isinstance(value, str):
            refs.append(len(objects))
            objects.append(_encode_text(value))
        else:
            refs.append(_flatten(value, objects))


def _encode(value: PlistValue) -> bytes:
    """Return anything but containers and texts as bytes."""
    if value is None or isinstance(value, bool):
        return b"\0" if value is None else b"\x09" if value else b"\x08"
    if isinstance(value, int):
        return _encode_int(value)
    if isinstance(value, float):
        return b"\x23" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(0x40, len(value)) + value
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return b"\x33" + struct.pack(">d", (aware - _EPOCH).total_seconds())
    number = getattr(value, "data", None)  # as a UID has it
    if not isinstance(number, int):
        raise ProtocolError("A property list cannot hold this")
    width = _width(number)
    return bytes((0x80 | width - 1,)) + number.to_bytes(width)


def _encode_int(value: int) -> bytes:
    if value < 0:
        if value < -(1 << 63):
            raise ProtocolError("A property list cannot hold such a number")
        return b"\x13" + value.to_bytes(8, signed=True)
    if value >= 1 << 63:  # which eight bytes would make negative
        if value >= 1 << 64:
            raise ProtocolError("A property list cannot hold such a number")
        return b"\x14" + value.to_bytes(16)
    width = _width(value)
    return bytes((0x10 | width.bit_length() - 1,)) + value.to_bytes(width)


def _encode_text(value: str) -> bytes:
    if value.isascii():
        return _head(0x50, len(value)) + value.encode("ascii")
    try:
        data = value.encode("utf-16-be")
    except UnicodeEncodeError:
        raise ProtocolError("A property list cannot hold such a text") from None
    return _head(0x60, len(data) // 2) + data


def _head(kind: int, length: int) -> bytes:
    if length < 0x0F:
        return bytes((kind | length,))
    return bytes((kind | 0x0F,)) + _encode_int(length)


def _width(number: int) -> int:
    """Return the bytes for a number: 1, 2, 4 or 8."""
    return (
        1
        if number < 1 << 8
        else 2
        if number < 1 << 16
        else 4
        if number < 1 << 32
        else 8
    )


def loads(data: bytes, *, max_size: int = MAX_SIZE) -> PlistValue:
    """Return the value of a property list, binary or XML.

    Raises MessageTooLargeError past one of the bounds, ProtocolError for all else that
    is none.
    """
    if len(data) > max_size:
        raise MessageTooLargeError(f"A property list of more than {max_size} bytes")
    if is_binary(data):
        return _Reader(data).read()
    if data.lstrip().startswith(_XML_STARTS):
        return _loads_xml(data)
    raise ProtocolError("This is no property list")


def is_binary(data: bytes | memoryview) -> bool:
    """Tell whether that begins like a binary property list."""
    return data[: len(_MAGIC)] == _MAGIC


def loads_dict(data: bytes, *, max_size: int = MAX_SIZE) -> PlistDict:
    """Return the dictionary that a property list holds; raises as `loads` does."""
    value = loads(data, max_size=max_size)
    if not isinstance(value, dict):
        raise ProtocolError("A property list that is no dictionary")
    return value


class _Reader:
    """Reads one binary property list."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_OBJECTS - 1
        # Bytes of texts and data: each is read once, unless objects overlap each other.
        self._unread = len(data)
        # Only of what cannot hold anything else: sharing it costs nothing.
        self._scalars: dict[int, PlistValue] = {}
        self._end = end = len(data) - _TRAILER.size
        if end < _HEADER_SIZE:
            raise ProtocolError("A property list that is cut off")
        size, self._ref_size, count, self._top, table = _TRAILER.unpack_from(data, end)
        if not (1 <= size <= 8 and 1 <= self._ref_size <= 8):
            raise ProtocolError("A property list with numbers of impossible sizes")
        if not _HEADER_SIZE <= table <= end - count * size:
            raise ProtocolError("A property list whose table lies outside of it")
        if count > MAX_TABLE:
            raise MessageTooLargeError(f"More than {MAX_TABLE} objects")
        self._offsets = _numbers(data[table : table + count * size], size)

    def read(self) -> PlistValue:
        return self._object(self._top, 0)

    def _object(self, ref: int, depth: int) -> PlistValue:
        if ref >= len(self._offsets):
            raise ProtocolError("A property list refers to what it does not hold")
        start = self._offsets[ref]
        if start >= self._end:
            raise ProtocolError("A property list that is cut off")
        token = self._data[start]
        kind, low = token >> 4, token & 0x0F
        if kind == 0xA or kind == 0xD:  # noqa: PLR1714 - faster than a set
            if depth >= MAX_DEPTH:
                raise MessageTooLargeError(f"More than {MAX_DEPTH} levels")
            size, start = self._size(low, start + 1)
            if kind == 0xA:
                return self._objects(self._refs(size, start), depth + 1)
            return self._dictionary(self._refs(2 * size, start), depth + 1)
        if kind == 0x5 and low < 0x0F:
            # Nearly all that there is, so without further ado.
            value: PlistValue = _text(self._content(start + 1, low), kind)
        else:
            value = self._scalar(token, start + 1)
        self._scalars[ref] = value
        return value

    def _dictionary(self, refs: Sequence[int], depth: int) -> PlistDict:
        size = len(refs) // 2
        keys = self._objects(refs[:size], depth)
        values: PlistDict = {}
        for key, value in zip(keys, self._objects(refs[size:], depth), strict=True):
            if not isinstance(key, str):
                raise ProtocolError("A property list with a key that is no text")
            values[key] = value
        return values

    def _objects(self, refs: Sequence[int], depth: int) -> list[PlistValue]:
        known = self._scalars
        return [
            known[ref] if ref in known else self._object(ref, depth) for ref in refs
        ]

    def _refs(self, count: int, start: int) -> Sequence[int]:
        # Before the list is made: one of a few million would take its time.
        self._left -= count
        if self._left < 0:
            raise MessageTooLargeError(f"More than {MAX_OBJECTS} values")
        return _numbers(self._bytes(start, count * self._ref_size), self._ref_size)

    def _scalar(self, token: int, start: int) -> PlistValue:
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        kind, low = token >> 4, token & 0x0F
        if kind == 0x1 and low <= 4:
            # Up to four bytes are never negative; 16 are for 2**63 and above.
            return int.from_bytes(self._bytes(start, 1 << low), signed=low >= 3)
        if (reader := _REALS.get(token)) is not None:
            return reader(self._bytes(start, 1 << low))
        if kind == 0x8:
            return self._uid(start, low + 1)
        if kind in {0x4, 0x5, 0x6}:
            size, start = self._size(low, start)
            data = self._content(start, size << (kind == 0x6))
            return data if kind == 0x4 else _text(data, kind)
        raise ProtocolError(f"A property list with an unknown type, {token:#04x}")

    def _uid(self, start: int, size: int) -> UID:
        # Only archives have them, so only they need it.
        from plistlib import UID  # noqa: PLC0415

        if size > 8:
            raise ProtocolError("A property list with an identifier that is too long")
        return UID(self._number(start, size))

    def _size(self, low: int, start: int) -> tuple[int, int]:
        """Return how many items follow, and where they start."""
        if low < 0x0F:
            return low, start
        token = self._bytes(start, 1)[0]
        if token & 0xF0 != 0x10 or token & 0x0F > 3:
            raise ProtocolError("A property list with a size that is no number")
        length = 1 << (token & 0x0F)
        return self._number(start + 1, length), start + 1 + length

    def _content(self, start: int, size: int) -> bytes:
        self._unread -= size
        if self._unread < 0:
            raise MessageTooLargeError("A property list that holds more than its size")
        return self._bytes(start, size)

    def _number(self, start: int, size: int) -> int:
        return int.from_bytes(self._bytes(start, size))

    def _bytes(self, start: int, size: int) -> bytes:
        # What is read lies before the table, or in it when it is of the table.
        if start + size > self._end:
            raise ProtocolError("A property list that is cut off")
        return self._data[start : start + size]


def _numbers(data: bytes, size: int) -> Sequence[int]:
    """Return the numbers of that many bytes each."""
    if size == 1:
        return data
    return [
        int.from_bytes(data[start : start + size])
        for start in range(0, len(data), size)
    ]


def _text(data: bytes, kind: int) -> str:
    try:
        return data.decode("ascii" if kind == 0x5 else "utf-16-be")
    except UnicodeDecodeError:
        raise ProtocolError("A property list with a text that is none") from None


def _float(data: bytes) -> float:
    number: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return number


def _date(data: bytes) -> dt.datetime:
    seconds = _float(data)
    try:
        return _EPOCH + dt.timedelta(seconds=seconds)
    except ValueError, OverflowError:
        raise ProtocolError("A property list with an impossible date") from None


_CONSTANTS: Final[Mapping[int, PlistValue]] = {0x00: None, 0x08: False, 0x09: True}
_REALS: Final[Mapping[int, Callable[[bytes], float | dt.datetime]]] = {
    0x22: _float,
    0x23: _float,
    0x33: _date,
}


def _loads_xml(data: bytes) -> PlistValue:
    """Return the value of an XML property list.

    plistlib refuses declarations of entities, so that nothing expands.
    """
    if len(data) > MAX_XML:
        raise MessageTooLargeError(
            f"A property list in XML of more than {MAX_XML} bytes"
        )
    # Only old devices answer so; the parser takes memory and time to import.
    import plistlib  # noqa: PLC0415
    from xml.parsers.expat import ExpatError  # noqa: PLC0415

    try:
        value: PlistValue = plistlib.loads(
            data, fmt=plistlib.FMT_XML, aware_datetime=True
        )
    # What it raises for nonsense depends on the nonsense.
    except (
        *(plistlib.InvalidFileException, ExpatError, AttributeError, ArithmeticError),
        *(LookupError, TypeError, ValueError),
    ):
        raise ProtocolError("This is no property list") from None
    _check_depth(value)
    return value


def _check_depth(value: PlistValue) -> None:
    """Raise MessageTooLargeError for what nests too deep; its size bounds the rest."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return
        level = []
        for item in containers:
            level += item.values() if isinstance(item, dict) else item
    raise MessageTooLargeError(f"More than {MAX_DEPTH} levels")


# Typed readers of the members of a dictionary: None for what is absent or of another type.


def get_str(body: Mapping[str, PlistValue], key: str, *, limit: int) -> str | None:
    """Return a text, cut to `limit` characters."""
    value = body.get(key)
    return value[:limit] if isinstance(value, str) else None


def get_bool(body: Mapping[str, PlistValue], key: str) -> bool | None:
    """Return a truth value, sent as such or as 1 or 0."""
    value = body.get(key)
    if isinstance(value, bool):
        return value
    return bool(value) if isinstance(value, int) and value in {0, 1} else None


def get_int(body: Mapping[str, PlistValue], key: str) -> int | None:
    """Return a whole number."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def get_number(body: Mapping[str, PlistValue], key: str) -> float | None:
    """Return a finite number."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # XML may hold integers that no float does.
    is_usable = abs(value) <= MAX_NUMBER if isinstance(value, int) else True
    return float(value) if is_usable and math.isfinite(value) else None


def get_bytes(body: Mapping[str, PlistValue], key: str) -> bytes | None:
    """Return data."""
    value = body.get(key)
    return value if isinstance(value, bytes) else None


def get_dict(body: Mapping[str, PlistValue], key: str) -> PlistDict | None:
    """Return a dictionary inside the dictionary."""
    value = body.get(key)
    return value if isinstance(value, dict) else None


def get_dicts(body: Mapping[str, PlistValue], key: str) -> list[PlistDict]:
    """Return the dictionaries among the items of an array; none without one."""
    value = body.get(key)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]
