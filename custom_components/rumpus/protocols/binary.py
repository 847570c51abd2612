"""Fixed binary formats, each declared once: a frozen dataclass whose fields say how they travel.

    @layout()
    @dataclass(frozen=True, slots=True)
    class Title(Structure):
        title_id: U32
        has_focus: Annotated[bool, Bits(1, "H")]
        location: Annotated[Location | int, Bits(15, "H")]
        name: Annotated[str, Text(255)]

`Title.decode(data)` and `title.encode()` both come from this declaration, which is turned into
two functions when the class is made: fields of a fixed size that follow each other, with the
length of what comes after them, are read and written by one struct.Struct.

Both raise ProtocolError, never with a value in its text: for data that ends too early, text
that is no UTF-8 or has no terminator, numbers that are not finite, values that do not fit; and
MessageTooLargeError for what goes past the bound that each field of variable size has. Bytes
after the last field are ignored.

An IntEnum field is declared as `SomeEnum | int` and holds an int where nobody knows the value.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field as DataclassField, dataclass, fields
from enum import IntEnum, IntFlag
from math import isfinite
import struct
from types import NoneType
from typing import (
    Annotated,
    ClassVar,
    Literal,
    NoReturn,
    Self,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from .errors import MessageTooLargeError, ProtocolError

type ByteOrder = Literal["big", "little"]
type NumberCode = Literal["B", "H", "I", "Q", "b", "h", "i", "q", "f", "d"]
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

type _Function = Callable[..., object]
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
    return tuple(_resolve(field.name, hints[field.name]) for field in fields(cls))


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


def layout[S: Structure](order: ByteOrder = "big") -> Callable[[type[S]], type[S]]:
    """Give a frozen dataclass the methods of Structure, made from its fields.

    The functions are written out as source and compiled, as the dataclasses module does it:
    walking through a list of fields for each packet takes several times as long.
    """

    def decorate(cls: type[S]) -> type[S]:
        mark = ">" if order == "big" else "<"
        plan = fields_of(cls)
        decode, decode_prefix = _Reader(cls, mark).functions(plan)
        encode = _Writer(cls, mark).function(plan)
        for name, function in (
            ("decode", staticmethod(decode)),
            ("decode_prefix", staticmethod(decode_prefix)),
            ("encode", encode),
        ):
            setattr(cls, name, function)
        return cls

    return decorate


class _Source:
    """The source of a function and the objects that it names."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        self.names: dict[str, object] = {
            "fail": _fail,
            "isfinite": isfinite,
            "struct_error": struct.error,
            "too_large": _too_large,
        }
        self._title = cls.__name__
        self._mark = mark
        self._lines: list[str] = []
        self._indent = 2
        self._count = 0

    def _add(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    def _new(self, hint: str) -> str:
        self._count += 1
        return f"{hint}_{self._count}"

    def _named(self, hint: str, value: object) -> str:
        name = self._new(hint)
        self.names[name] = value
        return name

    def _check(self, condition: str, field: Field, problem: str) -> None:
        self._add(f"if {condition}: fail({f'{self._title}.{field.name} {problem}'!r})")

    def _limit(self, count: str, limit: int, field: Field) -> None:
        text = f"{self._title}.{field.name} is larger than {limit}"
        self._add(f"if {count} > {limit}: too_large({text!r})")

    def _compile(self, name: str, head: str, handlers: list[str]) -> _Function:
        lines = [f"def {name}({head}):", "    try:", *self._lines, *handlers]
        code = compile("\n".join(lines), f"<{name} of {self._title}>", "exec")
        # Nothing in the source comes from anywhere but the classes with a layout.
        exec(code, self.names)  # noqa: S102
        function: _Function = self.names[name]  # type: ignore[assignment]
        return function


def _fail(problem: str) -> NoReturn:
    raise ProtocolError(problem)


def _too_large(problem: str) -> NoReturn:
    raise MessageTooLargeError(problem)


class _Reader(_Source):
    """Writes the functions that decode."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        super().__init__(cls, mark)
        self._cls = cls
        # What the next struct reads into which variables, and what is done with them then.
        self._run: list[tuple[str, str]] = []
        self._after: list[str] = []
        self._floats: list[str] = []
        self._base = ""
        self._offset = 0
        self._word = ""
        self._bits_left = 0

    def functions(self, plan: tuple[Field, ...]) -> tuple[_Function, _Function]:
        """Return the functions decode and decode_prefix."""
        made = self._structure(self._cls, plan)
        self._flush()
        problem = f"{self._title} ends too early"
        handlers = [
            f"    except (IndexError, struct_error): problem = {problem!r}",
            f"    except UnicodeDecodeError: problem = {f'{self._title} is no UTF-8'!r}",
            # Outside of the handlers: the errors carry the data, which may be secret.
            "    fail(problem)",
        ]
        self._add(f"return {made}")
        decode = self._compile("decode", "data", handlers)
        self._lines[-1] += f", {self._position}"
        return decode, self._compile("decode_prefix", "data", handlers)

    def _structure(self, cls: type[Structure], plan: tuple[Field, ...]) -> str:
        values: dict[str, str] = {}
        for field in plan:
            values[field.name] = self._field(field, values)
        return f"{self._named('cls', cls)}({', '.join(values.values())})"

    def _field(self, field: Field, before: dict[str, str]) -> str:
        if field.condition is not None:
            condition = f"{before[field.condition.field]} == {field.condition.value}"
        elif field.is_tail:
            condition = "o < len(data)"
        else:
            return self._value(field)
        self._settle()
        result = self._new("maybe")
        self._add(f"{result} = None")
        self._add(f"if {condition}:")
        self._indent += 1
        value = self._value(field)
        self._settle()
        self._add(f"{result} = {value}")
        self._indent -= 1
        return result

    def _value(self, field: Field) -> str:
        match field.kind:
            case Number(code):
                return self._number(field, code)
            case Bits(count, word):
                return self._bits(field, count, word)
            case Fixed(size):
                value = self._next("fixed", f"{size}s")
                if field.type is UUID:
                    self._after.append(
                        f"{value} = {self._named('uuid', _uuid)}({value})"
                    )
                return value
            case Text(limit, prefix):
                return self._text(field, limit, prefix)
            case Blob(limit, prefix):
                return self._blob(field, limit, prefix)
            case ArrayOf(element, limit, prefix):
                return self._array(field, element, limit, prefix)
            case Rest(limit):
                return self._rest(field, limit)
            case None:
                value = self._new("inner")
                made = self._structure(field.type, fields_of(field.type))
                self._after.append(f"{value} = {made}")
                return value

    def _number(self, field: Field, code: str) -> str:
        value = self._next("number", code)
        if field.type is float:
            self._floats.append(value)
        self._convert(field, value)
        return value

    def _convert(self, field: Field, value: str) -> None:
        if field.type is bool:
            self._after.append(f"{value} = {value} != 0")
        elif issubclass(field.type, IntFlag):
            self._after.append(f"{value} = {self._named('flags', field.type)}({value})")
        elif issubclass(field.type, IntEnum):
            known = {member.value: member for member in field.type}
            self._after.append(
                f"{value} = {self._named('known', known.get)}({value}, {value})"
            )

    def _bits(self, field: Field, count: int, word: str) -> str:
        if not self._bits_left:
            self._word = self._next("word", word)
            self._bits_left = 8 * struct.calcsize(f"={word}")
        self._bits_left -= count
        value = self._new("bits")
        mask = (1 << count) - 1
        self._after.append(f"{value} = {self._word} >> {self._bits_left} & {mask}")
        self._convert(field, value)
        return value

    def _text(self, field: Field, limit: int, prefix: str) -> str:
        size, start = self._counted(field, limit, prefix)
        end = self._new("end")
        value = self._new("text")
        self._add(f"{end} = {start} + {size}")
        self._add(f"{value} = data[{start}:{end}].decode()")
        self._base, self._offset = end, 0
        terminator = self._next("zero", "B")
        problem = f"{self._title}.{field.name} has no terminator"
        self._after.append(f"if {terminator}: fail({problem!r})")
        return value

    def _blob(self, field: Field, limit: int, prefix: str) -> str:
        size, start = self._counted(field, limit, prefix)
        end = self._new("end")
        value = self._new("blob")
        self._add(f"{end} = {start} + {size}")
        self._add(f"{value} = data[{start}:{end}]")
        self._check(f"len({value}) != {size}", field, "ends too early")
        self._base, self._offset = end, 0
        return value

    def _array(self, field: Field, element: Field, limit: int, prefix: str) -> str:
        count, start = self._counted(field, limit, prefix)
        value = self._new("array")
        if isinstance(element.kind, Number):
            code = element.kind.code
            end = self._new("end")
            unpack = self._named("unpack", struct.unpack_from)
            # One number is the usual case, of acks.
            one = self._named("unpack", struct.Struct(self._mark + code).unpack_from)
            self._add(f"if {count} == 1: {value} = {one}(data, {start})")
            self._add(
                f"else: {value} = {unpack}(f'{self._mark}{{{count}}}{code}', data, {start})"
            )
            self._add(f"{end} = {start} + {count} * {struct.calcsize(f'={code}')}")
            self._base, self._offset = end, 0
            return value
        self._settle()
        items = self._new("items")
        self._add(f"{items} = []")
        self._add(f"for _ in range({count}):")
        self._indent += 1
        item = self._value(element)
        self._settle()
        self._add(f"{items}.append({item})")
        self._indent -= 1
        self._add(f"{value} = tuple({items})")
        return value

    def _rest(self, field: Field, limit: int) -> str:
        self._flush()
        value = self._new("rest")
        self._add(f"{value} = data[{self._position}:]")
        self._limit(f"len({value})", limit, field)
        self._base, self._offset = "len(data)", 0
        return value

    def _counted(self, field: Field, limit: int, prefix: str) -> tuple[str, str]:
        """Read a length or a number of items; return it and where they start."""
        count = self._next("count", prefix)
        self._flush()
        self._limit(count, limit, field)
        return count, self._position

    def _next(self, hint: str, code: str) -> str:
        value = self._new(hint)
        self._run.append((code, value))
        return value

    @property
    def _position(self) -> str:
        if not self._base:
            return str(self._offset)
        return f"{self._base} + {self._offset}" if self._offset else self._base

    def _flush(self) -> None:
        """Read what is due."""
        if self._run:
            codes = "".join(code for code, _ in self._run)
            values = [value for _, value in self._run]
            if codes == "B":
                self._add(f"{values[0]} = data[{self._position}]")
            else:
                compiled = struct.Struct(self._mark + codes)
                unpack = self._named("unpack", compiled.unpack_from)
                self._add(f"{', '.join(values)}, = {unpack}(data, {self._position})")
            self._offset += struct.calcsize(self._mark + codes)
            self._run.clear()
        if self._floats:
            # A sum is finite when all of its parts are: they are far from the largest float.
            problem = f"{self._title} holds a number that is not finite"
            self._add(f"if not isfinite({' + '.join(self._floats)}): fail({problem!r})")
            self._floats.clear()
        for line in self._after:
            self._add(line)
        self._after.clear()

    def _settle(self) -> None:
        """Read what is due, and keep the position in a variable that branches share."""
        self._flush()
        if self._position != "o":
            self._add(f"o = {self._position}")
            self._base, self._offset = "o", 0


def _uuid(data: bytes) -> UUID:
    return UUID(bytes=data)


class _Writer(_Source):
    """Writes the function that encodes."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        super().__init__(cls, mark)
        # What the next struct takes, and which parts come before it.
        self._run: list[tuple[str, str]] = []
        self._floats: list[str] = []
        self._parts: list[str] = []
        self._has_list = False
        self._word = ""
        self._bits: list[str] = []
        self._bits_left = 0

    def function(self, plan: tuple[Field, ...]) -> _Function:
        """Return the function encode."""
        self._structure("self", plan)
        self._flush()
        if self._has_list:
            self._hand_over()
            self._add("return b''.join(parts)")
        elif len(self._parts) == 1:
            self._add(f"return {self._parts[0]}")
        else:
            self._add(f"return b''.join(({', '.join(self._parts)}))")
        problem = f"{self._title} holds a number that does not fit"
        handlers = [
            f"    except (OverflowError, struct_error): problem = {problem!r}",
            f"    except UnicodeEncodeError: problem = {f'{self._title} is no text'!r}",
            "    fail(problem)",
        ]
        return self._compile("encode", "self", handlers)

    def _structure(self, source: str, plan: tuple[Field, ...]) -> None:
        for field in plan:
            value = f"{source}.{field.name}"
            if field.condition is not None:
                condition = (
                    f"{source}.{field.condition.field} == {field.condition.value}"
                )
                self._check(
                    f"({condition}) is ({value} is None)", field, "does not fit"
                )
            elif not field.is_tail:
                self._value(field, value)
                continue
            self._flush()
            self._hand_over()
            self._add(f"if {value} is not None:")
            self._indent += 1
            self._value(field, value)
            self._flush()
            self._hand_over()
            self._indent -= 1

    def _value(self, field: Field, value: str) -> None:
        match field.kind:
            case Number(code):
                if field.type is float:
                    self._floats.append(value)
                self._run.append((code, value))
            case Bits(count, word):
                self._bit_field(field, value, count, word)
            case Fixed(size):
                if field.type is UUID:
                    value += ".bytes"
                else:
                    self._check(
                        f"len({value}) != {size}", field, f"is not {size} bytes"
                    )
                self._run.append((f"{size}s", value))
            case Text(limit, prefix):
                text = self._new("text")
                self._add(f"{text} = {value}.encode()")
                self._counted(field, text, limit, prefix)
                self._parts.append(text)
                self._run.append(("x", ""))
            case Blob(limit, prefix):
                self._counted(field, value, limit, prefix)
                self._parts.append(value)
            case ArrayOf(element, limit, prefix):
                self._array(field, element, value, limit, prefix)
            case Rest(limit):
                self._flush()
                self._limit(f"len({value})", limit, field)
                self._parts.append(value)
            case None:
                self._structure(value, fields_of(field.type))

    def _bit_field(self, field: Field, value: str, count: int, word: str) -> None:
        if not self._bits_left:
            self._bits_left = 8 * struct.calcsize(f"={word}")
        self._bits_left -= count
        self._check(f"not 0 <= {value} < {1 << count}", field, "does not fit")
        self._bits.append(f"{value} << {self._bits_left}")
        if not self._bits_left:
            self._run.append((word, " | ".join(self._bits)))
            self._bits.clear()

    def _array(
        self, field: Field, element: Field, value: str, limit: int, prefix: str
    ) -> None:
        count = self._counted(field, value, limit, prefix)
        if isinstance(element.kind, Number):
            pack = self._named("pack", struct.pack)
            code = element.kind.code
            self._parts.append(
                f"{pack}(f'{self._mark}{{{count}}}{code}', *{value}) if {count} else b''"
            )
            return
        self._hand_over()
        item = self._new("item")
        self._add(f"for {item} in {value}:")
        self._indent += 1
        self._value(element, item)
        self._flush()
        self._hand_over()
        self._indent -= 1

    def _counted(self, field: Field, value: str, limit: int, prefix: str) -> str:
        count = self._new("count")
        self._add(f"{count} = len({value})")
        self._limit(count, limit, field)
        self._run.append((prefix, count))
        self._flush()
        return count

    def _flush(self) -> None:
        """Make a part of what one struct can write."""
        if self._floats:
            problem = f"{self._title} holds a number that is not finite"
            self._add(f"if not isfinite({' + '.join(self._floats)}): fail({problem!r})")
            self._floats.clear()
        if not self._run:
            return
        codes = "".join(code for code, _ in self._run)
        if codes == "x":
            self._parts.append(r"b'\0'")
        else:
            pack = self._named("pack", struct.Struct(self._mark + codes).pack)
            values = ", ".join(value for code, value in self._run if code != "x")
            self._parts.append(f"{pack}({values})")
        self._run.clear()

    def _hand_over(self) -> None:
        """Put the parts into a list, because what follows may come several times or never."""
        parts = ", ".join(self._parts)
        if not self._has_list:
            self._add(f"parts = [{parts}]")
            self._has_list = True
        elif parts:
            self._add(f"parts += {parts},")
        self._parts.clear()
