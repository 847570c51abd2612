"""Typed reading of the JSON that Home Assistant answers with.

Every reader raises ShapeError when the answer has another shape than Home Assistant 2026.11 gives.
"""

from collections.abc import Mapping
import json

type JsonValue = (
    bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None
)
type JsonObject = dict[str, JsonValue]


class ShapeError(Exception):
    """A JSON answer has not the shape that was expected."""


def parse(text: str | bytes) -> JsonValue:
    """Return the JSON document of a text."""
    try:
        value: JsonValue = json.loads(text)
    except ValueError as err:
        raise ShapeError(f"not JSON: {text[:200]!r}") from err
    return value


def as_object(value: JsonValue) -> JsonObject:
    """Return an object."""
    if not isinstance(value, dict):
        raise ShapeError(f"an object was expected, not {value!r}")
    return value


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list."""
    if not isinstance(value, list):
        raise ShapeError(f"a list was expected, not {value!r}")
    return value


def objects(value: JsonValue) -> list[JsonObject]:
    """Return a list of objects."""
    return [as_object(item) for item in as_list(value)]


def get_str(data: Mapping[str, JsonValue], key: str) -> str:
    """Return a text that must be there."""
    value = data.get(key)
    if not isinstance(value, str):
        raise ShapeError(f"{key} should be a text, not {value!r}")
    return value


def get_int(data: Mapping[str, JsonValue], key: str) -> int:
    """Return a whole number that must be there."""
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ShapeError(f"{key} should be a whole number, not {value!r}")
    return value


def get_optional_str(data: Mapping[str, JsonValue], key: str) -> str | None:
    """Return a text, or None when it is missing or of another type."""
    value = data.get(key)
    return value if isinstance(value, str) else None


def get_object(data: Mapping[str, JsonValue], key: str) -> JsonObject:
    """Return an object, an empty one when it is missing or null."""
    value = data.get(key)
    return {} if value is None else as_object(value)


def get_strings(data: Mapping[str, JsonValue], key: str) -> tuple[str, ...]:
    """Return the texts of a list, none when it is missing or null."""
    value = data.get(key)
    return () if value is None else tuple(str(item) for item in as_list(value))


def texts(value: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return the members of an object that are texts."""
    return {key: item for key, item in value.items() if isinstance(item, str)}
