"""Tests of property lists."""

import contextlib
import datetime as dt
import plistlib
import struct
import time

from hypothesis import given, strategies as st
import pytest

from .airplay import vectors
from custom_components.rumpus.protocols import plists
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.plists import PlistDict, PlistValue

type Object = bytes


def raw(
    *objects: bytes,
    top: int = 0,
    offset_size: int = 4,
    ref_size: int = 2,
    count: int | None = None,
    table: int | None = None,
) -> bytes:
    """Return a binary property list of these objects, as they are."""
    data, offsets = b"bplist00", b""
    for item in objects:
        offsets += len(data).to_bytes(4)[-offset_size:]
        data += item
    trailer = struct.pack(
        ">6xBBQQQ",
        offset_size,
        ref_size,
        len(objects) if count is None else count,
        top,
        len(data) if table is None else table,
    )
    return data + offsets + trailer


def array(*refs: int) -> bytes:
    """Return an array of fewer than 15 references of two bytes."""
    return bytes((0xA0 | len(refs),)) + b"".join(ref.to_bytes(2) for ref in refs)


def long_array(ref: int, size: int) -> bytes:
    """Return an array of the same reference again and again."""
    return b"\xaf\x12" + size.to_bytes(4) + ref.to_bytes(2) * size


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | _TEXTS
    | st.binary(max_size=100)
    | st.builds(plistlib.UID, st.integers(0, 2**64 - 1))
    | st.datetimes(
        dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)
    ).map(lambda date: date.replace(microsecond=0))
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(_TEXTS, inner),
    max_leaves=20,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=5))
def test_round_trip(value: PlistDict) -> None:
    data = plistlib.dumps(
        value, fmt=plistlib.FMT_BINARY, sort_keys=False, aware_datetime=True
    )
    assert plists.loads(data) == value
    assert plists.loads_dict(data) == value


@given(_VALUES)
def test_same_as_the_standard_library(value: PlistValue) -> None:
    data = plists.dumps([{"value": value}])
    assert plists.loads(data) == [{"value": value}]
    assert plistlib.loads(data, aware_datetime=True) == [{"value": value}]


@given(st.binary(max_size=200), st.binary(max_size=32))
def test_any_bytes(body: bytes, trailer: bytes) -> None:
    for data in (body, b"bplist00" + body, b"bplist00" + body + trailer):
        with contextlib.suppress(ProtocolError):
            plists.loads(data)


@given(st.data())
def test_damaged(data: st.DataObject) -> None:
    good = bytearray(
        plists.dumps({"a": [1, 2.5, "text", b"data", {"ä": True}], "b": -1})
    )
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        plists.loads(bytes(good))


@pytest.mark.parametrize(("number", "data"), vectors.PLISTS.items())
def test_golden(number: int, data: bytes) -> None:
    value = plists.loads_dict(data)
    assert value["seed"] in {number, number - 2**64}
    assert isinstance(value["seed"], int)
    assert value["seed"] % 2**64 == number
    assert plists.dumps({"seed": number}) == data


