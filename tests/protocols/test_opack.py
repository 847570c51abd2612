"""OPACK: every type, both ways, with pointers, within bounds and in linear time."""

from collections.abc import Callable
from enum import StrEnum
import math
import random
import struct
import sys
import time
from uuid import UUID

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.opack import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_ODD_KEYS,
    MAX_TEXT,
    AbsoluteTime,
    OpackDict,
    OpackScalar,
    OpackValue,
    decode,
    decode_dict,
    encode,
)

SOME_UUID = UUID("12345678-1234-5678-1234-567812345678")

# What our writer makes of a value, and the reader of the bytes.
BOTH_WAYS: list[tuple[str, OpackValue]] = [
    ("04", None),
    ("01", True),
    ("02", False),
    ("07", -1),
    ("0512345678123456781234567812345678", SOME_UUID),
    ("08", 0),
    ("09", 1),
    ("2f", 39),
    ("3028", 40),
    ("30ff", 255),
    ("310001", 256),
    ("31ffff", 65535),
    ("3200000100", 65536),
    ("32ffffffff", 4294967295),
    ("330000000001000000", 4294967296),
    ("33ffffffffffffffff", 18446744073709551615),
    ("3400000000000000000100000000000000", 18446744073709551616),
    ("360000000000000000", 0.0),
    ("36000000000000f03f", 1.0),
    ("3600000000000024c0", -10.0),
    ("36000000000000e03f", 0.5),
    ("06000000000000f03f", AbsoluteTime(1.0)),
    ("40", ""),
    ("4161", "a"),
    ("46c3a5c3a4c3b6", "åäö"),
    ("60" + "78" * 32, "x" * 32),
    ("6121" + "78" * 33, "x" * 33),
    ("61ff" + "78" * 255, "x" * 255),
    ("620001" + "78" * 256, "x" * 256),
    ("62ffff" + "78" * 65535, "x" * 65535),
    ("70", b""),
    ("7100", b"\0"),
    ("90" + "ab" * 32, b"\xab" * 32),
    ("9121" + "ab" * 33, b"\xab" * 33),
    ("920001" + "ab" * 256, b"\xab" * 256),
    ("9300000100" + "ab" * 65536, b"\xab" * 65536),
    ("d0", []),
    ("d309447465737402", [1, "test", False]),
    ("d1d101", [[True]]),
    ("e0", {}),
    ("e2416114416204", {"a": 12, "b": None}),
    ("e14161e14162d20104", {"a": {"b": [True, None]}}),
    ("de08090a0b0c0d0e0f101112131415", list(range(14))),
    ("df08090a0b0c0d0e0f1011121314151603", list(range(15))),
    (
        "ef080809090a0a0b0b0c0c0d0d0e0e0f0f101011111212131314141515161603",
        {number: number for number in range(15)},
    ),
]

# What only the reader has to know: wide forms, rare types and pointers.
READ_ONLY: list[tuple[str, OpackValue]] = [
    ("df4161a0a0a0a0a0a0a0a0a0a0a0a0a0a003", ["a"] * 15),
    ("d24161a0", ["a", "a"]),
    ("d443666f6f43626172a0a1", ["foo", "bar", "foo", "bar"]),
    ("e3416102416244746573744163a2", {"a": False, "b": "test", "c": "test"}),
    ("d2312c01a0", [300, 300]),
    ("d236000000000000f83fa0", [1.5, 1.5]),
    ("d20512345678123456781234567812345678a0", [SOME_UUID, SOME_UUID]),
    ("d27101a0", [b"\1", b"\1"]),
    ("e3416141624163e14164a0a301", {"a": "b", "c": {"d": "a"}, "d": True}),
    ("3001", 1),
    ("310100", 1),
    ("3201000000", 1),
    ("330100000000000000", 1),
    ("3401000000000000000000000000000000", 1),
    ("350000803f", 1.0),
    ("060100000000000000", AbsoluteTime(5e-324)),
    ("610161", "a"),
    ("6301000061", "a"),
    ("640100000061", "a"),
    ("9301000000aa", b"\xaa"),
    ("940100000000000000aa", b"\xaa"),
    ("df30013002c10103", [1, 2, 2]),
    ("d341614162c20100", ["a", "b", "b"]),
    ("d341614162c3010000", ["a", "b", "b"]),
    ("d341614162c401000000", ["a", "b", "b"]),
    ("ef41610803", {"a": 0}),
    # Text up to a zero, and data in chunks; both may be pointed at.
    ("6f00", ""),
    ("d26f6162634400a0", ["abcD", "abcD"]),
    ("9f03", b""),
    ("d39f7201029101039203000405060370a0", [b"\1\2\3\4\5\6", b"", b"\1\2\3\4\5\6"]),
    # 40, 40.0 and a wider 40 are three entries of the table; a second 40 is none.
    (
        "d8302836000000000000444032280000003028a0a1a24161a3",
        [40, 40.0, 40, 40, 40, 40.0, 40, "a"],
    ),
]

