"""How the fields of a binary format travel, and what their class says about it."""

from collections.abc import Iterator
from dataclasses import Field as DataclassField, dataclass, fields
from enum import IntEnum, IntFlag
import struct
from types import NoneType
from typing import (
    Annotated,
    ClassVar,
    Literal,
    Self,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

type ByteOrder = Literal["big", "little"]
type NumberCode = Literal["B", "H", "I", "Q", "b", "h", "i", "q", "f"]
type WordCode = Literal["B", "H", "I", "Q"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number, enum, flags or bool, in the form that the struct module gives this code."""

    code: NumberCode


@dataclass(frozen=True, slots=True)
class Bits:
    """A number of this many bits of a word, most significant first.

    The fields that follow must fill the word up.
    """

    count: int
    word: WordCode


@dataclass(frozen=True, slots=True)
class Fixed:
    """Exactly so many bytes; as UUID in the order of its text when the field is a UUID."""

    size: int


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 with its length in bytes, at most `limit`, in front and a zero byte behind."""

    limit: int
    prefix: WordCode = "H"


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with their number, at most `limit`, in front."""

    limit: int
    prefix: WordCode = "H"


@dataclass(frozen=True, slots=True)
class Array:
    """A tuple of structures or numbers with their number, at most `limit`, in front."""

    limit: int
    prefix: WordCode = "H"


@dataclass(frozen=True, slots=True)
class Rest:
    """All bytes that are left, at most `limit`."""

    limit: int


@dataclass(frozen=True, slots=True)
class OnlyIf:
    """The field is there, and not None, only when another field before it has this value."""

    field: str
    value: int


@dataclass(frozen=True, slots=True)
class Tail:
    """The field, the last one, is there only when bytes are left, else None."""


type U8 = Annotated[int, Number("B")]
type U16 = Annotated[int, Number("H")]
type U32 = Annotated[int, Number("I")]
type U64 = Annotated[int, Number("Q")]
type I32 = Annotated[int, Number("i")]
type F32 = Annotated[float, Number("f")]
type Enum16[E: IntEnum] = Annotated[E | int, Number("H")]
type Enum32[E: IntEnum] = Annotated[E | int, Number("I")]
type Flags16[F: IntFlag] = Annotated[F, Number("H")]
type Flags32[F: IntFlag] = Annotated[F, Number("I")]
type Flags64[F: IntFlag] = Annotated[F, Number("Q")]
type Uuid = Annotated[UUID, Fixed(16)]


class Structure:
    """The base of all classes with a layout."""

    __slots__ = ()

    __dataclass_fields__: ClassVar[dict[str, DataclassField[object]]]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return what the data holds; bytes behind it are ignored.

        Raises ProtocolError, and MessageTooLargeError for what is beyond a bound.
        """
        return cls.decode_prefix(data)[0]

    @classmethod
    def decode_prefix(cls, data: bytes) -> tuple[Self, int]:
        """Return what the data begins with, and how many of its bytes that takes.

        Raises like decode.
        """
        raise NotImplementedError

    def encode(self) -> bytes:
        """Return the structure as bytes. Raises ProtocolError for what does not fit."""
        raise NotImplementedError


_KINDS = (Number, Bits, Fixed, Text, Blob, Array, Rest)

type _Kind = Number | Bits | Fixed | Text | Blob | Rest


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An Array together with what is in it."""

    element: Field
    limit: int
    prefix: WordCode


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a layout as its class declares it; `kind` is None for a structure inside."""

    name: str
    type: type
    kind: _Kind | ArrayOf | None
    condition: OnlyIf | None = None
    is_tail: bool = False


def fields_of(cls: type[Structure]) -> tuple[Field, ...]:
    """Return the fields of a structure in the order in which they travel.

    Raises TypeError for a declaration that says too little.
    """
    hints = get_type_hints(cls, include_extras=True)
    plan = tuple(_resolve(field.name, hints[field.name]) for field in fields(cls))
    _check_words(plan)
    return plan


def _check_words(plan: tuple[Field, ...]) -> None:
    """Raise TypeError when bits do not fill up the words that they are in."""
    left, word = 0, ""
    for field in plan:
        if isinstance(field.kind, Bits):
            if not left:
                word = field.kind.word
                left = 8 * struct.calcsize(f"={word}")
            left -= field.kind.count
            if left < 0 or field.kind.word != word:
                raise TypeError(f"field {field.name} does not fit into its word")
        elif left:
            break
    if left:
        raise TypeError("bits that do not fill their word")


def _resolve(name: str, annotation: object) -> Field:
    kind: _Kind | Array | None = None
    condition: OnlyIf | None = None
    is_tail = False
    for note in _unwrap(annotation):
        if isinstance(note, OnlyIf):
            condition = note
        elif isinstance(note, Tail):
            is_tail = True
        elif isinstance(note, _KINDS):
            kind = note
        else:
            annotation = note
    if isinstance(kind, Array):
        element = _resolve(name, get_args(annotation)[0])
        array = ArrayOf(element, kind.limit, kind.prefix)
        return Field(name, tuple, array, condition, is_tail)
    if not isinstance(annotation, type) or (
        kind is None and not issubclass(annotation, Structure)
    ):
        raise TypeError(f"field {name} does not say how it travels")
    return Field(name, annotation, kind, condition, is_tail)


def _unwrap(annotation: object) -> Iterator[object]:
    """Yield all that Annotated says, outermost first, and the bare type as the last."""
    while True:
        origin = get_origin(annotation)
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        elif isinstance(origin, TypeAliasType):
            annotation = origin.__value__[get_args(annotation)]
        elif origin is Annotated:
            annotation, *notes = get_args(annotation)
            yield from notes
        elif origin is Union:
            # `T | None` of a field that may be missing, or `SomeEnum | int`.
            annotation = next(a for a in get_args(annotation) if a is not NoneType)
        else:
            yield annotation
            return
