"""Examples of anything that has a layout, made from the layout itself."""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, IntEnum, IntFlag
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from custom_components.rumpus.protocols.binary import (
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
from custom_components.rumpus.protocols.binary.writer import Writer

SHORT = 20
"""Characters, bytes and items of an example; its bound may be lower."""

_RANGES = {
    "B": (0, 2**8 - 1),
    "H": (0, 2**16 - 1),
    "I": (0, 2**32 - 1),
    "Q": (0, 2**64 - 1),
    "b": (-(2**7), 2**7 - 1),
    "h": (-(2**15), 2**15 - 1),
    "i": (-(2**31), 2**31 - 1),
    "q": (-(2**63), 2**63 - 1),
}


def examples[S: Structure](cls: type[S]) -> st.SearchStrategy[S]:
    """Return a strategy of structures that can be encoded."""
    plan = fields_of(cls)

    @st.composite
    def draw_one(draw: st.DrawFn) -> S:
        values: dict[str, Any] = {}
        for field in plan:
            condition = field.condition
            if condition is not None and values[condition.field] != condition.value:
                values[field.name] = None
                continue
            strategy = values_of(field)
            for other in plan:
                if other.condition is not None and other.condition.field == field.name:
                    strategy |= st.just(_typed(field.type, other.condition.value))
            if field.is_tail:
                strategy |= st.none()
            values[field.name] = draw(strategy)
        return cls(**values)

    return draw_one()


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Return a strategy of what a field holds when it is there."""
    match field.kind:
        case Number(code) if code == "f":
            return st.floats(width=32, allow_nan=False, allow_infinity=False)
        case Number(code):
            return _integers(field.type, *_RANGES[code])
        case Bits(count):
            return _integers(field.type, 0, 2**count - 1)
        case Fixed(size):
            return (
                st.uuids()
                if field.type is UUID
                else st.binary(min_size=size, max_size=size)
            )
        case Text(limit):
            letters = st.characters(exclude_categories=["Cs"])
            return st.text(letters, max_size=min(limit // 4, SHORT))
        case Blob(limit) | Rest(limit):
            return st.binary(max_size=min(limit, SHORT))
        case ArrayOf(element, limit):
            return st.lists(values_of(element), max_size=min(limit, 3)).map(tuple)
        case None:
            return examples(field.type)


def _integers(cls: type, low: int, high: int) -> st.SearchStrategy[Any]:
    if cls is bool:
        return st.booleans()
    numbers = st.integers(low, high)
    if issubclass(cls, IntEnum):
        return st.sampled_from(list(cls)) | numbers
    return numbers.map(cls) if issubclass(cls, IntFlag) else numbers


def _typed(cls: type, value: int) -> int:
    return cls(value) if issubclass(cls, IntFlag) else value


def smallest[S: Structure](cls: type[S]) -> S:
    """Return a structure in which everything is zero, empty or not there."""
    return cls(**{field.name: _zero(field) for field in fields_of(cls)})


def _zero(field: Field) -> Any:
    if field.condition is not None or field.is_tail:
        return None
    match field.kind:
        case Fixed(size):
            return UUID(int=0) if field.type is UUID else bytes(size)
        case None:
            return smallest(field.type)
        case _:
            return 0 if issubclass(field.type, Enum) else field.type()


def bounds_of(cls: type[Structure]) -> Iterator[Field]:
    """Yield the fields that have a bound."""
    for field in fields_of(cls):
        if isinstance(field.kind, (Text, Blob, ArrayOf, Rest)):
            yield field


def filled[S: Structure](cls: type[S], field: Field, size: int) -> S:
    """Return the smallest structure, but with so much in one field."""
    value: Any
    if isinstance(field.kind, ArrayOf):
        element = field.kind.element
        value = (_zero(element),) * size
    else:
        value = "x" * size if field.type is str else b"x" * size
    return replace(smallest(cls), **{field.name: value})


def encode_unbounded(structure: Structure, field: Field, order: str = ">") -> bytes:
    """Return a structure as bytes, whatever the bound of one field is."""
    assert isinstance(field.kind, (Text, Blob, ArrayOf, Rest))
    larger = replace(field, kind=replace(field.kind, limit=1 << 32))
    plan = tuple(
        larger if other.name == field.name else other
        for other in fields_of(type(structure))
    )
    encode = Writer(type(structure), order).function(plan)
    result = encode(structure)
    assert isinstance(result, bytes)
    return result