@pytest.mark.parametrize(
    ("token", "value"),
    [
        (b"\x00", None),
        (b"\x08", False),
        (b"\x09", True),
        (b"\x10\xff", 255),
        (b"\x13\xff\xff\xff\xff\xff\xff\xff\xff", -1),
        (b"\x14" + b"\xff" * 16, -1),
        (b"\x22\x3f\x80\x00\x00", 1.0),
        (b"\x80\x07", plistlib.UID(7)),
        (b"\x33" + bytes(8), dt.datetime(2001, 1, 1, tzinfo=dt.UTC)),
        (b"\x5f\x10\x02ab", "ab"),
        (b"\x61\x00\xe4", "ä"),
        (b"\x42ab", b"ab"),
        (b"\x4f\x11\x00\x01a", b"a"),
    ],
)
def test_scalars(token: bytes, value: PlistValue) -> None:
    read = plists.loads(raw(token))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "token",
    [
        b"\x0f",  # a filler
        b"\x15" + bytes(32),  # an integer of 32 bytes
        b"\x21\x00\x00",  # a float of two
        b"\x33\x7f\xf0\x00\x00\x00\x00\x00\x00",  # an endless date
        b"\x33\x7f\xef\xff\xff\xff\xff\xff\xff",
        b"\x33\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\x51\xff",  # no ASCII
        b"\x61\xd8\x00",  # half a character
        b"\xa1\x00\x00"[:2],  # cut off
        b"\x4f\x50",  # a size that is no number
        b"\x4f\x14" + bytes(16),
        b"\x89" + bytes(10),  # an identifier of ten bytes
        b"\xc0",  # a set
        b"\xd1\x00\x00\x00\x00",  # a key that is the dictionary itself
        b"\xa1\x00\x07",  # an object that is not there
    ],
)
def test_impossible_objects(token: bytes) -> None:
    with pytest.raises(ProtocolError):
        plists.loads(raw(token))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing of that kind",
        b"bplist00",
        b"bplist00" + bytes(31),
        raw(b"\x09", offset_size=0),
        raw(b"\x09", offset_size=9),
        raw(b"\x09", ref_size=0),
        raw(b"\x09", top=1),
        b"bplist00" + bytes(40) + b"\xff" * 32,
        raw(b"\x09", top=2**64 - 1),
        raw(b"\x09", count=2**64 - 1),
        raw(b"\x09", count=2),
        raw(b"\x09", table=2**64 - 1),
        raw(b"\x09", table=7),
        raw(b"\x4f\x12\xff\xff\xff\xff"),
        raw(b"\x4f\x13" + b"\xff" * 8),
        raw(b"\x4f"),
    ],
)
def test_impossible_files(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        plists.loads(data)


def test_max_size() -> None:
    data = plists.dumps({"a": bytes(plists.MAX_SIZE - 100)})
    assert plists.loads(data)
    data = plists.dumps({"a": bytes(plists.MAX_SIZE)})
    with pytest.raises(MessageTooLargeError):
        plists.loads(data)
    assert plists.loads_dict(data, max_size=2 * plists.MAX_SIZE)


def _nested(depth: int) -> PlistDict:
    value: PlistDict = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_max_depth() -> None:
    for dumps in (plists.dumps, plistlib.dumps):
        assert plists.loads(dumps(_nested(plists.MAX_DEPTH)))
        with pytest.raises(MessageTooLargeError):
            plists.loads(dumps(_nested(plists.MAX_DEPTH + 1)))


def test_max_objects() -> None:
    fits: list[PlistValue] = [True] * (plists.MAX_OBJECTS - 1)
    assert plists.loads(plists.dumps(fits)) == fits
    with pytest.raises(MessageTooLargeError):
        plists.loads(plists.dumps([*fits, True]))
    with pytest.raises(MessageTooLargeError):
        plists.loads(plists.dumps([fits[:-2], True, True]))
    assert plists.loads(plists.dumps([fits[:-2], True]))


def test_max_table() -> None:
    assert plists.loads(raw(*[b"\x09"] * plists.MAX_TABLE)) is True
    with pytest.raises(MessageTooLargeError):
        plists.loads(raw(*[b"\x09"] * (plists.MAX_TABLE + 1)))


def test_shared_references_do_not_explode() -> None:
    """32 levels of ten references each to the level below would be 10**31 values."""
    levels = [array(*[level + 1] * 10) for level in range(31)]
    start = time.thread_time()
    with pytest.raises(MessageTooLargeError):
        plists.loads(raw(*levels, b"\x09"))
    with pytest.raises(MessageTooLargeError):
        plists.loads(raw(array(0)))
    with pytest.raises(MessageTooLargeError):
        plists.loads(raw(long_array(1, 200_000), b"\x09"))
    # The same data, referred to again and again, is there once.
    shared = plists.loads(
        raw(long_array(1, 15_000), b"\x4f\x12\x00\x01\x00\x00" + bytes(65536))
    )
    assert isinstance(shared, list)
    assert len({id(item) for item in shared}) == 1
    assert time.thread_time() - start < 2


def test_shared_bytes_do_not_explode() -> None:
    """Many objects in one place, or each around the next, would be copied each."""
    long = b"\x4f\x12" + (300_000).to_bytes(4) + bytes(300_000)
    objects = raw(b"\xa2\x00\x01\x00\x02", long, b"\x09")
    table = len(objects) - 32 - 12
    same_place = bytearray(objects)
    same_place[table + 8 : table + 12] = same_place[table + 4 : table + 8]
    with pytest.raises(MessageTooLargeError, match="more than its size"):
        plists.loads(bytes(same_place))
    # Each text holds the beginnings of the ones behind it.
    inner = b"".join(b"\x4f\x11" + (1000).to_bytes(2) for _ in range(100)) + bytes(1000)
    data = b"bplist00" + b"\xaf\x10\x64" + bytes(range(1, 101)) + inner
    offsets = bytes(
        byte
        for place in (8, *(8 + 3 + 100 + 4 * number for number in range(100)))
        for byte in place.to_bytes(2)
    )
    trailer = struct.pack(">6xBBQQQ", 2, 1, 101, 0, len(data))
    with pytest.raises(MessageTooLargeError, match="more than its size"):
        plists.loads(data + offsets + trailer)


def test_references_of_what_is_never_read_count() -> None:
    """Each level refers to one more level first, and to a lot behind it."""
    levels = [
        b"\xaf\x12" + (10_000).to_bytes(4) + (level + 1).to_bytes(2) * 10_000
        for level in range(3)
    ]
    with pytest.raises(MessageTooLargeError, match="values"):
        # Without counting them at once it is the date that is seen first.
        plists.loads(raw(*levels, b"\x33" + b"\xff" * 8))


def test_a_key_that_is_no_text() -> None:
    with pytest.raises(ProtocolError, match="no text"):
        plists.loads(raw(b"\xd1\x00\x01\x00\x01", b"\x09"))


def test_no_dictionary() -> None:
    with pytest.raises(ProtocolError):
        plists.loads_dict(plists.dumps([1]))


@pytest.mark.parametrize("value", [[2**64], [object()], {1: 2}])
def test_what_cannot_be_held(value: list[PlistValue]) -> None:
    with pytest.raises(ProtocolError):
        plists.dumps(value)


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64])
def test_numbers_that_are_too_large(number: int) -> None:
    with pytest.raises(ProtocolError, match="number"):
        plists.dumps({"a": number})