CUT_OFF = "cut off"
INVALID: list[tuple[str, str]] = [
    ("", CUT_OFF),
    ("00", "type 0x00"),
    ("03", "no"),
    ("3a", "type 0x3a"),
    ("65", "type 0x65"),
    ("95", "type 0x95"),
    ("c5", "type 0xc5"),
    ("f0", "type 0xf0"),
    ("ff", "type 0xff"),
    ("05" + "00" * 15, CUT_OFF),
    ("06" + "00" * 7, CUT_OFF),
    ("30", CUT_OFF),
    ("3400", CUT_OFF),
    ("350000", CUT_OFF),
    ("36" + "00" * 7, CUT_OFF),
    ("4261", CUT_OFF),
    ("61", CUT_OFF),
    ("61ff61", CUT_OFF),
    ("64ffffffff61", CUT_OFF),
    ("6f6161", CUT_OFF),
    ("7201", CUT_OFF),
    ("94ffffffffffffffff01", CUT_OFF),
    ("9f7101", CUT_OFF),
    ("9f416103", "chunk"),
    ("9f9f0303", "chunk"),
    ("d1", CUT_OFF),
    ("d103", "none"),
    ("df01", CUT_OFF),
    ("e14161", CUT_OFF),
    ("e1416103", "none"),
    ("e1034161", "none"),
    ("ef4161", CUT_OFF),
    ("ef416103", "none"),
    ("a0", "points"),
    ("d24161a1", "points"),
    ("c0", "points"),
    ("c1", CUT_OFF),
    ("c1ff", "points"),
    ("c4ffffffff", "points"),
    ("41ff", "UTF-8"),
    ("e1d001", "key"),
    ("efe00103", "key"),
]


@pytest.mark.parametrize(("text", "value"), BOTH_WAYS)
def test_written_and_read(text: str, value: OpackValue) -> None:
    assert encode(value).hex() == text
    assert same(decode(bytes.fromhex(text)), value)


@pytest.mark.parametrize(("text", "value"), READ_ONLY)
def test_read(text: str, value: OpackValue) -> None:
    assert same(decode(bytes.fromhex(text)), value)


def test_a_pointer_leads_past_what_is_in_no_table() -> None:
    text = "d6d2416141624070d008a1"
    assert decode(bytes.fromhex(text)) == [["a", "b"], "", b"", [], 0, "b"]


def test_text_and_data_of_the_same_bytes_are_two_entries() -> None:
    assert decode(bytes.fromhex("d441617161a0a1")) == ["a", b"a", "a", b"a"]


def test_an_empty_text_of_the_long_form_is_entered_once() -> None:
    assert decode(bytes.fromhex("d5610061004161a0a1")) == ["", "", "a", "", "a"]


def test_texts_of_other_classes_are_written_as_texts() -> None:
    class Word(StrEnum):
        KEY = "a"

    assert encode({Word.KEY: [Word.KEY]}) == encode({"a": ["a"]})


def test_pointers_with_an_index_behind_them() -> None:
    names = [a + b for a in "AB" for b in "abcdefghijklmnopqrstuvwxyz"][:34]
    data = b"\xdf" + b"".join(encode(name) for name in names) + b"\xc0\xc1\x21\x03"
    assert decode(data) == [*names, names[32], names[33]]


