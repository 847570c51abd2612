"""Writes the functions that decode."""

from enum import IntEnum, IntFlag
import struct
from uuid import UUID

from .fields import (
    ArrayOf,
    Bits,
    Blob,
    Field,
    Fixed,
    Number,
    Rest,
    Structure,
    Text,
    fields_of,
)
from .source import Function, Source


class Reader(Source):
    """Writes the functions that decode."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        """Begin what decodes a class; the mark is that of the byte order."""
        super().__init__(cls, mark)
        self.names["new"] = object.__new__
        self._cls = cls
        # What the next struct reads into which variables, and what is done with them then.
        self._run: list[tuple[str, str]] = []
        self._after: list[str] = []
        self._floats: list[str] = []
        self._base = ""
        self._offset = 0
        self._word = ""
        self._bits_left = 0

    def functions(self, plan: tuple[Field, ...]) -> tuple[Function, Function]:
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
        """Read the fields of a structure; return the variable that then holds it.

        The constructor of a frozen dataclass takes three times as long as this.
        """
        values: dict[str, str] = {}
        for field in plan:
            values[field.name] = self._field(field, values)
        made = self._new("made")
        self._after.append(f"{made} = new({self._named('draft', _draft(cls))})")
        self._after.extend(f"{made}.{name} = {value}" for name, value in values.items())
        self._after.append(f"{made}.__class__ = {self._named('cls', cls)}")
        return made

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
            case _:
                return self._structure(field.type, fields_of(field.type))

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
            # The class looks there as well, but takes several times as long for it.
            seen = self._named("seen", field.type._value2member_map_.get)
            flags = self._named("flags", field.type)
            met = self._new("met")
            self._after.append(f"{met} = {seen}({value})")
            self._after.append(
                f"{value} = {flags}({value}) if {met} is None else {met}"
            )
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


def _draft(cls: type[Structure]) -> type[Structure]:
    """Return a subclass whose objects can be filled before they are made what they are."""
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} wants to look at its fields itself")
    body = {
        "__slots__": (),
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(f"{cls.__name__}Draft", (cls,), body)


def _uuid(data: bytes) -> UUID:
    return UUID(bytes=data)