def test_half_a_character() -> None:
    with pytest.raises(ProtocolError, match="text"):
        plists.dumps({"a": "\ud800"})


def test_dates() -> None:
    date = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    data = plists.dumps({"aware": date, "naive": date.replace(tzinfo=None)})
    assert plists.loads(data) == {"aware": date, "naive": date}


@pytest.mark.parametrize("count", [10, 300, 15_000])
def test_many_objects(count: int) -> None:
    value: list[PlistValue] = [str(number) for number in range(count)]
    data = plists.dumps(value)
    assert plistlib.loads(data) == plists.loads(data) == value
    large: list[PlistValue] = [*value, bytes(count * 100)]
    assert plistlib.loads(plists.dumps(large)) == large


def test_as_the_standard_library_writes() -> None:
    value: PlistDict = {
        "a": [1, 300, 70_000, 2**40, -1, 1.5],
        "b": {"c": "\u00e4" * 20},
    }
    expected = plistlib.dumps(value, fmt=plistlib.FMT_BINARY, sort_keys=False)
    assert plists.dumps(value) == expected


def test_the_order_of_keys_stays() -> None:
    data = plists.dumps({"z": 1, "a": 2})
    assert list(plists.loads_dict(data)) == ["z", "a"]


# XML.

XML = b'<?xml version="1.0" encoding="UTF-8"?>'


@given(
    st.dictionaries(st.text("abc\u00e4", max_size=5), st.integers(-(2**63), 2**64 - 1))
)
def test_xml(value: PlistDict) -> None:
    assert plists.loads(plistlib.dumps(value)) == value


