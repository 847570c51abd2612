"""Writes the function that encodes."""

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


class Writer(Source):
    """Writes the function that encodes."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        """Begin what encodes a class; the mark is that of the byte order."""
        super().__init__(cls, mark)
        # What the next struct takes, and which parts come before it.
        self._run: list[tuple[str, str]] = []
        self._floats: list[str] = []
        self._parts: list[str] = []
        self._has_list = False
        self._bits: list[str] = []
        self._bits_left = 0

    def function(self, plan: tuple[Field, ...]) -> Function:
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
            case _:
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