def test_a_recorded_message() -> None:
    body: OpackDict = {
        "_i": "_hidC",
        "_t": 2,
        "_c": {"_hBtS": 1, "_hidC": 6},
        "_x": 1234,
    }
    with_pointer = "e4425f69455f68696443425f740a425f63e2455f6842745309a10e425f7831d204"
    assert decode_dict(bytes.fromhex(with_pointer)) == body
    assert decode_dict(encode(body)) == body


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_what_is_no_opack(text: str, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        decode(bytes.fromhex(text))


def test_what_follows_is_ignored() -> None:
    assert decode(b"\x01\xff\xff") is True


def test_a_dictionary_is_asked_for() -> None:
    assert decode_dict(b"\xe0") == {}
    with pytest.raises(ProtocolError, match="no dictionary"):
        decode_dict(b"\xd0")


def test_the_last_one_of_equal_keys_counts() -> None:
    assert decode(bytes.fromhex("e24161084161 09")) == {"a": 1}


@pytest.mark.parametrize("value", [-2, 1 << 128])
def test_integers_that_nothing_can_carry(value: int) -> None:
    with pytest.raises(ProtocolError, match="integer"):
        encode(value)


def test_half_a_character_is_not_written_and_not_told() -> None:
    with pytest.raises(ProtocolError, match="half") as caught:
        encode("secret \ud83d")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_errors_do_not_repeat_what_came() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(b"\x47secret\xff")
    assert "secret" not in repr(caught.value)
    assert caught.value.__cause__ is None


# Bounds.


@pytest.mark.parametrize(
    ("start", "end"), [(b"\xd1", b""), (b"\xdf", b"\x03"), (b"\xe1\x08", b"")]
)
def test_max_depth_read(start: bytes, end: bytes) -> None:
    decode(start * MAX_DEPTH + b"\x01" + end * MAX_DEPTH)
    with pytest.raises(MessageTooLargeError, match="deep"):
        decode(start * (MAX_DEPTH + 1) + b"\x01" + end * (MAX_DEPTH + 1))


def test_max_depth_given() -> None:
    assert decode(b"\xd1\xd0", max_depth=2) == [[]]
    with pytest.raises(MessageTooLargeError, match="deep"):
        decode(b"\xd1\xd0", max_depth=1)


def nested(depth: int) -> OpackValue:
    value: OpackValue = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def test_max_depth_written() -> None:
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(MessageTooLargeError, match="deep"):
        encode(nested(MAX_DEPTH + 1))


def test_max_items() -> None:
    values: OpackValue = [0] * (MAX_ITEMS - 1)
    assert decode(encode(values)) == values
    with pytest.raises(MessageTooLargeError, match="many"):
        decode(encode([0] * MAX_ITEMS))


def test_max_items_given_counts_keys() -> None:
    data = encode({"a": 1, "b": [2]})
    assert decode(data, max_items=6) == {"a": 1, "b": [2]}
    with pytest.raises(MessageTooLargeError, match="many"):
        decode(data, max_items=5)


def test_max_items_counts_the_chunks_of_data() -> None:
    data = b"\x9f" + b"\x71a" * 5 + b"\x03"
    assert decode(data, max_items=6) == b"aaaaa"
    with pytest.raises(MessageTooLargeError, match="many"):
        decode(data, max_items=5)
    with pytest.raises(MessageTooLargeError, match="many"):
        decode(b"\x9f" + b"\x70" * MAX_ITEMS + b"\x03")


def test_max_odd_keys() -> None:
    some: OpackDict = dict.fromkeys(range(MAX_ODD_KEYS), 0)
    assert decode(encode(some)) == some
    texts: OpackDict = {str(number): 0 for number in range(2 * MAX_ODD_KEYS)}
    assert decode(encode(texts)) == texts
    with pytest.raises(MessageTooLargeError, match="odd"):
        decode(encode(dict.fromkeys(range(MAX_ODD_KEYS + 1), 0)))


def test_keys_that_python_takes_for_neighbours() -> None:
    """All have the same hash: a dictionary of them would take time by the square."""
    keys = [number * sys.hash_info.modulus for number in range(20_000)]
    assert len({hash(key) for key in keys}) == 1
    data = b"\xef" + b"".join(encode(key) + b"\x08" for key in keys) + b"\x03"

    def read() -> None:
        with pytest.raises(MessageTooLargeError, match="odd"):
            decode(data)

    assert best_time(read) < 0.2


def test_max_text() -> None:
    assert decode(encode("x" * MAX_TEXT)) == "x" * MAX_TEXT
    with pytest.raises(MessageTooLargeError, match="Text"):
        encode("ä" * (MAX_TEXT // 2 + 1))


def best_time(job: Callable[[], object], tries: int = 7) -> float:
    """Return the shortest of some times that a job takes, in seconds of this process."""
    times: list[float] = []
    for _ in range(tries):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: encode([f"value {number}" for number in range(size)]),
        lambda size: (
            b"\xdf" + encode("a text that repeats") + b"\xa0" * (2 * size) + b"\x03"
        ),
        lambda size: b"\xdf" + b"\x6fabc\x00" * size + b"\x03",
        lambda size: b"\x9f" + b"\x73abc" * size + b"\x03",
    ],
    ids=["different values", "pointers", "ended texts", "chunks"],
)
def test_reading_twice_as_much_takes_twice_as_long(
    make: Callable[[int], bytes],
) -> None:
    small, large = make(6000), make(24_000)

    def time_of(data: bytes) -> float:
        return best_time(lambda: decode(data, max_items=100_000))

    assert time_of(large) < 10 * time_of(small)


def test_writing_twice_as_much_takes_twice_as_long() -> None:
    small: OpackValue = [f"value {number}" for number in range(6000)]
    large: OpackValue = [f"value {number}" for number in range(24_000)]
    assert best_time(lambda: encode(large)) < 10 * best_time(lambda: encode(small))


# Any value.

floats = st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
scalars: st.SearchStrategy[OpackScalar] = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2**128 - 1)
    | st.integers(-1, 300)
    | floats
    | texts
    | st.binary(max_size=50)
    | st.uuids()
    | st.builds(AbsoluteTime, floats)
)
values: st.SearchStrategy[OpackValue] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(scalars, inner, max_size=20)
    ),
    max_leaves=40,
)


