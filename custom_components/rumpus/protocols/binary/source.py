"""What the functions have in common that are written out as source and compiled."""

from collections.abc import Callable
from math import isfinite
import struct
from typing import NoReturn

from ..errors import MessageTooLargeError, ProtocolError
from .fields import Field, Structure

type Function = Callable[..., object]


class Source:
    """The source of a function and the objects that it names."""

    def __init__(self, cls: type[Structure], mark: str) -> None:
        """Begin a function of a class; the mark is that of the byte order."""
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

    def _compile(self, name: str, head: str, handlers: list[str]) -> Function:
        lines = [f"def {name}({head}):", "    try:", *self._lines, *handlers]
        code = compile("\n".join(lines), f"<{name} of {self._title}>", "exec")
        # Nothing in the source comes from anywhere but the classes with a layout.
        exec(code, self.names)  # noqa: S102
        function: Function = self.names[name]  # type: ignore[assignment]
        return function


def _fail(problem: str) -> NoReturn:
    raise ProtocolError(problem)


def _too_large(problem: str) -> NoReturn:
    raise MessageTooLargeError(problem)