def test_xml_values() -> None:
    date = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    value: PlistDict = {"a": [1.5, True, b"data", date, {"b": "text"}]}
    data = plistlib.dumps(value, aware_datetime=True)
    assert plists.loads(data) == value
    assert plists.loads(b"\n" + data.removeprefix(XML).lstrip()) == value


@pytest.mark.parametrize(
    "data",
    [
        XML,
        b"<plist>",
        b"<plist><integer>12x</integer></plist>",
        b"<plist><integer></integer></plist>",
        b"<plist><real>x</real></plist>",
        b"<plist><date>now</date></plist>",
        b"<plist><date>2026-99-99T00:00:00Z</date></plist>",
        b"<plist><data>\xff</data></plist>",
        b"<plist><dict><string>no key</string></dict></plist>",
        b"<plist><dict><key>no value</key></dict></plist>",
        b"<plist><key>outside</key></plist>",
        b"<plist><integer>" + b"9" * 5000 + b"</integer></plist>",
        b"<html></html>",
    ],
)
def test_xml_that_is_none(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        plists.loads(data)


def test_xml_entities_do_not_expand() -> None:
    entities = b"".join(
        b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10)
        for level in range(1, 10)
    )
    data = (
        b'%s<!DOCTYPE plist [<!ENTITY e0 "ha">%s]><plist><string>&e9;</string></plist>'
    )
    with pytest.raises(ProtocolError):
        plists.loads(data % (XML, entities))
    with pytest.raises(ProtocolError):
        plists.loads(
            XML + b'<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
            b"<plist><string>&e;</string></plist>"
        )


def test_max_xml() -> None:
    start, end = b"<plist><string>", b"</string></plist>"
    fits = b"x" * (plists.MAX_XML - len(start + end))
    assert plists.loads(start + fits + end) == fits.decode()
    with pytest.raises(MessageTooLargeError, match="XML"):
        plists.loads(start + fits + b"x" + end, max_size=2 * plists.MAX_XML)


# Readers of members.

BODY: PlistDict = {
    "text": "abcdef",
    "yes": True,
    "one": 1,
    "two": 2,
    "float": 1.5,
    "endless": float("inf"),
    "huge": 10**400,
    "bytes": b"data",
    "dict": {"a": 1},
    "list": [{"a": 1}, 2, {"b": 2}],
    "null": None,
}


def test_readers() -> None:
    assert plists.get_str(BODY, "text", limit=3) == "abc"
    assert plists.get_bool(BODY, "yes") is True
    assert plists.get_bool(BODY, "one") is True
    assert plists.get_int(BODY, "two") == 2
    assert plists.get_number(BODY, "two") == 2.0
    assert plists.get_number(BODY, "float") == 1.5
    assert plists.get_bytes(BODY, "bytes") == b"data"
    assert plists.get_dict(BODY, "dict") == {"a": 1}
    assert plists.get_dicts(BODY, "list") == [{"a": 1}, {"b": 2}]


def test_readers_of_other_types() -> None:
    for key in BODY.keys() - {"text"} | {"absent"}:
        assert plists.get_str(BODY, key, limit=3) is None
    for key in BODY.keys() - {"yes", "one"} | {"absent"}:
        assert plists.get_bool(BODY, key) is None
    for key in BODY.keys() - {"one", "two", "huge"} | {"absent"}:
        assert plists.get_int(BODY, key) is None
    for key in BODY.keys() - {"one", "two", "float"} | {"absent"}:
        assert plists.get_number(BODY, key) is None
    for key in BODY.keys() - {"bytes"} | {"absent"}:
        assert plists.get_bytes(BODY, key) is None
    for key in BODY.keys() - {"dict"} | {"absent"}:
        assert plists.get_dict(BODY, key) is None
    for key in BODY.keys() - {"list"} | {"absent"}:
        assert plists.get_dicts(BODY, key) == []


def test_max_number() -> None:
    assert plists.get_number({"a": plists.MAX_NUMBER}, "a") == 2.0**128
    assert plists.get_number({"a": plists.MAX_NUMBER + 1}, "a") is None