def same(one: OpackValue, other: OpackValue) -> bool:
    """Tell whether two values are equal, and 1, 1.0 and true are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return (
            len(one) == len(other)
            and all(map(same, one, other, strict=True))
            and all(map(same, one.values(), other.values(), strict=True))
        )
    return one == other


class PointingWriter:
    """Writes as devices do: whatever repeats is a pointer, integers may be wide."""

    def __init__(self, widen: Callable[[], bool]) -> None:
        self.table: list[tuple[type, bytes]] = []
        self.widen = widen

    def write(self, value: OpackValue) -> bytes:
        if isinstance(value, list):
            body = b"".join(self.write(item) for item in value)
            return self.wrap(0xD0, len(value), body)
        if isinstance(value, dict):
            body = b"".join(
                self.write(key) + self.write(item) for key, item in value.items()
            )
            return self.wrap(0xE0, len(value), body)
        data = encode(value)
        if type(value) is int and 0 <= value < 1 << 64 and self.widen():
            data = b"\x33" + value.to_bytes(8, "little")
        if len(data) == 1:
            return data
        entry = (type(value), data)
        if entry not in self.table:
            self.table.append(entry)
            return data
        index = self.table.index(entry)
        return (
            bytes((0xA0 + index,))
            if index <= 0x20
            else b"\xc2" + struct.pack("<H", index)
        )

    def wrap(self, tag: int, count: int, body: bytes) -> bytes:
        if count > 14 or self.widen():
            return bytes((tag + 15,)) + body + b"\x03"
        return bytes((tag + count,)) + body


@given(values)
def test_any_value_is_read_as_it_was_written(value: OpackValue) -> None:
    assert same(decode(encode(value)), value)


@given(values, st.randoms(use_true_random=False))
def test_any_value_with_pointers_and_wide_forms(
    value: OpackValue, rng: random.Random
) -> None:
    writer = PointingWriter(lambda: rng.random() < 0.5)
    repeated: OpackValue = [value, value]
    assert same(decode(writer.write(repeated)), repeated)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    try:
        value = decode(data)
    except ProtocolError:
        return
    # What a NaN is in, is not equal to itself; the bytes are.
    again = encode(value)
    assert encode(decode(again)) == again


@given(values, st.data())
def test_what_is_cut_off_is_an_error(value: OpackValue, data: st.DataObject) -> None:
    whole = encode(value)
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ProtocolError):
        decode(whole[:size])


def test_no_number_survives() -> None:
    value = decode(encode(math.nan))
    assert isinstance(value, float)
    assert math.isnan(value)
