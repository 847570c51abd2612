"""Layouts: what is declared once is read and written, and nothing else gets through."""

from dataclasses import dataclass, replace
from enum import IntEnum
import math
from typing import Annotated, Any
from uuid import UUID

from hypothesis import given, settings, strategies as st
import pytest

from .layouts import bounds_of, encode_unbounded, examples, filled
from custom_components.rumpus.protocols.binary import (
    F32,
    I32,
    U8,
    U16,
    U32,
    U64,
    Array,
    Bits,
    Blob,
    Enum16,
    Fixed,
    Number,
    OnlyIf,
    Rest,
    Structure,
    Tail,
    Text,
    Uuid,
    layout,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.flags import WireFlag


class Colour(IntEnum):
    RED = 1
    BLUE = 300


class Mood(WireFlag):
    GLAD = 1
    TIRED = 4


@layout()
@dataclass(frozen=True, slots=True)
class Inner(Structure):
    number: U16
    name: Annotated[str, Text(6)]


@layout()
@dataclass(frozen=True, slots=True)
class Everything(Structure):
    """One field of each kind, in an order that mixes them."""

    small: U8
    is_on: Annotated[bool, Number("B")]
    colour: Enum16[Colour]
    mood: Annotated[Mood, Number("I")]
    high: Annotated[bool, Bits(1, "H")]
    middle: Annotated[Colour | int, Bits(10, "H")]
    low: Annotated[int, Bits(5, "H")]
    ratio: F32
    text: Annotated[str, Text(8)]
    inner: Inner
    short_text: Annotated[str, Text(3, "B")]
    signed: I32
    blob: Annotated[bytes, Blob(5, "I")]
    after: Annotated[bytes, Fixed(3)]
    numbers: Annotated[tuple[U32, ...], Array(4)]
    inners: Annotated[tuple[Inner, ...], Array(3, "B")]
    uuid: Uuid
    when_red: Annotated[U64 | None, OnlyIf("colour", Colour.RED)]
    when_blue: Annotated[Inner | None, OnlyIf("colour", Colour.BLUE)]
    last: Annotated[tuple[U16, ...] | None, Tail(), Array(2)] = None


@layout("little")
@dataclass(frozen=True, slots=True)
class Little(Structure):
    number: U32
    numbers: Annotated[tuple[U16, ...], Array(4)]
    rest: Annotated[bytes, Rest(6)]


INNER = Inner(7, "in")
SAMPLE = Everything(
    small=1,
    is_on=True,
    colour=Colour.RED,
    mood=Mood.GLAD | Mood.TIRED,
    high=True,
    middle=Colour.BLUE,
    low=3,
    ratio=0.5,
    text="grün",
    inner=INNER,
    short_text="a",
    signed=-2,
    blob=b"blob",
    after=b"abc",
    numbers=(1, 2),
    inners=(INNER,),
    uuid=UUID(int=5),
    when_red=9,
    when_blue=None,
    last=(6,),
)
ENCODED = bytes.fromhex(
    "01 01 0001 00000005 a583 3f000000 0005 6772c3bc6e 00 0007 0002 696e 00"
    "01 61 00 fffffffe 00000004 626c6f62 616263 0002 00000001 00000002"
    "01 0007 0002 696e 00 00000000000000000000000000000005 0000000000000009"
    "0001 0006"
)


def test_everything_is_written() -> None:
    assert SAMPLE.encode() == ENCODED


def test_everything_is_read() -> None:
    decoded = Everything.decode(ENCODED)
    assert decoded == SAMPLE
    assert type(decoded) is Everything
    assert type(decoded.inner) is Inner
    assert decoded.is_on is True
    assert decoded.high is True
    assert decoded.colour is Colour.RED
    assert decoded.middle is Colour.BLUE
    assert isinstance(decoded.mood, Mood)
    assert hash(decoded) == hash(SAMPLE)


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Everything.decode(ENCODED).small = 2  # type: ignore[misc]


def test_byte_order() -> None:
    little = Little(1, (2, 3), b"rest")
    assert little.encode() == bytes.fromhex("01000000 0200 0200 0300") + b"rest"
    assert Little.decode(little.encode()) == little


@settings(max_examples=30)
@given(examples(Everything))
def test_everything_comes_back(example: Everything) -> None:
    data = example.encode()
    assert Everything.decode_prefix(data) == (example, len(data))


@settings(max_examples=30)
@given(examples(Little))
def test_little_comes_back(example: Little) -> None:
    data = example.encode()
    assert Little.decode_prefix(data) == (example, len(data))


def test_what_follows_is_ignored() -> None:
    data = replace(SAMPLE, last=()).encode()
    assert Everything.decode(data + b"more").last == ()
    assert Everything.decode_prefix(data + b"more")[1] == len(data)


def test_tail_may_be_missing() -> None:
    data = ENCODED.removesuffix(bytes.fromhex("0001 0006"))
    assert Everything.decode(data) == replace(SAMPLE, last=None)
    assert replace(SAMPLE, last=None).encode() == data


def test_everything_that_is_cut_is_refused() -> None:
    """Except where the tail begins."""
    tail = len(ENCODED) - 4
    for size in range(len(ENCODED)):
        if size != tail:
            with pytest.raises(ProtocolError):
                Everything.decode(ENCODED[:size])


def test_cut_rest_and_numbers() -> None:
    for size in range(10):
        with pytest.raises(ProtocolError):
            Little.decode(Little(1, (2,), b"").encode()[: min(size, 7)])


def test_missing_terminator_is_refused() -> None:
    data = INNER.encode()
    with pytest.raises(ProtocolError, match=r"Inner\.name has no terminator"):
        Inner.decode(data[:-1] + b"x")


def test_text_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(ProtocolError) as caught:
        Inner.decode(b"\0\0\0\1\xff\0")
    # Neither the error nor what led to it carries the data.
    assert caught.value.__context__ is None


def test_unknown_values_survive() -> None:
    example = replace(SAMPLE, colour=9, middle=1000, mood=Mood(0xF0), when_red=None)
    decoded = Everything.decode(example.encode())
    assert decoded == example
    assert type(decoded.colour) is int
    assert decoded.mood == 0xF0
    assert decoded.encode() == example.encode()


WRONG: list[dict[str, Any]] = [
    {"small": 256},
    {"small": -1},
    {"colour": 0x10000, "when_red": None},
    {"mood": 1 << 32},
    {"middle": 1 << 10},
    {"low": -1},
    {"signed": 1 << 31},
    {"ratio": 1e39},
    {"ratio": math.nan},
    {"ratio": math.inf},
    {"text": "\ud800"},
    {"after": b"ab"},
    {"numbers": (1 << 32,)},
    {"inners": (Inner(-1, ""),)},
    {"when_red": None},
    {"when_blue": INNER},
    {"last": (1 << 16,)},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_value_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        replace(SAMPLE, **wrong).encode()
    assert caught.value.__context__ is None
    assert str(next(iter(wrong.values()))) not in str(caught.value)


@pytest.mark.parametrize("bits", [0x7F800000, 0xFF800000, 0x7FC00000])
def test_number_that_is_not_finite_is_refused(bits: int) -> None:
    at = ENCODED.index(bytes.fromhex("3f000000"))
    with pytest.raises(ProtocolError, match="not finite"):
        Everything.decode(ENCODED[:at] + bits.to_bytes(4) + ENCODED[at + 4 :])


BOUNDS = [
    pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")
    for cls in (Inner, Everything, Little)
    for field in bounds_of(cls)
]


@pytest.mark.parametrize(("cls", "field"), BOUNDS)
def test_bound(cls: type[Structure], field: Any) -> None:
    limit = field.kind.limit
    full = filled(cls, field, limit)
    assert cls.decode(full.encode()) == full
    one_more = filled(cls, field, limit + 1)
    with pytest.raises(MessageTooLargeError):
        one_more.encode()
    order = "<" if cls is Little else ">"
    data = encode_unbounded(one_more, field, order)
    with pytest.raises(MessageTooLargeError):
        cls.decode(data)


@given(st.binary(max_size=80))
def test_anything_else_is_read_or_refused(data: bytes) -> None:
    for cls in (Inner, Everything, Little):
        try:
            decoded = cls.decode(data)
        except ProtocolError:
            continue
        assert data.startswith(decoded.encode())


def test_structure_without_a_layout() -> None:
    @dataclass(frozen=True, slots=True)
    class Bare(Structure):
        number: U16

    with pytest.raises(NotImplementedError):
        Bare.decode(b"\0\1")
    with pytest.raises(NotImplementedError):
        Bare(1).encode()


def test_field_that_does_not_say_how_it_travels() -> None:
    @dataclass(frozen=True, slots=True)
    class Silent(Structure):
        number: int

    with pytest.raises(TypeError, match="number"):
        layout()(Silent)


def test_bits_that_do_not_fill_their_word() -> None:
    @dataclass(frozen=True, slots=True)
    class Short(Structure):
        high: Annotated[int, Bits(3, "B")]
        low: Annotated[int, Bits(4, "B")]

    with pytest.raises(TypeError, match="fill"):
        layout()(Short)


def test_bits_that_something_else_follows_too_early() -> None:
    @dataclass(frozen=True, slots=True)
    class Broken(Structure):
        high: Annotated[int, Bits(3, "B")]
        number: U16

    with pytest.raises(TypeError, match="fill"):
        layout()(Broken)


def test_more_bits_than_a_word_has() -> None:
    @dataclass(frozen=True, slots=True)
    class Long(Structure):
        high: Annotated[int, Bits(3, "B")]
        low: Annotated[int, Bits(6, "B")]

    with pytest.raises(TypeError, match="low"):
        layout()(Long)


def test_structure_that_wants_to_look_at_its_fields() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked(Structure):
        number: U16

        def __post_init__(self) -> None:
            """Would not be called."""

    with pytest.raises(TypeError, match="Checked"):
        layout()(Checked)
